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

TEST(sts_id, an_id_that_was_used_is_never_made_again) {
    PROVES("8461-3.1-e");
    EXPECT_EQ(id_from_time(at, {"1"}), "20260102030405");
    EXPECT_EQ(id_from_time(at, {"20260102030405"}), "20260102030406") << "in the same second, even";
}

RC_GTEST_PROP(sts_id_property, a_history_of_changes_never_repeats_an_id, ()) {
    std::set<std::string> used;
    auto clock = at;
    for (const auto step : *rc::gen::container<std::vector<int>>(rc::gen::inRange(-2, 3))) {
        clock += seconds(step); // a clock that stands still or runs backwards is no excuse
        const auto next = id_from_time(clock, used);
        RC_ASSERT(valid_id(next));
        RC_ASSERT(used.insert(next).second);
    }
}

} // namespace
} // namespace mailtight::sts
