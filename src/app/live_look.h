// SPDX-License-Identifier: Apache-2.0
// A look at a domain now, as `check` takes it, for the answers about its reports. Blocks until it is done.
#pragma once

#include "advise/advise.h"
#include "app/report_facts.h"
#include "app/world.h"
#include "insight/known_today.h"

#include <map>
#include <span>
#include <string>
#include <vector>

namespace mailtight::app {

struct live_look {
    model::observation seen;
    advise::judgement judged;
};
/// All at once, in the order given.
std::vector<live_look> look_now(world& with, std::span<const std::string> domains);

/// What failures of reports can be joined with.
insight::known_today known_from(const live_look& look);
/// The same, and since when reporters see the policy that is served now.
store::result<insight::known_today> known_from(const live_look& look, store::store& from);

} // namespace mailtight::app
