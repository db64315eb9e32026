// SPDX-License-Identifier: Apache-2.0
// How the readers of ACME take JSON from an authority: bounded in bytes and depth, texts cut, what has
// another type than it should taken as absent. For wire/acme*.cpp alone.
#pragma once

#include "base/time.h"

#include <boost/json.hpp>

#include <cstddef>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

namespace mailtight::wire::acme_json {

inline constexpr std::size_t body_bytes = 65'536;
inline constexpr std::size_t depth = 8;
inline constexpr std::size_t url_bytes = 2'048;
inline constexpr std::size_t words_bytes = 1'000;
inline constexpr std::size_t list_entries = 300;

/// `what` names it in the error: "the directory".
std::expected<boost::json::object, std::string> read_object(std::string_view body, std::string_view what);

/// "" where it is absent, no text, or longer than `most`.
std::string text_of(const boost::json::object& from, std::string_view name, std::size_t most = url_bytes);
/// A text for people: printable and cut.
std::string words_of(const boost::json::object& from, std::string_view name);
/// An https or http URL; "" for anything else.
std::string url_of(const boost::json::object& from, std::string_view name);
bool is_url(std::string_view text);
bool flag_of(const boost::json::object& from, std::string_view name);
const boost::json::object* object_of(const boost::json::object& from, std::string_view name);
const boost::json::array* array_of(const boost::json::object& from, std::string_view name);
/// RFC 3339 with a zone, with or without a fraction; the epoch where it is none.
base::utc_seconds time_of(const boost::json::object& from, std::string_view name);

} // namespace mailtight::wire::acme_json
