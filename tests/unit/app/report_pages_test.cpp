// SPDX-License-Identifier: Apache-2.0
// What the pages show of reports, from a store: periods of one domain and of several, marks, lines of the
// graph, files that are handed in.
#include "app/change_marks.h"
#include "app/look_memory.h"
#include "app/report_facts.h"
#include "app/report_files.h"
#include "app/report_period.h"
#include "support/reports.h"
#include "support/scratch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mailtight::app {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using tests::day_in_may;

store::day may(unsigned d) {
    return std::chrono::floor<std::chrono::days>(day_in_may(d));
}

class period : public testing::Test {
protected:
    period() {
        auto opened = store::open({.where = (scratch_.path() / "store.db").string()});
        EXPECT_TRUE(opened);
        store_ = std::move(*opened);
        EXPECT_TRUE(store_->add_domains(std::vector<std::string>{"a.example", "b.example", "silent.example"},
                                        day_in_may(1)));
        std::vector<model::received_report> all{
            tests::report("1", "a.example", 3, 100, 10), tests::report("2", "b.example", 3, 50, 0),
            tests::report("3", "a.example", 4, 200, 0), tests::report("4", "a.example", 3, 7, 1, "yahoo.com"),
            tests::report("5", "b.example", 4, 5, 40, "microsoft.com")};
        EXPECT_TRUE(store_->add(all));
    }
    store::filter of(std::vector<std::string> domains) {
        return {.domains = std::move(domains),
                .reporters = {},
                .result_type = {},
                .mx = {},
                .from = may(1),
                .to = may(5)};
    }
    const tests::scratch_folder scratch_;
    std::unique_ptr<store::store> store_;
};

TEST_F(period, several_domains_are_summed_up_by_day_and_reporter) {
    const auto made = report_period_of(*store_, of({}), day_in_may(5));
    ASSERT_TRUE(made) << made.error().message;
    const auto& days = made->sums.days;
    ASSERT_THAT(days, SizeIs(2));
    EXPECT_EQ(days[0].domain, "");
    EXPECT_EQ(days[0].success, 157u);
    EXPECT_EQ(days[0].failure, 11u);
    EXPECT_EQ(days[0].reporters, 2u) << "Google writes about both, and is one";
    EXPECT_EQ(days[0].reports, 3u);
    EXPECT_EQ(days[1].failure, 40u);
    ASSERT_THAT(made->sums.reporters, SizeIs(3));
    EXPECT_EQ(made->sums.reporters[0].reporter, "google.com");
    EXPECT_EQ(made->sums.reporters[0].organization, "Google Inc.");
    EXPECT_EQ(made->sums.reporters[0].success, 350u);
    EXPECT_EQ(made->sums.reporters[0].reports, 3u);
    EXPECT_TRUE(made->sums.reporters[0].verified);
    ASSERT_THAT(made->domains, SizeIs(2));
    EXPECT_EQ(made->domains[0].domain, "b.example") << "the most failures first";
    EXPECT_EQ(made->sums.newest, may(4));
    EXPECT_THAT(made->sums.trends, IsEmpty());
    ASSERT_THAT(made->silence, SizeIs(1));
    EXPECT_EQ(made->silence[0].domain, "silent.example");
    EXPECT_FALSE(made->silence[0].causes.empty());
}

TEST_F(period, one_domain_is_told_as_the_command_tells_it) {
    const auto made = report_period_of(*store_, of({"a.example"}), day_in_may(5));
    const auto said = summary_of(*store_, of({"a.example"}), may(5));
    ASSERT_TRUE(made && said);
    auto theirs = insight::summary_json(*said), ours = insight::summary_json(made->sums);
    EXPECT_EQ(ours, theirs);
    EXPECT_EQ(made->sums.days.front().domain, "a.example");
    EXPECT_THAT(made->silence, IsEmpty());
    EXPECT_THAT(made->by_reporter, SizeIs(3)) << "a line's points: Google twice, Yahoo once";
}

TEST_F(period, what_is_silent_says_when_it_last_spoke) {
    auto later = of({"a.example"});
    later.from = may(20);
    later.to = may(25);
    const auto made = report_period_of(*store_, later, day_in_may(25));
    ASSERT_TRUE(made);
    EXPECT_THAT(made->sums.days, IsEmpty());
    EXPECT_EQ(made->sums.newest, may(4));
    EXPECT_THAT(made->silence, SizeIs(1));
}

TEST_F(period, the_worst_failures_are_those_that_most_sessions_met) {
    const auto all = failure_groups(*store_, of({}));
    const auto worst = worst_failure_groups(*store_, of({}), 1);
    ASSERT_TRUE(all && worst);
    ASSERT_THAT(*all, SizeIs(2));
    EXPECT_EQ(worst->left_out, 1u);
    ASSERT_THAT(worst->groups, SizeIs(1));
    EXPECT_EQ(worst->groups[0].domain, "b.example");
    EXPECT_EQ(worst->groups[0].count, 40u);
    EXPECT_EQ(worst->groups[0].diagnosis.title, (*all)[0].diagnosis.title);
    const auto whole = worst_failure_groups(*store_, of({}), 2);
    ASSERT_TRUE(whole);
    EXPECT_EQ(whole->left_out, 0u);
    EXPECT_EQ(whole->groups[1].count, 11u) << "two reporters of one kind are one";
}

TEST(lines, the_largest_reporters_and_all_others_together) {
    std::vector<store::reporter_day_row> rows;
    for (const auto& [name, count] : {std::pair("small", 1), std::pair("large", 100), std::pair("tiny", 1)})
        for (unsigned d = 3; d <= 4; ++d)
            rows.push_back({.reporter = name,
                            .organization = {},
                            .day = may(d),
                            .success = static_cast<std::uint64_t>(count)});
    const auto lines = lines_of(rows, 1);
    ASSERT_THAT(lines, SizeIs(4));
    EXPECT_EQ(lines[0].reporter, "");
    EXPECT_EQ(lines[0].success, 2u);
    EXPECT_EQ(lines[1].reporter, "large");
    EXPECT_EQ(lines[2].day, may(4));
    EXPECT_THAT(lines_of({}, 8), IsEmpty());
}

model::served_policy policy(sts::mode mode, unsigned day, std::optional<base::utc_seconds> until = {}) {
    model::served_policy made;
    made.domain = "a.example";
    made.mode = mode;
    made.max_age = 86'400;
    made.first_served = day_in_may(day);
    made.last_served = until;
    return made;
}
model::watched_state state(unsigned day, std::vector<std::string> mx, std::string id, bool full = true) {
    model::watched_state made;
    made.domain = "a.example";
    made.first = day_in_may(day);
    made.mx = std::move(mx);
    made.record_id = std::move(id);
    made.full = full;
    return made;
}
std::vector<std::string> words(const std::vector<api::change_mark>& all) {
    std::vector<std::string> out;
    for (const auto& each : all)
        out.push_back(base::format_date(each.at) + " " + std::string(each.kind) + " " + each.words);
    return out;
}

TEST(marks, of_policies_that_were_served) {
    const std::vector all{policy(sts::mode::testing, 2, day_in_may(8)),
                          policy(sts::mode::enforce, 8, day_in_may(12)),
                          policy(sts::mode::enforce, 12, day_in_may(20))};
    EXPECT_THAT(
        words(marks_of(all, {}, may(1), may(31))),
        ElementsAre("2026-05-02 policy policy: testing, kept 1 day", "2026-05-08 mode testing -> enforce",
                    "2026-05-12 policy policy: enforce, kept 1 day", "2026-05-20 policy policy withdrawn"));
    EXPECT_THAT(words(marks_of(all, {}, may(8), may(8))), SizeIs(1)) << "the last day is included";
    EXPECT_THAT(marks_of(all, {}, may(13), may(19)), IsEmpty());
}

TEST(marks, of_what_watching_saw_and_each_change_once) {
    // Newest first; the cheap looks see the same change hours before the full one.
    const std::vector seen{state(9, {"mx2", "mx3"}, "2"), state(2, {"mx1", "mx2"}, "1"),
                           state(8, {"mx2", "mx3"}, "2", false), state(2, {"mx2", "mx1"}, "1", false)};
    EXPECT_THAT(words(marks_of({}, seen, may(1), may(31))),
                ElementsAre("2026-05-08 mx MX: + mx3, - mx1", "2026-05-08 record MTA-STS record: id 2"));
    EXPECT_THAT(marks_of({}, std::vector{state(2, {"mx1"}, "1")}, may(1), may(31)), IsEmpty())
        << "the first look is no change";
}

TEST(looks, are_forgotten_after_a_while_and_never_many) {
    look_memory memory;
    for (int i = 0; i < 300; ++i) {
        live_look one;
        one.seen.domain = "d" + std::to_string(i) + ".example";
        one.seen.checked_at = day_in_may(5) + std::chrono::seconds(i);
        memory.remember(std::move(one));
    }
    const auto now = day_in_may(5) + std::chrono::seconds(300);
    EXPECT_FALSE(memory.fresh("d0.example", now)) << "the oldest went";
    EXPECT_TRUE(memory.fresh("d299.example", now));
    EXPECT_THAT(memory.all(now), SizeIs(look_memory::looks_most));
    EXPECT_FALSE(memory.fresh("d299.example", now + std::chrono::minutes(15)));
    EXPECT_THAT(memory.all(now + std::chrono::hours(1)), IsEmpty());
}

TEST(files, an_mbox_is_its_messages_and_anything_else_is_one) {
    const auto mbox = inputs_of({"box", "From a@b Thu Jan  1 00:00:00 2026\nSubject: 1\n\nx\n\n"
                                        "From a@b Thu Jan  1 00:00:00 2026\nSubject: 2\n\ny\n"},
                                1);
    ASSERT_THAT(mbox.inputs, SizeIs(1));
    EXPECT_EQ(mbox.inputs[0].name, "box#1");
    EXPECT_TRUE(mbox.inputs[0].from_mbox);
    EXPECT_EQ(mbox.left_out, 1u);
    const auto json = inputs_of({"a.json", "{}"}, 10);
    ASSERT_THAT(json.inputs, SizeIs(1));
    EXPECT_EQ(json.inputs[0].bytes, "{}");
    EXPECT_FALSE(json.inputs[0].from_mbox);
}

} // namespace
} // namespace mailtight::app
