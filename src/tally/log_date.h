// SPDX-License-Identifier: Apache-2.0
// The dates that syslog daemons write in front of a line. Pure; takes any bytes. Private to the log reader.
#pragma once

#include "base/time.h"

#include <chrono>
#include <optional>
#include <string_view>

namespace mailtight::tally {

/// `Nov 22 07:00:00` or `Nov  2 07:00:00` (RFC 3164 §4.1.2) taken off the front of `text`, with the blank
/// behind it. It names neither year nor zone: the year is the one that brings it nearest to `now`.
std::optional<base::utc_seconds> take_old_date(std::string_view& text, base::utc_seconds now,
                                               std::chrono::seconds zone);
/// `2026-11-22T07:00:00`, with or without a fraction, with `Z`, `+01:00`, `+0100` or no zone (RFC 3339, and
/// what the journal writes), taken off the front with the blank behind it.
std::optional<base::utc_seconds> take_iso_date(std::string_view& text, std::chrono::seconds zone);

} // namespace mailtight::tally
