// SPDX-License-Identifier: Apache-2.0
// Dates as reporters write them (RFC 3339 §5.6, and what is seen instead). Pure, takes any bytes. Private to
// the reader.
#pragma once

#include "base/time.h"

#include <cstdint>
#include <optional>
#include <string_view>

namespace mailtight::tlsrpt {

struct read_date {
    base::utc_seconds at{};
    bool zone = true;       ///< false: none was given, UTC was taken
    bool odd = false;       ///< not as RFC 3339 and RFC 7493 write it
    bool date_only = false; ///< no time of day: `at` is its midnight
};

/// RFC 3339 with or without zone, a blank or an underscore for the T, lower case, fractions, second 60,
/// offsets with or without colon, without seconds, `/` for `-`, the date alone, or Unix seconds. Nothing
/// where it is none of these, or outside the years that a report can be of: never 1970.
std::optional<read_date> parse_date_time(std::string_view text);

/// The same for the beginning of a longer text, such as a report's id: nothing unless a date with a
/// separator, eight digits of one, or ten digits of Unix seconds begin it.
std::optional<base::utc_seconds> parse_date_prefix(std::string_view text);

/// Unix seconds, where a report can be of that time.
std::optional<base::utc_seconds> plausible_epoch(std::uint64_t seconds);

base::utc_seconds day_begin(base::utc_seconds at);
/// 23:59:59 of that day.
base::utc_seconds day_end(base::utc_seconds at);

} // namespace mailtight::tlsrpt
