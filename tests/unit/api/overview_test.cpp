// SPDX-License-Identifier: Apache-2.0
// The table of all domains: how the light is set, what wants attention, and every question over the rows.
#include "api/overview.h"

#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace mailtight::api {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr base::utc_seconds today{std::chrono::seconds(1'800'000'000)};

model::shown seen_as(std::string verdict, std::string mode = "enforce") {
    model::shown out;
    out.looked_at = today;
    out.verdict = std::move(verdict);
    out.mode = std::move(mode);
    out.parts = {"valid", "valid", "valid", "valid"};
    return out;
}

overview_row row_of(std::string domain, const model::shown& seen, day_sessions each_day = {}) {
    model::looked_after wish;
    wish.domain = std::move(domain);
    wish.aim = model::aim::enforce;
    return make_row(wish, &seen,
                    each_day == day_sessions{} ? day_series{} : day_series(overview_days, each_day));
}

TEST(overview_light, follows_from_verdict_aim_parts_errors_and_sessions) {
    struct good {
        const char* verdict;
        model::aim aim;
        const char* tlsrpt;
        std::uint64_t errors;
        day_sessions sessions;
        light is;
        bool attention;
        const char* why;
    };
    using enum model::aim;
    for (const good& each : {
             good{"protected", enforce, "valid", 0, {}, light::good, false, "all is as wanted"},
             good{"protected", testing, "valid", 0, {}, light::good, false, "it is further than wanted"},
             good{"protected",
                  enforce,
                  "missing",
                  0,
                  {},
                  light::attention,
                  true,
                  "nobody is told of failures"},
             good{"protected",
                  enforce,
                  "invalid",
                  1,
                  {},
                  light::attention,
                  true,
                  "nobody is told of failures"},
             good{"protected",
                  enforce,
                  "not-tested",
                  0,
                  {},
                  light::good,
                  false,
                  "what is not known is no fault"},
             good{"protected", enforce, "valid", 1, {}, light::attention, false, "an error all the same"},
             good{
                 "protected", enforce, "valid", 0, {1, 1}, light::attention, false, "every second one fails"},
             good{"protected",
                  enforce,
                  "valid",
                  0,
                  {1'000, 1},
                  light::good,
                  false,
                  "one in a thousand is noise"},
             good{"testing", enforce, "valid", 0, {}, light::attention, false, "nothing is protected yet"},
             good{"testing", testing, "valid", 0, {}, light::attention, false, "nothing is protected yet"},
             good{"unverified", enforce, "valid", 0, {}, light::attention, false, "not sure"},
             good{"retiring", off, "valid", 0, {}, light::good, false, "as wanted"},
             good{"retiring", enforce, "valid", 0, {}, light::attention, false, "not as wanted"},
             good{"absent", enforce, "missing", 0, {}, light::attention, true, "without configuration"},
             good{"absent", off, "missing", 0, {}, light::good, false, "nothing is wanted"},
             good{"broken", off, "valid", 1, {}, light::bad, true, "mail may be held back"},
             good{"broken", enforce, "valid", 2, {}, light::bad, true, "mail may be held back"},
             good{"unreachable", enforce, "not-tested", 0, {}, light::unknown, false, "DNS said nothing"},
         }) {
        auto seen = seen_as(each.verdict);
        seen.parts.tlsrpt_record = each.tlsrpt;
        seen.errors = each.errors;
        model::looked_after wish;
        wish.domain = "a.example";
        wish.aim = each.aim;
        const auto row = make_row(wish, &seen, day_series(overview_days, each.sessions));
        EXPECT_EQ(row.light, each.is) << each.verdict << ": " << each.why;
        EXPECT_EQ(light_of(row), row.light);
        EXPECT_EQ(wants_attention(row), each.attention) << each.verdict << ": " << each.why;
    }
}

TEST(overview_light, a_few_failures_never_count_however_few_sessions_there_are) {
    EXPECT_EQ(row_of("a.example", seen_as("protected")).light, light::good);
    auto row = row_of("a.example", seen_as("protected"));
    EXPECT_EQ(with_days(row, {{0, 9}}).light, light::good);
    EXPECT_EQ(with_days(row, {{0, 10}}).light, light::attention);
}

TEST(overview_row, is_joined_and_its_parts_are_replaced_one_by_one) {
    model::looked_after wish;
    wish.domain = "a.example";
    wish.owner = "ann";
    wish.labels = {"x"};
    auto row = make_row(wish, nullptr, {});
    EXPECT_EQ(row.verdict, "unseen");
    EXPECT_EQ(row.light, light::unknown);
    EXPECT_FALSE(row.seen_at);
    auto seen = seen_as("testing", "testing");
    seen.next = model::next_step{.kind = "wait", .title = "Wait", .state = "waiting", .by = "us"};
    seen.changed = "from absent to testing";
    seen.changed_at = today;
    row = with_seen(row, seen);
    EXPECT_EQ(row.verdict, "testing");
    EXPECT_EQ(row.seen_at, today);
    EXPECT_EQ(row.owner, "ann");
    row = with_days(row, {{3, 1}, {4, 0}});
    EXPECT_EQ(row.sessions, (day_sessions{7, 1}));
    wish.owner = "bob";
    wish.aim = model::aim::off;
    row = with_wish(row, wish);
    EXPECT_EQ(row.owner, "bob");
    EXPECT_EQ(row.verdict, "testing");
    EXPECT_EQ(row.sessions.failure, 1u);

    model::shown planned_alone; // a plan was made, but no look was kept
    planned_alone.next = seen.next;
    const auto fresh = make_row(wish, &planned_alone, {});
    EXPECT_EQ(fresh.verdict, "unseen");
    EXPECT_EQ(fresh.next, seen.next);
}

class overview_questions : public testing::Test {
protected:
    overview_questions() {
        auto add = [this](overview_row row) {
            rows_.push_back(std::make_shared<const overview_row>(std::move(row)));
        };
        auto one = row_of("alpha.example", seen_as("protected"), {100, 0});
        one.labels = {"gold"};
        add(one);
        add(row_of("beta.example", seen_as("broken"), {50, 50}));
        auto third = row_of("gamma.example", seen_as("testing", "testing"), {10, 1});
        third.owner = "ann";
        third.next = model::next_step{.kind = "evidence",
                                      .title = "Wait for reports",
                                      .state = "waiting",
                                      .by = "us",
                                      .not_before = today + std::chrono::hours(24)};
        third.seen_at = today - std::chrono::hours(1);
        add(third);
        auto fourth = row_of("delta.test", seen_as("absent", ""));
        fourth.owner = "ann";
        fourth.next =
            model::next_step{.kind = "report-way", .title = "Make a mailbox", .state = "now", .by = "person"};
        add(fourth);
        model::looked_after wish;
        wish.domain = "omega.test";
        add(make_row(wish, nullptr, {}));
        std::ranges::sort(rows_, {}, [](const auto& row) { return row->domain; });
    }
    std::vector<std::string> names(const overview_question& which) {
        page_ = pick(rows_, which);
        std::vector<std::string> out;
        for (const auto& row : page_.rows)
            out.push_back(row->domain.substr(0, row->domain.find('.')));
        return out;
    }
    overview_rows rows_;
    overview_page page_;
};

TEST_F(overview_questions, narrow_and_count) {
    EXPECT_THAT(names({}), ElementsAre("alpha", "beta", "delta", "gamma", "omega"));
    EXPECT_EQ(page_.total, 5u);
    EXPECT_THAT(page_.counts, ElementsAre(5, 2, 1, 1, 1, 1, 1));
    EXPECT_THAT(names({.contains = ".test"}), ElementsAre("delta", "omega"));
    EXPECT_THAT(page_.counts, ElementsAre(2, 1, 0, 0, 0, 1, 1));
    EXPECT_THAT(names({.label = "gold"}), ElementsAre("alpha"));
    EXPECT_THAT(names({.label = "gol"}), ElementsAre());
    using enum overview_state;
    EXPECT_THAT(names({.state = attention}), ElementsAre("beta", "delta"));
    EXPECT_THAT(page_.counts, ElementsAre(5, 2, 1, 1, 1, 1, 1)) << "the other tabs keep their numbers";
    EXPECT_EQ(page_.total, 2u);
    EXPECT_THAT(names({.state = protected_}), ElementsAre("alpha"));
    EXPECT_THAT(names({.state = testing}), ElementsAre("gamma"));
    EXPECT_THAT(names({.state = broken}), ElementsAre("beta"));
    EXPECT_THAT(names({.state = absent}), ElementsAre("delta"));
    EXPECT_THAT(names({.state = unseen}), ElementsAre("omega"));
}

TEST_F(overview_questions, a_tenant_sees_and_counts_their_own_alone) {
    EXPECT_THAT(names({.owner = "ann"}), ElementsAre("delta", "gamma"));
    EXPECT_THAT(page_.counts, ElementsAre(2, 1, 0, 1, 0, 1, 0));
    EXPECT_THAT(names({.owner = ""}), ElementsAre("alpha", "beta", "omega"));
    EXPECT_THAT(names({.owner = "nobody"}), ElementsAre());
    EXPECT_EQ(page_.total, 0u);
}

TEST_F(overview_questions, sort_and_page) {
    using enum overview_sort;
    EXPECT_THAT(names({.sort = domain, .down = true}),
                ElementsAre("omega", "gamma", "delta", "beta", "alpha"));
    EXPECT_THAT(names({.sort = verdict}), ElementsAre("beta", "delta", "omega", "gamma", "alpha"));
    EXPECT_THAT(names({.sort = failures, .down = true}),
                ElementsAre("beta", "gamma", "alpha", "delta", "omega"));
    EXPECT_THAT(names({.sort = sessions, .down = true}),
                ElementsAre("alpha", "beta", "gamma", "delta", "omega"))
        << "equal ones by name";
    EXPECT_THAT(names({.sort = seen}), ElementsAre("omega", "gamma", "alpha", "beta", "delta"));
    EXPECT_THAT(names({.sort = next}), ElementsAre("delta", "gamma", "alpha", "beta", "omega"))
        << "what a person is to do now comes first";
    EXPECT_THAT(names({.sort = failures, .down = true, .offset = 1, .limit = 2}),
                ElementsAre("gamma", "alpha"));
    EXPECT_EQ(page_.total, 5u);
    EXPECT_THAT(names({.offset = 4, .limit = 10}), ElementsAre("omega"));
    EXPECT_THAT(names({.offset = 400}), ElementsAre());
}

TEST(overview_question, is_read_from_a_query_or_refused) {
    const auto good = read_question({{"contains", "EXAMPLE"},
                                     {"label", "gold"},
                                     {"state", "attention"},
                                     {"sort", "failures"},
                                     {"order", "down"},
                                     {"offset", "20"},
                                     {"limit", "10"}});
    ASSERT_TRUE(good);
    EXPECT_EQ(good->contains, "example");
    EXPECT_EQ(good->label, "gold");
    EXPECT_EQ(good->state, overview_state::attention);
    EXPECT_EQ(good->sort, overview_sort::failures);
    EXPECT_TRUE(good->down);
    EXPECT_EQ(good->offset, 20u);
    EXPECT_EQ(good->limit, 10u);
    EXPECT_EQ(read_question({})->limit, 100u);
    struct bad {
        const char *name, *value, *says;
    };
    for (const bad& each : {bad{"state", "fine", "state 'fine': it takes all"},
                            bad{"sort", "colour", "sort 'colour'"}, bad{"order", "sideways", "up or down"},
                            bad{"limit", "0", "1 to 1000"}, bad{"limit", "1001", "1 to 1000"}}) {
        const auto refused = read_question({{each.name, each.value}});
        ASSERT_FALSE(refused) << each.name;
        EXPECT_THAT(refused.error(), HasSubstr(each.says));
    }
}

TEST(overview_documents, csv_has_a_row_a_domain_and_no_formula) {
    auto row = row_of("a.example", seen_as("protected"), {2, 0});
    row.labels = {"one", "two"};
    row.owner = "=cmd";
    row.changed = "from testing to protected; \"mx\"";
    row.changed_at = today;
    row.next = model::next_step{
        .kind = "wait", .title = "Wait, then go on", .state = "waiting", .by = "us", .not_before = today};
    overview_page page;
    page.rows.push_back(std::make_shared<const overview_row>(row));
    const auto csv = overview_csv(page);
    EXPECT_THAT(csv, testing::StartsWith("domain,owner,labels,light,verdict,mode,aim,"));
    EXPECT_THAT(
        csv, HasSubstr("\r\na.example,'=cmd,one two,good,protected,enforce,enforce,valid,valid,valid,valid,"
                       "0,0,2027-01-15T08:00:00Z,60,0,2027-01-15T08:00:00Z,"
                       "\"from testing to protected; \"\"mx\"\"\",\"Wait, then go on\",us,"
                       "2027-01-15T08:00:00Z\r\n"));
}

TEST(overview_documents, a_row_always_has_thirty_days) {
    const auto json = row_document(row_of("a.example", seen_as("protected")));
    EXPECT_EQ(json.at("series").as_array().size(), overview_days);
    EXPECT_EQ(json.at("changed"), boost::json::value(nullptr));
    EXPECT_EQ(json.at("next"), boost::json::value(nullptr));
}

TEST(overview_labels, are_all_there_are_and_of_a_tenant_theirs_alone) {
    overview_rows rows;
    for (const auto& [domain, owner, labels] :
         std::vector<std::tuple<std::string, std::string, std::vector<std::string>>>{
             {"a.example", "ann", {"gold", "shop"}},
             {"b.example", "bob", {"gold", "secret"}},
             {"c.example", "", {}}}) {
        auto row = row_of(domain, seen_as("protected"));
        row.owner = owner;
        row.labels = labels;
        rows.push_back(std::make_shared<const overview_row>(std::move(row)));
    }
    using all = std::map<std::string, std::size_t>;
    EXPECT_EQ(labels_of(rows, {}), (all{{"gold", 2}, {"secret", 1}, {"shop", 1}}));
    EXPECT_EQ(labels_of(rows, "ann"), (all{{"gold", 1}, {"shop", 1}}));
    EXPECT_EQ(labels_of(rows, "nobody"), all{});
}

} // namespace
} // namespace mailtight::api
