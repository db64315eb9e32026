// SPDX-License-Identifier: Apache-2.0
// How often somebody may be wrong, and what an audit log takes of a flood.
#include "api/attempts.h"
#include "api/audit_book.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace mailtight::api {
namespace {

using namespace std::chrono_literals;

constexpr attempts::time_point begun{std::chrono::hours(1'000)};
constexpr attempts::limit three{.most = 3, .each_after = 10s};

TEST(attempts, there_are_so_many_and_they_come_back_one_by_one) {
    attempts some(three);
    for (int i = 0; i < 3; ++i)
        EXPECT_TRUE(some.take("a", begun));
    EXPECT_FALSE(some.take("a", begun));
    EXPECT_EQ(some.wait("a", begun), 10s);
    EXPECT_FALSE(some.take("a", begun + 9s));
    EXPECT_TRUE(some.take("a", begun + 10s));
    EXPECT_FALSE(some.take("a", begun + 10s));
    EXPECT_EQ(some.wait("a", begun + 12s), 8s);
    EXPECT_TRUE(some.take("a", begun + 100s));
    EXPECT_TRUE(some.take("a", begun + 100s));
    EXPECT_TRUE(some.take("a", begun + 100s));
    EXPECT_FALSE(some.take("a", begun + 100s)) << "no more than at the beginning, however long one waits";
}

TEST(attempts, one_is_no_other_and_who_was_right_has_them_all) {
    attempts some(three);
    for (int i = 0; i < 3; ++i)
        EXPECT_TRUE(some.take("a", begun));
    EXPECT_TRUE(some.take("b", begun));
    EXPECT_EQ(some.wait("b", begun), 0s);
    for (int i = 0; i < 100; ++i) {
        ASSERT_TRUE(some.take("c", begun));
        some.give_back("c", begun);
    }
}

TEST(attempts, nobody_is_pushed_out_of_the_table_by_strangers) {
    attempts some(three, 1'024);
    for (int i = 0; i < 3; ++i)
        EXPECT_TRUE(some.take("ann", begun));
    for (int i = 0; i < 100'000; ++i)
        some.take("stranger " + std::to_string(i), begun);
    EXPECT_FALSE(some.take("ann", begun)) << "a flood of names gives nobody new attempts";
}

TEST(attempts, few_others_are_hit_where_some_are_out_of_them) {
    attempts some(three, 8'192);
    for (int each = 0; each < 200; ++each)
        for (int i = 0; i < 3; ++i)
            some.take("wrong " + std::to_string(each), begun);
    int hit = 0;
    for (int each = 0; each < 10'000; ++each)
        hit += some.wait("right " + std::to_string(each), begun) > 0s ? 1 : 0;
    EXPECT_LT(hit, 100) << "both slots would have to be taken: about one in 400";
}

store::audit_entry entry(std::string what, int status = 200) {
    return {.what = std::move(what), .status = status};
}

TEST(audit_book, what_waits_is_written_in_order_and_once) {
    audit_book book;
    EXPECT_TRUE(book.empty());
    for (int i = 0; i < 5; ++i)
        book.add(entry(std::to_string(i)));
    const auto first = book.next(3, {});
    ASSERT_EQ(first.size(), 3u);
    EXPECT_EQ(first[2].what, "2");
    EXPECT_EQ(book.next(3, {}).front().what, "0") << "until they were written";
    book.taken(3);
    EXPECT_EQ(book.next(9, {}).front().what, "3");
    book.taken(2);
    EXPECT_TRUE(book.empty());
}

TEST(audit_book, a_flood_of_refusals_leaves_what_was_done) {
    audit_book book;
    book.add(entry("before"));
    for (int i = 0; i < 100'000; ++i)
        book.add_refusal(entry("login refused", 401), begun);
    book.add(entry("after"));
    const auto all = book.next(100'000, {});
    ASSERT_EQ(all.size(), 63u) << "60 refusals, two that were done, and how many were left out";
    EXPECT_EQ(all.front().what, "before");
    EXPECT_EQ(all[61].what, "after");
    EXPECT_THAT(all.back().subject, testing::StartsWith("99940 more"));
    EXPECT_EQ(book.lost(), 99'940u);
    book.taken(all.size());
    book.add_refusal(entry("login refused", 401), begun + 10s);
    EXPECT_EQ(book.waiting(), 1u) << "time brings room";
}

TEST(audit_book, memory_ends_where_the_database_stays_away) {
    audit_book book;
    for (int i = 0; i < 1'000'000; ++i)
        book.add(entry("POST /domains"));
    EXPECT_LE(book.waiting(), 5'000u);
    EXPECT_EQ(book.lost(), 1'000'000u - book.waiting());
}

} // namespace
} // namespace mailtight::api
