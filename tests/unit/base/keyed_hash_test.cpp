// SPDX-License-Identifier: Apache-2.0
#include "base/keyed_hash.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace mailtight::base {
namespace {

constexpr hash_key paper_key{0x0706050403020100, 0x0f0e0d0c0b0a0908};

TEST(keyed_hash, gives_the_value_of_the_paper) {
    std::string input; // appendix A: 00 01 … 0e under the key 00 01 … 0f
    for (char c = 0; c < 15; ++c)
        input += c;
    EXPECT_EQ(keyed_hash(paper_key, input), 0xa129ca6149be45e5u);
}

TEST(keyed_hash, gives_the_published_value_of_nothing) {
    EXPECT_EQ(keyed_hash(paper_key, ""), 0x726fdb47dd0e0e31u);
}

TEST(keyed_hash, every_length_and_every_bit_counts) {
    std::set<std::uint64_t> seen;
    for (std::size_t length = 0; length < 40; ++length) {
        const std::string zeros(length, '\0');
        EXPECT_TRUE(seen.insert(keyed_hash(paper_key, zeros)).second) << length;
        for (std::size_t bit = 0; bit < 8 * length; ++bit) {
            std::string one = zeros;
            one[bit / 8] = static_cast<char>(1u << (bit % 8));
            EXPECT_TRUE(seen.insert(keyed_hash(paper_key, one)).second) << length << ' ' << bit;
        }
    }
}

TEST(keyed_hash, the_key_counts_and_is_never_the_same) {
    EXPECT_NE(keyed_hash({1, 0}, "example.com"), keyed_hash({0, 1}, "example.com"));
    EXPECT_NE(random_hash_key(), random_hash_key());
}

} // namespace
} // namespace mailtight::base
