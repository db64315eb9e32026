// SPDX-License-Identifier: Apache-2.0
// What is wanted, against what is there. Where we serve, bytes are compared; the file of somebody's own web
// server may spell the same policy in its own way.
#include "plan/change_steps.h"
#include "plan/course.h"
#include "sts/match.h"
#include "sts/record.h"

#include <algorithm>

namespace mailtight::plan {
namespace {

bool same_policy(const sts::policy& a, const sts::policy& b) {
    return a.mode == b.mode && a.max_age == b.max_age && same_patterns(a.mx, b.mx);
}

/// A provider's policy is the provider's; it has to be of the mode, and admit every MX host.
bool provider_serves(const picture& p, const sts::policy& wanted, const mx_choice& mx) {
    if (!p.in_force || p.in_force->mode != wanted.mode)
        return false;
    if (wanted.mode == sts::mode::none)
        return true;
    const auto admitted = [&](const std::string& host) {
        return sts::admitted_by(p.in_force->mx, host).has_value();
    };
    return std::ranges::all_of(mail_hosts(p), [&](const mx_seen& one) { return admitted(one.host); }) &&
           std::ranges::all_of(mx.coming, admitted);
}

} // namespace

change want(const picture& p, sts::policy policy, const mx_choice& mx) {
    change out{.policy = std::move(policy)};
    const bool provided = p.wish.host == model::hosting::delegated;
    const bool mine = p.hosted_here() ? p.ours : p.serving; // seen, or not to be asked today
    out.served = provided ? provider_serves(p, out.policy, mx)
                          : mine && p.in_force && same_policy(*p.in_force, out.policy);
    if (out.served)
        out.body = p.body;
    else if (auto bytes = sts::format_policy(out.policy))
        out.body = std::move(*bytes);
    out.verified = out.served && p.seen.policy == p.body;
    out.announced = out.verified && id_in_step(p);
    if (p.hosted_here() && out.served)
        out.id = p.past.publication->id;
    else
        out.id = out.announced ? p.seen.sts.id : p.new_id();
    return out;
}

bool done(const picture& p, const change& what) {
    return what.announced && p.seen.sts.on_all_servers;
}

std::vector<record_change> sts_records(const picture& p, const std::string& id) {
    const auto& target = p.wish.sts_target;
    const auto& seen = p.seen.sts;
    const auto ttl = p.options.record_ttl;
    std::vector<record_change> out;
    record_change at_name{.name = p.record_name(), .type = "TXT", .add = {}, .remove = {}, .ttl = ttl};
    const bool text_here = seen.state == record_seen::what::one && seen.chain.empty();
    if (target.empty()) {
        if (!id.empty())
            at_name.add = {sts::format_record(id)};
        if (text_here)
            at_name.remove = {seen.text};
        if (!seen.chain.empty())
            out.push_back({.name = p.record_name(),
                           .type = "CNAME",
                           .add = {},
                           .remove = {seen.chain.front()},
                           .ttl = ttl});
        if (!at_name.add.empty() || !at_name.remove.empty())
            out.push_back(std::move(at_name));
        return out;
    }
    // 8461-8.2-a, 8461-3.1-s: the name is an alias; where we answer for its target, each domain has one of
    // its own, so that each id changes alone.
    const bool linked = std::ranges::find(seen.chain, target) != seen.chain.end();
    if (p.hosted_here()) {
        record_change at_target{.name = target, .type = "TXT", .add = {}, .remove = {}, .ttl = ttl};
        if (!id.empty())
            at_target.add = {sts::format_record(id)};
        if (linked && seen.state == record_seen::what::one)
            at_target.remove = {seen.text};
        if (!at_target.add.empty() || !at_target.remove.empty())
            out.push_back(std::move(at_target));
    }
    if (!id.empty() && !linked) {
        if (text_here)
            out.push_back(
                {.name = p.record_name(), .type = "TXT", .add = {}, .remove = {seen.text}, .ttl = ttl});
        out.push_back({.name = p.record_name(), .type = "CNAME", .add = {target}, .remove = {}, .ttl = ttl});
    }
    if (id.empty() && !seen.chain.empty())
        out.insert(out.begin(), {.name = p.record_name(),
                                 .type = "CNAME",
                                 .add = {},
                                 .remove = {seen.chain.front()},
                                 .ttl = ttl});
    return out;
}

} // namespace mailtight::plan
