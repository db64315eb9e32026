// SPDX-License-Identifier: Apache-2.0
// Mails made to exhaust their reader: depth, number and size end at the limits, in time that grows with the
// mail's length only.
#include "base/encode.h"
#include "mail/message.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <chrono>

using namespace mailtight::mail;
namespace base = mailtight::base;

namespace {

// Far above what a linear reader takes under sanitizers, far below what a quadratic one takes at all.
constexpr std::chrono::seconds patience{30};

class MessageLimits : public testing::Test {
    const std::chrono::steady_clock::time_point begun_ = std::chrono::steady_clock::now();
    void TearDown() override { EXPECT_LT(std::chrono::steady_clock::now() - begun_, patience); }
};

std::string repeated(std::string_view text, std::size_t times) {
    std::string out;
    out.reserve(text.size() * times);
    while (times-- > 0)
        out += text;
    return out;
}

TEST_F(MessageLimits, TenThousandNestedMultiparts) {
    std::string bytes = "From: a@example.com\r\n";
    for (int i = 0; i < 10'000; ++i)
        bytes += fmt::format(
            "Content-Type: multipart/mixed; boundary=b{0}\r\n\r\n--b{0}\r\n\r\nlevel {0}\r\n--b{0}\r\n", i);
    const auto mail = read_message(bytes);
    ASSERT_TRUE(mail.has_value());
    EXPECT_TRUE(mail->truncated);
    ASSERT_EQ(mail->parts.size(), 10U) << "one on each level that is read";
    EXPECT_EQ(mail->parts.front().bytes, "level 0");
    EXPECT_EQ(mail->parts.back().bytes, "level 9");
    EXPECT_EQ(mail->parts.back().depth, 10U);
}

TEST_F(MessageLimits, ExactlyTheDepthIsRead) {
    const auto nested = [](int levels) {
        std::string bytes = "From: a@example.com\r\n";
        for (int i = 0; i < levels; ++i)
            bytes += fmt::format("Content-Type: multipart/mixed; boundary=b{0}\r\n\r\n--b{0}\r\n", i);
        return read_message(bytes + "\r\ninside").value();
    };
    EXPECT_EQ(nested(10).parts.at(0).bytes, "inside");
    EXPECT_FALSE(nested(10).truncated);
    EXPECT_TRUE(nested(11).parts.empty());
    EXPECT_TRUE(nested(11).truncated);
}

TEST_F(MessageLimits, AHundredThousandNestedMessages) {
    const auto mail =
        read_message("From: a@example.com\r\n" + repeated("Content-Type: message/rfc822\r\n\r\n", 100'000));
    ASSERT_TRUE(mail.has_value());
    EXPECT_TRUE(mail->truncated);
}

TEST_F(MessageLimits, MessagesInBase64InMessages) {
    std::string bytes = "From: a@example.com\r\n\r\ninside";
    for (int i = 0; i < 12; ++i)
        bytes = "From: a@example.com\r\nContent-Type: message/rfc822\r\nContent-Transfer-Encoding: "
                "base64\r\n\r\n" +
                base::base64(bytes);
    EXPECT_TRUE(read_message(bytes)->truncated);
}

TEST_F(MessageLimits, AHundredThousandParts) {
    const std::string head = "From: a@example.com\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n";
    for (const auto* part : {"--b\r\n\r\nx\r\n", "--b\r\n",
                             "--b\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n--c--\r\n"}) {
        const auto mail = read_message(head + repeated(part, 100'000));
        ASSERT_TRUE(mail.has_value());
        EXPECT_TRUE(mail->truncated) << part;
        EXPECT_LE(mail->parts.size(), 1000U) << part;
    }
    EXPECT_EQ(read_message(head + repeated("--b\r\n\r\nx\r\n", 1000) + "--b--")->parts.size(), 1000U);
    EXPECT_FALSE(read_message(head + repeated("--b\r\n\r\nx\r\n", 1000) + "--b--")->truncated);
}

TEST_F(MessageLimits, Sizes) {
    const message_limits limits{.bytes = 1000, .header_bytes = 200};
    EXPECT_EQ(read_message(std::string(1001, 'x'), limits).error(), message_problem::too_large);
    const auto mail =
        read_message("From: a@example.com\r\n" + repeated("X-Many: 1\r\n", 30) + "\r\nbody", limits);
    ASSERT_TRUE(mail.has_value());
    EXPECT_TRUE(mail->truncated);
    EXPECT_LT(mail->headers.size(), 20U);
    EXPECT_EQ(mail->parts.at(0).bytes, "body") << "the body is found behind a header that is cut";
}

TEST_F(MessageLimits, FieldsMadeToBeSlow) {
    for (const auto& value : {
             repeated("=?utf-8?q?a?= ", 15'000),
             repeated("=?x?", 50'000),
             repeated("a:", 100'000),
             repeated("(", 200'000),
             repeated("a@b,", 50'000),
             repeated("\"", 200'000),
             repeated("<", 200'000),
             repeated("; a=b", 40'000),
             "multipart/mixed" + repeated("; boundary*1=b", 15'000),
             "multipart/mixed" + repeated("; name*999999999*=utf-8''%41", 8'000),
         })
        for (const auto* name : {"From", "Subject", "Content-Type", "Content-Disposition", "Date"}) {
            const auto mail = read_message(fmt::format("X: y\r\n{}: {}\r\n\r\nx", name, value));
            ASSERT_TRUE(mail.has_value());
            mail->from_domain();
            mail->date();
        }
}

TEST_F(MessageLimits, BodiesMadeToBeSlow) {
    const std::string head = "From: a@example.com\r\nContent-Transfer-Encoding: base64\r\nContent-Type: "
                             "multipart/mixed; boundary=\"" +
                             std::string(70, '-') + "x\"\r\n\r\n";
    for (const auto* text : {"\n", "=", "AA==", "=\n", "AAA=\n\n", "-", "\n-", "\n--", "--\n", "\r"})
        EXPECT_TRUE(read_message(head + repeated(text, 1'000'000)).has_value());
}

} // namespace
