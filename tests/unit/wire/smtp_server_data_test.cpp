// SPDX-License-Identifier: Apache-2.0
// The addresses of a mail and its content: DATA, BDAT, where it ends, what is kept of it; and that no cut of
// the bytes matters.
#include "unit/wire/smtp_server_script.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <optional>
#include <string>
#include <vector>

namespace mailtight::tests {
using namespace smtp_server_script;
namespace {

TEST(SmtpServer, Chunking) { // RFC 3030
    const std::string head = ehlo + "MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\n";
    const std::string rcpt = "recipient c@d", got = "message from a@b to c@d";
    run(
        {
            {"one chunk",
             head + "BDAT 4 LAST\r\nhi\r\nQUIT\r\n",
             "250 250 250 250 221",
             {rcpt, got, "close"}},
            {"several",
             head + "BDAT 3\r\nabcBDAT 2\r\n\r\nBDAT 0 LAST\r\n",
             "250 250 250 250 250 250",
             {rcpt, got}},
            {"the end of DATA is nothing in a chunk",
             head + "BDAT 9\r\na\r\n.\r\nb\r\nBDAT 0 last\r\n",
             "250 250 250 250 250",
             {rcpt, got}},
            {"commands in a chunk are none",
             head + "BDAT 6 LAST\r\nQUIT\r\nNOOP\r\n",
             "250 250 250 250 250",
             {rcpt, got}},
            {"without recipients the chunk is read past",
             ehlo + "BDAT 6\r\nQUIT\r\nNOOP\r\n",
             "250 503 250",
             {}},
            {"too large in the second chunk; the rest is read past",
             head + "BDAT 600\r\n" + std::string(600, 'x') + "BDAT 600\r\n" + std::string(600, 'x') +
                 "BDAT 6 LAST\r\nQUIT\r\nNOOP\r\n",
             "250 250 250 250 552 503 250",
             {rcpt}},
            {"too large in the last",
             head + "BDAT 1001 LAST\r\n" + std::string(1'001, 'x') + "NOOP\r\n",
             "250 250 250 552 250",
             {rcpt}},
            {"DATA, MAIL and RCPT have no place between chunks",
             head + "BDAT 1\r\nxDATA\r\nRCPT TO:<c@d>\r\nMAIL FROM:<c@d>\r\nBDAT 0 LAST\r\n",
             "250 250 250 250 503 503 503 250",
             {rcpt, got}},
            {"RSET gives the chunks up",
             head + "BDAT 1\r\nxRSET\r\nBDAT 1 LAST\r\nx",
             "250 250 250 250 250 503",
             {rcpt}},
            {"a size that is none: what follows cannot be told from commands",
             head + "BDAT x\r\nNOOP\r\n",
             "250 250 250 501",
             {rcpt, "close"}},
            {"a size beyond 64 bits",
             head + "BDAT 18446744073709551616\r\n",
             "250 250 250 501",
             {rcpt, "close"}},
            {"a word that is not LAST", head + "BDAT 1 FIRST\r\n", "250 250 250 501", {rcpt, "close"}},
            {"a size of 64 bits is waited for, and nothing kept",
             ehlo + "BDAT 18446744073709551615\r\nQUIT\r\n",
             "250",
             {}},
        },
        plain());
    EXPECT_EQ(talk({head + "BDAT 9\r\n.a\r\n..\r\n\rBDAT 2\r\n\nbBDAT 2 LAST\r\n\nc"}).mails,
              std::vector<std::string>{".a\r\n..\r\n\r\nb\r\nc"})
        << "dots stay; a CRLF may be cut by the chunks; a bare LF becomes CRLF";
}

struct data_row {
    const char* why;
    std::string sent;
    std::string kept;
};

TEST(SmtpServer, DotsAndLineEnds) {
    const std::vector<data_row> rows = {
        {"nothing", ".\r\n", ""},
        {"one line", "a\r\n.\r\n", "a\r\n"},
        {"a dot is unstuffed", "..\r\n..a\r\n.b\r\na.\r\n.\r\n", ".\r\n.a\r\nb\r\na.\r\n"},
        {"an empty line before the end", "a\r\n\r\n.\r\n", "a\r\n\r\n"},
        {"LF.LF ends nothing", "a\n.\nb\r\n.\r\n", "a\r\n.\r\nb\r\n"},
        {"LF.CRLF ends nothing", "a\n.\r\nMAIL FROM:<x@y>\r\n.\r\n", "a\r\n.\r\nMAIL FROM:<x@y>\r\n"},
        {"CRLF.LF ends nothing", "a\r\n.\nb\r\n.\r\n", "a\r\n.\r\nb\r\n"},
        {"CR.CR ends nothing", "a\r.\rb\r\n.\r\n", "a\r.\rb\r\n"},
        {"CR.CRLF ends nothing", "a\r.\r\nb\r\n.\r\n", "a\r.\r\nb\r\n"},
        {"CRLF.CR ends nothing", "a\r\n.\rb\r\n.\r\n", "a\r\n\rb\r\n"},
        {"CRLF.CRCRLF ends nothing", "a\r\n.\r\r\nb\r\n.\r\n", "a\r\n\r\r\nb\r\n"},
        {"LF.CRCRLF neither", "a\n.\r\r\nb\r\n.\r\n", "a\r\n\r\r\nb\r\n"},
        {"CRCRLF.CRLF ends: the last two are a CRLF", "a\r\r\n.\r\n", "a\r\r\n"},
        {"LFCRLF.CRLF ends", "a\n\r\n.\r\n", "a\r\n\r\n"},
        {"a bare LF becomes CRLF, and its dots are unstuffed", "a\n..b\nc\r\n.\r\n", "a\r\n.b\r\nc\r\n"},
        {"a NUL and bytes beyond ASCII stay", std::string("a\0\xff\r\n.\r\n", 8),
         std::string("a\0\xff\r\n", 5)},
        {"1000 bytes", std::string(998, 'x') + "\r\n.\r\n", std::string(998, 'x') + "\r\n"},
    };
    for (const auto& row : rows) {
        for (const auto& pieces :
             {std::vector{to_data + row.sent + "NOOP\r\n"}, bytewise(to_data + row.sent + "NOOP\r\n")}) {
            const auto all = talk(pieces);
            EXPECT_EQ(codes(all.out), "250 250 250 354 250 250") << row.why;
            ASSERT_EQ(all.mails.size(), 1U) << row.why;
            EXPECT_EQ(all.mails[0], row.kept) << row.why;
        }
    }
}

TEST(SmtpServer, ATooLargeMailIsReadPastAndItsMemoryGivenBack) {
    smtp_server server(plain());
    server.feed(to_data);
    ASSERT_EQ(server.next()->what, smtp_event::kind::recipient);
    server.reply_recipient(true);
    EXPECT_TRUE(server.in_message());
    server.feed(std::string(1'000, 'x'));
    EXPECT_EQ(server.message().size(), 1'000U);
    server.feed("x");
    EXPECT_EQ(server.message().size(), 0U);
    for (int i = 0; i < 100; ++i)
        server.feed(std::string(1'000, 'y'));
    EXPECT_EQ(server.message().size(), 0U);
    server.output();
    server.feed("\r\n.\r\n");
    EXPECT_FALSE(server.next());
    EXPECT_EQ(server.output(), "552 5.3.4 a mail may have 1000 bytes\r\n");
    EXPECT_FALSE(server.in_message());
    EXPECT_TRUE(server.recipients().empty());
}

TEST(SmtpServer, MemoryNeverGrowsBeyondTheLimitOfAMail) {
    auto options = plain();
    options.message_bytes = 3'000'000;
    smtp_server server(options);
    server.feed(to_data);
    server.next();
    server.reply_recipient(true);
    for (int i = 0; i < 300; ++i) {
        server.feed(std::string(10'000, 'x'));
        ASSERT_LE(server.message().capacity(), options.message_bytes);
    }
    EXPECT_EQ(server.message().size(), 3'000'000U);
    server.feed("x");
    EXPECT_LE(server.message().capacity(), 64U * 1024);
}

TEST(SmtpServer, SingleBytesAndLongPipelinesCostNoMoreThanTheirLength) {
    auto options = plain();
    options.message_bytes = 2'000'000;
    options.recipients = 20'000;
    smtp_server server(options);
    std::string said = ehlo + "MAIL FROM:<a@b>\r\n";
    for (int n = 0; n < 20'000; ++n)
        said += "RCPT TO:<c@d>\r\n";
    server.feed(said + "DATA\r\n");
    std::size_t asked = 0;
    for (; server.next(); ++asked)
        server.reply_recipient(true);
    EXPECT_EQ(asked, 20'000U);
    for (int n = 0; n < 1'000'000; ++n)
        server.feed(n % 50 == 49 ? "\n" : n % 50 == 48 ? "\r" : ".");
    server.feed(".\r\n");
    ASSERT_EQ(server.next()->what, smtp_event::kind::message);
    EXPECT_EQ(server.message().size(), 980'000U) << "one dot of each line was stuffing";
}

struct address_row {
    const char* why;
    std::string path;
    std::string address; ///< "" : refused
};

TEST(SmtpServer, Addresses) {
    const std::string local64(64, 'l');
    const std::vector<address_row> rows = {
        {"plain", "<a@example.com>", "a@example.com"},
        {"case is kept", "<A.b+Tag@Example.COM>", "A.b+Tag@Example.COM"},
        {"every atom character", "<!#$%&'*+-/=?^_`{|}~@b>", "!#$%&'*+-/=?^_`{|}~@b"},
        {"a quoted local part", "<\"a b\"@c>", "a b@c"},
        {"quoted, with brackets, @ and escapes", "<\"a>\\\"\\\\@x\"@c>", "a>\"\\@x@c"},
        {"a source route is dropped", "<@one.example,@two.example:a@b>", "a@b"},
        {"an IPv4 literal", "<a@[192.0.2.1]>", "a@[192.0.2.1]"},
        {"an IPv6 literal", "<a@[IPv6:2001:db8::1]>", "a@[IPv6:2001:db8::1]"},
        {"the postmaster without a domain", "<Postmaster>", "Postmaster"},
        {"64 octets before the @", "<" + local64 + "@b>", local64 + "@b"},
        {"no brackets", "a@b", ""},
        {"no end", "<a@b", ""},
        {"a word behind the bracket", "<a@b>x", ""},
        {"empty", "<>", ""},
        {"no domain", "<a>", ""},
        {"an empty domain", "<a@>", ""},
        {"no local part", "<@b>", ""},
        {"a space", "<a b@c>", ""},
        {"two @", "<a@b@c>", ""},
        {"an open quote", "<\"a@b>", ""},
        {"an empty quote", "<\"\"@b>", ""},
        {"a word behind the quote", "<\"a\"b@c>", ""},
        {"a broken domain", "<a@b..c>", ""},
        {"a route without colon", "<@one.example>", ""},
        {"a route of no hosts", "<@one.example,two:a@b>", ""},
        {"a literal that is none", "<a@[192.0.2.300]>", ""},
        {"IPv6 without its tag", "<a@[2001:db8::1]>", ""},
        {"IPv4 with the tag of IPv6", "<a@[IPv6:192.0.2.1]>", ""},
        {"65 octets before the @", "<" + local64 + "l@b>", ""},
        {"more than 256 octets",
         "<a@" + std::string(63, 'x') + "." + std::string(63, 'x') + "." + std::string(63, 'x') + "." +
             std::string(62, 'x') + ">",
         ""},
    };
    for (const auto& row : rows) {
        const auto all = talk({ehlo + "MAIL FROM:<>\r\nRCPT TO:" + row.path + "\r\n"});
        if (row.address.empty()) {
            EXPECT_EQ(codes(all.out), "250 250 501") << row.why;
            EXPECT_TRUE(all.recipients.empty()) << row.why;
        } else {
            EXPECT_EQ(all.recipients, std::vector{row.address}) << row.why;
            EXPECT_EQ(codes(all.out), "250 250 250") << row.why;
        }
    }
    const std::string verp(100, 'v');
    EXPECT_EQ(codes(talk({ehlo + "MAIL FROM:<" + verp + "@b>\r\n"}).out), "250 250")
        << "VERP makes long senders";
    EXPECT_EQ(codes(talk({ehlo + "MAIL FROM:<postmaster>\r\n"}).out), "250 501");
}

// ---- any cut gives the same ----------------------------------------------------------------------

rc::Gen<std::string> conversation() {
    return rc::gen::map(
        rc::gen::container<std::vector<std::string>>(rc::gen::element<std::string>(
            "EHLO x\r\n", "HELO y\r\n", "MAIL FROM:<a@b>\r\n", "RCPT TO:<c@d>\r\n", "RCPT TO:<no@d>\r\n",
            "DATA\r\n", "BDAT 5\r\n", "BDAT 7 LAST\r\n", "BDAT 0 LAST\r\n", "RSET\r\n", "NOOP\r\n",
            "QUIT\r\n", "STARTTLS\r\n", ".\r\n", "\r\n.\r\n", "\n.\n", "..", ".", "\r", "\n", "\r\n", "text",
            "reject", "full", std::string(3'000, 'x'), std::string(1, '\0'))),
        [](const std::vector<std::string>& parts) {
            std::string all = "EHLO x\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\n";
            for (const auto& part : parts)
                all += part;
            return all;
        });
}

RC_GTEST_PROP(SmtpServerProperty, AnyCutsGiveTheSame, ()) {
    const auto said = *conversation();
    auto options = plain(*rc::gen::arbitrary<bool>());
    std::vector<std::string> pieces;
    for (std::size_t at = 0; at < said.size();) {
        pieces.push_back(said.substr(at, *rc::gen::inRange<std::size_t>(1, 40)));
        at += pieces.back().size();
    }
    RC_ASSERT(talk(pieces, options) == talk({said}, options));
}

/// What DATA must make of bytes, read off the text of the rule.
std::optional<std::string> by_the_rule(std::string sent) {
    const auto end = ("\r\n" + sent).find("\r\n.\r\n");
    if (end == sent.npos)
        return {};
    sent = ("\r\n" + sent).substr(0, end + 2).substr(2);
    std::string kept;
    for (std::size_t at = 0; at < sent.size();) {
        const auto lf = sent.find('\n', at);
        auto text = sent.substr(at, lf == sent.npos ? lf : lf - at);
        at += text.size() + 1;
        const bool cr = lf != sent.npos && text.ends_with('\r');
        if (cr)
            text.pop_back();
        if (text.starts_with('.') && text != ".")
            text.erase(0, 1);
        kept += text + "\r\n";
    }
    return kept;
}

RC_GTEST_PROP(SmtpServerProperty, DataIsReadByTheRule, ()) {
    std::string sent;
    for (const char c : *rc::gen::container<std::vector<char>>(rc::gen::element('.', '\r', '\n', 'a')))
        sent += c;
    const auto expected = by_the_rule(sent + "\r\n.\r\n");
    RC_ASSERT(expected.has_value());
    const auto all = talk({to_data + sent + "\r\n.\r\n"});
    RC_ASSERT(!all.mails.empty());
    RC_ASSERT(all.mails[0] == *expected);
}

} // namespace
} // namespace mailtight::tests
