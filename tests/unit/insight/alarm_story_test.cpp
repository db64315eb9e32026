// SPDX-License-Identifier: Apache-2.0
// Weeks in a millisecond: what reporters see day by day goes in, the notices that an administrator gets come
// out. Day N is looked at in the morning, when the reports of day N-1 have come.
#include "insight/alarms.h"
#include "rows.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

namespace mailtight::insight {
namespace {

using namespace std::chrono;
using tests::today;
using list = std::vector<std::string>;

/// What one day holds.
struct weather {
    std::uint64_t success = 100;
    std::vector<store::failure_row> failures = {};
    bool reports = true;
};
using story = std::function<weather(int day)>;

list told_in(int days_long, const story& what, const std::vector<mute>& mutes = {}) {
    const day first = today;
    std::vector<store::day_row> rows;
    std::vector<store::failure_row> failures;
    std::vector<alarm_state> states;
    std::optional<day> last_report, first_report;
    list told;
    for (int number = 0; number <= days_long; ++number) {
        const day now = first + days(number);
        alarm_inputs facts;
        facts.domain = "example.com";
        const auto between = [&](day from, day to) {
            std::vector<store::failure_row> some;
            std::ranges::copy_if(failures, std::back_inserter(some),
                                 [&](const auto& row) { return row.first >= from && row.first <= to; });
            return group_failures(some, {}, {});
        };
        facts.days = rows;
        facts.failures = between(now - days(2), now);
        facts.failures_before = between(now - days(31), now - days(3));
        facts.last_report = last_report;
        facts.first_report = first_report;
        for (const auto& state : states)
            if (state.active)
                facts.active.push_back(state.key);
        const auto step = step_alarms(alarms_now(facts, {}, now), states, mutes, now);
        for (const auto& one : step.to_send)
            told.push_back("day " + std::to_string(number) +
                           (one.what == notice::kind::raised     ? ": raised "
                            : one.what == notice::kind::reminder ? ": reminder "
                                                                 : ": resolved ") +
                           one.alarm.key);
        states = step.states;
        // The day itself; its reports come in the night.
        const weather seen = what(number);
        if (!seen.reports)
            continue;
        store::day_row row;
        row.domain = "example.com";
        row.day = now;
        row.success = seen.success;
        for (auto failure : seen.failures) {
            failure.first = failure.last = now;
            row.failure += failure.count;
            failures.push_back(std::move(failure));
        }
        rows.push_back(row);
        last_report = now;
        first_report = first_report.value_or(now);
    }
    return told;
}

weather expired(std::uint64_t count) {
    return {100 - count, {tests::failure("google.com", "certificate-expired", "mx1.example.com", count)}};
}
const std::string new_failure = "new-failure/example.com/certificate-expired/mx1.example.com";

TEST(Story, of_a_quiet_year_has_no_words) {
    EXPECT_EQ(told_in(365, [](int) { return weather{}; }), list{});
}

TEST(Story, of_a_certificate_that_expires_and_is_renewed) {
    EXPECT_EQ(told_in(30, [](int day) { return day >= 10 && day < 14 ? expired(30) : weather{}; }),
              (list{"day 11: raised " + new_failure, "day 11: raised failure-share/example.com",
                    "day 16: resolved " + new_failure, "day 16: resolved failure-share/example.com"}));
}

TEST(Story, of_a_fault_that_nobody_mends) {
    const auto told = told_in(80, [](int day) { return day >= 10 ? expired(1) : weather{}; });
    ASSERT_EQ(told.size(), 10U);
    EXPECT_EQ(told[0], "day 11: raised " + new_failure);
    for (std::size_t i = 1; i < told.size(); ++i)
        EXPECT_EQ(told[i], "day " + std::to_string(11 + 7 * i) + ": reminder " + new_failure)
            << "never resolved, however well known it is by now";
}

TEST(Story, of_a_fault_that_is_known_and_muted) {
    EXPECT_EQ(told_in(40, [](int day) { return day >= 10 ? expired(30) : weather{}; },
                      {{"new-failure/example.com/", today + days(100), "on order"},
                       {"failure-share/example.com", today + days(100), "on order"}}),
              list{});
}

TEST(Story, of_a_slow_worsening) {
    const auto told = told_in(45, [](int day) { return expired(day < 40 ? 1 : 6); });
    EXPECT_EQ(told.front(), "day 1: raised " + new_failure);
    EXPECT_EQ(std::ranges::count(told, "day 41: raised above-baseline/example.com"), 1)
        << "1 and 6 of 100 where 1 is usual";
}

TEST(Story, of_reports_that_stop_and_come_back) {
    EXPECT_EQ(told_in(40,
                      [](int day) {
                          weather made;
                          made.reports = day <= 10 || day >= 20;
                          return made;
                      }),
              (list{"day 18: raised nothing-arriving/example.com",
                    "day 21: resolved nothing-arriving/example.com"}));
}

TEST(Story, of_many_reporters_at_one_host) {
    const auto told = told_in(20, [](int day) {
        weather made;
        if (day >= 5 && day < 8)
            for (const auto* by : {"google.com", "microsoft.com", "mail.ru"})
                made.failures.push_back(tests::failure(by, "certificate-not-trusted", "mx1.example.com", 1));
        return made;
    });
    EXPECT_EQ(told, (list{"day 6: raised new-failure/example.com/certificate-not-trusted/mx1.example.com",
                          "day 6: raised many-reporters/example.com/mx1.example.com",
                          "day 10: resolved new-failure/example.com/certificate-not-trusted/mx1.example.com",
                          "day 10: resolved many-reporters/example.com/mx1.example.com"}));
}

} // namespace
} // namespace mailtight::insight
