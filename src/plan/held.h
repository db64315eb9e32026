// SPDX-License-Identifier: Apache-2.0
// How long senders may hold what was served (RFC 8461 §8.3). Pure; the room's own.
#pragma once

#include "plan/picture.h"

#include <concepts>

namespace mailtight::plan {

/// The last second in which the policy could be fetched, as far as that is known.
base::utc_seconds last_fetch(const model::served_policy& entry, base::utc_seconds now);
base::utc_seconds end_of_life(const model::served_policy& entry, base::utc_seconds now);

/// When policies of a time before ours may still be held, at the latest; nothing where there were none.
std::optional<base::utc_seconds> unknown_until(const remembered& past, base::utc_seconds now,
                                               const plan_options& options);

/// The latest end among the policies that fit; epoch where none does.
template<std::predicate<const held&> Fits>
base::utc_seconds latest_end(const picture& p, Fits fits) {
    base::utc_seconds latest{};
    for (const held& one : p.senders)
        if (fits(one))
            latest = std::max(latest, one.ends);
    return latest;
}

/// Until when a sender may hold a policy that asks something of it: every mode but none.
base::utc_seconds bound_until(const picture& p);
/// Until when a sender may refuse mail because of one that it holds.
base::utc_seconds enforced_until(const picture& p);

} // namespace mailtight::plan
