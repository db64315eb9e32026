// SPDX-License-Identifier: Apache-2.0
// Domains in typical situations, for the tests of the planner.
#pragma once

#include "plan/plan.h"
#include "sts/policy.h"
#include "sts/record.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace mailtight::plan::tests {

using namespace std::chrono;

inline const base::utc_seconds start = sys_days{year{2026} / 5 / 4} + hours(10); // a Monday

inline std::string body_of(sts::mode mode, std::uint64_t max_age, std::vector<std::string> mx) {
    return sts::format_policy({mode, max_age, std::move(mx), {}}).value();
}

/// What make_plan() takes, with the changes that a test makes to it.
struct domain {
    model::looked_after wish;
    situation seen;
    remembered past;
    model::enforce_evidence evidence;
    base::utc_seconds now = start;
    plan_options options;

    /// Nothing is published; the MX hosts pass.
    explicit domain(std::vector<std::string> mx = {"mx1.example.com"}) {
        wish.domain = "example.com";
        wish.dns = model::dns_way::update;
        wish.leave = model::leave::all;
        wish.added_at = now;
        seen.looked_at = now;
        seen.sts.state = seen.tlsrpt.state = record_seen::what::absent;
        seen.policy_known = true;
        seen.mx_known = true;
        seen.mx_ttl = 3'600;
        set_mx(std::move(mx));
        past.past_known = true;
        past.policy_host = "policy.example.net";
        past.rua = {"mailto:tls-report@example.com"};
    }

    void set_mx(std::vector<std::string> hosts) {
        seen.mx.clear();
        for (const auto& host : hosts)
            seen.mx.push_back({.host = host, .passes = true, .why = {}});
        seen.suggested_mx = std::move(hosts);
    }

    void report_way() { wish.marks["report-way"] = {now, "somebody", "the mailbox exists"}; }
    void set_up() {
        report_way();
        seen.tlsrpt = {.state = record_seen::what::one,
                       .text = "v=TLSRPTv1; rua=mailto:tls-report@example.com",
                       .rua = past.rua,
                       .ttl = 3'600,
                       .chain = {}};
        seen.host_resolves = seen.host_points_here = true;
        seen.host_ttl = 300;
        seen.certificate_valid = true;
        past.certificate_here = true;
    }
    /// Our host serves it from `at` on.
    void serve(const std::string& body, const std::string& id, base::utc_seconds at) {
        if (!past.served.empty() && !past.served.back().last_served)
            past.served.back().last_served = at;
        past.publication = model::publication{.domain = wish.domain, .body = body, .id = id, .since = at};
        if (const auto read = sts::parse_policy(body))
            past.served.push_back({.domain = wish.domain,
                                   .body = body,
                                   .mode = read->mode,
                                   .max_age = read->max_age,
                                   .ids = {},
                                   .first_served = at,
                                   .last_served = std::nullopt});
        seen.policy = body;
        if (body.empty())
            seen.policy.reset();
    }
    void announce(const std::string& id, base::utc_seconds at) {
        seen.sts = {.state = record_seen::what::one,
                    .text = sts::format_record(id),
                    .id = id,
                    .rua = {},
                    .ttl = 300,
                    .chain = {}};
        past.record_since = at;
        past.record_ttl_before = 300;
        past.record_gone_since.reset();
        past.ids_used.push_back(id);
        if (!past.served.empty())
            past.served.back().ids.push_back(id);
    }
    void withdraw_record(base::utc_seconds at) {
        seen.sts = {
            .state = record_seen::what::absent, .text = {}, .id = {}, .rua = {}, .ttl = 300, .chain = {}};
        past.record_since.reset();
        past.record_gone_since = at;
    }
    /// Served and announced since `at`.
    void publish(sts::mode mode, std::uint64_t max_age, base::utc_seconds at, const std::string& id = "1") {
        set_up();
        std::vector<std::string> hosts;
        for (const auto& one : seen.mx)
            hosts.push_back(one.host);
        serve(body_of(mode, max_age, hosts), id, at);
        announce(id, at);
        (mode == sts::mode::enforce ? past.enforce_since : past.testing_since) = at;
    }

    plan make() const { return make_plan(wish, seen, past, evidence, now, options); }
};

inline const step* find(const plan& p, step_kind kind, std::size_t nth = 0) {
    for (const auto& one : p.steps)
        if (one.kind == kind && nth-- == 0)
            return &one;
    return nullptr;
}
inline std::vector<std::string> kinds(const plan& p, bool with_done = true) {
    std::vector<std::string> out;
    for (const auto& one : p.steps)
        if (with_done || one.state != step_state::done)
            out.emplace_back(to_string(one.kind));
    return out;
}
inline std::string next_kind(const plan& p) {
    return p.next() ? std::string(to_string(p.next()->kind)) : "";
}
inline bool warns(const plan& p, std::string_view words) {
    return std::ranges::any_of(p.warnings, [&](const auto& one) { return one.find(words) != one.npos; });
}

} // namespace mailtight::plan::tests
