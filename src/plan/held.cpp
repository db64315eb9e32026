// SPDX-License-Identifier: Apache-2.0
// Each fetch restarts a policy's life, so it counts from the last one that was possible. Where the log and
// the clock disagree (a clock that was set back), the later time counts.
#include "plan/held.h"

#include "sts/match.h"

#include <algorithm>

namespace mailtight::plan {
namespace {

constexpr std::uint64_t longest_max_age = 31'557'600; // RFC 8461 §3.2

} // namespace

bool held::admits(const std::string& host) const {
    return entry.mode == sts::mode::none || sts::admitted_by(mx, host).has_value();
}

base::utc_seconds last_fetch(const model::served_policy& entry, base::utc_seconds now) {
    return std::max(entry.last_served.value_or(now), entry.first_served);
}

base::utc_seconds end_of_life(const model::served_policy& entry, base::utc_seconds now) { // 8461-8.3-a
    return last_fetch(entry, now) +
           std::chrono::seconds(static_cast<std::int64_t>(std::min(entry.max_age, longest_max_age)));
}

std::optional<base::utc_seconds> unknown_until(const remembered& past, base::utc_seconds now,
                                               const plan_options& options) {
    if (past.past_known)
        return std::nullopt;
    // What was served before we looked, could be fetched until we looked for the first time.
    base::utc_seconds first = past.looked_since.value_or(now);
    if (!past.looked_since)
        for (const auto& one : past.served)
            first = std::min(first, one.first_served);
    return first + options.longest_unknown;
}

base::utc_seconds bound_until(const remembered& past, base::utc_seconds now, const plan_options& options) {
    base::utc_seconds latest = unknown_until(past, now, options).value_or(base::utc_seconds{});
    for (const auto& one : past.served)
        if (one.mode != sts::mode::none)
            latest = std::max(latest, end_of_life(one, now));
    if (past.publication)
        if (const auto served = sts::parse_policy(past.publication->body);
            served && served->mode != sts::mode::none)
            latest = std::max(
                latest, std::max(now, past.publication->since) +
                            std::chrono::seconds(static_cast<std::int64_t>(served->effective_max_age())));
    return latest;
}

base::utc_seconds bound_until(const picture& p) {
    const auto unknown = unknown_until(p.past, p.now, p.options).value_or(base::utc_seconds{});
    return std::max(unknown,
                    latest_end(p, [](const held& one) { return one.entry.mode != sts::mode::none; }));
}

base::utc_seconds enforced_until(const picture& p) {
    return latest_end(p, [](const held& one) { return one.enforces(); });
}

} // namespace mailtight::plan
