// SPDX-License-Identifier: Apache-2.0
#include "resolve/facts.h"

#include "base/text.h"
#include "mail/domain_name.h"
#include "sts/match.h"

#include <algorithm>
#include <utility>

namespace mailtight::resolve {

namespace {

using model::policy_facts;
using override_kind = model::policy_override::kind;
using tlsrpt::result_type;

// Words of stops, as A33 has them for fetches.
constexpr std::string_view bogus_word = "dnssec-bogus";
constexpr std::string_view required_word = "local-policy-requires-dane-or-enforce";
constexpr std::string_view outside_word = "sts-mx-not-in-policy";
constexpr std::string_view unusable_word = "all-TLSA-records-unusable";

/// The lines as they were fetched, without their ends; empty ones at the end are no lines (A7).
std::vector<std::string> lines_of(const sts::held_policy& held) {
    const auto text =
        held.body.empty() ? sts::format_policy(held.value).value_or("") : held.body; // a pin has no text
    std::vector<std::string> lines;
    for (auto line : base::split(text, '\n')) {
        if (line.ends_with('\r'))
            line.remove_suffix(1);
        lines.emplace_back(line);
    }
    while (!lines.empty() && lines.back().empty())
        lines.pop_back();
    return lines;
}

/// A-labels by the grammar of a policy; each once, in lower case (A24).
std::vector<std::string> patterns_of(const sts::policy& policy) {
    std::vector<std::string> out;
    for (const auto& pattern : policy.mx)
        if (auto low = base::lower(pattern); std::ranges::find(out, low) == out.end())
            out.push_back(std::move(low));
    return out;
}

result_type type_of(sts::policy_fault fault) { // A34
    switch (fault) {
    case sts::policy_fault::fetch_error:
        return result_type::sts_policy_fetch_error;
    case sts::policy_fault::webpki_invalid:
        return result_type::sts_webpki_invalid;
    case sts::policy_fault::invalid:
        return result_type::sts_policy_invalid;
    }
    std::unreachable();
}

/// Where the word was lost (it is not kept over a restart).
std::string_view word_of(sts::policy_fault fault) {
    switch (fault) {
    case sts::policy_fault::fetch_error:
        return "fetch-failed";
    case sts::policy_fault::webpki_invalid:
        return "tls-certificate";
    case sts::policy_fault::invalid:
        return "policy-invalid";
    }
    std::unreachable();
}

void take_policy(policy_facts& into, const tls_decision& of) {
    if (!of.policy || of.policy->value.mode == sts::mode::none) // 8461-5-c: as if there were none
        return;
    const bool bent = of.exception && of.exception->what == override_kind::testing;
    into.mode = bent ? sts::to_string(sts::mode::testing) : sts::to_string(of.policy->value.mode);
    into.policy_id = of.policy->id;
    into.sts = model::applied_policy{.type = tlsrpt::policy_type::sts,
                                     .domain = of.hop.domain, // 8460-1.1-a
                                     .strings = lines_of(*of.policy),
                                     .mx_patterns = patterns_of(of.policy->value)};
}

void take_dane(policy_facts& into, const tls_decision& of) {
    for (const auto& host : of.dane_hosts) {
        if (host.dane != host_class::usable && host.dane != host_class::unusable_only)
            continue;
        policy_facts::dane_host one{
            .host = host.host, .base = host.base, .records = {}, .usable = host.dane == host_class::usable};
        for (const auto& record : host.records) // A25
            one.records.push_back(record.to_string());
        into.dane.push_back(std::move(one));
    }
}

model::session_seen stop(const tls_decision& of, std::string host, result_type type, std::string_view word) {
    model::session_seen out;
    out.domain = of.hop.domain;
    out.mx_host = std::move(host);
    out.tls = model::tls_reached::not_tried;
    out.failure = type;
    out.reason = word;
    return out;
}

bool demanded_here(const tls_decision& of) {
    return of.source == decision_source::override_ && of.exception &&
           of.exception->what == override_kind::require;
}
bool unmet_by(const mx_admission& host) {
    return host.dane == host_class::none || host.dane == host_class::unusable_only;
}
bool admits_nobody(const tls_decision& of) {
    const bool ours = of.exception && of.exception->what == override_kind::pin;
    return !ours && of.mx_known && !of.mx.empty() &&
           std::ranges::all_of(of.mx, [](const auto& host) { return host.admitted_by.empty(); });
}

bool shuts_out(const tls_decision& of, std::string_view host) {
    const bool ours = of.exception && of.exception->what == override_kind::pin;
    return !ours && of.what == decision::enforce && of.policy && !sts::admitted_by(of.policy->value.mx, host);
}

/// 8460-4.3.2-c: DANE, or a policy that is enforced in its place, is demanded here, and the host has no TLSA
/// records that DNSSEC vouches for.
std::vector<model::session_seen> stopped_by_demand(const tls_decision& of) {
    std::vector<model::session_seen> out;
    for (const auto& host : of.mx)
        if (host.dane == host_class::none)
            out.push_back(stop(of, host.host, result_type::dane_required, required_word));
        else if (host.dane == host_class::unusable_only) // 8460-4.3.2-a
            out.push_back(stop(of, host.host, result_type::tlsa_invalid, unusable_word));
    return out;
}

/// 8460-4.3.2-b, only with evidence: what merely failed is transient and unreported (8460-4.3.4-a).
std::vector<model::session_seen> stopped_by_dnssec(const tls_decision& of) {
    std::vector<model::session_seen> out;
    if (of.mx_bogus)
        out.push_back(stop(of, "", result_type::dnssec_invalid, bogus_word));
    for (const auto& host : of.dane_hosts)
        if (host.bogus)
            out.push_back(stop(of, host.host, result_type::dnssec_invalid, bogus_word));
    return out;
}

/// A32: the policy that the domain publishes keeps every one of its hosts from getting mail.
std::vector<model::session_seen> stopped_by_patterns(const tls_decision& of) {
    std::vector<model::session_seen> out;
    for (const auto& host : of.mx)
        out.push_back(stop(of, host.host, result_type::validation_failure, outside_word));
    return out;
}

} // namespace

policy_facts facts_of(const tls_decision& of) {
    policy_facts out;
    out.domain = of.hop.domain;
    take_policy(out, of);
    take_dane(out, of);
    if (of.fault) { // 8461-6-a, 8461-6-b; A35: a record that is not valid is none, and no fault of a fetch
        out.fault = type_of(*of.fault);
        out.fault_reason = of.fault_reason.empty() ? std::string(word_of(*of.fault)) : of.fault_reason;
    }
    if (of.mx_known)
        for (const auto& host : of.mx)
            out.mx_hosts.push_back(host.host);
    return out;
}

bool stops(const tls_decision& answer, const asked_about& what) {
    if (what.what == asked_about::kind::mx_host)
        return shuts_out(answer, what.host);
    if (answer.what == decision::enforce)
        return what.what == asked_about::kind::destination && admits_nobody(answer);
    if (answer.what != decision::unknown)
        return false;
    if (demanded_here(answer))
        return std::ranges::any_of(answer.mx, unmet_by);
    return answer.mx_bogus || std::ranges::any_of(answer.dane_hosts, &mx_standing::bogus);
}

std::vector<model::session_seen> stopped_by(const tls_decision& answer, const asked_about& what) {
    if (!stops(answer, what))
        return {};
    if (what.what == asked_about::kind::mx_host)
        return {stop(answer, mail::canonical_name(what.host).value_or(std::string(what.host)),
                     result_type::validation_failure, outside_word)};
    return answer.what == decision::enforce ? stopped_by_patterns(answer)
           : demanded_here(answer)          ? stopped_by_demand(answer)
                                            : stopped_by_dnssec(answer);
}

} // namespace mailtight::resolve
