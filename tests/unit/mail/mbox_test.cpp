// SPDX-License-Identifier: Apache-2.0
#include "mail/message.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

using namespace mailtight::mail;
using namespace std::string_literals;

namespace {

const std::string postmark = "From a@example.com Fri Nov 20 10:00:00 2026\n";
const std::string first = "From: a@example.com\nSubject: one\n\nHello.\n";
const std::string second = "From: b@example.com\nSubject: two\n\n>From here on\n>>From there\n";

TEST(Mbox, Splits) {
    using parts = std::vector<std::string_view>;
    for (const auto& [bytes, expected] : {
             std::pair{postmark + first + "\n" + postmark + second + "\n", parts{first, second}},
             {postmark + first + "\n" + postmark + second, parts{first, second}},
             {"\n" + postmark + first, parts{first}},
             {postmark + first, parts{first}},
             {postmark + "Subject: x\n\nHello.\nFrom 10:00:00 on, no empty line before\n",
              parts{"Subject: x\n\nHello.\nFrom 10:00:00 on, no empty line before\n"}},
             {postmark, parts{}},
             {""s, parts{}},
             {first, parts{}},
         })
        EXPECT_EQ(split_mbox(bytes), expected) << bytes;
}

TEST(Mbox, ALineOfTextIsNoPostmark) {
    const auto text = first + "\nFrom the beginning: no date here.\n";
    EXPECT_EQ(split_mbox(postmark + text), std::vector<std::string_view>{text});
}

TEST(Mbox, LineEndsOfWindows) {
    std::string bytes;
    for (const char c : postmark + first + "\n" + postmark + second) {
        if (c == '\n')
            bytes += '\r';
        bytes += c;
    }
    const auto parts = split_mbox(bytes);
    ASSERT_EQ(parts.size(), 2U);
    EXPECT_TRUE(parts[0].ends_with("Hello.\r\n"));
    EXPECT_TRUE(parts[1].starts_with("From: b@example.com\r\n"));
}

TEST(Mbox, Unquote) {
    EXPECT_EQ(unquote_mbox(second), "From: b@example.com\nSubject: two\n\nFrom here on\n>From there\n");
    EXPECT_EQ(unquote_mbox("> From x\n>Fromage\n>>> From\n"), "> From x\n>Fromage\n>>> From\n");
    EXPECT_EQ(unquote_mbox(">From without end"), "From without end");
    EXPECT_EQ(unquote_mbox(""), "");
}

TEST(Mbox, LooksLikeOne) {
    EXPECT_TRUE(looks_like_mbox(postmark + first));
    EXPECT_TRUE(looks_like_mbox("From MAILER-DAEMON Fri Nov 20 10:00:00 2026 +0000\r\nReturn-Path: <>\r\n"));
    EXPECT_FALSE(looks_like_mbox(first));
    EXPECT_FALSE(looks_like_mbox("From here to there\n" + first));
    EXPECT_FALSE(looks_like_mbox(postmark + "{}"));
    EXPECT_FALSE(looks_like_mbox(""));
}

// Writing as mboxrd does and reading again gives the messages.
RC_GTEST_PROP(Mbox, RoundTrip, ()) {
    const auto line = rc::gen::element<std::string>("", "x", "From a Fri Nov 20 10:00:00 2026", ">From b",
                                                    ">>From c", "From: a", "--b", "> From");
    const auto messages = *rc::gen::container<std::vector<std::vector<std::string>>>(
        rc::gen::container<std::vector<std::string>>(line));
    std::string box;
    std::vector<std::string> expected;
    for (const auto& lines : messages) {
        box += postmark;
        expected.emplace_back("Subject: x\n");
        box += "Subject: x\n";
        for (const auto& text : lines) {
            expected.back() += text + "\n";
            const auto bare = text.find_first_not_of('>');
            box +=
                (bare != std::string::npos && text.compare(bare, 5, "From ") == 0 ? ">" : "") + text + "\n";
        }
        box += "\n";
    }
    std::vector<std::string> found;
    for (const auto part : split_mbox(box))
        found.push_back(unquote_mbox(part));
    RC_ASSERT(found == expected);
}

} // namespace
