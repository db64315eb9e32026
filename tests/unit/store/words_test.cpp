// SPDX-License-Identifier: Apache-2.0
// What a dictionary remembers is bounded; what it said before stays true.
#include "store/words.h"

#include "store/sqlite/engine.h"

#include <gtest/gtest.h>

#include <type_traits>

namespace mailtight::store {
namespace {

TEST(dictionary, a_text_stays_while_others_are_looked_up) {
    constexpr int remembered = 50'000;
    const auto on = sqlite::connect({.where = ":memory:"});
    on->run("create table word (id integer primary key, hash blob, text text)");
    on->run("with recursive n (i) as (select 1 union all select i + 1 from n where i <= $1) "
            "insert into word (id, hash, text) select i, '', 'a word of some length, number ' || i from n",
            {remembered});
    dictionary words("word", "text");
    static_assert(!std::is_reference_v<decltype(words.text(*on, 1))>,
                  "several stand in one list of a statement's values");
    const auto& first = words.text(*on, 1);
    const auto& second = words.text(*on, 2);
    for (int i = 3; i <= remembered + 1; ++i) // one more than is remembered
        ASSERT_EQ(words.text(*on, i), "a word of some length, number " + std::to_string(i));
    EXPECT_EQ(first, "a word of some length, number 1");
    EXPECT_EQ(second, "a word of some length, number 2");
    EXPECT_EQ(words.text(*on, 0), "");
}

} // namespace
} // namespace mailtight::store
