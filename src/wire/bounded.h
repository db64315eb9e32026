// SPDX-License-Identifier: Apache-2.0
// Growing a buffer of remote bytes towards a limit that is known. std::string doubles its memory whatever
// will still come; here the last step goes to the limit and no further. Pure.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace mailtight::wire {

/// Appends; the sum must be within `limit`. Amortised constant time a byte, capacity at most the limit.
inline void append_within(std::string& to, std::string_view bytes, std::size_t limit) {
    const auto needed = to.size() + bytes.size();
    if (needed > to.capacity() && to.capacity() > limit / 2) {
        std::string bigger; // reserve() of the old one would double it
        bigger.reserve(std::max(limit, needed));
        bigger += to;
        to = std::move(bigger);
    }
    to += bytes;
}

/// Gives the memory back too, unless it is little.
inline void forget(std::string& buffer, std::size_t little = 64 * 1024) {
    buffer.clear();
    if (buffer.capacity() > little)
        std::string().swap(buffer);
}

} // namespace mailtight::wire
