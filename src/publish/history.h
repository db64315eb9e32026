// SPDX-License-Identifier: Apache-2.0
// What earlier looks tell of a domain, for the rules of check that need it: whether policy and id changed
// together, and how long the domain has been in testing. Pure but for the question of the store.
#pragma once

#include "model/looked_after.h"
#include "model/observation.h"
#include "model/watched.h"
#include "store/domains.h"

#include <optional>
#include <span>

namespace mailtight::publish {

/// Since when the policy of today has its mode, over every change that kept it; nothing where the newest one
/// has another mode, or ended. `log` oldest first.
std::optional<base::utc_seconds> mode_since(std::span<const model::served_policy> log, sts::mode mode);

/// Fills the history of an observation. Compared is with the first policy that was seen under the id of
/// today, so that a change without a new id stays a problem until there is one; else with the newest look.
/// Our own change under way, whose id is still to follow, is no problem.
void add_history(model::observation& into, std::span<const model::watched_state> states,
                 std::span<const model::served_policy> served,
                 const std::optional<model::publication>& published);
/// The same from the store, where the domain is looked after. On the store's thread.
store::result<void> add_history(model::observation& into, store::domain_store& kept);

} // namespace mailtight::publish
