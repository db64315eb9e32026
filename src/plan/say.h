// SPDX-License-Identifier: Apache-2.0
// Words of a plan: dates, lengths, lists. Pure; the room's own.
#pragma once

#include "base/time.h"
#include "sts/policy.h"

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace mailtight::plan {

std::string say_day(base::utc_seconds at);    ///< "Mon 4 May 2026"
std::string say_moment(base::utc_seconds at); ///< "Mon 4 May 2026, 10:00 UTC", the next full minute
std::string say_length(std::uint64_t seconds);
std::string say_list(const std::vector<std::string>& words); ///< "a, b and c"
/// "testing", "enforce, max_age 604800 (7 days)"
std::string say_policy(const sts::policy& policy);

} // namespace mailtight::plan
