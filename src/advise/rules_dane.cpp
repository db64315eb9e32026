// SPDX-License-Identifier: Apache-2.0
// What is wrong with the TLSA records of the MX hosts, and where DANE and MTA-STS would decide differently.
#include "advise/rules.h"
#include "advise/words.h"
#include "base/text.h"
#include "dane/tlsa.h"

#include <fmt/format.h>

#include <algorithm>

namespace mailtight::advise {
namespace {

std::vector<dane::tlsa> records_of(const model::mx_host_fact& host) {
    std::vector<dane::tlsa> records;
    for (const auto& entry : host.tlsa.records)
        records.push_back({entry.usage, entry.selector, entry.matching, entry.data});
    return records;
}

std::string record_words(const model::mx_host_fact& host) {
    std::vector<std::string> words;
    for (const dane::tlsa& record : records_of(host)) {
        const auto use = dane::judge(record);
        words.push_back(use == dane::usability::usable
                            ? record.to_string()
                            : fmt::format("{} ({})", record.to_string(), dane::explain(use)));
    }
    return list(words, 4);
}

std::string tlsa_name(const model::mx_host_fact& host) {
    return host.tlsa.name.empty() ? "_25._tcp." + host.host : host.tlsa.name;
}

/// 7671-10.1-a, 7672-3.1.3-a: senders pass over such a record, or may never get it whole. Told only where
/// DANE works at all: what stands in an unsigned zone, and a set without a usable record, have codes of their
/// own.
void discouraged_rule(const model::mx_host_fact& host, collector& out) {
    std::vector<std::string> records, reasons;
    for (const dane::tlsa& record : records_of(host))
        if (const auto why = dane::discouraged_because(record)) {
            records.push_back(record.to_string());
            if (std::ranges::find(reasons, *why) == reasons.end())
                reasons.emplace_back(*why);
        }
    if (!records.empty())
        out.emit("dane.discouraged",
                 {.subject = tlsa_name(host),
                  .evidence = fmt::format("{}: {}", list(records, 4), base::join(reasons, " "))});
}

/// RFC 7672 §3.2.2, erratum 6283: the TLSA base domain, and with a secure MX the domain itself.
std::vector<std::string> reference_names(const model::mx_host_fact& host, const reading& r) {
    std::vector<std::string> names{host.tlsa_base.empty() ? host.host : host.tlsa_base};
    if (r.seen.mx_set.security == model::dnssec::secure)
        names.push_back(r.seen.domain);
    return names;
}

/// True where the certificate of some address would not pass the check that MTA-STS demands.
bool public_check_fails(const model::mx_host_fact& host) {
    return std::ranges::any_of(
        host.probes, [](const auto& probe) { return probe.offers_tls() && !probe.tls.faults.empty(); });
}

} // namespace

dane_state dane_of(const model::mx_host_fact& host, const reading& r) {
    const model::tlsa_fact& fact = host.tlsa;
    const bool failed = fact.status == model::dns_status::bogus || fact.security == model::dnssec::bogus ||
                        fact.status == model::dns_status::servfail;
    // 7672-2.2.2-b: no sender asks for TLSA where the addresses are not secure, for many servers there cannot
    // answer
    const auto& way = host.addresses.a.ok() ? host.addresses.a : host.addresses.aaaa;
    if (failed && way.security != model::dnssec::secure)
        return dane_state::none;
    if (failed)
        return dane_state::unusable; // 7672-2.1.2-c: such a host is not connected to
    if (fact.absent())
        return dane_state::none;
    if (!fact.ok() || fact.records.empty() || fact.security == model::dnssec::unknown)
        return dane_state::not_checked; // not asked, or nobody validated
    if (fact.security == model::dnssec::insecure)
        return dane_state::insecure;
    const auto records = records_of(host);
    if (std::ranges::none_of(records,
                             [](const auto& t) { return dane::judge(t) == dane::usability::usable; }))
        return dane_state::unusable;
    const auto names = reference_names(host, r);
    dane_state state = dane_state::not_checked;
    for (const model::smtp_fact& probe : host.probes) {
        if (!probe.tls.completed() || probe.tls.chain.empty())
            continue;
        const auto verdict = dane::match(records, probe.tls.chain, names, r.seen.checked_at);
        if (verdict.result == dane::verdict::outcome::no_match)
            return dane_state::mismatch;
        if (verdict.result == dane::verdict::outcome::matches)
            state = dane_state::matches;
    }
    return state;
}

void dane_rules(const reading& r, collector& out) {
    if (r.seen.null_mx)
        return;
    std::vector<std::string> matching, without;
    for (const model::mx_host_fact& host : r.seen.mx) {
        if (host.is_address_literal || (host.addresses.addresses.empty() && host.addresses.any_error()))
            continue; // the zone of the host is silent: one cause, told by mx.lookup-failed
        const dane_state state = dane_of(host, r);
        if (host.tlsa.security == model::dnssec::secure &&
            (state == dane_state::matches || state == dane_state::mismatch ||
             state == dane_state::not_checked))
            discouraged_rule(host, out);
        switch (state) {
        case dane_state::not_checked:
            break;
        case dane_state::none:
            without.push_back(host.host);
            break;
        case dane_state::insecure:
            out.emit("dane.insecure",
                     {.subject = tlsa_name(host), .evidence = record_words(host)}); // 7672-2.2-c
            break;
        case dane_state::unusable:
            out.emit("dane.invalid",
                     {.subject = host.host,
                      .message = host.tlsa.ok()
                                     ? fmt::format("no TLSA record of {} can be used", host.host)
                                     : fmt::format("the TLSA records of {} cannot be looked up", host.host),
                      .evidence = host.tlsa.ok() && !host.tlsa.records.empty() ? record_words(host)
                                                                               : lookup_words(host.tlsa)});
            break;
        case dane_state::mismatch: // 8461-2-a
            out.emit(
                "dane.mismatch",
                {.subject = host.host,
                 .message = fmt::format("the certificate of {} matches none of its TLSA records", host.host),
                 .evidence = record_words(host)});
            break;
        case dane_state::matches: {
            matching.push_back(host.host);
            if (!r.active() || !public_check_fails(host))
                break;
            std::vector<std::string> seen;
            for (const auto& probe : host.probes)
                if (probe.offers_tls() && !probe.tls.faults.empty()) {
                    std::vector<std::string> faults;
                    for (const auto f : probe.tls.faults)
                        faults.emplace_back(model::to_string(f));
                    seen.push_back(fmt::format("{}: {}; {}", probe.address.to_string(), list(faults),
                                               tls_words(probe.tls)));
                }
            out.emit("dane.disagrees-with-sts", {.subject = host.host, .evidence = base::join(seen, "; ")});
            break;
        }
        }
    }
    if (matching.empty())
        return;
    if (!without.empty())
        out.emit("dane.partial",
                 {.subject = list(without), // 8461-2-b
                  .evidence = fmt::format("with TLSA: {}; without: {}", list(matching), list(without))});
    else
        out.emit("dane.present", {.subject = r.seen.domain,
                                  .message = fmt::format("DANE protects {}", list(matching)),
                                  .evidence = {},
                                  .severity = findings::severity::ok});
}

} // namespace mailtight::advise
