// SPDX-License-Identifier: Apache-2.0
// Made-up facts for decisions: hosts with and without DANE, and policies in each standing.
#pragma once

#include "resolve/decision.h"

#include <chrono>

namespace mailtight::tests {

using namespace std::chrono_literals;

inline constexpr base::utc_seconds noon{std::chrono::seconds(1'767'355'200)}; // 2026-01-02T12:00:00Z

inline resolve::mx_standing host(std::string name, resolve::host_class dane, std::string reason = {}) {
    resolve::mx_standing made;
    made.host = std::move(name);
    made.preference = 10;
    made.dane = dane;
    made.reason = std::move(reason);
    return made;
}

inline resolve::destination hosts(std::vector<resolve::mx_standing> mx) {
    resolve::destination made;
    made.what = resolve::destination::kind::hosts;
    made.mx_secure = true;
    made.mx = std::move(mx);
    made.looked_at = noon;
    made.good_until = noon + 600s;
    return made;
}

inline resolve::destination no_hosts(resolve::destination::kind what, std::string detail = {}) {
    resolve::destination made;
    made.what = what;
    made.detail = std::move(detail);
    made.looked_at = noon;
    made.good_until = noon + 30s;
    return made;
}

inline std::string policy_text(sts::mode mode, std::vector<std::string> mx, std::uint64_t max_age = 604'800) {
    sts::policy value;
    value.mode = mode;
    value.max_age = max_age;
    value.mx = std::move(mx);
    return sts::format_policy(value).value();
}

inline sts::policy_sighting fetched(const std::string& body) {
    sts::policy_sighting seen;
    seen.value = sts::parse_policy(body).value();
    seen.body = body;
    return seen;
}

inline sts::policy_sighting not_fetched(sts::policy_fault fault, std::string detail) {
    sts::policy_sighting seen;
    seen.fault = fault;
    seen.detail = std::move(detail);
    return seen;
}

inline sts::record_sighting record(sts::record_sighting::kind what, std::string id = {}) {
    sts::record_sighting seen;
    seen.what = what;
    seen.id = std::move(id);
    seen.ttl = 300;
    return seen;
}

/// A policy that was fetched some time ago, its record looked at since.
inline sts::resolution_state holding(sts::mode mode, std::vector<std::string> mx = {"mx1.example.com"},
                                     std::chrono::seconds ago = 60s) {
    using kind = sts::record_sighting::kind;
    sts::resolution_state state;
    const auto then = noon - ago;
    sts::record_seen(state, record(kind::valid, "1"), sts::occasion::use, then);
    sts::policy_seen(state, fetched(policy_text(mode, std::move(mx))), then, 1);
    return state;
}

inline sts::resolution_state without_policy(sts::record_sighting::kind what) {
    sts::resolution_state state;
    auto seen = record(what);
    seen.detail = what == sts::record_sighting::kind::error ? "SERVFAIL" : "";
    sts::record_seen(state, std::move(seen), sts::occasion::use, noon - 10s);
    return state;
}

} // namespace mailtight::tests
