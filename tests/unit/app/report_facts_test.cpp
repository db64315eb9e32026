// SPDX-License-Identifier: Apache-2.0
// What is gathered from the store for alarms, readiness and `check`: over a real store with few reports.
#include "app/report_facts.h"
#include "support/reports.h"
#include "support/scratch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

namespace mailtight::app {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using tests::day_in_may;

class report_facts : public testing::Test {
protected:
    void SetUp() override {
        auto opened = store::open({.where = folder_ + "/store.db"});
        ASSERT_TRUE(opened) << opened.error().message;
        store_ = std::move(*opened);
        const std::vector<std::string> names{"a.example", "b.example"};
        ASSERT_TRUE(store_->add_domains(names, day_in_may(1)));
        const std::vector all{tests::report("1", "a.example", 15, 100, 4),
                              tests::report("2", "a.example", 16, 90, 3),
                              tests::report("3", "b.example", 16, 50),
                              tests::report("4", "b.example", 2, 50, 0, "example.net")};
        ASSERT_TRUE(store_->add(all));
    }
    void TearDown() override { store_.reset(); }
    const base::utc_seconds now_ = day_in_may(17) + std::chrono::hours(12);
    const tests::scratch_folder scratch_;
    const std::string folder_ = scratch_.path().string();
    std::unique_ptr<store::store> store_;
};

TEST_F(report_facts, alarms_of_a_domain_follow_from_its_own_rows_and_know_what_was_told) {
    insight::alarm_state active{"new-failure/a.example/certificate-expired/mx1.example.com", "", now_, now_,
                                true};
    auto over = active;
    over.key = "new-failure/a.example/starttls-not-supported/-";
    over.active = false;
    const std::vector told{active, over};
    const std::vector<std::string> names{"b.example", "a.example", "none.example"};
    const auto facts = alarm_inputs(*store_, names, day_of(now_), told);
    ASSERT_TRUE(facts) << facts.error().message;
    ASSERT_EQ(facts->size(), 3U);
    const auto& b = (*facts)[0];
    EXPECT_EQ(b.domain, "b.example");
    EXPECT_THAT(b.active, IsEmpty());
    EXPECT_THAT(b.failures, IsEmpty());
    EXPECT_EQ(b.days.size(), 2U);
    EXPECT_EQ(b.first_report, day_of(day_in_may(2)));
    EXPECT_EQ(b.last_report, day_of(day_in_may(16)));
    const auto& a = (*facts)[1];
    EXPECT_THAT(a.active, ElementsAre(active.key));
    ASSERT_EQ(a.failures.size(), 1U);
    EXPECT_EQ(a.failures.front().count, 7U);
    EXPECT_EQ((*facts)[2].domain, "none.example");
    EXPECT_FALSE((*facts)[2].last_report);
}

TEST_F(report_facts, a_failure_that_goes_on_stays_one_alarm) {
    // Nine days later the same failure is no longer new; the alarm told before keeps it active.
    std::vector<model::received_report> more;
    for (const unsigned day : {17U, 18U, 19U, 20U, 21U, 22U, 23U})
        more.push_back(tests::report("more" + std::to_string(day), "a.example", day, 100, 4));
    ASSERT_TRUE(store_->add(more));
    const auto later = day_in_may(24);
    const std::vector<std::string> names{"a.example"};
    const auto has_new = [&](const std::vector<insight::alarm_state>& told) {
        const auto facts = alarm_inputs(*store_, names, day_of(later), told);
        return facts && std::ranges::any_of(insight::alarms_now(facts->front(), {}, later),
                                            [](const auto& one) { return one.kind == "new-failure"; });
    };
    EXPECT_FALSE(has_new({}));
    EXPECT_TRUE(
        has_new({{"new-failure/a.example/certificate-expired/mx1.example.com", "", now_, now_, true}}));
}

TEST_F(report_facts, a_report_of_a_day_to_come_does_not_hide_that_none_arrive) {
    auto ahead = tests::report("ahead", "b.example", 16, 1);
    ahead.report.start = tests::at(2199, 1, 1);
    ASSERT_TRUE(store_->add(std::vector{ahead}));
    const std::vector<std::string> names{"b.example"};
    const auto facts = alarm_inputs(*store_, names, day_of(day_in_may(31)), {});
    ASSERT_TRUE(facts);
    EXPECT_EQ(facts->front().last_report, day_of(day_in_may(16)));
    const auto alarms = insight::alarms_now(facts->front(), {}, day_in_may(31));
    ASSERT_EQ(alarms.size(), 1U);
    EXPECT_EQ(alarms.front().kind, "nothing-arriving");
    const auto evidence = report_evidence(*store_, {}, "b.example", day_in_may(31));
    ASSERT_TRUE(evidence && *evidence);
    EXPECT_EQ((*evidence)->last_report, day_of(day_in_may(16)));
}

TEST_F(report_facts, trends_sum_each_window_by_reporter) {
    const auto all = trends(*store_, {.domains = {"b.example"}, .reporters = {}, .result_type = {}, .mx = {}},
                            day_of(now_));
    ASSERT_TRUE(all) << all.error().message;
    ASSERT_EQ(all->size(), 2U);
    EXPECT_EQ((*all)[0].reporter, "example.net");
    EXPECT_EQ((*all)[0].windows[1].success, 0U) << "fifteen days ago";
    EXPECT_EQ((*all)[0].windows[2].success, 50U);
    EXPECT_EQ((*all)[1].reporter, "google.com");
    EXPECT_EQ((*all)[1].windows[0].success, 50U);
}

TEST_F(report_facts, evidence_is_given_of_our_domains_alone) {
    const auto evidence = report_evidence(*store_, {}, "a.example", now_);
    ASSERT_TRUE(evidence && *evidence);
    EXPECT_EQ((*evidence)->sessions, 197U);
    EXPECT_EQ((*evidence)->failed, 7U);
    ASSERT_EQ((*evidence)->failures.size(), 1U);
    EXPECT_EQ((*evidence)->failures.front().result_type, "certificate-expired");
    EXPECT_TRUE((*evidence)->failures.front().against_enforce);
    EXPECT_EQ((*evidence)->last_report, day_of(day_in_may(16)));
    const auto foreign = report_evidence(*store_, {}, "c.example", now_);
    ASSERT_TRUE(foreign);
    EXPECT_FALSE(*foreign);
    EXPECT_EQ(mode_in_reports(*store_, "a.example").value_or("?"), "enforce");
    EXPECT_EQ(mode_in_reports(*store_, "c.example").value_or("?"), "");
}

// ---- ready for enforce: over what the store holds ----

class readiness_facts_of : public report_facts {
protected:
    void SetUp() override {
        report_facts::SetUp();
        ASSERT_TRUE(store_->add_domains(std::vector<std::string>{"c.example"}, day_in_may(1)));
    }
    /// A report of a day on which the sender saw this: "sts" with a mode, or no policy.
    model::received_report seen_on(unsigned day, const std::string& mode, std::string by = "google.com") {
        auto made = tests::report(by + std::to_string(day) + mode, "c.example", day, 50, 0, by);
        if (mode.empty())
            made.report.policies = {tests::policy("no-policy-found", "c.example", 50)};
        else
            made.report.policies[0].strings[1] = "mode: " + mode;
        return made;
    }
    void add(const std::vector<model::received_report>& all) { ASSERT_TRUE(store_->add(all)); }
    std::string says(std::string_view code, unsigned day) {
        const auto made = readiness(*store_, "c.example", day_in_may(day) + std::chrono::hours(12), {});
        EXPECT_TRUE(made);
        for (const auto& each : made ? made->reasons : std::vector<insight::readiness::reason>())
            if (each.code == code)
                return (each.met ? "ok: " : "missing: ") + each.text;
        return "";
    }
};

TEST_F(readiness_facts_of, testing_counts_from_when_it_is_seen_without_a_break) {
    add({seen_on(3, "testing"), seen_on(20, "")});
    EXPECT_TRUE(says("sessions", 24).starts_with("missing: Reports tell of 50 sessions in the last 14 days"));
    add({seen_on(24, "testing"), seen_on(25, "testing")});
    EXPECT_EQ(says("days-in-testing", 26),
              "missing: In testing since 24 May 2026: 2 of 14 days. Look again on 7 June 2026.")
        << "it was away on the 20th";
    EXPECT_EQ(says("sessions", 26), "ok: 100 sessions in the last 14 days.");
    add({seen_on(25, "none", "mail.ru")});
    EXPECT_NE(says("days-in-testing", 26).find("since 25 May 2026: 1 of 14 days"), std::string::npos);
}

TEST_F(readiness_facts_of, a_clock_that_is_ahead_says_nothing) {
    auto ahead = seen_on(26, "none");
    ahead.report.start = tests::at(2199, 1, 1);
    add({seen_on(3, "testing"), ahead});
    EXPECT_EQ(says("days-in-testing", 20), "ok: In testing since 3 May 2026: 17 days.");
}

TEST_F(readiness_facts_of, who_saw_no_policy_is_no_reporter_of_it) {
    add({seen_on(20, "testing"), seen_on(20, "", "mail.ru")});
    EXPECT_NE(says("two-reporters", 21).find("mail.ru: reports came, of no session under the MTA-STS policy"),
              std::string::npos);
    EXPECT_NE(says("two-reporters", 21).find("Only Google Inc."), std::string::npos);
}

} // namespace
} // namespace mailtight::app
