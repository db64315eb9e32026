// SPDX-License-Identifier: Apache-2.0
// How a period is cut into spans, and what is asked of them.
#include "store/spans.h"

#include <gmock/gmock.h>
#include <rapidcheck/gtest.h>

#include <set>

namespace mailtight::store {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

day day_number(std::int64_t n) {
    return day(std::chrono::days(n));
}

std::int64_t spans_in(const std::vector<span_run>& runs) {
    std::int64_t count = 0;
    for (const auto& run : runs)
        count += (run.last - run.first) / run.days + 1;
    return count;
}

TEST(spans, begin_at_multiples_of_their_length_also_before_1970) {
    struct row {
        std::int64_t day, length, first;
    };
    for (const auto& [day, length, first] :
         {row{0, 27, 0}, row{26, 27, 0}, row{27, 27, 27}, row{-1, 27, -27}, row{-27, 27, -27},
          row{-28, 27, -54}, row{20'000, 1, 20'000}, row{20'000, 9, 19'998}, row{-1, 1, -1}, row{-4, 3, -6}})
        EXPECT_EQ(span_first(day, length), first) << day << " in spans of " << length;
}

TEST(spans, a_period_takes_long_ones_where_they_fit) {
    const auto of = [](std::int64_t from, std::int64_t to) {
        return spans_of(day_number(from), day_number(to));
    };
    EXPECT_THAT(of(5, 5), ElementsAre(span_run{1, 5, 5}));
    EXPECT_THAT(of(27, 53), ElementsAre(span_run{27, 27, 27}));
    EXPECT_THAT(of(1, 12), ElementsAre(span_run{1, 1, 2}, span_run{3, 3, 9}, span_run{1, 12, 12}))
        << "no nine fits";
    EXPECT_THAT(of(25, 110), ElementsAre(span_run{1, 25, 26}, span_run{27, 27, 81}, span_run{3, 108, 108}))
        << "those of one length that follow each other are one run";
    EXPECT_THAT(of(6, 5), IsEmpty());
    EXPECT_THAT(of(6, -50), IsEmpty());
}

RC_GTEST_PROP(spans, hold_each_day_of_a_period_once_and_no_other, ()) {
    const auto from = *rc::gen::inRange<std::int64_t>(-500, 500);
    const auto length = *rc::gen::inRange<std::int64_t>(0, 800);
    const auto runs = spans_of(day_number(from), day_number(from + length - 1));
    std::set<std::int64_t> met;
    for (const auto& run : runs) {
        RC_ASSERT(run.first % run.days == 0 && run.last % run.days == 0 && run.first <= run.last);
        for (auto first = run.first; first <= run.last; first += run.days)
            for (auto each = first; each < first + run.days; ++each)
                RC_ASSERT(met.insert(each).second);
    }
    RC_ASSERT(std::ssize(met) == length);
    RC_ASSERT(length == 0 || (*met.begin() == from && *met.rbegin() == from + length - 1));
    RC_ASSERT(runs.size() <= 7);
}

TEST(spans, a_month_is_at_most_eight_of_them_wherever_it_begins) {
    for (std::int64_t from = 20'000; from < 20'027; ++from)
        EXPECT_LE(spans_in(spans_of(day_number(from), day_number(from + 29))), 8) << from;
}

TEST(spans, a_period_without_an_end_goes_on_for_ever) {
    const auto since = spans_of(day_number(25), std::nullopt);
    ASSERT_EQ(since.size(), 2u);
    EXPECT_EQ(since[0], (span_run{1, 25, 26}));
    EXPECT_EQ(since[1].first, 27);
    EXPECT_GT(since[1].last, 4'000'000) << "beyond the year 9999";
    const auto until = spans_of(std::nullopt, day_number(28));
    ASSERT_EQ(until.size(), 2u);
    EXPECT_LT(until[0].first, -4'000'000);
    EXPECT_EQ(until[0].last, 0);
    EXPECT_EQ(until[1], (span_run{1, 27, 28}));
    EXPECT_EQ(spans_of(std::nullopt, std::nullopt).size(), 1u);
}

} // namespace
} // namespace mailtight::store
