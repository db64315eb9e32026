// SPDX-License-Identifier: Apache-2.0
#include "advise/criteria.h"

#include "advise/rules.h"
#include "advise/words.h"
#include "base/text.h"
#include "sts/match.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace mailtight::advise {
namespace {

using model::cert_fault;
using model::smtp_outcome;

constexpr std::array names{"accepts mail over TLS", "TLS 1.2 or later", "the certificate names the MX host",
                           "chain to a public root", "not expired"};
enum { over_tls, version, name, chain, dates };

class host_criteria {
public:
    explicit host_criteria(std::vector<criterion>& list)
        : list_(list) {
        for (const char* text : names)
            list_.push_back({.name = text, .state = criterion_state::not_tested, .why = {}});
    }
    /// One address passing is enough where no other fails.
    void pass(std::size_t which) {
        if (list_[which].state == criterion_state::not_tested)
            list_[which] = {names[which], criterion_state::pass, ""};
    }
    void fail(std::size_t which, std::string why) {
        list_[which].state = criterion_state::fail;
        list_[which].why = std::move(why);
    }
    void judge(std::size_t which, bool passes, const std::string& why) {
        passes ? pass(which) : fail(which, why);
    }
    void not_tested(const std::string& why) {
        for (criterion& c : list_)
            if (c.state == criterion_state::not_tested && c.why.empty())
                c.why = why;
    }

private:
    std::vector<criterion>& list_;
};

/// Why no public authority vouches for the certificate.
std::string chain_words(const model::tls_fact& tls) {
    std::string words;
    if (tls.has(cert_fault::self_signed))
        words = "the certificate is signed by itself";
    else if (tls.has(cert_fault::chain_incomplete))
        words = "the server does not send the intermediate certificate";
    else if (tls.has(cert_fault::weak))
        words = "a key or signature in the chain is too weak";
    else if (!tls.chain.empty())
        words = "no public root vouches for it: " + certificate_words(tls.chain.front());
    else
        words = "no certificate could be read";
    return tls.reason.empty() ? words : fmt::format("{} ({})", words, tls.reason);
}

void judge_probe(const model::smtp_fact& probe, host_criteria& c) {
    const std::string at = probe.address.to_string();
    const model::tls_fact& tls = probe.tls;
    switch (probe.outcome) {
    case smtp_outcome::no_starttls:
        return c.fail(over_tls, fmt::format("{} does not offer STARTTLS", at));
    case smtp_outcome::starttls_refused:
        return c.fail(over_tls, fmt::format("{} refuses STARTTLS", at));
    case smtp_outcome::injected:
        return c.fail(over_tls, fmt::format("{} sends unencrypted bytes after its reply to STARTTLS", at));
    case smtp_outcome::handshake_failed:
        if (tls.outcome == model::handshake_outcome::protocol_too_old)
            return c.fail(version, fmt::format("{} offers only {}", at,
                                               tls.version.empty() ? "older versions" : tls.version));
        return c.fail(over_tls, fmt::format("the TLS handshake with {} fails", at));
    case smtp_outcome::tls:
        break;
    default:
        return;
    }
    const bool named = !tls.has(cert_fault::name_mismatch) && !tls.has(cert_fault::cn_only);
    const bool trusted = !tls.has(cert_fault::self_signed) && !tls.has(cert_fault::chain_incomplete) &&
                         !tls.has(cert_fault::untrusted) && !tls.has(cert_fault::weak);
    const bool in_date = !tls.has(cert_fault::expired) && !tls.has(cert_fault::not_yet_valid);
    const std::string seen = tls.chain.empty() ? std::string("no certificate could be read")
                                               : certificate_words(tls.chain.front());
    c.pass(over_tls);
    c.pass(version); // the probe itself offers nothing older
    c.judge(name, named, fmt::format("{}: {}", at, seen));
    c.judge(chain, trusted, fmt::format("{}: {}", at, chain_words(tls)));
    c.judge(dates, in_date, fmt::format("{}: {}", at, seen));
}

std::string why_not_tested(const model::mx_host_fact& host, const model::observation& seen) {
    if (!seen.smtp_tried)
        return "mail servers were not asked";
    if (seen.port25_closed)
        return "port 25 is closed from here";
    if (host.addresses.addresses.empty())
        return "no address";
    return "no conversation was possible";
}

std::optional<std::string> dane_word(const model::mx_host_fact& host, const reading& r) {
    switch (dane_of(host, r)) {
    case dane_state::matches:
        return "matches";
    case dane_state::mismatch:
        return "mismatch";
    case dane_state::unusable:
        return "unusable";
    case dane_state::insecure:
        return "insecure";
    case dane_state::none:
        return std::nullopt;
    case dane_state::not_checked:
        break;
    }
    return host.tlsa.records.empty() ? std::nullopt : std::optional<std::string>("not-checked");
}

} // namespace

bool mx_judgement::all_pass() const {
    return std::ranges::all_of(criteria, [](const criterion& c) { return c.state == criterion_state::pass; });
}

bool mx_judgement::any_not_tested() const {
    return std::ranges::any_of(criteria,
                               [](const criterion& c) { return c.state == criterion_state::not_tested; });
}

std::vector<mx_judgement> judge_mail_servers(const reading& r) {
    std::vector<mx_judgement> judged;
    if (r.seen.null_mx)
        return judged;
    for (const model::mx_host_fact& host : r.seen.mx) {
        mx_judgement j{.host = host.host};
        if (const sts::policy* policy = r.active() ? r.readable() : nullptr) {
            const auto by = host.is_address_literal ? std::nullopt : sts::admitted_by(policy->mx, host.host);
            j.in_policy = by.has_value();
            if (by)
                j.admitted_by = policy->mx.at(*by);
        }
        host_criteria criteria(j.criteria);
        if (host.is_address_literal)
            criteria.fail(name, "an address can have no certificate of a public authority");
        for (const model::smtp_fact& probe : host.probes)
            judge_probe(probe, criteria);
        criteria.not_tested(why_not_tested(host, r.seen));
        j.dane = dane_word(host, r);
        judged.push_back(std::move(j));
    }
    return judged;
}

bool every_criterion_passes(const std::vector<mx_judgement>& hosts, const model::observation& seen) {
    return !hosts.empty() && seen.mx_not_looked_at == 0 &&
           std::ranges::all_of(hosts, [](const mx_judgement& j) { return j.all_pass(); });
}

} // namespace mailtight::advise
