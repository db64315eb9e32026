// SPDX-License-Identifier: Apache-2.0
#include "insight/trends.h"

#include <algorithm>
#include <array>

namespace mailtight::insight {

namespace {

using namespace std::chrono;

constexpr std::array windows_of_days{2, 14, 90};
constexpr int usual_days = 28;                // the baseline reaches this far back from the last window
constexpr std::uint64_t enough_sessions = 20; // below it, a share says nothing
constexpr std::uint64_t enough_failures = 3;
constexpr double times_usual = 3;

struct sums {
    std::uint64_t success = 0, failure = 0;
    std::uint64_t all() const { return success + failure; }
    double share() const {
        return all() == 0 ? 0 : static_cast<double>(failure) / static_cast<double>(all());
    }
};

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
    return of.failure == 0     ? weight::fine
           : of.share() < 0.10 ? weight::info
           : of.share() < 0.50 ? weight::warning
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

reporter_trend trend_of(const store::reporter_row& who, std::span<const store::day_row> rows, day today) {
    reporter_trend trend{who.domain, who.reporter, who.organization, {}, weight::fine, {}, {}, false};
    bool clean = false;
    for (const int length : windows_of_days) {
        const sums total = sum(rows, today - days(length), today);
        window made{length, total.success, total.failure, weigh(total), clean};
        if (!made.silenced)
            trend.weight = std::max(trend.weight, made.weight);
        clean = clean || (total.all() > 0 && total.failure == 0);
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
    baseline made{usual.share(), now.share(), now.all(), false};
    made.above = usual.all() >= enough_sessions && now.all() >= enough_sessions &&
                 now.failure >= enough_failures && now.share() > times_usual * usual.share();
    return made;
}

} // namespace mailtight::insight
