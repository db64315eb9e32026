// SPDX-License-Identifier: Apache-2.0
// Mails that are taken, refused and lost, and what the client makes of each.
#include "unit/wire/smtp_client_script.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace mailtight::tests {
using namespace smtp_client_script;
namespace {

TEST(SmtpClient, Mails) {
    outgoing_mail bounce = mail();
    bounce.sender = "";
    run({
        {"a mail",
         plain(),
         mail(),
         {greeting, ehlo, ok, ok, go, "250 2.6.0 kept\r\n", bye},
         hello + from + to + "DATA\r\n" + body + quit,
         "accepted at message: 250 [2.6.0] 2.6.0 kept"},
        {"the null sender",
         plain(),
         bounce,
         {greeting, ehlo, ok, ok, go, ok, bye},
         hello + "MAIL FROM:<>\r\n" + to + "DATA\r\n" + body + quit,
         kept},
        {"HELO where EHLO is unknown",
         plain(),
         mail(),
         {greeting, "500 what\r\n", ok, ok, ok, go, ok, bye},
         hello + "HELO me.example\r\n" + from + to + "DATA\r\n" + body + quit,
         kept},
        {"SIZE is told",
         plain(),
         mail(),
         {greeting, "250-mx\r\n250 SIZE 1000\r\n", ok, ok, go, ok, bye},
         hello + "MAIL FROM:<me@me.example> SIZE=18\r\n" + to + "DATA\r\n" + body + quit,
         kept},
        {"SIZE 0 is no limit",
         plain(),
         mail(),
         {greeting, "250-mx\r\n250 SIZE 0\r\n", ok, ok, go, ok, bye},
         hello + "MAIL FROM:<me@me.example> SIZE=18\r\n" + to + "DATA\r\n" + body + quit,
         kept},
        {"a recipient less",
         plain(),
         mail({"a@b.example", "no@b.example"}),
         {greeting, ehlo, ok, ok, "550 5.1.1 no\r\n", go, ok, bye},
         hello + from + to + "RCPT TO:<no@b.example>\r\nDATA\r\n" + body + quit,
         "accepted at message: 250 [2.0.0] 2.0.0 ok without no@b.example"},
        {"no reply to QUIT changes nothing",
         plain(),
         mail(),
         {greeting, ehlo, ok, ok, go, ok, "*"},
         hello + from + to + "DATA\r\n" + body + quit,
         kept},
        {"nor a wrong one",
         plain(),
         mail(),
         {greeting, ehlo, ok, ok, go, ok, "HTTP/1.1 400\r\n"},
         hello + from + to + "DATA\r\n" + body + quit,
         kept},
    });
}

TEST(SmtpClient, Refusals) {
    run({
        {"at the greeting",
         plain(),
         mail(),
         {"554 5.7.1 go away\r\n", bye},
         quit,
         "never at greeting: 554 [5.7.1] 5.7.1 go away"},
        {"at the greeting, for now",
         plain(),
         mail(),
         {"421 later\r\n", "*"},
         quit,
         "later at greeting: 421 [] later"},
        {"at EHLO",
         plain(),
         mail(),
         {greeting, "451 4.3.0 x\r\n", bye},
         hello + quit,
         "later at EHLO: 451 [4.3.0] 4.3.0 x"},
        {"at HELO too",
         plain(),
         mail(),
         {greeting, "500 x\r\n", "550-no\r\n550 way\r\n", bye},
         hello + "HELO me.example\r\n" + quit,
         "never at EHLO: 550 [] no way"},
        {"LMTP has no HELO",
         lmtp(),
         mail(),
         {greeting, "500 x\r\n", bye},
         "LHLO me.example\r\n" + quit,
         "never at EHLO: 500 [] x"},
        {"at MAIL",
         plain(),
         mail(),
         {greeting, ehlo, "550 5.7.1 no\r\n", bye},
         hello + from + quit,
         "never at MAIL: 550 [5.7.1] 5.7.1 no"},
        {"every recipient; one of them for now",
         plain(),
         mail({"a@b.example", "c@d.example"}),
         {greeting, ehlo, ok, "450 4.2.0 later\r\n", "550 5.1.1 no\r\n", bye},
         hello + from + to + "RCPT TO:<c@d.example>\r\n" + quit,
         "later at RCPT: 550 [5.1.1] 5.1.1 no without a@b.example c@d.example"},
        {"every recipient",
         plain(),
         mail(),
         {greeting, ehlo, ok, "550 5.1.1 no\r\n", bye},
         hello + from + to + quit,
         "never at RCPT: 550 [5.1.1] 5.1.1 no without a@b.example"},
        {"at DATA",
         plain(),
         mail(),
         {greeting, ehlo, ok, ok, "451 x\r\n", bye},
         hello + from + to + "DATA\r\n" + quit,
         "later at DATA: 451 [] x"},
        {"after the data",
         plain(),
         mail(),
         {greeting, ehlo, ok, ok, go, "552 5.3.4 large\r\n", bye},
         hello + from + to + "DATA\r\n" + body + quit,
         "never at message: 552 [5.3.4] 5.3.4 large"},
        {"the enhanced code is of another class",
         plain(),
         mail(),
         {"554 2.0.0 go away\r\n", bye},
         quit,
         "never at greeting: 554 [] 2.0.0 go away"},
        {"the mail is larger than the server takes",
         plain(),
         mail(),
         {greeting, "250-mx\r\n250 SIZE 17\r\n", bye},
         hello + quit,
         "never at MAIL: 0 [] the server takes mails up to 17 bytes"},
        {"an escape in a reply",
         plain(),
         mail(),
         {"554 \x1b[2J\r\n", bye},
         quit,
         "never at greeting: 554 [] \\x1b[2J"},
    });
}

TEST(SmtpClient, BrokenConnectionsAndProtocols) {
    const auto row_of = [](const char* why, std::vector<std::string> replies, std::string said,
                           const std::string& stage, const std::string& text) {
        return client_row{why,
                          plain(),
                          mail(),
                          std::move(replies),
                          std::move(said),
                          "later at " + stage + ": 0 [] " + text};
    };
    const std::string closed = "the connection was closed";
    run({
        row_of("no greeting", {"*"}, "", "greeting", closed),
        row_of("in the middle of a reply", {greeting, "250-mx\r\n250", "*"}, hello, "EHLO", closed),
        row_of("behind the data: nobody knows", {greeting, ehlo, ok, ok, go, "*"},
               hello + from + to + "DATA\r\n" + body, "message", closed),
        row_of("another protocol", {"HTTP/1.1 400 Bad Request\r\n"}, "", "greeting",
               "a line does not begin with a reply code from 200 to 599: this is not SMTP"),
        row_of("no line end", {std::string("220 ") + std::string(10'000, 'x')}, "", "greeting",
               "a reply line is longer than 4096 bytes"),
        row_of("a reply of too many lines", {[] {
                   std::string flood;
                   for (int i = 0; i < 300; ++i)
                       flood += "220-x\r\n";
                   return flood;
               }()},
               "", "greeting", "the reply has more than 256 lines"),
        row_of("two replies to one command", {greeting, ehlo + ok}, hello, "MAIL",
               "the server speaks before it was asked"),
        row_of("250 where 354 is due", {greeting, ehlo, ok, ok, ok}, hello + from + to + "DATA\r\n", "DATA",
               "DATA was answered with 250"),
        row_of("250 as a greeting", {ok}, "", "greeting", "greeting was answered with 250"),
    });
    run({{"354 where 250 is due",
          plain(),
          mail(),
          {greeting, ehlo, go, bye},
          hello + from + quit,
          "later at MAIL: 354 [] go"}});
}

TEST(SmtpClient, Lmtp) { // RFC 2033
    const auto two = mail({"a@b.example", "c@d.example"});
    const std::string said = "LHLO me.example\r\n" + from + to + "RCPT TO:<c@d.example>\r\nDATA\r\n" + body;
    run({
        {"a reply a recipient",
         lmtp(),
         two,
         {greeting, ehlo, ok, ok, ok, go, ok + ok, bye},
         said + quit,
         kept},
        {"the first one refused",
         lmtp(),
         two,
         {greeting, ehlo, ok, ok, ok, go, "452 4.2.2 full\r\n", ok, bye},
         said + quit,
         "accepted at message: 250 [2.0.0] 2.0.0 ok without a@b.example"},
        {"both, one of them for now",
         lmtp(),
         two,
         {greeting, ehlo, ok, ok, ok, go, "452 4.2.2 full\r\n552 5.2.2 full\r\n", bye},
         said + quit,
         "later at message: 552 [5.2.2] 5.2.2 full without a@b.example c@d.example"},
        {"the second reply never comes",
         lmtp(),
         two,
         {greeting, ehlo, ok, ok, ok, go, ok, "*"},
         said,
         "accepted at message: 250 [2.0.0] 2.0.0 ok without c@d.example"},
    });
}

TEST(SmtpClient, DotsAndLineEnds) {
    const auto sent = [](const std::string& message) {
        const auto said = talk(plain(), {"", {"a@b"}, message}, {greeting, ehlo, ok, ok, go, ok, bye}).said;
        const auto at = said.find("DATA\r\n") + 6;
        return said.substr(at, said.size() - at - quit.size());
    };
    EXPECT_EQ(sent(""), ".\r\n");
    EXPECT_EQ(sent(".\r\n..\r\n.a\r\nb.\r\n"), "..\r\n...\r\n..a\r\nb.\r\n.\r\n");
    EXPECT_EQ(sent("no end"), "no end\r\n.\r\n");
    EXPECT_EQ(sent("a\n.\nb\r.\rc"), "a\r\n..\r\nb\r\n..\r\nc\r\n.\r\n") << "no bare CR or LF leaves us";
    EXPECT_EQ(sent("\r\n\r\n"), "\r\n\r\n.\r\n");
}

TEST(SmtpClient, EightBits) { // RFC 6152
    outgoing_mail umlaut{"", {"a@b"}, "\xc3\xa4\r\n"};
    EXPECT_NE(talk(plain(), umlaut, {greeting, "250-mx\r\n250 8BITMIME\r\n", ok, ok, go, ok, bye})
                  .said.find("MAIL FROM:<> BODY=8BITMIME\r\n"),
              std::string::npos);
    const auto refused = talk(plain(), umlaut, {greeting, ehlo, bye});
    EXPECT_EQ(refused.said, hello + quit);
    EXPECT_EQ(refused.outcome.stage, "MAIL");
}

TEST(SmtpClient, NothingBreaksOutOfItsCommand) {
    const auto stage = [](smtp_client_options options, outgoing_mail what) {
        const auto seen = talk(std::move(options), std::move(what), {greeting});
        EXPECT_EQ(seen.said, "");
        EXPECT_FALSE(seen.outcome.accepted || seen.outcome.temporary);
        return seen.outcome.stage;
    };
    EXPECT_EQ(stage(plain(), {"a@b>\r\nDATA", {"a@b"}, ""}), "MAIL");
    EXPECT_EQ(stage(plain(), {"a@b> SIZE=1", {"a@b"}, ""}), "MAIL");
    EXPECT_EQ(stage(plain(), {"", {"a@b", "c\n@d"}, ""}), "RCPT");
    EXPECT_EQ(stage(plain(), {"", {"\xc3\xa4@b"}, ""}), "RCPT");
    EXPECT_EQ(stage(plain(), {"", {std::string(255, 'a')}, ""}), "RCPT");
    EXPECT_EQ(stage(plain(), {"", {""}, ""}), "RCPT");
    EXPECT_EQ(stage(plain(), {"", {}, ""}), "RCPT");
    EXPECT_EQ(stage({}, mail()), "EHLO");
    auto split = with_user();
    split.helo = "a b";
    EXPECT_EQ(stage(split, mail()), "EHLO");
    auto nul = with_user();
    nul.password = std::string("a\0b", 3);
    EXPECT_EQ(stage(nul, mail()), "AUTH");
}

} // namespace
} // namespace mailtight::tests
