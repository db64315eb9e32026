// SPDX-License-Identifier: Apache-2.0
#include "insight/trends.h"

#include <algorithm>

namespace mailtight::insight {

namespace {

using namespace std::chrono;

constexpr int usual_days = 28;                // the baseline reaches this far back from the last window
constexpr std::uint64_t enough_sessions = 20; // below it, a share says nothing
constexpr std::uint64_t enough_failures = 3;
constexpr double times_usual = 3;

using sums = window_sums;

std::uint64_t all_of(const sums& of) {
    return of.success + of.failure;
}
double share_of(const sums& of) {
    return all_of(of) == 0 ? 0 : static_cast<double>(of.failure) / static_cast<double>(all_of(of));
}

sums sum(std::span<const store::day_row> rows, day from, day to) {
    sums total;
    for (const auto& row : rows)
        if (row.day >= from && row.day <= to) {
            total.success += row.success;
            total.failure += row.failure;
        }
    return total;
}

weight weigh(const sums& of) {
    return of.failure == 0       ? weight::fine
           : share_of(of) < 0.10 ? weight::info
           : share_of(of) < 0.50 ? weight::warning
                                 : weight::error;
}

} // namespace

std::string_view to_string(weight w) {
    switch (w) {
    case weight::fine:
        return "fine";
    case weight::info:
        return "info";
    case weight::warning:
        return "warning";
    case weight::error:
        return "error";
    }
    return "";
}

day begin_of_window(int length, day today) {
    return today - days(length);
}

reporter_trend trend_of(const store::reporter_row& who, std::span<const store::day_row> rows, day today) {
    std::array<sums, windows_of_days.size()> each{};
    for (std::size_t i = 0; i < each.size(); ++i)
        each[i] = sum(rows, begin_of_window(windows_of_days[i], today), today);
    return trend_of(who, std::span<const sums, 3>(each), today);
}

reporter_trend trend_of(const store::reporter_row& who, std::span<const window_sums, 3> given, day today) {
    reporter_trend trend{who.domain, who.reporter, who.organization, {}, weight::fine, {}, {}, false};
    bool clean = false;
    for (std::size_t i = 0; i < given.size(); ++i) {
        const sums& total = given[i];
        window made{windows_of_days[i], total.success, total.failure, weigh(total), clean};
        if (!made.silenced)
            trend.weight = std::max(trend.weight, made.weight);
        clean = clean || (all_of(total) > 0 && total.failure == 0);
        trend.windows.push_back(made);
    }
    if (who.reports > 0) {
        trend.last = who.last;
        if (who.usual_interval > seconds(0)) {
            const days interval = std::max(ceil<days>(who.usual_interval), days(1));
            trend.next_expected = who.last + interval;
            // A report of a day comes on the next, and some take a day longer.
            trend.late = today > *trend.next_expected + std::max(interval, days(2));
        }
    }
    return trend;
}

baseline against_baseline(std::span<const store::day_row> rows, day today) {
    const sums now = sum(rows, today - days(windows_of_days.front()), today);
    const day before = today - days(windows_of_days.front() + 1);
    const sums usual = sum(rows, before - days(usual_days - 1), before);
    baseline made{share_of(usual), share_of(now), all_of(now), false};
    made.above = all_of(usual) >= enough_sessions && all_of(now) >= enough_sessions &&
                 now.failure >= enough_failures && share_of(now) > times_usual * share_of(usual);
    return made;
}

} // namespace mailtight::insight
