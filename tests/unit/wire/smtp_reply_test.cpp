// SPDX-License-Identifier: Apache-2.0
#include "wire/smtp_reply.h"

#include "base/limits.h"
#include "support/proves.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <string>
#include <vector>

using namespace mailtight::wire;

namespace {

/// Every reply of the bytes, and the error if one ended them.
struct outcome {
    std::vector<std::pair<int, std::vector<std::string>>> replies;
    std::optional<smtp_reply_error> error;
    bool middle = false;
    bool operator==(const outcome&) const = default;
};

outcome read(const std::vector<std::string>& pieces) {
    smtp_reply_reader reader;
    outcome seen;
    for (std::string_view piece : pieces) {
        while (!piece.empty() && !reader.error()) {
            piece.remove_prefix(reader.feed(piece));
            if (reader.complete()) {
                auto reply = reader.take();
                seen.replies.emplace_back(reply.code, reply.lines);
            }
        }
    }
    seen.error = reader.error();
    seen.middle = reader.in_the_middle() && !reader.error();
    return seen;
}

std::vector<std::string> bytewise(const std::string& text) {
    std::vector<std::string> pieces;
    for (char c : text)
        pieces.emplace_back(1, c);
    return pieces;
}

struct row {
    const char* why;
    std::string bytes;
    int code;
    std::vector<std::string> lines;
};

const std::string longest(mailtight::base::limits::smtp_line_bytes - 4, 'x');

const std::vector<row>& good() {
    static const std::vector<row> rows = {
        {"one line", "220 mx.example.com ESMTP\r\n", 220, {"mx.example.com ESMTP"}},
        {"several lines", "250-mx\r\n250-SIZE 1\r\n250 STARTTLS\r\n", 250, {"mx", "SIZE 1", "STARTTLS"}},
        {"a code alone (RFC 5321 4.2)", "250\r\n", 250, {""}},
        {"a code and a space", "250 \r\n", 250, {""}},
        {"an empty line of several", "250-\r\n250 x\r\n", 250, {"", "x"}},
        {"a bare LF ends a line", "250-a\n250 b\n", 250, {"a", "b"}},
        {"CRLF and LF mixed", "250-a\r\n250 b\n", 250, {"a", "b"}},
        {"bytes beyond ASCII are kept", "554 \xc3\xa4\xff\r\n", 554, {"\xc3\xa4\xff"}},
        {"a bare CR is text", "220 a\rb\r\n", 220, {"a\rb"}},
        {"escape sequences are kept raw: showing them is another's work",
         "220 \x1b[2J\r\n",
         220,
         {"\x1b[2J"}},
        {"codes outside the grammar's second digit exist", "571 no\r\n", 571, {"no"}},
        {"the longest line", "220 " + longest + "\r\n", 220, {longest}},
    };
    return rows;
}

struct bad_row {
    const char* why;
    std::string bytes;
    smtp_reply_error error;
};

std::string lines(std::size_t count) {
    std::string text;
    for (std::size_t i = 0; i < count; ++i)
        text += "250-x\r\n";
    return text;
}

const std::vector<bad_row>& bad() {
    using enum smtp_reply_error;
    static const std::vector<bad_row> rows = {
        {"another protocol", "SSH-2.0-OpenSSH\r\n", not_a_reply},
        {"HTTP", "HTTP/1.1 400 Bad Request\r\n", not_a_reply},
        {"an empty line", "\r\n", not_a_reply},
        {"two digits", "22 x\r\n", not_a_reply},
        {"1xx does not exist in SMTP", "150 x\r\n", not_a_reply},
        {"6xx does not exist", "650 x\r\n", not_a_reply},
        {"a space before the code", " 220 x\r\n", not_a_reply},
        {"four digits", "2200 x\r\n", bad_separator},
        {"a tab after the code", "220\tx\r\n", bad_separator},
        {"text glued to the code", "220mx\r\n", bad_separator},
        {"two codes in one reply", "250-a\r\n550 b\r\n", code_changed},
        {"a line without code inside a reply", "250-a\r\nSTARTTLS\r\n", not_a_reply},
        {"NUL", std::string("220 a\0b\r\n", 9), nul_byte},
        {"NUL before any line end", std::string("\0\0\0\0", 4), nul_byte},
        {"one byte too long", "220 x" + longest + "\r\n", line_too_long},
        {"a flood without a line end", std::string(100'000, '2'), line_too_long},
        {"257 lines", lines(257) + "250 x\r\n", too_many_lines},
        {"endless lines", lines(5'000), too_many_lines},
    };
    return rows;
}

TEST(SmtpReply, Good) {
    for (const auto& row : good()) {
        for (const auto& pieces : {std::vector{row.bytes}, bytewise(row.bytes)}) {
            const auto seen = read(pieces);
            ASSERT_EQ(seen.replies.size(), 1u) << row.why;
            EXPECT_EQ(seen.replies[0].first, row.code) << row.why;
            EXPECT_EQ(seen.replies[0].second, row.lines) << row.why;
            EXPECT_FALSE(seen.error) << row.why;
        }
    }
}

TEST(SmtpReply, Bad) {
    for (const auto& row : bad()) {
        for (const auto& pieces : {std::vector{row.bytes}, bytewise(row.bytes)}) {
            const auto seen = read(pieces);
            EXPECT_TRUE(seen.replies.empty()) << row.why;
            ASSERT_TRUE(seen.error) << row.why;
            EXPECT_EQ(*seen.error, row.error) << row.why;
            EXPECT_FALSE(explain(*seen.error).empty());
        }
    }
}

TEST(SmtpReply, TheLastAllowedLineIsStillTaken) {
    const auto seen = read({lines(255) + "250 x\r\n"});
    ASSERT_EQ(seen.replies.size(), 1u);
    EXPECT_EQ(seen.replies[0].second.size(), 256u);
}

TEST(SmtpReply, AnUnfinishedReplyIsNoReply) {
    for (const char* bytes : {"2", "220", "220 mx", "220 mx\r", "250-a\r\n", "250-a\r\n250"})
        EXPECT_TRUE(read({bytes}).middle && read({bytes}).replies.empty()) << bytes;
}

TEST(SmtpReply, SaysHowManyBytesItTook) {
    smtp_reply_reader reader;
    EXPECT_EQ(reader.feed("220 ok\r\n250 injected\r\n"), 8u);
    EXPECT_TRUE(reader.complete());
    EXPECT_EQ(reader.feed("250 more\r\n"), 0u) << "nothing is taken while a reply waits";
}

TEST(SmtpReply, Capabilities) {
    smtp_reply_reader reader;
    reader.feed("250-starttls.example.com\r\n250-SIZE 35882577\r\n250-AUTH=LOGIN\r\n250 StartTLS\r\n");
    const auto capabilities = ehlo_capabilities(reader.take());
    EXPECT_EQ(capabilities.size(), 3u) << "the first line is the name, not a capability";
    EXPECT_TRUE(has_capability(capabilities, "STARTTLS"));
    EXPECT_TRUE(has_capability(capabilities, "AUTH"));
    EXPECT_TRUE(has_capability(capabilities, "SIZE"));
    EXPECT_FALSE(has_capability(capabilities, "START"));
    EXPECT_FALSE(has_capability({"XSTARTTLS", "STARTTLSX", " STARTTLS"}, "STARTTLS"));
    EXPECT_TRUE(ehlo_capabilities({}).empty());
}

RC_GTEST_PROP(SmtpReplyProperty, AnyCutsGiveTheSame, ()) {
    // Pieces of real replies, noise between them.
    std::string bytes;
    for (const auto& part : *rc::gen::container<std::vector<std::string>>(rc::gen::element<std::string>(
             "250-a\r\n", "250 b\r\n", "250 c\n", "5", "55", "\r", "\n", "-", " x", "220 mx\r\n",
             std::string(1, '\0'), std::string(4'100, 'y'))))
        bytes += part;
    std::vector<std::string> pieces;
    for (std::size_t at = 0; at < bytes.size();) {
        const auto size = *rc::gen::inRange<std::size_t>(1, 12);
        pieces.push_back(bytes.substr(at, size));
        at += size;
    }
    RC_ASSERT(read(pieces) == read({bytes}));
}

} // namespace
