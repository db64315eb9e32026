// SPDX-License-Identifier: Apache-2.0
// The table of ready replies: what it gives, what it forgets, how large it grows.
#include "resolve/repeat_table.h"
#include "support/reply_cases.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <map>
#include <memory>
#include <string>

namespace mailtight::resolve {

namespace {

shared_decision lasting(int minutes = 5) {
    auto made = std::make_shared<tls_decision>(decided(decision::no_policy));
    made->good_until = noon + std::chrono::minutes{minutes};
    return made;
}

TEST(repeat_table, gives_what_was_put_while_it_holds) {
    repeat_table table(64);
    const auto decision = lasting();
    table.put(0, "postfix a.example", "reply", decision, noon);
    const auto* found = table.find(0, "postfix a.example", noon);
    ASSERT_NE(found, nullptr);
    EXPECT_EQ(found->reply(), "reply");
    EXPECT_EQ(found->asked(), "postfix a.example");
    EXPECT_EQ(found->decision, decision);
    EXPECT_EQ(table.find(1, "postfix a.example", noon), nullptr) << "of another protocol";
    EXPECT_EQ(table.find(0, "postfix a.exampl", noon), nullptr);
    EXPECT_EQ(table.find(0, "postfix a.example ", noon), nullptr);
    EXPECT_EQ(table.find(0, "", noon), nullptr);
    EXPECT_EQ(table.find(0, "postfix a.example", decision->good_until), nullptr);
    ASSERT_NE(table.find(0, "postfix a.example", noon), nullptr);
    EXPECT_EQ(table.find(0, "postfix a.example", noon)->given, 3u);
    decision->superseded = true;
    EXPECT_EQ(table.find(0, "postfix a.example", noon), nullptr);
    table.put(0, "postfix a.example", "newer", lasting(), noon);
    EXPECT_EQ(table.find(0, "postfix a.example", noon)->reply(), "newer");
    EXPECT_EQ(table.size(), 1u) << "in the place of the old one";
}

TEST(repeat_table, takes_nothing_that_may_not_be_given_again) {
    repeat_table table(64);
    table.put(0, "a", "reply", lasting(0), noon);
    table.put(0, "b", "reply", nullptr, noon);
    const auto old = lasting();
    old->superseded = true;
    table.put(0, "c", "reply", old, noon);
    table.put(0, std::string(2'000, 'x'), "reply", lasting(), noon);
    table.put(0, "d", std::string(20'000, 'x'), lasting(), noon);
    EXPECT_EQ(table.size(), 0u);
}

TEST(repeat_table, is_bounded_and_keeps_what_is_asked) {
    repeat_table table(1'024);
    const auto decision = lasting();
    table.put(0, "dear.example", "reply", decision, noon);
    for (int i = 0; i < 100'000; ++i) {
        table.put(0, "rare" + std::to_string(i) + ".example", "reply", decision, noon);
        ASSERT_NE(table.find(0, "dear.example", noon), nullptr) << i;
    }
    EXPECT_LE(table.size(), 1'024u);
    EXPECT_GE(table.size(), 1'000u);
    EXPECT_LE(decision.use_count(), 1'026) << "what had to go is gone";
    table.clear();
    EXPECT_EQ(table.size(), 0u);
    EXPECT_EQ(decision.use_count(), 1);
    EXPECT_EQ(table.find(0, "dear.example", noon), nullptr);
}

RC_GTEST_PROP(repeat_table, never_gives_an_answer_of_another_question, ()) {
    repeat_table table(*rc::gen::inRange<std::size_t>(0, 64));
    std::map<std::pair<std::uint8_t, std::string>, std::string> put;
    const auto decision = lasting();
    const int steps = *rc::gen::inRange(0, 200);
    for (int i = 0; i < steps; ++i) {
        const auto in = static_cast<std::uint8_t>(*rc::gen::inRange(0, 3));
        const auto question = *rc::gen::container<std::string>(rc::gen::element('a', 'b', '\0'));
        if (*rc::gen::arbitrary<bool>()) {
            put[{in, question}] = std::to_string(i);
            table.put(in, question, std::to_string(i), decision, noon);
        }
        if (const auto* found = table.find(in, question, noon)) {
            const auto known = put.find({in, question});
            RC_ASSERT(known != put.end());
            RC_ASSERT(found->reply() == known->second);
        }
    }
}

} // namespace

} // namespace mailtight::resolve
