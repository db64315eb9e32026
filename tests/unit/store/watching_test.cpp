// SPDX-License-Identifier: Apache-2.0
// What watching leaves behind, in both engines: a state is entered when it differs and extended while it does
// not, a full check is compared with a full one, fetches add up, and what is old goes.
#include "unit/store/domain_fixture.h"

#include <gmock/gmock.h>

namespace mailtight::store {
namespace {
using namespace domain_tests;
using testing::ElementsAre;
using testing::IsEmpty;

class watching : public domain_fixture {
protected:
    static bool watch(domain_store& to, const model::watched_state& value) {
        const auto done = to.watched(value);
        EXPECT_TRUE(done) << done.error().message;
        return done.value_or(false);
    }
    static model::watched_state cheap(std::int64_t seen, std::string verdict = "protected") {
        auto out = state("a.example", seen, std::move(verdict));
        out.full = false;
        out.findings.clear();
        return out;
    }
    void add(domain_store& to, const std::vector<std::string>& names) {
        for (const auto& name : names)
            EXPECT_EQ(save(to, wish(name)), domain_store::saved::yes);
    }
    static std::vector<std::string> verdicts(const std::vector<model::watched_state>& of) {
        std::vector<std::string> out;
        for (const auto& each : of)
            out.push_back(each.domain.substr(0, 1) + " " + each.verdict);
        return out;
    }
};
INSTANTIATE_TEST_SUITE_P(engines, watching, testing::Values(engine::sqlite, engine::postgres),
                         [](const auto& info) {
                             return info.param == engine::sqlite ? "sqlite" : "postgres";
                         });

TEST_P(watching, a_state_is_extended_while_nothing_differs) {
    const auto s = open(), other = open();
    EXPECT_TRUE(watch(*s, state("a.example", 10)));
    EXPECT_FALSE(watch(*other, state("a.example", 20)));
    EXPECT_FALSE(watch(*s, state("a.example", 15))) << "late, and no step back";
    auto expected = state("a.example", 10);
    expected.last = at(20);
    EXPECT_THAT(*s->history("a.example", 9), ElementsAre(expected));
    EXPECT_TRUE(watch(*s, state("a.example", 30, "at risk")));
    EXPECT_TRUE(watch(*s, state("a.example", 40)));
    const auto seen = *other->history("a.example", 9);
    ASSERT_EQ(seen.size(), 3u);
    EXPECT_EQ(seen[0].first, at(40));
    EXPECT_EQ(seen[1].verdict, "at risk");
    EXPECT_EQ(seen[1].last, at(30));
    EXPECT_EQ(seen[2], expected) << "as it was seen last";
    EXPECT_EQ(other->history("a.example", 2)->size(), 2u);
    EXPECT_THAT(*other->history("b.example", 2), IsEmpty());
}

TEST_P(watching, each_field_makes_a_difference) {
    const auto s = open();
    EXPECT_TRUE(watch(*s, state("a.example", 0)));
    const std::vector<std::function<void(model::watched_state&)>> changes{
        [](auto& v) { v.verdict = "x"; },
        [](auto& v) { v.record_id = "x"; },
        [](auto& v) { v.policy_sha256 = "x"; },
        [](auto& v) { v.policy = std::string("\0\xff\x1b", 3); },
        [](auto& v) { v.mx = {"mx1.example", "mx3.example"}; },
        [](auto& v) { v.mx = {"mx1.example"}; },
        [](auto& v) { v.findings = {"\"a\" b"}; },
        [](auto& v) { v.findings = {}; },
    };
    std::int64_t when = 0;
    for (const auto& change : changes) {
        auto value = state("a.example", ++when);
        change(value);
        EXPECT_TRUE(watch(*s, value)) << when;
        EXPECT_FALSE(watch(*s, value)) << when;
        EXPECT_EQ(s->history("a.example", 1)->at(0), value);
    }
}

TEST_P(watching, full_and_cheap_looks_are_compared_with_their_own_kind) {
    const auto s = open();
    EXPECT_TRUE(watch(*s, state("a.example", 0)));
    EXPECT_TRUE(watch(*s, cheap(10)));
    for (int i = 2; i < 24; ++i)
        EXPECT_FALSE(watch(*s, cheap(i * 10))) << "a cheap look sees fewer findings: no change";
    EXPECT_FALSE(watch(*s, state("a.example", 500)));
    EXPECT_EQ(s->history("a.example", 99)->size(), 2u);
}

TEST_P(watching, the_table_shows_the_newest_state_of_each) {
    const auto s = open();
    add(*s, {"a.example", "b.example", "c.example"});
    watch(*s, state("a.example", 0, "full"));
    watch(*s, cheap(10, "cheap"));
    watch(*s, state("b.example", 0, "before"));
    watch(*s, state("b.example", 10, "after"));
    watch(*s, state("gone.example", 10)); // no longer looked after
    EXPECT_THAT(verdicts(*s->latest_states({})), ElementsAre("a full", "b after"));
    watch(*s, cheap(20, "worse"));
    EXPECT_THAT(verdicts(*s->latest_states({})), ElementsAre("a worse", "b after"));
    watch(*s, state("a.example", 30, "full"));
    EXPECT_THAT(verdicts(*s->latest_states({})), ElementsAre("a full", "b after"));
    EXPECT_EQ(s->latest_states({})->at(0).last, at(30));
    EXPECT_THAT(verdicts(*s->latest_states({.limit = 1})), ElementsAre("a full"));
    EXPECT_THAT(verdicts(*s->latest_states({.after = "a.example"})), ElementsAre("b after"));
    EXPECT_THAT(*s->latest_states({.owner = "somebody"}), IsEmpty());
    EXPECT_THAT(verdicts(*s->latest_states({.contains = "b.ex"})), ElementsAre("b after"));
    auto only_cheap = cheap(40, "cheap");
    only_cheap.domain = "c.example";
    watch(*s, only_cheap);
    EXPECT_THAT(verdicts(*s->latest_states({})), ElementsAre("a full", "b after", "c cheap"));
}

TEST_P(watching, several_at_once_are_as_one_after_the_other) {
    const auto s = open();
    watch(*s, state("a.example", 0, "A"));
    const std::vector<model::watched_state> batch{state("b.example", 5), state("a.example", 10, "A"),
                                                  state("a.example", 20, "B"), state("a.example", 30, "A"),
                                                  state("a.example", 40, "A")};
    EXPECT_EQ(*s->watched_all(batch), 3u);
    const auto seen = *s->history("a.example", 9);
    EXPECT_THAT(verdicts(seen), ElementsAre("a A", "a B", "a A"));
    EXPECT_EQ(seen[0].last, at(40));
    EXPECT_EQ(seen[2].last, at(10));
    EXPECT_EQ(*s->watched_all({}), 0u);
    auto large = batch;
    large[4].policy = std::string(65'537, 'x');
    EXPECT_EQ(s->watched_all(large).error().what, store_error::kind::wrong);
    EXPECT_EQ(s->history("a.example", 9)->size(), 3u) << "all or none";
}

TEST_P(watching, fetches_add_up_by_network_and_day) {
    const auto s = open(), other = open();
    const std::chrono::sys_days today = std::chrono::floor<std::chrono::days>(at(0));
    const auto fetch = [&](std::string network, std::uint64_t count, std::int64_t when, int days = 0) {
        return model::policy_fetches{.domain = "a.example",
                                     .day = today + std::chrono::days(days),
                                     .network = std::move(network),
                                     .agent = "postfix",
                                     .id = "1",
                                     .count = count,
                                     .last = at(when)};
    };
    ASSERT_TRUE(s->count_fetches(std::vector{fetch("192.0.2.0/24", 2, 9), fetch("192.0.2.0/24", 1, 5)}));
    ASSERT_TRUE(other->count_fetches(std::vector{fetch("192.0.2.0/24", 4, 3), fetch("2001:db8::/48", 1, 4),
                                                 fetch("192.0.2.0/24", 1, 4, 1)}));
    EXPECT_THAT(*s->fetches("a.example", today),
                ElementsAre(fetch("192.0.2.0/24", 7, 9), fetch("2001:db8::/48", 1, 4),
                            fetch("192.0.2.0/24", 1, 4, 1)));
    EXPECT_EQ(s->fetches("a.example", today + std::chrono::days(1))->size(), 1u);
    EXPECT_THAT(*s->fetches("b.example", today), IsEmpty());
    auto odd = fetch(std::string("1\0\xff", 3) + std::string(100, 'n'), 1, 1, 2); // what strangers sent
    odd.agent = std::string(10'000, 'x');
    ASSERT_TRUE(s->count_fetches(std::span(&odd, 1)));
    const auto kept = s->fetches("a.example", today + std::chrono::days(2))->at(0);
    EXPECT_EQ(kept.agent.size(), 64u);
}

TEST_P(watching, what_is_old_goes_and_the_logs_stay) {
    const auto s = open();
    add(*s, {"a.example", "b.example"});
    for (int i = 0; i < 5; ++i)
        watch(*s, state("a.example", i * 86'400, std::to_string(i)));
    watch(*s, state("a.example", 10 * 86'400, "4")); // still so
    watch(*s, state("b.example", 0));
    const auto day_of = [](int n) { return std::chrono::floor<std::chrono::days>(at(n * 86'400)); };
    std::vector<model::policy_fetches> some;
    for (int i = 0; i < 2'500; ++i)
        some.push_back({.domain = "a.example", .day = day_of(0), .network = std::to_string(i), .count = 1});
    some.push_back({.domain = "a.example", .day = day_of(3), .network = "n", .count = 1});
    ASSERT_TRUE(s->count_fetches(some));
    publish(*s, "a.example", body_of("testing", 1), "1", 0);
    publish(*s, "a.example", "", "", 1);
    EXPECT_TRUE(*s->expire(at(3 * 86'400 + 1))) << "more is left";
    while (*s->expire(at(3 * 86'400 + 1))) {
    }
    EXPECT_EQ(verdicts(*s->history("a.example", 9)), std::vector<std::string>{"a 4"});
    EXPECT_THAT(*s->history("b.example", 9), IsEmpty());
    EXPECT_THAT(verdicts(*s->latest_states({})), ElementsAre("a 4"));
    EXPECT_EQ(s->fetches("a.example", day_of(0))->size(), 1u);
    EXPECT_EQ(rows_of("watched_now"), 1);
    EXPECT_EQ(s->served("a.example")->size(), 1u);
    EXPECT_EQ(s->changes("a.example", 0, 9)->size(), 3u);
    EXPECT_TRUE(watch(*s, state("b.example", 5 * 86'400))) << "it begins anew";
    EXPECT_EQ(s->history("b.example", 9)->size(), 1u);
}

} // namespace
} // namespace mailtight::store
