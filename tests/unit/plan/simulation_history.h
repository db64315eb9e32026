// SPDX-License-Identifier: Apache-2.0
// One history of a domain: an operator who changes their mind, a machine that carries plans out and crashes,
// a person who follows what is printed, sooner or later, and senders that deliver all along.
#pragma once

#include "plan/plan.h"
#include "simulation_world.h"

#include <string>
#include <vector>

namespace mailtight::plan::tests {

/// What a careless installation gets wrong; the history must show that it is noticed.
enum class carelessness {
    none,
    no_waits,        ///< no margin and no lifetime is waited for
    forgets_served,  ///< the log of served policies is lost
    forgets_unknown, ///< a past that nobody knows is taken for none
    reuses_ids,      ///< the same id for every body
    record_first,    ///< the record is pushed as soon as its id is known
    early_date,      ///< moves go by the date for senders that look at the id
};

struct outcome {
    std::string violation; ///< "" : none
    bool ended = false;
    std::size_t actions = 0, deliveries = 0, deferred_ignoring = 0;
    moment took = 0;
    std::vector<std::string> diary; ///< what happened, for whoever looks into a failure
};
outcome live(std::uint64_t seed, carelessness how);

} // namespace mailtight::plan::tests
