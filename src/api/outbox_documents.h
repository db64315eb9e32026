// SPDX-License-Identifier: Apache-2.0
// Our own reports as JSON. schemas.cpp describes each. Pure.
#pragma once

#include "deliver/sender.h"
#include "model/outgoing.h"
#include "store/results.h"

#include <boost/json/object.hpp>

#include <chrono>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

namespace mailtight::api {

/// A report that was filed, with its deliveries (schema "outgoing-report").
boost::json::object outgoing_document(const model::outgoing_report& of);
/// An entry of the list of addresses that get nothing (schema "suppressed").
boost::json::object suppressed_document(const store::suppressed_address& of);
/// What `report send` did (schema "day-sent").
boost::json::object day_document(std::chrono::sys_days day, const deliver::sender::day_result& of);

/// `2026-01-31`; nothing on anything else.
std::optional<std::chrono::sys_days> parse_day(std::string_view text);

/// An address to suppress or to allow again: a mail address, `@domain` or an https host, in lower case. The
/// error is for whoever asked.
std::expected<std::string, std::string> read_address(std::string_view typed);

} // namespace mailtight::api
