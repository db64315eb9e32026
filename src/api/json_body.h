// SPDX-License-Identifier: Apache-2.0
// The JSON object that a call brings: bounded in depth before it is read, in bytes by its route and here.
#pragma once

#include <boost/json.hpp>

#include <cstddef>
#include <expected>
#include <string>
#include <string_view>

namespace mailtight::api {

/// What no body of ours goes beyond; a route says less where it takes less (route::body_bytes).
inline constexpr std::size_t body_most = 1'024 * 1'024;
inline constexpr std::size_t body_depth = 8;

/// Takes a body of at most `most` bytes and gives its object, nested at most body_depth deep. The error is
/// for the caller: it goes into a problem document.
inline std::expected<boost::json::object, std::string> read_object(std::string_view body,
                                                                   std::size_t most = body_most) {
    if (body.size() > most)
        return std::unexpected("the body is too long");
    boost::system::error_code error;
    boost::json::parse_options shallow;
    shallow.max_depth = body_depth;
    auto value = boost::json::parse({body.data(), body.size()}, error, {}, shallow);
    if (error || !value.is_object())
        return std::unexpected("the body is no JSON object");
    return std::move(value.as_object());
}

} // namespace mailtight::api
