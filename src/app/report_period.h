// SPDX-License-Identifier: Apache-2.0
// A period for the pages, gathered from the store: of one domain as `report summary` has it, of several added
// up, so that an answer stays small whatever their number. Blocks on the store; the caller chooses the
// thread. Errors are those of the store.
#pragma once

#include "api/received_desk.h"
#include "store/store.h"

#include <cstddef>
#include <span>
#include <vector>

namespace mailtight::app {

/// Domains whose silence and changes are looked at one by one.
inline constexpr std::size_t domains_in_detail = 20;
inline constexpr std::size_t reporter_lines = 8; ///< of the graph; the others are one line

/// Without marks. `of` has a first and a last day.
store::result<api::report_period> report_period_of(store::store& from, const store::filter& of,
                                                   base::utc_seconds now);

/// The lines of a graph: those with the most sessions, then one named "" for all others. In order of day.
std::vector<store::reporter_day_row> lines_of(std::span<const store::reporter_day_row> rows,
                                              std::size_t most);

} // namespace mailtight::app
