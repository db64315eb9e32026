// SPDX-License-Identifier: Apache-2.0
#include "tally/probe_verdict.h"

#include "base/text.h"
#include "tally/join.h"

#include <algorithm>

namespace mailtight::tally {

namespace {

using model::session_fault;
using model::testing_verdict;

constexpr std::size_t reason_bytes = 120;

bool counts(const testing_verdict& of, const model::policy_facts& known, base::utc_seconds at) {
    return known.mode == "testing" && of.policy_id == known.policy_id && of.at <= at &&
           at - of.at <= verdict_lasts;
}

/// What it would be called in a report.
tlsrpt::result_type type_of(const testing_verdict& verdict) { // "mx-not-in-policy": A32
    return tlsrpt::parse_result_type(verdict.result).value_or(tlsrpt::result_type::validation_failure);
}

session_fault fault_of(const testing_verdict& verdict) {
    session_fault fault;
    fault.type = type_of(verdict);
    fault.reason_code = "probe";
    if (const auto words = base::printable(verdict.reason, reason_bytes); !words.empty())
        fault.reason_code += ": " + words;
    return fault;
}

std::optional<session_fault> of_address(const model::policy_facts& known, std::string_view host,
                                        const base::ip_address& address, base::utc_seconds at) {
    const testing_verdict* latest = nullptr;
    for (const auto& each : known.verdicts)
        if (counts(each, known, at) && each.address == address && (host.empty() || each.mx_host == host) &&
            (!latest || each.at > latest->at))
            latest = &each;
    if (!latest || latest->result.empty())
        return std::nullopt;
    auto fault = fault_of(*latest);
    fault.receiving_mx = latest->mx_host;
    fault.receiving_ip = address.to_string();
    return fault;
}

/// Each MX host has verdicts, and all of them say the same.
std::optional<session_fault> of_all(const model::policy_facts& known, base::utc_seconds at) {
    if (known.mx_hosts.empty())
        return std::nullopt;
    const testing_verdict* first = nullptr;
    for (const auto& host : known.mx_hosts) {
        bool probed = false;
        for (const auto& each : known.verdicts) {
            if (!counts(each, known, at) || each.mx_host != host)
                continue;
            if (each.result.empty() || (first && each.result != first->result))
                return std::nullopt;
            probed = true;
            first = first ? first : &each;
        }
        if (!probed)
            return std::nullopt;
    }
    auto fault = fault_of(*first);
    if (known.mx_hosts.size() == 1)
        fault.receiving_mx = known.mx_hosts.front();
    return fault;
}

} // namespace

std::optional<session_fault> failed_probe(const model::policy_facts& known, std::string_view host,
                                          const std::optional<base::ip_address>& address,
                                          base::utc_seconds at) {
    return address ? of_address(known, host, *address, at) : of_all(known, at);
}

} // namespace mailtight::tally
