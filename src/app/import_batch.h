// SPDX-License-Identifier: Apache-2.0
// Many inputs at once, from `report import` to the daemon or to a store of its own: packed into one body, and
// kept together so that they share commits. Pure but for keep_all().
#pragma once

#include "intake/keeper.h"
#include "intake/ways_in.h"

#include <boost/json/array.hpp>

#include <expected>
#include <string>
#include <string_view>
#include <vector>

namespace mailtight::app {

inline constexpr std::size_t batch_bytes = 16 * 1024 * 1024; ///< an input beyond it goes alone
inline constexpr std::size_t batch_inputs = 500;

/// Each input as two netstrings, name and bytes.
void pack(std::string& into, const intake::input& one);
/// Nothing where the body is not what pack() writes.
std::optional<std::vector<intake::input>> unpack(std::string_view body);

/// What became of one input.
struct imported {
    std::string source;
    intake::kept kept;
};
/// Examined and stored, the batch in as few commits as can be. By the administrator's word (`report import`).
io::task<std::vector<imported>> keep_all(io::loop& on, intake::keeper& into, std::vector<intake::input> all,
                                         base::utc_seconds now);
/// [{"source","state":"stored|none|later","reports":[{"fate","number","why"}],"errors":[{…}],"why"}]
boost::json::array to_json(const std::vector<imported>& all);

std::string_view word(store::add_outcome::fate what);
std::string_view word(intake::kept::fate what);

} // namespace mailtight::app
