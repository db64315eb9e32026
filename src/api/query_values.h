// SPDX-License-Identifier: Apache-2.0
// What a call asks, as values. read_query() has seen to it that each parameter is known, stands once, and is
// of its type; what is not there is what is usual.
#pragma once

#include "api/route.h"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>

namespace mailtight::api {

/// "" where it is not asked.
inline std::string text_of(const call& asked, std::string_view name) {
    const auto found = asked.query.find(std::string(name));
    return found == asked.query.end() ? std::string() : found->second;
}
inline bool said_yes(const call& asked, std::string_view name) {
    const auto word = text_of(asked, name);
    return word == "1" || word == "true";
}
/// A whole number and nothing else, or `usual`: also for what stands in a path, which nobody has looked at.
inline std::int64_t number_in(std::string_view given, std::int64_t usual) {
    std::int64_t value = 0;
    const auto* end = given.data() + given.size();
    const auto [stop, error] = std::from_chars(given.data(), end, value);
    return error == std::errc{} && stop == end ? value : usual;
}
inline std::int64_t number_of(const call& asked, std::string_view name, std::int64_t usual) {
    return number_in(text_of(asked, name), usual);
}
/// How many rows of a page are wanted by `limit`, between 1 and `most`.
inline std::size_t rows_of(const call& asked, std::size_t usual, std::size_t most) {
    const auto wanted = number_of(asked, "limit", static_cast<std::int64_t>(usual));
    return static_cast<std::size_t>(std::clamp<std::int64_t>(wanted, 1, static_cast<std::int64_t>(most)));
}

} // namespace mailtight::api
