// SPDX-License-Identifier: Apache-2.0
// UTC time as the product speaks it, and the clock as an argument: nothing below F5 asks the system for the
// time.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace mailtight::base {

/// A point in UTC, in whole seconds.
using utc_seconds = std::chrono::sys_seconds;

/// Where "now" comes from. Tests give a fixed one.
class clock {
public:
    virtual ~clock() = default;
    virtual utc_seconds now() const = 0;
};

/// The system's clock.
class system_clock final : public clock {
public:
    utc_seconds now() const override;
};

/// `2026-01-02T03:04:05Z` (RFC 3339, always UTC, upper case).
std::string format_utc(utc_seconds at);
/// `20260102030405`: the date and time of a change, as the administrator guides use it for a policy id.
std::string format_compact(utc_seconds at);
/// `2026-01-02`.
std::string format_date(utc_seconds at);
/// Reads exactly what format_utc() writes.
std::optional<utc_seconds> parse_utc(std::string_view text);
/// A duration for people: `45 s`, `12 min`, `3 h`, `2 days`, `1 year`; rounded down to one unit, or two ("1
/// day 6 h") where the rest matters.
std::string format_duration(std::chrono::seconds length);

} // namespace mailtight::base
