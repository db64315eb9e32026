// SPDX-License-Identifier: Apache-2.0
// Alarms over days: what a script of days brings to the mailbox of the administrator.
#include "insight/alarms.h"
#include "insight/letters.h"
#include "rows.h"

#include <boost/json.hpp>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <map>

namespace mailtight::insight {
namespace {

using namespace std::chrono;
using tests::ago;
using tests::every_day;
using tests::failure;
using tests::operator+;
using tests::reporter;
using tests::today;

std::vector<std::string> keys(const std::vector<alarm>& alarms) {
    std::vector<std::string> all;
    for (const auto& one : alarms)
        all.push_back(one.key);
    return all;
}
using list = std::vector<std::string>;

alarm_inputs quiet() {
    alarm_inputs made;
    made.domain = "example.com";
    made.days = every_day(30, 1, 100, 0);
    made.first_report = ago(60);
    made.last_report = ago(1);
    return made;
}

TEST(AlarmsNow, nothing_where_nothing_is_wrong) {
    EXPECT_EQ(keys(alarms_now(quiet(), {}, today)), list{});
    EXPECT_EQ(keys(alarms_now(alarm_inputs{.domain = "new.example"}, {}, today)), list{})
        << "a domain without any report yet";
}

TEST(AlarmsNow, a_new_kind_of_failure) {
    auto facts = quiet();
    facts.failures = group_failures(
        std::vector{failure("google.com", "certificate-expired", "mx1.example.com", 2)}, {}, {});
    const auto alarms = alarms_now(facts, {}, today);
    ASSERT_EQ(keys(alarms), list{"new-failure/example.com/certificate-expired/mx1.example.com"});
    EXPECT_EQ(alarms[0].weight, weight::error) << "mail is held back";
    EXPECT_NE(alarms[0].text.find("google.com"), std::string::npos);
    EXPECT_FALSE(alarms[0].fix.empty());

    facts.failures_before = group_failures(
        std::vector{failure("google.com", "certificate-expired", "mx1.example.com", 2, 20)}, {}, {});
    EXPECT_EQ(keys(alarms_now(facts, {}, today)), list{}) << "known for weeks";
    facts.active = {alarms[0].key};
    EXPECT_EQ(keys(alarms_now(facts, {}, today)), keys(alarms)) << "told before, and it goes on";
    facts.failures.clear();
    EXPECT_EQ(keys(alarms_now(facts, {}, today)), list{}) << "it is over";
}

TEST(AlarmsNow, a_failure_that_began_while_nobody_looked_is_told) {
    auto facts = quiet();
    facts.failures =
        group_failures(std::vector{failure("google.com", "certificate-expired", "mx1.example.com")}, {}, {});
    facts.failures_before = group_failures(
        std::vector{failure("google.com", "certificate-expired", "mx1.example.com", 2, 5)}, {}, {});
    EXPECT_EQ(keys(alarms_now(facts, {}, today)),
              list{"new-failure/example.com/certificate-expired/mx1.example.com"})
        << "the reports of five days came at once";
}

TEST(AlarmsNow, what_one_sender_of_several_sees_weighs_less) {
    auto facts = quiet();
    const std::vector reporters{reporter("google.com"), reporter("microsoft.com"), reporter("mail.ru")};
    facts.failures = group_failures(
        std::vector{failure("google.com", "certificate-expired", "mx1.example.com", 2)}, reporters, {});
    EXPECT_EQ(alarms_now(facts, {}, today).at(0).weight, weight::warning);
}

TEST(AlarmsNow, nobody_is_woken_for_what_is_not_ours) {
    auto facts = quiet();
    facts.failures =
        group_failures(std::vector{failure("google.com", "dane-required", "mx1.example.com", 2)}, {}, {});
    EXPECT_EQ(keys(alarms_now(facts, {}, today)), list{});
}

TEST(AlarmsNow, hostile_names_and_floods_are_bounded) {
    auto facts = quiet();
    std::vector rows{failure("google.com", "a/b\x1b[2J" + std::string(5000, 'x'), "mx/1\n")};
    facts.failures = group_failures(rows, {}, {});
    facts.failures[0].diagnosis.ours = true;
    auto alarms = alarms_now(facts, {}, today);
    ASSERT_EQ(alarms.size(), 1U);
    EXPECT_LT(alarms[0].key.size(), 400U);
    EXPECT_EQ(std::ranges::count(alarms[0].key, '/'), 3);
    EXPECT_EQ((alarms[0].key + alarms[0].title).find_first_of("\x1b\n"), std::string::npos);
    rows.clear();
    for (int i = 0; i < 5000; ++i)
        rows.push_back(failure("google.com", "certificate-expired", "mx" + std::to_string(i)));
    facts.failures = group_failures(rows, {}, {});
    alarms = alarms_now(facts, {}, today);
    EXPECT_EQ(alarms.size(), 20U);
    const std::string told = "new-failure/example.com/certificate-expired/mx4999";
    ASSERT_EQ(std::ranges::count(keys(alarms), told), 0);
    facts.active = {told};
    alarms = alarms_now(facts, {}, today);
    EXPECT_EQ(alarms.size(), 20U);
    EXPECT_EQ(std::ranges::count(keys(alarms), told), 1) << "a flood does not say that it is over";
}

TEST(AlarmsNow, a_share_of_failures) {
    auto facts = quiet();
    facts.days = every_day(30, 3, 100, 0) + every_day(2, 1, 89, 11);
    EXPECT_EQ(keys(alarms_now(facts, {}, today)), list{"failure-share/example.com"});
    EXPECT_EQ(alarms_now(facts, {}, today)[0].weight, weight::warning);
    facts.days = every_day(30, 3, 100, 0) + every_day(2, 1, 10, 90);
    EXPECT_EQ(alarms_now(facts, {}, today)[0].weight, weight::error);
    facts.days = every_day(30, 3, 100, 0) + every_day(2, 1, 95, 5);
    EXPECT_EQ(keys(alarms_now(facts, {}, today)), list{"above-baseline/example.com"})
        << "below the share, above the usual";
    facts.days = every_day(2, 1, 0, 9);
    EXPECT_EQ(keys(alarms_now(facts, {}, today)), list{}) << "18 sessions are too few";
}

TEST(AlarmsNow, many_reporters_at_one_host) {
    auto facts = quiet();
    std::vector rows{failure("google.com", "certificate-expired", "mx1.example.com"),
                     failure("microsoft.com", "certificate-not-trusted", "mx1.example.com")};
    for (const auto& row : std::vector(rows)) // known for weeks
        rows.push_back(failure(row.reporter, row.result_type, row.mx, 1, 20));
    facts.failures_before = facts.failures = group_failures(rows, {}, {});
    EXPECT_EQ(keys(alarms_now(facts, {}, today)), list{});
    rows.push_back(failure("mail.ru", "certificate-expired", "mx1.example.com"));
    facts.failures_before = facts.failures = group_failures(rows, {}, {});
    EXPECT_EQ(keys(alarms_now(facts, {}, today)), list{"many-reporters/example.com/mx1.example.com"});
}

TEST(AlarmsNow, silence_of_all) {
    auto facts = quiet();
    facts.days.clear();
    facts.last_report = ago(7);
    EXPECT_EQ(keys(alarms_now(facts, {}, today)), list{});
    facts.last_report = ago(8);
    EXPECT_EQ(keys(alarms_now(facts, {}, today)), list{"nothing-arriving/example.com"});
    facts.expects_reports = false;
    EXPECT_EQ(keys(alarms_now(facts, {}, today)), list{});
}

// ---- over days ----

/// One line a day on which something is told: "day 3: raised a".
struct script {
    std::vector<alarm_state> states;
    std::vector<mute> mutes;
    list told;
    void day(int number, const list& active) {
        std::vector<alarm> now_active;
        for (const auto& key : active) {
            alarm made;
            made.key = key;
            made.title = "title of " + key;
            now_active.push_back(made);
        }
        const auto step = step_alarms(now_active, states, mutes, today + days(number));
        for (const auto& one : step.to_send)
            told.push_back("day " + std::to_string(number) + ": " +
                           (one.what == notice::kind::raised     ? "raised "
                            : one.what == notice::kind::reminder ? "reminder "
                                                                 : "resolved ") +
                           one.alarm.key);
        // As the store keeps them: as text.
        states.clear();
        for (const auto& state : step.states)
            states.push_back(alarm_state::parse(state.to_text()).value());
    }
    void days_of(int first, int last, const list& active) {
        for (int i = first; i <= last; ++i)
            day(i, active);
    }
};

TEST(StepAlarms, each_once_then_a_reminder_then_resolved) {
    script run;
    run.days_of(0, 15, {"a/x"});
    run.days_of(16, 20, {});
    EXPECT_EQ(run.told, (list{"day 0: raised a/x", "day 7: reminder a/x", "day 14: reminder a/x",
                              "day 16: resolved a/x"}));
    EXPECT_TRUE(run.states.empty()) << "nothing is remembered of what is over";
}

TEST(StepAlarms, one_that_comes_back_is_told_again) {
    script run;
    run.day(0, {"a/x"});
    run.day(1, {});
    run.day(2, {"a/x"});
    EXPECT_EQ(run.told, (list{"day 0: raised a/x", "day 1: resolved a/x", "day 2: raised a/x"}));
}

TEST(StepAlarms, a_mute_is_silent_until_its_end) {
    script run;
    run.mutes = {{"a/", today + days(5), "known"}};
    run.days_of(0, 4, {"a/x", "ab/y"});
    EXPECT_EQ(run.told, list{"day 0: raised ab/y"}) << "the prefix ends at its slash";
    run.days_of(5, 6, {"a/x", "ab/y"});
    EXPECT_EQ(run.told.back(), "day 5: raised a/x") << "it outlived its mute";
}

TEST(StepAlarms, muted_in_between_there_are_no_reminders) {
    script run;
    run.day(0, {"a/x"});
    run.mutes = {{"a/x", today + days(30), "known"}};
    run.days_of(1, 29, {"a/x"});
    run.day(30, {"a/x"});
    EXPECT_EQ(run.told, (list{"day 0: raised a/x", "day 30: reminder a/x"}));
    run.mutes = {{"a/x", today + days(60), "known"}};
    run.days_of(31, 40, {});
    EXPECT_EQ(run.told.size(), 2U) << "what ends under a mute ends silently";
}

TEST(StepAlarms, a_mute_with_another_key_changes_nothing) {
    script run;
    run.mutes = {{"a/xx", today + days(5), ""}, {"a", today + days(5), ""}, {"", today + days(5), ""}};
    run.day(0, {"a/x"});
    EXPECT_EQ(run.told, list{"day 0: raised a/x"});
}

TEST(StepAlarms, the_resolved_notice_still_says_of_what) {
    script run;
    run.day(0, {"new-failure/example.com/certificate-expired/mx1"});
    const auto step = step_alarms({}, run.states, {}, today + days(3));
    ASSERT_EQ(step.to_send.size(), 1U);
    EXPECT_EQ(step.to_send[0].alarm.kind, "new-failure");
    EXPECT_EQ(step.to_send[0].alarm.domain, "example.com");
    EXPECT_EQ(step.to_send[0].alarm.title, "title of new-failure/example.com/certificate-expired/mx1");
    EXPECT_EQ(step.to_send[0].since, today);
}

// Whatever the days bring: raised and resolved alternate for each key, and reminders only come in between.
RC_GTEST_PROP(StepAlarms, tells_a_sound_story, (std::vector<std::uint8_t> script_of_days)) {
    std::vector<alarm_state> states;
    std::map<std::string, bool> open;
    int number = 0;
    for (const auto bits : script_of_days) {
        std::vector<alarm> active;
        for (int i = 0; i < 3; ++i)
            if (bits & (1 << i)) {
                active.emplace_back();
                active.back().key = "k/" + std::to_string(i);
            }
        const auto step = step_alarms(active, states, {}, today + days(number++));
        for (const auto& one : step.to_send) {
            bool& is_open = open[one.alarm.key];
            RC_ASSERT(is_open == (one.what != notice::kind::raised));
            is_open = one.what != notice::kind::resolved;
        }
        for (const auto& one : active)
            RC_ASSERT(open[one.key]);
        states = step.states;
    }
}

TEST(AlarmState, survives_as_text_and_refuses_other_text) {
    const alarm_state state{"new-failure/x", "A \"title\"\nwith \xc3\xa9", today, today + days(3), true};
    const auto read = alarm_state::parse(state.to_text());
    ASSERT_TRUE(read);
    EXPECT_EQ(read->key, state.key);
    EXPECT_EQ(read->title, state.title);
    EXPECT_EQ(read->since, state.since);
    EXPECT_EQ(read->last_sent, state.last_sent);
    EXPECT_TRUE(read->active);
    for (const auto* wrong :
         {"", "x", "[]", "{}", R"({"key":1,"title":"","since":0,"last_sent":0,"active":true})",
          R"({"key":"k","title":"","since":"0","last_sent":0,"active":true})", "{\"key\":"})
        EXPECT_FALSE(alarm_state::parse(wrong)) << wrong;
}

TEST(NoticeJson, has_a_stable_shape) {
    notice one;
    one.alarm = {"failure-share/example.com",
                 "failure-share",
                 "example.com",
                 weight::warning,
                 "title",
                 "text \xff",
                 "fix"};
    one.since = today;
    EXPECT_EQ(
        notice_json(one),
        R"({"version":1,"event":"raised","key":"failure-share/example.com","kind":"failure-share",)"
        R"("domain":"example.com","severity":"warning","title":"title","text":"text \\xff","fix":"fix",)"
        R"("since":"2026-05-17T00:00:00Z"})");
}

} // namespace
} // namespace mailtight::insight
