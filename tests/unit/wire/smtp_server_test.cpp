// SPDX-License-Identifier: Apache-2.0
// Conversations with the SMTP and LMTP server as tables: what the client says, what the server answers, what
// the owner is asked. Every row runs in one piece and byte by byte.
#include "wire/smtp_server.h"

#include "support/proves.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

using namespace mailtight::wire;

namespace {

/// An owner who takes every recipient but those that begin with "no", "later" or "bye", and stores every mail
/// but those that hold the word "reject" or "full".
struct seen {
    std::string out;
    std::vector<std::string> recipients, mails, events;
    bool closed = false;
    bool operator==(const seen&) const = default;
};

void answer(smtp_server& server, const smtp_event& event, seen& into) {
    switch (event.what) {
    case smtp_event::kind::recipient:
        into.recipients.push_back(event.address);
        into.events.push_back("recipient " + event.address);
        if (event.address.starts_with("later"))
            return server.reply_recipient(false, "the list is not there", 451);
        if (event.address.starts_with("bye"))
            return server.reply_recipient(false, "good night", 421);
        return server.reply_recipient(!event.address.starts_with("no"));
    case smtp_event::kind::message: {
        const auto& text = server.message();
        std::string to;
        for (const auto& one : server.recipients())
            to += " " + one;
        into.events.push_back("message from " + server.sender() + " to" + to);
        into.mails.push_back(text);
        if (text.find("reject") != text.npos)
            return server.reply_message(554, "5.6.1 no report in it");
        if (text.find("full") != text.npos)
            return server.reply_message(452, "4.3.1 the disk is full");
        return server.reply_message(250, "kept");
    }
    case smtp_event::kind::start_tls:
        into.events.push_back("start_tls");
        into.out += server.output();
        return server.tls_started();
    case smtp_event::kind::close:
        into.events.push_back("close");
        into.closed = true;
        return;
    }
}

smtp_server_options plain(bool lmtp = false) {
    smtp_server_options options;
    options.lmtp = lmtp;
    options.host_name = "mx.example.com";
    options.message_bytes = 1'000;
    options.recipients = 5;
    return options;
}

seen talk(const std::vector<std::string>& pieces, const smtp_server_options& options = plain()) {
    smtp_server server(options);
    seen all;
    for (const auto& piece : pieces) {
        server.feed(piece);
        while (auto event = server.next())
            answer(server, *event, all);
        all.out += server.output();
    }
    return all;
}

std::vector<std::string> bytewise(const std::string& text) {
    std::vector<std::string> pieces;
    for (char c : text)
        pieces.emplace_back(1, c);
    return pieces;
}

/// The codes of the replies, "250-" for a line that is not the last of its reply.
std::string codes(const std::string& out) {
    std::string all;
    for (std::size_t at = 0; at < out.size();) {
        const auto end = out.find("\r\n", at);
        EXPECT_NE(end, out.npos) << "a reply line without CRLF: " << out.substr(at);
        if (end == out.npos)
            break;
        if (out[at + 3] != '-')
            all += (all.empty() ? "" : " ") + out.substr(at, 3);
        at = end + 2;
    }
    return all;
}

const std::string ehlo = "EHLO client.example\r\n";
const std::string to_data = ehlo + "MAIL FROM:<a@example.net>\r\nRCPT TO:<t@example.com>\r\nDATA\r\n";

struct row {
    const char* why;
    std::string said;
    std::string codes;
    std::vector<std::string> events;
};

void run(const std::vector<row>& rows, const smtp_server_options& options) {
    for (const auto& row : rows) {
        for (const auto& pieces : {std::vector{row.said}, bytewise(row.said)}) {
            const auto all = talk(pieces, options);
            EXPECT_EQ(codes(all.out), row.codes) << row.why << "\n" << all.out;
            EXPECT_EQ(all.events, row.events) << row.why;
        }
    }
}

TEST(SmtpServer, Conversations) {
    const std::string mail = "MAIL FROM:<a@example.net>\r\n";
    const std::string rcpt = "RCPT TO:<t@example.com>\r\n";
    const std::string one = "recipient t@example.com", got = "message from a@example.net to t@example.com";
    run(
        {
            {"a mail",
             to_data + "Subject: x\r\n\r\nhi\r\n.\r\nQUIT\r\n",
             "250 250 250 354 250 221",
             {one, got, "close"}},
            {"two mails on one connection",
             to_data + ".\r\n" + mail + rcpt + "DATA\r\n.\r\n",
             "250 250 250 354 250 250 250 354 250",
             {one, got, one, got}},
            {"pipelined (RFC 2920), replies in order",
             ehlo + mail + "RCPT TO:<no@example.com>\r\n" + rcpt + "RCPT TO:<later@example.com>\r\nDATA\r\n",
             "250 250 550 250 451 354",
             {"recipient no@example.com", one, "recipient later@example.com"}},
            {"every recipient refused: its DATA is no fault",
             ehlo + mail + "RCPT TO:<no@x>\r\nDATA\r\n",
             "250 250 550 503",
             {"recipient no@x"}},
            {"the null sender",
             ehlo + "MAIL FROM:<>\r\n" + rcpt + "DATA\r\n.\r\n",
             "250 250 250 354 250",
             {one, "message from  to t@example.com"}},
            {"HELO", "HELO me\r\n" + mail, "250 250", {}},
            {"HELO answers in one line", "HELO me\r\n", "250", {}},
            {"any case, spaces where clients write them",
             "ehlo me \r\nmail from: <a@b>  \r\nRcPt tO: <c@d>\r\n",
             "250 250 250",
             {"recipient c@d"}},
            {"commands may end in LF", "EHLO me\nMAIL FROM:<a@b>\nNOOP\n", "250 250 250", {}},
            {"RSET forgets",
             ehlo + mail + rcpt + "RSET\r\nDATA\r\n" + mail,
             "250 250 250 250 503 250",
             {one}},
            {"EHLO forgets too (RFC 5321 4.1.4)",
             ehlo + mail + rcpt + ehlo + rcpt,
             "250 250 250 250 503",
             {one}},
            {"NOOP, VRFY, HELP take anything", "NOOP a b\r\nVRFY x\r\nHELP MAIL\r\n", "250 252 214", {}},
            {"EXPN and AUTH are not offered", "EXPN list\r\nAUTH PLAIN AGEAYg==\r\n", "502 502", {}},
            {"unknown", "FOO\r\n\r\nLHLO x\r\n", "500 500 500", {}},
            {"no HELO", mail, "503", {}},
            {"RCPT without MAIL", ehlo + rcpt, "250 503", {}},
            {"DATA without RCPT", ehlo + mail + "DATA\r\n", "250 250 503", {}},
            {"DATA without MAIL", ehlo + "DATA\r\n", "250 503", {}},
            {"MAIL twice", ehlo + mail + mail, "250 250 503", {}},
            {"parameters where none belong",
             ehlo + mail + rcpt + "DATA x\r\nRSET x\r\n",
             "250 250 250 501 501",
             {one}},
            {"EHLO without a name, or with two",
             "EHLO\r\nEHLO \r\nEHLO a b\r\nEHLO \xff\r\n",
             "501 501 501 501",
             {}},
            {"SIZE, BODY", ehlo + "MAIL FROM:<a@b> SIZE=1000 BODY=8BITMIME\r\n", "250 250", {}},
            {"SIZE over the limit", ehlo + "MAIL FROM:<a@b> SIZE=1001\r\n", "250 552", {}},
            {"SIZE over 64 bits", ehlo + "MAIL FROM:<a@b> SIZE=99999999999999999999\r\n", "250 552", {}},
            {"SIZE that is none",
             ehlo + "MAIL FROM:<a@b> SIZE=-1\r\nMAIL FROM:<a@b> SIZE\r\n",
             "250 501 501",
             {}},
            {"BODY that is none", ehlo + "MAIL FROM:<a@b> BODY=BINARYMIME\r\n", "250 501", {}},
            {"parameters that are not offered",
             ehlo + "MAIL FROM:<a@b> SMTPUTF8\r\nMAIL FROM:<a@b> RET=HDRS\r\n" + mail +
                 "RCPT TO:<c@d> NOTIFY=NEVER\r\n",
             "250 555 555 250 555",
             {}},
            {"addresses beyond ASCII", ehlo + "MAIL FROM:<\xc3\xa4@b>\r\n", "250 553", {}},
            {"a NUL in a command", std::string("NO\0OP\r\nNOOP\r\n", 13), "500 250", {}},
            {"a bare CR in a command", "NOOP\rRSET\r\n", "500", {}},
            {"more recipients than allowed",
             ehlo + mail + rcpt + rcpt + rcpt + rcpt + rcpt + rcpt + "RCPT TO:<no@b>\r\n",
             "250 250 250 250 250 250 250 452 452",
             {one, one, one, one, one}},
            {"421 of the owner closes",
             ehlo + mail + "RCPT TO:<bye@b>\r\nNOOP\r\n",
             "250 250 421",
             {"recipient bye@b", "close"}},
            {"nothing is heard behind QUIT", "QUIT\r\nNOOP\r\n", "221", {"close"}},
            {"a browser", "POST / HTTP/1.1\r\nHost: mx.example.com\r\n\r\nEHLO x\r\n", "554", {"close"}},
            {"STARTTLS where it is not offered", ehlo + "STARTTLS\r\n", "250 502", {}},
        },
        plain());
}

TEST(SmtpServer, TheEhloReply) {
    EXPECT_EQ(talk({ehlo}).out, "250-mx.example.com\r\n250-PIPELINING\r\n250-SIZE 1000\r\n250-8BITMIME\r\n"
                                "250-ENHANCEDSTATUSCODES\r\n250 CHUNKING\r\n");
    EXPECT_EQ(talk({"HELO x\r\n"}).out, "250 mx.example.com\r\n");
}

TEST(SmtpServer, EveryReplyButHelloHasAnEnhancedCode) { // RFC 2034 §3
    const auto out = talk({"NOOP\r\nFOO\r\nMAIL FROM:x\r\nQUIT\r\n"}).out;
    EXPECT_EQ(out, "250 2.0.0 done\r\n500 5.5.1 unknown command\r\n"
                   "503 5.5.1 say EHLO first\r\n221 2.0.0 goodbye\r\n");
}

TEST(SmtpServer, Lmtp) {
    const std::string lhlo = "LHLO me\r\n", mail = "MAIL FROM:<a@b>\r\n";
    const std::string c = "RCPT TO:<c@d>\r\n", e = "RCPT TO:<e@d>\r\n", no = "RCPT TO:<no@d>\r\n";
    run(
        {
            {"one reply for each recipient that was taken (RFC 2033 4.2)",
             lhlo + mail + c + no + e + "DATA\r\nhi\r\n.\r\nQUIT\r\n",
             "250 250 250 550 250 354 250 250 221",
             {"recipient c@d", "recipient no@d", "recipient e@d", "message from a@b to c@d e@d", "close"}},
            {"each refusal too",
             lhlo + mail + c + e + "DATA\r\nreject\r\n.\r\n",
             "250 250 250 250 354 554 554",
             {"recipient c@d", "recipient e@d", "message from a@b to c@d e@d"}},
            {"too large: each recipient hears it",
             lhlo + mail + c + e + "DATA\r\n" + std::string(2'000, 'x') + "\r\n.\r\nNOOP\r\n",
             "250 250 250 250 354 552 552 250",
             {"recipient c@d", "recipient e@d"}},
            {"one reply for each recipient behind the last chunk",
             lhlo + mail + c + e + "BDAT 2\r\nhiBDAT 0 LAST\r\n",
             "250 250 250 250 250 250 250",
             {"recipient c@d", "recipient e@d", "message from a@b to c@d e@d"}},
            {"no recipient: 503, never data",
             lhlo + mail + no + "DATA\r\nNOOP\r\n",
             "250 250 550 503 250",
             {"recipient no@d"}},
            {"HELO and EHLO are SMTP", "HELO x\r\nEHLO x\r\n", "500 500", {}},
            {"own servers may ask for many unknown recipients",
             lhlo + mail +
                 [&] {
                     std::string many;
                     for (int i = 0; i < 30; ++i)
                         many += no;
                     return many;
                 }() +
                 c,
             "250 250" +
                 [] {
                     std::string many;
                     for (int i = 0; i < 30; ++i)
                         many += " 550";
                     return many;
                 }() +
                 " 250",
             [] {
                 std::vector<std::string> asked(30, "recipient no@d");
                 asked.push_back("recipient c@d");
                 return asked;
             }()},
        },
        plain(true));
}

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

TEST(SmtpServer, LongLinesAreSkipped) {
    auto options = plain();
    options.command_bytes = 30;
    run({{"as long as allowed", "NOOP " + std::string(25, 'x') + "\r\nNOOP\r\n", "250 250", {}},
         {"a byte more", "NOOP " + std::string(26, 'x') + "\r\nNOOP\r\n", "500 250", {}},
         {"a byte more, ended by LF", "NOOP " + std::string(26, 'x') + "\nNOOP\r\n", "500 250", {}},
         {"much more", "NOOP " + std::string(100'000, 'x') + "\r\nNOOP\r\n", "500 250", {}}},
        options);
}

TEST(SmtpServer, TooManyErrorsEndIt) {
    auto options = plain();
    options.errors = 3;
    run({{"the third is answered with 421", "A\r\nB\r\nC\r\nNOOP\r\n", "500 500 421", {"close"}},
         {"guessing recipients is an error",
          ehlo + "MAIL FROM:<a@b>\r\nRCPT TO:<no1@b>\r\nRCPT TO:<no2@b>\r\nRCPT TO:<no3@b>\r\nNOOP\r\n",
          "250 250 550 550 421",
          {"recipient no1@b", "recipient no2@b", "recipient no3@b", "close"}},
         {"a mail that was taken wipes the slate",
          "A\r\nB\r\n" + to_data + ".\r\nA\r\nB\r\nC\r\n",
          "500 500 250 250 250 354 250 500 500 421",
          {"recipient t@example.com", "message from a@example.net to t@example.com", "close"}}},
        options);
    std::string noops;
    for (int i = 0; i < 200; ++i)
        noops += "NOOP\r\n";
    const auto all = talk({noops}, options);
    EXPECT_TRUE(all.closed) << "commands that lead nowhere are a flood";
    EXPECT_TRUE(all.out.ends_with("421 4.7.0 too many errors\r\n"));
}

TEST(SmtpServer, MessagesOfAConnectionAreCounted) {
    auto options = plain();
    options.messages = 1;
    run({{"then 421, and the client comes again",
          to_data + ".\r\nMAIL FROM:<a@b>\r\nNOOP\r\n",
          "250 250 250 354 250 421",
          {"recipient t@example.com", "message from a@example.net to t@example.com", "close"}}},
        options);
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

// ---- STARTTLS ------------------------------------------------------------------------------------

smtp_server_options with_tls() {
    auto options = plain();
    options.offer_starttls = true;
    return options;
}

TEST(SmtpServer, StartTls) {
    PROVES("3207-4-a", "3207-4.2-a", "3207-4.2-b");
    smtp_server server(with_tls());
    server.greet();
    EXPECT_EQ(server.output(), "220 mx.example.com ESMTP Mailtight\r\n");
    server.feed(ehlo);
    EXPECT_NE(server.output().find("\r\n250-STARTTLS\r\n"), std::string::npos);
    server.feed("STARTTLS now\r\n");
    EXPECT_EQ(server.output(), "501 5.5.4 STARTTLS takes no parameter\r\n");
    EXPECT_EQ(server.helo(), "client.example");
    server.feed("STARTTLS\r\n");
    EXPECT_EQ(server.output(), "220 2.0.0 go ahead\r\n");
    ASSERT_EQ(server.next()->what, smtp_event::kind::start_tls);
    server.tls_started();
    EXPECT_EQ(server.helo(), "") << "forgotten";
    server.feed("MAIL FROM:<a@b>\r\n");
    EXPECT_EQ(server.output(), "503 5.5.1 say EHLO first\r\n");
    server.feed(ehlo);
    EXPECT_EQ(server.output().find("STARTTLS"), std::string::npos) << "not offered again";
    server.feed("STARTTLS\r\n");
    EXPECT_EQ(server.output(), "503 5.5.1 TLS is there already\r\n");
    EXPECT_FALSE(server.next());
}

TEST(SmtpServer, ClearTextBehindStartTlsIsThrownAway) {
    PROVES("3207-4-c");
    smtp_server server(with_tls());
    server.feed(ehlo + "STARTTLS\r\nEHLO injected\r\nMAIL FROM:<evil@b>\r\nRCPT TO:<x@");
    ASSERT_EQ(server.next()->what, smtp_event::kind::start_tls);
    server.feed("MAIL FROM:<in.a.packet@of.its.own>\r\nNO");
    EXPECT_TRUE(server.output().ends_with("\r\n220 2.0.0 go ahead\r\n"));
    server.tls_started();
    EXPECT_EQ(server.output(), "");
    EXPECT_FALSE(server.next());
    EXPECT_EQ(server.helo(), "");
    server.feed("NOOP\r\n");
    EXPECT_EQ(server.output(), "250 2.0.0 done\r\n") << "not even half a line is left over";
}

TEST(SmtpServer, StartTlsIsNoTransactionCommand) {
    run({{"within a mail", ehlo + "MAIL FROM:<a@b>\r\nSTARTTLS\r\n", "250 250 503", {}}}, with_tls());
}

TEST(SmtpServer, TlsMayBeRequired) { // RFC 3207 §4
    auto options = with_tls();
    options.require_starttls = true;
    smtp_server server(options);
    server.feed("HELO x\r\nRSET\r\nMAIL FROM:<a@b>\r\nNOOP\r\nEHLO x\r\nSTARTTLS\r\n");
    EXPECT_EQ(codes(server.output()), "530 530 530 250 250 220");
    server.next();
    server.tls_started();
    server.feed("EHLO x\r\nMAIL FROM:<a@b>\r\n");
    EXPECT_EQ(codes(server.output()), "250 250");
}

// ---- the owner -----------------------------------------------------------------------------------

TEST(SmtpServer, TextsOfTheOwnerCannotForgeReplies) {
    smtp_server server(plain());
    server.feed(to_data);
    server.next();
    server.reply_recipient(true, "ok\r\n250 forged \xc3\xa4" + std::string(1'000, 'x'));
    const auto out = server.output();
    EXPECT_EQ(codes(out), "250 250 250 354");
    EXPECT_NE(out.find("250 2.1.5 ok??250 forged ??xxx"), out.npos);
    server.feed(".\r\n");
    server.next();
    server.reply_message(999, "");
    EXPECT_EQ(server.output(), "451 4.3.0 not stored\r\n") << "a code that is none is no success";
}

TEST(SmtpServer, NothingGoesOnBeforeTheAnswer) {
    smtp_server server(plain());
    server.feed(ehlo + "MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nRCPT TO:<e@f>\r\nNOOP\r\n");
    server.feed("NOOP\r\n");
    EXPECT_EQ(codes(server.output()), "250 250");
    ASSERT_EQ(server.next()->address, "c@d");
    EXPECT_FALSE(server.next());
    server.reply_message(250, "not asked");
    EXPECT_EQ(server.output(), "");
    server.reply_recipient(true);
    EXPECT_EQ(codes(server.output()), "250");
    ASSERT_EQ(server.next()->address, "e@f");
    server.reply_recipient(true);
    server.reply_recipient(true);
    EXPECT_EQ(codes(server.output()), "250 250 250");
    EXPECT_EQ(server.recipients(), (std::vector<std::string>{"c@d", "e@f"}));
}

TEST(SmtpServer, AGreetingMayRefuse) {
    smtp_server server(plain(true));
    server.greet(true);
    EXPECT_EQ(codes(server.output()), "421");
    EXPECT_EQ(server.next()->what, smtp_event::kind::close);
    server.feed("LHLO x\r\n");
    EXPECT_EQ(server.output(), "");
    EXPECT_FALSE(server.next());
}

TEST(SmtpServer, ShutDown) {
    smtp_server idle(plain());
    idle.shut_down("going\r\ndown");
    EXPECT_EQ(idle.output(), "421 4.3.2 going??down\r\n");
    EXPECT_EQ(idle.next()->what, smtp_event::kind::close);

    smtp_server busy(plain());
    busy.feed(to_data);
    busy.next();
    busy.reply_recipient(true);
    busy.feed("hi\r\n.\r\nNOOP\r\n");
    ASSERT_EQ(busy.next()->what, smtp_event::kind::message);
    busy.output();
    busy.shut_down("going down");
    EXPECT_EQ(busy.output(), "") << "the mail is being stored";
    EXPECT_EQ(busy.message(), "hi\r\n");
    busy.reply_message(250, "stored");
    EXPECT_EQ(codes(busy.output()), "250 421") << "its fate is told first";
    EXPECT_EQ(busy.next()->what, smtp_event::kind::close);
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
