// SPDX-License-Identifier: Apache-2.0
// Metrics: the table keeps Prometheus' habits, the numbers come out in its text form.
#include "base/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

using namespace mailtight::base;
using testing::HasSubstr;
using testing::Not;

namespace {

TEST(metric_table, stands_in_the_order_of_the_enum_and_keeps_the_naming_rules) {
    std::set<std::string_view> names;
    std::size_t index = 0;
    for (const auto& entry : metric_table()) {
        SCOPED_TRACE(std::string(entry.name));
        EXPECT_EQ(static_cast<std::size_t>(entry.what), index++);
        EXPECT_TRUE(names.insert(entry.name).second);
        EXPECT_THAT(std::string(entry.name), testing::MatchesRegex("mailtight_[a-z0-9_]+"));
        EXPECT_EQ(entry.name.ends_with("_total"), entry.type == metric_entry::kind::counter)
            << "_total is the mark of a counter";
        EXPECT_TRUE(entry.help.ends_with('.'));
    }
    EXPECT_EQ(index, static_cast<std::size_t>(metric::domain_work_waiting) + 1);
}

TEST(metrics, count_and_are_exposed_as_text) {
    metrics all;
    all.add(metric::reports, 1, {"added"});
    all.add(metric::reports, 2, {"added"});
    all.add(metric::reports, 1, {"duplicate"});
    all.set(metric::queued, 17);
    const std::string text = all.expose();
    EXPECT_THAT(text, HasSubstr("# TYPE mailtight_reports_total counter\n"));
    EXPECT_THAT(text, HasSubstr("# HELP mailtight_reports_total Reports committed"));
    EXPECT_THAT(text, HasSubstr("mailtight_reports_total{fate=\"added\"} 3\n"));
    EXPECT_THAT(text, HasSubstr("mailtight_reports_total{fate=\"duplicate\"} 1\n"));
    EXPECT_THAT(text, HasSubstr("mailtight_store_queued_bytes 17\n"));
}

TEST(metrics, a_histogram_kept_elsewhere_is_raised_to_what_was_counted) {
    metrics all;
    const std::vector<std::uint64_t> first = {3, 1, 0, 0, 0, 0, 0, 1}, then = {5, 1, 0, 0, 0, 0, 0, 2};
    all.set_histogram(metric::policy_answer_time, first, 9.5);
    all.set_histogram(metric::policy_answer_time, then, 21.5);
    all.set_histogram(metric::policy_answer_time, first, 9.5); // never lowered
    const std::string text = all.expose();
    EXPECT_THAT(text, HasSubstr("# TYPE mailtight_policy_answer_seconds histogram\n"));
    EXPECT_THAT(text, HasSubstr("mailtight_policy_answer_seconds_bucket{le=\"0.001\"} 5\n"));
    EXPECT_THAT(text, HasSubstr("mailtight_policy_answer_seconds_bucket{le=\"5\"} 6\n"));
    EXPECT_THAT(text, HasSubstr("mailtight_policy_answer_seconds_bucket{le=\"+Inf\"} 8\n"));
    EXPECT_THAT(text, HasSubstr("mailtight_policy_answer_seconds_count 8\n"));
    EXPECT_THAT(text, HasSubstr("mailtight_policy_answer_seconds_sum 21.5\n"));
}

TEST(metrics, a_counter_kept_elsewhere_is_raised_and_never_lowered) {
    metrics all;
    all.set(metric::commits, 5);
    all.set(metric::commits, 3);
    EXPECT_THAT(all.expose(), HasSubstr("mailtight_store_commits_total 5\n"));
    all.set(metric::commits, 9);
    EXPECT_THAT(all.expose(), HasSubstr("mailtight_store_commits_total 9\n"));
}

TEST(metrics, a_gauge_forgets_series_that_are_gone) {
    metrics all;
    all.set(metric::alarms_active, 2, {"new-failure"});
    all.clear(metric::alarms_active);
    all.set(metric::alarms_active, 1, {"way-in"});
    const std::string text = all.expose();
    EXPECT_THAT(text, Not(HasSubstr("new-failure")));
    EXPECT_THAT(text, HasSubstr("mailtight_alarms_active{kind=\"way-in\"} 1\n"));
}

TEST(metrics, a_label_cannot_break_the_text) {
    metrics all;
    all.set(metric::sessions, 1, {"evil\"\n} 7 # \xff", "success"});
    const std::string text = all.expose();
    for (std::size_t at = text.find("evil"), end = text.find('\n', at); at < end; ++at)
        ASSERT_NE(text[at], '\0');
    EXPECT_THAT(text, HasSubstr("evil\\\"\\\\n} 7 # \\\\xff"));
}

} // namespace
