// SPDX-License-Identifier: Apache-2.0
// STARTTLS on the side of the server: what it offers, forgets and throws away.
#include "unit/wire/smtp_server_script.h"

#include "support/proves.h"

#include <gtest/gtest.h>

#include <string>

namespace mailtight::tests {
using namespace smtp_server_script;
namespace {

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

} // namespace
} // namespace mailtight::tests
