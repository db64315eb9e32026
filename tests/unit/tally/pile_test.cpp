// SPDX-License-Identifier: Apache-2.0
#include "tally/pile.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <map>
#include <string>

namespace mailtight::tally {
namespace {

std::map<std::string, std::uint64_t, std::less<>> counted(const pile& of) {
    std::map<std::string, std::uint64_t, std::less<>> out;
    for (const auto& each : of.entries())
        EXPECT_TRUE(out.emplace(of.bytes_of(each), each.times).second) << "an entry stands twice";
    return out;
}

TEST(pile, equal_inputs_are_one_entry) {
    pile of;
    EXPECT_TRUE(of.empty());
    for (const char* each : {"a", "b", "a", "", "a", ""})
        EXPECT_TRUE(of.add(each));
    EXPECT_EQ(of.inputs(), 6U);
    EXPECT_EQ(counted(of), (std::map<std::string, std::uint64_t, std::less<>>{{"a", 3}, {"b", 1}, {"", 2}}));
    EXPECT_EQ(of.bytes_of(of.entries()[1]), "b") << "in the order in which they came";
}

TEST(pile, is_bounded_and_goes_on_after_clear) {
    pile of(4'000);
    std::uint64_t taken = 0;
    while (of.add("datagram " + std::to_string(taken)))
        ++taken;
    EXPECT_GT(taken, 20U);
    EXPECT_LE(of.bytes(), 4'000U);
    EXPECT_TRUE(of.add("datagram 0")) << "what is known takes no room";
    EXPECT_EQ(of.inputs(), taken + 1);
    of.clear();
    EXPECT_TRUE(of.empty());
    EXPECT_EQ(of.inputs(), 0U);
    EXPECT_TRUE(of.add("datagram 0"));
    EXPECT_EQ(of.entries().at(0).times, 1U);
}

TEST(pile, takes_one_input_that_is_larger_than_itself) {
    pile of(100);
    EXPECT_TRUE(of.add(std::string(10'000, 'x')));
    EXPECT_FALSE(of.add("y"));
}

TEST(pile, differs_in_every_byte) {
    pile of;
    std::string text(300, 'x');
    of.add(text);
    for (std::size_t i = 0; i < text.size(); ++i) {
        auto other = text;
        other[i] = 'y';
        of.add(other);
        of.add(text.substr(0, i));
    }
    EXPECT_EQ(of.entries().size(), 601U);
    counted(of);
}

RC_GTEST_PROP(pile_property, counts_what_a_map_counts, (const std::vector<std::string>& inputs)) {
    pile of;
    for (int round = 0; round < 2; ++round) {
        std::map<std::string, std::uint64_t, std::less<>> should;
        for (const auto& each : inputs) {
            const auto short_one = each.substr(0, 2);
            RC_ASSERT(of.add(short_one));
            ++should[short_one];
        }
        RC_ASSERT(counted(of) == should);
        RC_ASSERT(of.inputs() == inputs.size());
        of.clear();
    }
}

} // namespace
} // namespace mailtight::tally
