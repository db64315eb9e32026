// SPDX-License-Identifier: Apache-2.0
// The database in memory that other tests lean on keeps the promises of store/domains.h that they need.
#include "support/domain_store_fake.h"

#include <gtest/gtest.h>

namespace mailtight::publish {
namespace {

using namespace std::chrono_literals;
const base::utc_seconds day_one = std::chrono::sys_days{std::chrono::year{2026} / 1 / 2};
constexpr auto testing_body = "version: STSv1\r\nmode: testing\r\nmx: mx.a.example\r\nmax_age: 604800\r\n";
constexpr auto enforce_body = "version: STSv1\r\nmode: enforce\r\nmx: mx.a.example\r\nmax_age: 86400\r\n";

TEST(a_store_in_memory, gives_work_to_one_at_a_time_and_fences_the_one_before) {
    tests::domain_store_fake kept;
    ASSERT_TRUE(kept.plan_work("plan", "a.example", day_one));
    EXPECT_TRUE(kept.take_work("plan", day_one - 1s, "one", 60s, 8)->empty()) << "not due yet";
    const auto first = kept.take_work("plan", day_one, "one", 60s, 8);
    ASSERT_EQ(first->size(), 1u);
    EXPECT_TRUE(kept.take_work("plan", day_one + 59s, "two", 60s, 8)->empty());
    kept.at = day_one + 59s;
    EXPECT_FALSE(*kept.take_lease("plan/a.example", "two", 60s)) << "the same right";
    const auto second = kept.take_work("plan", day_one + 60s, "two", 60s, 8);
    ASSERT_EQ(second->size(), 1u);
    EXPECT_GT(second->front().fence, first->front().fence);
    EXPECT_FALSE(*kept.keep_work(first->front(), day_one + 61s, 60s));
    EXPECT_FALSE(*kept.done_work(first->front(), day_one));
    const model::publication value{
        .domain = "a.example", .body = testing_body, .id = "1", .since = day_one + 61s};
    EXPECT_FALSE(*kept.publish(value, {"plan/a.example", "one", first->front().fence}, "machine", 5s));
    EXPECT_TRUE(*kept.publish(value, {"plan/a.example", "two", second->front().fence}, "machine", 5s));
    EXPECT_TRUE(*kept.done_work(second->front(), std::nullopt));
    EXPECT_FALSE(*kept.work("plan", "a.example")) << "never again";
}

TEST(a_store_in_memory, closes_a_policy_when_the_next_one_is_served) {
    tests::domain_store_fake kept;
    const auto with = **kept.take_lease("plan/a.example", "one", 60s);
    for (const auto& [body, id, at] : {std::tuple{testing_body, "1", day_one},
                                       {enforce_body, "2", day_one + 100s},
                                       {"", "", day_one + 200s}})
        ASSERT_TRUE(
            *kept.publish({.domain = "a.example", .body = body, .id = id, .since = at}, with, "m", 5s));
    const auto log = *kept.served("a.example");
    ASSERT_EQ(log.size(), 2u);
    EXPECT_EQ(log[0].last_served, day_one + 105s);
    EXPECT_EQ(log[1].last_served, day_one + 205s);
    EXPECT_EQ(log[1].mode, sts::mode::enforce);
    EXPECT_EQ(log[1].max_age, 86'400u);
}

TEST(a_store_in_memory, closes_a_foreign_policy_when_it_is_no_longer_seen) {
    tests::domain_store_fake kept;
    ASSERT_TRUE(kept.seen_served("a.example", testing_body, "1", false, day_one));
    ASSERT_TRUE(kept.seen_served("a.example", testing_body, "2", false, day_one + 100s));
    ASSERT_TRUE(kept.seen_gone("a.example", day_one + 200s));
    const auto log = *kept.served("a.example");
    ASSERT_EQ(log.size(), 1u);
    EXPECT_EQ(log[0].last_served, day_one + 200s);
    EXPECT_EQ(log[0].ids, (std::vector<std::string>{"1", "2"}));
}

} // namespace
} // namespace mailtight::publish
