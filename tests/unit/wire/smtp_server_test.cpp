// SPDX-License-Identifier: Apache-2.0
// The commands of the SMTP and LMTP server, its limits, and what its owner may do.
#include "unit/wire/smtp_server_script.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace mailtight::tests {
using namespace smtp_server_script;
namespace {

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

} // namespace
} // namespace mailtight::tests
