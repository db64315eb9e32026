// SPDX-License-Identifier: Apache-2.0
// How the share of failed sessions moves: in windows of 2, 14 and 90 days, and against what is usual for the
// domain. A day of `n` days ago is in a window of `n` days, since reports of a day come on the next one.
// Pure.
#pragma once

#include "store/questions.h"

#include <array>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace mailtight::insight {

using store::day;

/// How much a share of failed sessions weighs.
enum class weight { fine, info, warning, error };
std::string_view to_string(weight w);
struct window {
    int days = 0; ///< 2, 14, 90
    std::uint64_t success = 0, failure = 0;
    insight::weight weight = weight::fine; ///< under 10 % info, under 50 % warning, else error
    bool silenced = false;                 ///< a shorter window with sessions is clean
};
struct reporter_trend {
    std::string domain, reporter, organization;
    std::vector<window> windows;
    insight::weight weight = weight::fine; ///< the worst that is not silenced
    std::optional<day> last, next_expected;
    bool late = false; ///< beyond its rhythm: information, never an alarm by itself
};
/// The lengths of the windows, the shortest first.
inline constexpr std::array<int, 3> windows_of_days{2, 14, 90};
/// The first day of a window of so many days.
day begin_of_window(int length, day today);
struct window_sums {
    std::uint64_t success = 0, failure = 0;
};
/// `sums`: a window each, as windows_of_days has them.
reporter_trend trend_of(const store::reporter_row& who, std::span<const window_sums, 3> sums, day today);
/// `rows`: days of one reporter.
reporter_trend trend_of(const store::reporter_row& who, std::span<const store::day_row> rows, day today);
struct baseline {
    double usual_share = 0; ///< of failures over the 28 days before the last 2
    double share_now = 0;   ///< over the last 2
    std::uint64_t sessions_now = 0;
    bool above = false; ///< three times the usual, and enough sessions to say so
};
baseline against_baseline(std::span<const store::day_row> rows, day today);

} // namespace mailtight::insight
