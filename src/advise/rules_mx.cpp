// SPDX-License-Identifier: Apache-2.0
// What is wrong with the MX records, and with each mail server as a sender meets it on port 25.
#include "advise/rules.h"
#include "advise/tls_faults.h"
#include "advise/words.h"
#include "base/text.h"

#include <fmt/format.h>

#include <algorithm>

namespace mailtight::advise {
namespace {

using findings::severity;
using model::handshake_outcome;
using model::smtp_outcome;

/// True where a conversation got as far as to say something about encryption.
bool tested(const model::smtp_fact& probe) {
    switch (probe.outcome) {
    case smtp_outcome::tls:
    case smtp_outcome::no_starttls:
    case smtp_outcome::starttls_refused:
    case smtp_outcome::injected:
    case smtp_outcome::handshake_failed:
        return true;
    default:
        return false;
    }
}

std::string probe_words(const model::smtp_fact& probe) {
    std::string words;
    switch (probe.outcome) {
    case smtp_outcome::blocked:
        words = "the address is not public";
        break;
    case smtp_outcome::connect_failed:
        words = model::to_string(probe.connect);
        break;
    case smtp_outcome::banner_timeout:
        words = "connected, but no greeting in time";
        break;
    case smtp_outcome::banner_refused:
        words = "turned us away";
        break;
    case smtp_outcome::timeout:
        words = "fell silent";
        break;
    case smtp_outcome::closed:
        words = "hung up before STARTTLS";
        break;
    case smtp_outcome::protocol_error:
        words = "does not speak proper SMTP";
        break;
    case smtp_outcome::no_starttls:
        words = "EHLO does not offer STARTTLS";
        break;
    case smtp_outcome::starttls_refused:
        words = "refused STARTTLS";
        break;
    case smtp_outcome::injected:
        words = "sent unencrypted bytes after its reply to STARTTLS";
        break;
    case smtp_outcome::handshake_failed:
        words = "the TLS handshake failed";
        break;
    default:
        words = model::to_string(probe.outcome);
    }
    if (probe.reply_code)
        words += fmt::format(" ({} {})", probe.reply_code, probe.reply_text);
    else if (!probe.detail.empty())
        words += fmt::format(" ({})", probe.detail);
    else if (!probe.tls.detail.empty())
        words += fmt::format(" ({})", probe.tls.detail);
    return fmt::format("{}: {}", probe.address.to_string(), words);
}

/// Everything wrong with one address of an MX host.
std::vector<fault> faults_of(const model::smtp_fact& probe, base::utc_seconds now) {
    switch (probe.outcome) {
    case smtp_outcome::no_starttls:
        return {{"mx.no-starttls", probe_words(probe), {}, {}}};
    case smtp_outcome::starttls_refused:
        return {{"mx.starttls-refused", probe_words(probe), {}, {}}};
    case smtp_outcome::injected:
        return {{"mx.starttls-refused",
                 probe_words(probe),
                 {},
                 "unencrypted bytes follow the reply to STARTTLS; careful senders hang up there"}}; // 3207
    case smtp_outcome::handshake_failed: {
        auto faults = tls_faults(probe.tls, "mx", now); // 8461-7.2-a: an old version is told as such
        if (faults.empty())
            faults.push_back({"mx.starttls-refused",
                              probe_words(probe),
                              {},
                              "STARTTLS is accepted, but the TLS handshake fails"});
        return faults;
    }
    case smtp_outcome::tls: {
        auto faults = tls_faults(probe.tls, "mx", now); // 8461-4.2-a, 8461-4.2-b, 8461-4.2-c
        // 8461-7.1-g: a server must not insist on SNI
        using enum handshake_outcome;
        const auto bare = probe.without_sni.outcome;
        if (probe.tried_without_sni &&
            (bare == alert || bare == closed || bare == failed || bare == no_shared_cipher))
            faults.push_back(
                {"mx.requires-sni",
                 fmt::format("{}: with the name {} a handshake, without it none ({})",
                             probe.address.to_string(), probe.host,
                             probe.without_sni.detail.empty() ? std::string(model::to_string(bare))
                                                              : probe.without_sni.detail),
                 {},
                 {}});
        return faults;
    }
    default:
        return {};
    }
}

void unreachable_rule(const model::mx_host_fact& host, const reading& r, collector& out) {
    if (r.seen.port25_closed)
        return; // rules.h, 9
    std::vector<std::string> dead;
    bool any_tested = false;
    for (const model::smtp_fact& probe : host.probes) {
        if (probe.outcome == smtp_outcome::not_tried)
            continue;
        if (tested(probe))
            any_tested = true;
        else
            dead.push_back(probe_words(probe));
    }
    if (dead.empty())
        return;
    out.emit("mx.unreachable",
             {.subject = host.host,
              .message = any_tested ? fmt::format("{} does not answer on every address", host.host)
                                    : fmt::format("{} could not be tested", host.host),
              .evidence = base::join(dead, "; ")});
}

/// 7672-9.2-a: who publishes TLSA records may not keep STARTTLS for clients that proved themselves before.
bool promises_tls(const model::mx_host_fact& host) {
    return host.tlsa.ok() && host.tlsa.security == model::dnssec::secure && !host.tlsa.records.empty();
}

/// Faults of the addresses of one host: shared ones by code, others as a disagreement (rules.h, 4 and 10).
void tls_rules(const model::mx_host_fact& host, const reading& r, collector& out) {
    std::vector<const model::smtp_fact*> probes;
    std::vector<std::vector<fault>> faults;
    std::vector<std::string> addresses;
    bool some_good = false, some_bad = false;
    for (const model::smtp_fact& probe : host.probes)
        if (tested(probe)) {
            probes.push_back(&probe);
            addresses.push_back(probe.address.to_string());
            faults.push_back(faults_of(probe, r.seen.checked_at));
            (blocking(faults.back()) ? some_bad : some_good) = true;
        }
    if (some_good && some_bad) {
        std::vector<std::string> evidence;
        for (std::size_t i = 0; i < probes.size(); ++i)
            evidence.push_back(
                fmt::format("{}: {}", probes[i]->address.to_string(),
                            faults[i].empty() ? std::string("all is well") : fault_words(faults[i])));
        out.emit("mx.addresses-disagree", {.subject = host.host, .evidence = base::join(evidence, "; ")});
        return;
    }
    const bool dane_passes = r.active() && dane_of(host, r) == dane_state::matches;
    for (const shared_fault& s : by_code(faults, addresses)) {
        const std::string& code = s.what.code;
        if (dane_passes && code.starts_with("mx.cert-") && code != "mx.cert-expires-soon")
            continue; // told by dane.disagrees-with-sts
        std::string message = s.what.message;
        if (code == "mx.no-starttls" && promises_tls(host))
            message = "STARTTLS is not offered, although TLSA records promise it to every client from the "
                      "first connection on; senders with DANE do not deliver";
        out.emit(code, {.subject = host.host,
                        .message = message.empty() ? "" : fmt::format("{}: {}", host.host, message),
                        .evidence = s.evidence(),
                        .severity = s.what.severity});
    }
}

void host_rules(const model::mx_host_fact& host, const reading& r, collector& out) {
    if (host.is_address_literal) { // A18
        out.emit("mx.is-address",
                 {.subject = host.host, .evidence = fmt::format("MX {} {}", host.preference, host.host)});
        return;
    }
    if (!host.addresses.a.chain.empty() || !host.addresses.aaaa.chain.empty()) {
        const auto& fact = host.addresses.a.chain.empty() ? host.addresses.aaaa : host.addresses.a;
        if (!r.seen.implicit_mx) // A16: an error of its own, whatever the names say
            out.emit("mx.is-cname", {.subject = host.host,
                                     .message = fmt::format("{} is an alias of {}", host.host, fact.owner()),
                                     .evidence = lookup_words(fact)});
    }
    if (host.addresses.addresses.empty()) {
        const bool asked = host.addresses.a.status != model::dns_status::not_asked;
        if (host.addresses.any_error())
            out.emit("mx.lookup-failed",
                     {.subject = host.host,
                      .evidence =
                          lookup_words(model::is_dns_error(host.addresses.a.status) ? host.addresses.a
                                                                                    : host.addresses.aaaa)});
        else if (asked && !r.seen.implicit_mx)
            out.emit("mx.no-address", {.subject = host.host, .evidence = lookup_words(host.addresses.a)});
        return;
    }
    unreachable_rule(host, r, out);
    tls_rules(host, r, out);
}

} // namespace

void mx_rules(const reading& r, collector& out) {
    const auto& seen = r.seen;
    if (seen.null_mx) {
        out.emit("mx.null", {.subject = seen.domain, .evidence = "MX 0 ."});
        return;
    }
    if (model::is_dns_error(seen.mx_set.status) || seen.mx_set.status == model::dns_status::cname_loop) {
        if (r.sts != record_state::failed) // the zone is silent: one cause (rules.h, 1)
            out.emit("mx.lookup-failed", {.subject = seen.domain, .evidence = lookup_words(seen.mx_set)});
        return;
    }
    if (seen.mx_set.absent()) {
        const bool deliverable =
            std::ranges::any_of(seen.mx, [](const auto& host) { return !host.addresses.addresses.empty(); });
        out.emit("mx.none",
                 {.subject = seen.domain,
                  .message = deliverable
                                 ? "the domain has no MX record; mail goes to its own address"
                                 : "the domain has neither an MX record nor an address: it cannot take mail",
                  .evidence = lookup_words(seen.mx_set),
                  .severity = !deliverable && r.published ? std::optional(severity::error) : std::nullopt});
    }
    if (seen.port25_closed)
        out.emit("mx.untestable", {.subject = seen.domain, .evidence = seen.port25_detail});
    for (const model::mx_host_fact& host : seen.mx)
        host_rules(host, r, out);
}

} // namespace mailtight::advise
