// SPDX-License-Identifier: Apache-2.0
// What changed at a domain, as marks beside the graph of its sessions: from the policies that were served and
// from what watching saw. Pure.
#pragma once

#include "api/received_desk.h"
#include "model/looked_after.h"
#include "model/watched.h"

#include <span>
#include <vector>

namespace mailtight::app {

/// Between the begin of one day and the end of the other, in order of time. The first state of a domain is no
/// change. `seen`: newest first, as the store has them.
std::vector<api::change_mark> marks_of(std::span<const model::served_policy> served,
                                       std::span<const model::watched_state> seen, store::day from,
                                       store::day to);

/// In order of time; of one time by domain and words.
void sort_marks(std::vector<api::change_mark>& all);

} // namespace mailtight::app
