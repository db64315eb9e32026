// SPDX-License-Identifier: Apache-2.0
// Entry: join(), twice. One policy for a session that is told as facts, by the first row that fits:
//
// clang-format off
//   what is told                        what is known                  counted under     failed
//   a fault of DANE itself              (anything)                     tlsa of the host  where no TLS came of it
//   a fault of the policy's fetch       (anything)                     sts               yes
//   (anything)                          TLSA of that MX host           tlsa of its base  no TLS, or refused
//   an MX outside the patterns          sts, either mode               sts               yes, whatever else (A32)
//   (anything)                          sts, enforce                   sts               no TLS, or a fault told
//   (anything)                          sts, testing                   sts               the same, or a probe's
//   (anything)                          only that a fetch failed       sts without text  yes (A33)
//   (anything)                          nothing, or mode none          no-policy-found   no TLS, or it broke (A23)
// clang-format on
//
// What the mail server did not judge is not said to have failed: TLS that was established without a look at
// the certificate is a success under every policy.
#include "tally/join.h"

#include "base/text.h"
#include "mail/domain_name.h"
#include "sts/match.h"
#include "tally/probe_verdict.h"

#include <algorithm>
#include <utility>

namespace mailtight::tally {

namespace {

using model::applied_policy;
using model::policy_facts;
using model::policy_outcome;
using model::session_fault;
using model::session_seen;
using model::tls_reached;
using tlsrpt::policy_type;
using tlsrpt::result_type;

constexpr std::size_t text_bytes = 255;
constexpr std::string_view all_unusable = "all-TLSA-records-unusable"; // as Postfix calls it
constexpr std::string_view fallback = "+fallback-to-cached-policy";    // A33

/// Of what a server said of itself: the first line, within bounds.
std::string one_line(std::string_view text) {
    return std::string(base::trim(text.substr(0, text.find_first_of("\r\n")).substr(0, text_bytes)));
}

std::string host_name(std::string_view written) {
    if (auto name = mail::canonical_name(written))
        return *name;
    return base::lower(one_line(written));
}

/// A-labels, as the recipient's domain is reported (8460-1.1-a).
std::string domain_name(std::string_view written, const policy_facts& known) {
    if (!known.domain.empty())
        return known.domain;
    if (auto name = mail::canonical_name(written))
        return *name;
    return mail::to_ascii(written).value_or(base::lower(one_line(written)));
}

const policy_facts::dane_host* dane_of(const policy_facts& known, std::string_view host) {
    for (const auto& each : known.dane)
        if (!host.empty() && (each.host == host || each.base == host))
            return &each;
    return nullptr;
}

bool outside(const applied_policy& sts, std::string_view host) {
    return !host.empty() && !sts.mx_patterns.empty() && !sts::admitted_by(sts.mx_patterns, host);
}
/// No host that DNS names is admitted, so the one of the session, whichever it was, is not.
bool all_outside(const policy_facts& known) {
    return !known.mx_hosts.empty() &&
           std::ranges::all_of(known.mx_hosts, [&](const auto& host) { return outside(*known.sts, host); });
}

// A32: the name of the host and no addresses, so that it reads the same whether or not it was connected to.
session_fault mx_not_in_policy(std::string_view host) {
    session_fault fault;
    fault.type = result_type::validation_failure;
    fault.receiving_mx = host;
    fault.reason_code = reason_mx_not_in_policy;
    return fault;
}

// 8461-6-a, A29: no host was talked to for it.
session_fault fetch_failed(const policy_facts& known, std::string_view suffix) {
    session_fault fault;
    fault.type = *known.fault;
    fault.reason_code = known.fault_reason + std::string(suffix);
    return fault;
}

applied_policy no_policy(std::string domain) { // A23: the recipient's domain, neither text nor patterns
    return {
        .type = policy_type::no_policy_found, .domain = std::move(domain), .strings = {}, .mx_patterns = {}};
}
applied_policy sts_without_text(std::string domain) { // A33: nothing was applied
    return {.type = policy_type::sts, .domain = std::move(domain), .strings = {}, .mx_patterns = {}};
}
applied_policy tlsa(const policy_facts::dane_host* of, std::string otherwise) { // A22, A25
    if (!of)
        return {.type = policy_type::tlsa, .domain = std::move(otherwise), .strings = {}, .mx_patterns = {}};
    applied_policy out{.type = policy_type::tlsa,
                       .domain = of->base.empty() ? of->host : of->base,
                       .strings = of->records,
                       .mx_patterns = {}};
    std::ranges::sort(out.strings); // DNS gives the set in any order; it is one policy all the same
    return out;
}

// 8461-6-b: a fetch that failed while a policy is held changes nothing of what holds, and is told beside it.
void tell_of_fallback(policy_outcome& outcome, const policy_facts& known) {
    if (!known.fault)
        return;
    auto fault = fetch_failed(known, fallback);
    if (std::ranges::find(outcome.faults, fault.type, &session_fault::type) == outcome.faults.end())
        outcome.faults.push_back(std::move(fault));
}

/// A session that is told as facts.
class judge {
public:
    judge(const session_seen& seen, const policy_facts& known, base::utc_seconds at)
        : seen_(seen)
        , known_(known)
        , at_(at)
        , domain_(domain_name(seen.domain, known))
        , host_(host_name(seen.mx_host)) {}

    model::delivery_result result() {
        model::delivery_result out;
        out.domain = domain_;
        out.outcomes.push_back(outcome());
        return out;
    }

private:
    policy_outcome outcome() const {
        const auto* dane = dane_of(known_, host_);
        switch (family()) {
        case policy_type::tlsa: // 8460-4.3.2-a, 8460-4.3.2-b, 8460-4.3.2-c
            return under_dane(dane);
        case policy_type::sts: // 8460-4.3.2-d, 8460-4.3.2-e, 8460-4.3.2-f
            return {known_.sts ? *known_.sts : sts_without_text(domain_), true, {fault(*seen_.failure)}};
        case policy_type::no_policy_found:
            break;
        }
        if (dane) // A20: DANE decides, and nothing else is reported
            return under_dane(dane);
        if (known_.sts)
            return under_sts();
        if (known_.fault)
            return without_fetch();
        return {no_policy(domain_), !reached(), tls_faults()};
    }

    /// The policy that a fault can only belong to, where the source names one.
    policy_type family() const {
        if (!seen_.failure)
            return policy_type::no_policy_found;
        switch (*seen_.failure) {
        case result_type::tlsa_invalid:
        case result_type::dnssec_invalid:
        case result_type::dane_required:
            return policy_type::tlsa;
        case result_type::sts_policy_fetch_error:
        case result_type::sts_policy_invalid:
        case result_type::sts_webpki_invalid:
            return policy_type::sts;
        default:
            return policy_type::no_policy_found;
        }
    }

    bool reached() const {
        return seen_.tls == tls_reached::encrypted || seen_.tls == tls_reached::trusted ||
               seen_.tls == tls_reached::verified;
    }

    session_fault fault(result_type type) const {
        session_fault out;
        out.type = type;
        if (seen_.sending_address)
            out.sending_mta_ip = seen_.sending_address->to_string();
        out.receiving_mx = host_;
        out.receiving_mx_helo = one_line(seen_.helo);
        if (seen_.address)
            out.receiving_ip = seen_.address->to_string();
        out.reason_code = one_line(seen_.reason);
        if (!out.reason_code.empty())
            return out;
        if (type == result_type::certificate_not_trusted) // 8460-4.3.1-d: something has to stand there
            out.reason_code = "chain-not-trusted";
        else if (type == result_type::validation_failure) // 8460-4.3.1-e, 8460-4.3.3-a
            out.reason_code =
                seen_.tls == tls_reached::not_tried ? "policy-stopped-it" : "tls-handshake-failure";
        return out;
    }

    /// What was wrong with TLS itself.
    std::vector<session_fault> tls_faults() const {
        switch (seen_.tls) {
        case tls_reached::not_offered: // 8460-4.3.1-a, A31
        case tls_reached::refused:
            return {fault(result_type::starttls_not_supported)};
        case tls_reached::failed: // 8460-4.3.1-b … 8460-4.3.1-e
        case tls_reached::not_tried:
            return {fault(seen_.failure.value_or(result_type::validation_failure))};
        case tls_reached::encrypted:
        case tls_reached::trusted:
        case tls_reached::verified:
            break;
        }
        return {};
    }

    policy_outcome under_dane(const policy_facts::dane_host* dane) const {
        policy_outcome out{tlsa(dane, host_.empty() ? domain_ : host_), !reached(), {}};
        const bool of_dane = family() == policy_type::tlsa;
        if (of_dane) // also beside TLS: records that nobody can use ask for TLS alone (RFC 7672 §2.2)
            out.faults.push_back(fault(*seen_.failure));
        if (!of_dane || seen_.tls == tls_reached::not_offered || seen_.tls == tls_reached::refused)
            std::ranges::move(tls_faults(), std::back_inserter(out.faults));
        if (dane && !dane->usable && seen_.failure != result_type::tlsa_invalid) { // 8460-4.3.2-a
            auto unusable = fault(result_type::tlsa_invalid);
            unusable.reason_code = all_unusable;
            out.faults.push_back(std::move(unusable));
        }
        return out;
    }

    policy_outcome under_sts() const {
        policy_outcome out{*known_.sts, false, {}};
        if (outside(out.policy, host_) || (host_.empty() && all_outside(known_))) { // A32
            out.failed = true;
            out.faults.push_back(mx_not_in_policy(host_));
        } else if (!reached()) { // 8461-6-c
            out.failed = true;
            out.faults = tls_faults();
        } else if (seen_.failure) { // told although the mail went: 8461-5-b
            out.failed = true;
            out.faults.push_back(fault(*seen_.failure));
        } else if (seen_.tls != tls_reached::verified) {
            if (auto found = failed_probe(known_, host_, seen_.address, at_)) {
                out.failed = true;
                if (seen_.sending_address)
                    found->sending_mta_ip = seen_.sending_address->to_string();
                out.faults.push_back(std::move(*found));
            }
        }
        tell_of_fallback(out, known_);
        return out;
    }

    policy_outcome without_fetch() const { // 8461-6-a, A33, A34
        policy_outcome out{sts_without_text(domain_), true, {fetch_failed(known_, "")}};
        std::ranges::move(tls_faults(), std::back_inserter(out.faults)); // 8460-4-d
        return out;
    }

    const session_seen& seen_;
    const policy_facts& known_;
    base::utc_seconds at_;
    std::string domain_, host_;
};

/// The first host and address that a session's faults name; a session that succeeded names none.
std::string host_of(const policy_outcome& told) {
    for (const auto& fault : told.faults)
        if (!fault.receiving_mx.empty())
            return host_name(fault.receiving_mx);
    return {};
}
std::optional<base::ip_address> address_of(const policy_outcome& told) {
    for (const auto& fault : told.faults)
        if (auto address = base::ip_address::parse(fault.receiving_ip))
            return address;
    return std::nullopt;
}

/// A mail server that found no policy of its own accord, and the policy that is known all the same.
void put_policy_in(policy_outcome& told, const policy_facts& known, const std::string& domain,
                   base::utc_seconds at) {
    told.policy = no_policy(domain);
    if (known.sts) {
        told.policy = *known.sts;
        const auto host = host_of(told);
        if (outside(told.policy, host) || (host.empty() && all_outside(known))) { // A32
            told.failed = true;
            told.faults.push_back(mx_not_in_policy(host));
        } else if (!told.failed) { // the totals stay the mail server's: one session, now a failed one
            if (auto found = failed_probe(known, host, address_of(told), at)) {
                told.failed = true;
                told.faults.push_back(std::move(*found));
            }
        }
    } else if (known.fault) { // A33: in place of no-policy-found, never beside it
        told.policy = sts_without_text(domain);
        told.failed = true;
        told.faults.push_back(fetch_failed(known, ""));
    }
}

/// Two outcomes under one policy are one session (A31).
void unite(std::vector<policy_outcome>& outcomes) {
    std::vector<policy_outcome> out;
    for (auto& each : outcomes) {
        const auto same = std::ranges::find(out, each.policy, &policy_outcome::policy);
        if (same == out.end()) {
            out.push_back(std::move(each));
            continue;
        }
        same->failed = same->failed || each.failed;
        for (auto& fault : each.faults)
            if (std::ranges::find(same->faults, fault) == same->faults.end())
                same->faults.push_back(std::move(fault));
    }
    outcomes = std::move(out);
}

} // namespace

model::delivery_result join(model::delivery_result told, const policy_facts& known, base::utc_seconds at) {
    for (auto& each : told.outcomes) {
        switch (each.policy.type) {
        case policy_type::no_policy_found:
            put_policy_in(each, known, told.domain, at);
            [[fallthrough]];
        case policy_type::sts:
            if (known.sts)
                tell_of_fallback(each, known);
            break;
        case policy_type::tlsa:
            break;
        }
    }
    unite(told.outcomes);
    return told;
}

model::delivery_result join(const session_seen& seen, const policy_facts& known, base::utc_seconds at) {
    return judge(seen, known, at).result();
}

} // namespace mailtight::tally
