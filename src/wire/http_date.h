// SPDX-License-Identifier: Apache-2.0
// Retry-After (RFC 9110 §10.2.3): seconds, or one of the three forms of an HTTP date (§5.6.7). Pure; takes
// any bytes.
#pragma once

#include "base/time.h"

#include <chrono>
#include <optional>
#include <string_view>

namespace mailtight::wire {

std::optional<base::utc_seconds> read_http_date(std::string_view text);
/// From `now`; never negative, bounded. Nothing where it is neither.
std::optional<std::chrono::seconds> read_retry_after(std::string_view text, base::utc_seconds now);

} // namespace mailtight::wire
