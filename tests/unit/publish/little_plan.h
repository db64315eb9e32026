// SPDX-License-Identifier: Apache-2.0
// A planner of a few lines, for tests of who carries plans out: publish in testing, enforce when told, take
// everything down when told. No waits: those are the real planner's.
#pragma once

#include "plan/plan.h"
#include "sts/id.h"
#include "sts/policy.h"

#include <set>
#include <string>
#include <utility>

namespace mailtight::tests {

inline std::string body_of(sts::mode mode, const plan::situation& seen) {
    return sts::format_policy({.mode = mode, .max_age = 604'800, .mx = seen.suggested_mx}).value_or("");
}

inline plan::plan little_plan(const model::looked_after& wish, const plan::situation& seen,
                              const plan::remembered& past, const model::enforce_evidence&,
                              base::utc_seconds now, const plan::plan_options&) {
    using enum plan::step_kind;
    using what = plan::record_seen::what;
    plan::plan out{.domain = wish.domain};
    const auto& domain = wish.domain;
    const auto add = [&](bool done, plan::step each) {
        const bool open = std::ranges::all_of(
            out.steps, [](const auto& before) { return before.state == plan::step_state::done; });
        each.state = done ? plan::step_state::done : open ? plan::step_state::now : plan::step_state::later;
        each.title = std::string(plan::to_string(each.kind)) + " " + domain;
        out.steps.push_back(std::move(each));
    };
    const auto txt = [](std::string name, std::string value) {
        return std::vector<plan::record_change>{
            {.name = std::move(name), .type = "TXT", .add = {std::move(value)}}};
    };
    if (wish.aim == model::aim::off) {
        add(seen.sts.state == what::absent,
            {.kind = remove_record,
             .records = {{.name = "_mta-sts." + domain, .type = "TXT", .remove = {seen.sts.text}}}});
        add(!seen.policy, {.kind = stop_serving});
        add(!seen.host_resolves,
            {.kind = remove_host,
             .records = {{.name = "mta-sts." + domain, .type = "A", .remove = {past.policy_host}}}});
        add(!past.certificate_here, {.kind = remove_certificate});
    } else {
        const auto mode = wish.aim == model::aim::enforce ? sts::mode::enforce : sts::mode::testing;
        const auto body = body_of(mode, seen);
        const bool same = past.publication && past.publication->body == body;
        const auto id = same ? past.publication->id
                             : sts::id_from_time(now, {past.ids_used.begin(), past.ids_used.end()});
        add(seen.tlsrpt.state == what::one,
            {.kind = publish_tlsrpt,
             .records = txt("_smtp._tls." + domain, "v=TLSRPTv1; rua=" + past.rua.at(0))});
        add(seen.host_resolves,
            {.kind = point_host,
             .records = {{.name = "mta-sts." + domain, .type = "A", .add = {past.policy_host}}}});
        add(past.certificate_here, {.kind = certificate});
        add(same, {.kind = serve_policy, .policy = body, .id = id});
        add(seen.policy == body, {.kind = verify_policy, .policy = body});
        auto records = txt("_mta-sts." + domain, "v=STSv1; id=" + id + ";");
        if (!seen.sts.text.empty() && seen.sts.id != id)
            records[0].remove = {seen.sts.text};
        add(same && seen.sts.id == id, {.kind = publish_record, .records = records, .id = id});
    }
    for (auto& each : out.steps)
        if (wish.dns == model::dns_way::by_hand && !each.records.empty())
            each.by = plan::step_actor::person;
    out.finished = out.next() == nullptr;
    return out;
}

} // namespace mailtight::tests
