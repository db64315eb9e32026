// SPDX-License-Identifier: Apache-2.0
#include "sts/id.h"

#include "support/proves.h"

#include <rapidcheck/gtest.h>

namespace mailtight::sts {
namespace {
using std::chrono::seconds;
constexpr base::utc_seconds at{seconds{1'767'323'045}}; // 2026-01-02T03:04:05Z

TEST(sts_id, is_one_to_thirty_two_letters_and_digits) {
    PROVES("8461-3.1-j");
    for (const auto& good :
         {std::string("1"), std::string("20190425085700"), std::string("aZ09"), std::string(32, 'x')})
        EXPECT_TRUE(valid_id(good)) << good;
    for (const auto& bad :
         {std::string(), std::string(33, 'x'), std::string("2020-01-01"), std::string("a b"),
          std::string("a_b"), std::string("\xc3\xa4"), std::string("a\0", 2)})
        EXPECT_FALSE(valid_id(bad)) << bad;
}

TEST(sts_id, from_time_is_the_date_and_time_of_the_change) {
    EXPECT_EQ(id_from_time(at), "20260102030405");
    EXPECT_EQ(id_from_time(at, {"20260102030405", "20260102030406"}), "20260102030407");
    EXPECT_EQ(id_from_time(base::utc_seconds{seconds{1'556'182'620}}), "20190425085700");
}

TEST(sts_id, from_content_needs_no_clock) {
    const auto id = id_from_content("version: STSv1\r\n");
    EXPECT_EQ(id.size(), 20u);
    EXPECT_TRUE(valid_id(id));
    EXPECT_EQ(id_from_content("version: STSv1\r\n"), id);
    EXPECT_NE(id_from_content("version: STSv1\n"), id);
    const auto second = id_from_content("version: STSv1\r\n", {id});
    EXPECT_NE(second, id);
    EXPECT_TRUE(valid_id(second));
    EXPECT_NE(id_from_content("version: STSv1\r\n", {id, second}), second);
}

TEST(sts_id, an_unchanged_policy_keeps_its_id) {
    EXPECT_EQ(next_id("policy", "policy", "old1", at), "old1");
    EXPECT_EQ(next_id("policy", "policy", "old1", at, {"old1"}), "old1");
}

TEST(sts_id, a_changed_policy_has_a_new_id_never_used_before) {
    PROVES("8461-3.1-e");
    EXPECT_EQ(next_id("new", "old", "1", at), "20260102030405");
    EXPECT_EQ(next_id("new", "old", "20260102030405", at), "20260102030406");
    EXPECT_EQ(next_id("new", "old", "1", at, {"20260102030405"}), "20260102030406");
    EXPECT_EQ(next_id("first", "", "", at), "20260102030405");
    // An id that no sender accepts is not kept, whatever the policy.
    EXPECT_EQ(next_id("policy", "policy", "2020-01-01", at), "20260102030405");
}

RC_GTEST_PROP(sts_id_property, a_history_of_changes_never_repeats_an_id, ()) {
    std::set<std::string> used;
    std::string policy;
    std::string id;
    auto clock = at;
    const auto changes = *rc::gen::container<std::vector<std::pair<std::string, int>>>(
        rc::gen::pair(rc::gen::element<std::string>("a", "b", "c"), rc::gen::inRange(-2, 3)));
    for (const auto& [next_policy, step] : changes) {
        clock += seconds(step); // a clock that stands still or runs backwards is no excuse
        const auto next = next_id(next_policy, policy, id, clock, used);
        RC_ASSERT(valid_id(next));
        if (next_policy == policy)
            RC_ASSERT(next == id);
        else
            RC_ASSERT(!used.contains(next));
        used.insert(next);
        policy = next_policy;
        id = next;
    }
}

} // namespace
} // namespace mailtight::sts
