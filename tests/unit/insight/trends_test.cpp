// SPDX-License-Identifier: Apache-2.0
#include "insight/trends.h"
#include "rows.h"

#include <gtest/gtest.h>

namespace mailtight::insight {
namespace {

using tests::ago;
using tests::every_day;
using tests::operator+;
using tests::reporter;
using tests::sessions;
using tests::today;

TEST(TrendOf, weighs_the_share_of_each_window) {
    struct {
        std::uint64_t success, failure;
        weight expected;
    } const table[] = {
        {100, 0, weight::fine},    {0, 0, weight::fine},    {91, 9, weight::info}, {90, 10, weight::warning},
        {51, 49, weight::warning}, {50, 50, weight::error}, {0, 1, weight::error}, {99'999, 1, weight::info},
    };
    for (const auto& one : table) {
        const std::vector rows{sessions(1, one.success, one.failure)};
        const auto trend = trend_of(reporter("google.com"), rows, today);
        ASSERT_EQ(trend.windows.size(), 3U);
        EXPECT_EQ(trend.windows[0].weight, one.expected) << one.success << "/" << one.failure;
        EXPECT_EQ(trend.weight, one.expected);
    }
}

TEST(TrendOf, a_longer_window_falls_silent_once_a_shorter_one_is_clean) {
    // All failed until a week ago, all well since.
    const auto rows = every_day(80, 8, 0, 10) + every_day(7, 1, 10, 0);
    const auto trend = trend_of(reporter("google.com"), rows, today);
    EXPECT_EQ(trend.windows[0].weight, weight::fine);
    EXPECT_EQ(trend.windows[1].weight, weight::error);
    EXPECT_TRUE(trend.windows[1].silenced && trend.windows[2].silenced);
    EXPECT_EQ(trend.weight, weight::fine);
}

TEST(TrendOf, a_window_without_sessions_silences_nothing) {
    const auto rows = every_day(10, 8, 0, 10);
    const auto trend = trend_of(reporter("google.com"), rows, today);
    EXPECT_FALSE(trend.windows[1].silenced);
    EXPECT_EQ(trend.weight, weight::error);
}

TEST(TrendOf, windows_end_at_their_day) {
    for (const auto& [days_ago, windows] :
         {std::pair{0, 3}, {2, 3}, {3, 2}, {14, 2}, {15, 1}, {90, 1}, {91, 0}}) {
        const std::vector rows{sessions(days_ago, 1, 0)};
        int holding = 0;
        for (const auto& window : trend_of(reporter("google.com"), rows, today).windows)
            holding += window.success == 1;
        EXPECT_EQ(holding, windows) << days_ago << " days ago";
    }
}

TEST(TrendOf, expects_the_next_report_by_the_rhythm) {
    auto who = reporter("google.com");
    auto trend = trend_of(who, {}, today);
    EXPECT_EQ(trend.next_expected, today);
    EXPECT_FALSE(trend.late);
    who.last = ago(4);
    EXPECT_TRUE(trend_of(who, {}, today).late);
    who.usual_interval = std::chrono::hours(24 * 7);
    EXPECT_FALSE(trend_of(who, {}, today).late) << "once a week is its rhythm";
    who.usual_interval = std::chrono::hours(6);
    EXPECT_EQ(trend_of(who, {}, today).next_expected, ago(3)) << "several a day: the next day at the latest";
    who.usual_interval = {};
    trend = trend_of(who, {}, today);
    EXPECT_FALSE(trend.next_expected || trend.late) << "no rhythm is known";
    who.reports = 0;
    EXPECT_FALSE(trend_of(who, {}, today).last);
}

TEST(AgainstBaseline, three_times_the_usual_share) {
    struct {
        std::string_view why;
        std::vector<store::day_row> rows;
        bool above;
    } const table[] = {
        {"as usual", every_day(30, 1, 99, 1), false},
        {"four times the usual", every_day(30, 3, 99, 1) + every_day(2, 1, 96, 4), true},
        {"three times exactly is not above", every_day(30, 3, 99, 1) + every_day(2, 1, 97, 3), false},
        {"none before, some now", every_day(30, 3, 100, 0) + every_day(2, 1, 95, 5), true},
        {"two failures are no trend", every_day(30, 3, 100, 0) + every_day(2, 1, 99, 1), false},
        {"too few sessions now", every_day(30, 3, 100, 0) + every_day(1, 1, 0, 5), false},
        {"no history to compare with", every_day(2, 1, 50, 50), false},
        {"older than four weeks does not count",
         every_day(60, 31, 50, 50) + every_day(30, 3, 100, 0) + every_day(2, 1, 90, 10), true},
    };
    for (const auto& one : table)
        EXPECT_EQ(against_baseline(one.rows, today).above, one.above) << one.why;
    const auto numbers = against_baseline(every_day(30, 3, 90, 10) + every_day(2, 1, 50, 50), today);
    EXPECT_DOUBLE_EQ(numbers.usual_share, 0.1);
    EXPECT_DOUBLE_EQ(numbers.share_now, 0.5);
    EXPECT_EQ(numbers.sessions_now, 200U);
}

} // namespace
} // namespace mailtight::insight
