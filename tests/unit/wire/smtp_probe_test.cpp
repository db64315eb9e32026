// SPDX-License-Identifier: Apache-2.0
#include "wire/smtp_probe.h"

#include "support/proves.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <string>
#include <vector>

using namespace mailtight::wire;
using outcome = smtp_probe::outcome;

namespace {

const std::string hello = "220 mx.example.com ESMTP\r\n";
const std::string offers = "250-mx.example.com\r\n250-SIZE 1000\r\n250 STARTTLS\r\n";

/// What a server answers, in the order in which it is asked; "" hangs up, "…" falls silent, "TLS" and "!TLS"
/// are handshakes that complete and fail.
struct script {
    const char* why;
    std::vector<std::string> answers;
    outcome expected;
    std::string said; ///< all that the client sends
    int code = 0;
};

smtp_probe run(const std::vector<std::string>& answers, std::string& said, std::size_t piece = 10'000) {
    smtp_probe machine("client.example");
    std::size_t next = 0;
    for (int step = 0; step < 100 && machine.needs() != smtp_probe::need::close; ++step) {
        switch (machine.needs()) {
        case smtp_probe::need::send:
            said += machine.to_send();
            break;
        case smtp_probe::need::handshake:
        case smtp_probe::need::receive: {
            const auto answer = next < answers.size() ? answers[next++] : "";
            if (machine.needs() == smtp_probe::need::handshake) {
                EXPECT_TRUE(answer == "TLS" || answer == "!TLS");
                machine.handshake_done(answer == "TLS");
            } else if (answer.empty()) {
                machine.eof();
            } else if (answer == "…") {
                machine.timeout();
            } else {
                for (std::size_t at = 0; at < answer.size(); at += piece)
                    machine.feed(std::string_view(answer).substr(at, piece));
            }
            break;
        }
        case smtp_probe::need::close:
            break;
        }
    }
    return machine;
}

const std::string ehlo = "EHLO client.example\r\n", helo = "HELO client.example\r\n", quit = "QUIT\r\n",
                  starttls = "STARTTLS\r\n";

const std::vector<script>& scripts() {
    static const std::vector<script> all = {
        {"all is well",
         {hello, offers, "220 go\r\n", "TLS", "250-mx\r\n250 SIZE 1\r\n", "221 bye\r\n"},
         outcome::tls,
         ehlo + starttls + ehlo + quit},
        {"the server hangs up after the handshake: TLS was shown",
         {hello, offers, "220 go\r\n", "TLS", ""},
         outcome::tls,
         ehlo + starttls + ehlo},
        {"silence after the handshake",
         {hello, offers, "220 go\r\n", "TLS", "…"},
         outcome::tls,
         ehlo + starttls + ehlo},
        {"silence at QUIT",
         {hello, offers, "220 go\r\n", "TLS", "250 mx\r\n", "…"},
         outcome::tls,
         ehlo + starttls + ehlo + quit},
        {"noise inside TLS changes nothing",
         {hello, offers, "220 go\r\n", "TLS", "garbage\r\n"},
         outcome::tls,
         ehlo + starttls + ehlo},
        {"no STARTTLS",
         {hello, "250-mx\r\n250 SIZE 1\r\n", "221 bye\r\n"},
         outcome::no_starttls,
         ehlo + quit},
        {"STARTTLS only in the name line",
         {hello, "250 STARTTLS\r\n", "221 bye\r\n"},
         outcome::no_starttls,
         ehlo + quit},
        {"EHLO unknown, HELO known",
         {hello, "502 what\r\n", "250 mx\r\n", "221 bye\r\n"},
         outcome::no_starttls,
         ehlo + helo + quit,
         502},
        {"EHLO and HELO refused",
         {hello, "550 no\r\n", "550 no\r\n", "221 bye\r\n"},
         outcome::banner_refused,
         ehlo + helo + quit,
         550},
        {"EHLO put off", {hello, "450 later\r\n", "221 bye\r\n"}, outcome::banner_refused, ehlo + quit, 450},
        {"greeted with 421", {"421 busy\r\n", ""}, outcome::banner_refused, quit, 421},
        {"greeted with 554", {"554 no\r\n", "221 bye\r\n"}, outcome::banner_refused, quit, 554},
        {"greeted with 250", {"250 hello\r\n", "221 bye\r\n"}, outcome::protocol_error, quit},
        {"STARTTLS 454",
         {hello, offers, "454 not now\r\n", "221 bye\r\n"},
         outcome::starttls_refused,
         ehlo + starttls + quit,
         454},
        {"STARTTLS 501",
         {hello, offers, "501 syntax\r\n", "221 bye\r\n"},
         outcome::starttls_refused,
         ehlo + starttls + quit,
         501},
        {"STARTTLS 250",
         {hello, offers, "250 ok\r\n", "221 bye\r\n"},
         outcome::protocol_error,
         ehlo + starttls + quit},
        {"the handshake fails",
         {hello, offers, "220 go\r\n", "!TLS"},
         outcome::handshake_failed,
         ehlo + starttls},
        {"injected behind the 220",
         {hello, offers, "220 go\r\n250-evil\r\n250 AUTH PLAIN\r\n"},
         outcome::injected,
         ehlo + starttls},
        {"one injected byte", {hello, offers, "220 go\r\nx"}, outcome::injected, ehlo + starttls},
        {"replies ahead of their commands", {hello, offers + "220 go\r\n"}, outcome::protocol_error, ehlo},
        {"two banners", {hello + hello}, outcome::protocol_error, ""},
        {"no SMTP", {"SSH-2.0-x\r\n"}, outcome::protocol_error, ""},
        {"NULs", {std::string("220 \0\r\n", 7)}, outcome::protocol_error, ""},
        {"no greeting", {"…"}, outcome::banner_timeout, ""},
        {"half a greeting", {"220-mx\r\n", "…"}, outcome::banner_timeout, ""},
        {"silence at EHLO", {hello, "…"}, outcome::timeout, ehlo},
        {"silence at STARTTLS", {hello, offers, "…"}, outcome::timeout, ehlo + starttls},
        {"hangs up at once", {""}, outcome::closed, ""},
        {"hangs up in the middle of EHLO", {hello, "250-mx\r\n", ""}, outcome::closed, ehlo},
        {"hangs up at STARTTLS", {hello, offers, ""}, outcome::closed, ehlo + starttls},
    };
    return all;
}

TEST(SmtpProbe, Scripts) {
    PROVES("3207-4-a", "3207-4-b");
    for (const auto& row : scripts()) {
        for (std::size_t piece : {10'000u, 7u}) {
            if (piece == 7 && (row.expected == outcome::injected || row.expected == outcome::protocol_error))
                continue; // whether bytes lie behind a reply depends on how they come
            std::string said;
            const auto machine = run(row.answers, said, piece);
            EXPECT_EQ(machine.result(), row.expected) << row.why;
            EXPECT_EQ(said, row.said) << row.why;
            EXPECT_EQ(machine.refusal_code(), row.code) << row.why;
            if (row.expected != outcome::tls)
                EXPECT_FALSE(machine.detail().empty()) << row.why;
        }
    }
}

TEST(SmtpProbe, InjectedBytesAreNeverUsed) {
    PROVES("3207-4-c");
    std::string said;
    const auto machine =
        run({hello, offers, "220 go\r\n250-evil\r\n250 XEVIL\r\n", "TLS", "250 mx\r\n", "221 bye\r\n"}, said);
    EXPECT_EQ(machine.result(), outcome::injected);
    EXPECT_FALSE(has_capability(machine.capabilities_inside(), "XEVIL"));
    EXPECT_FALSE(has_capability(machine.capabilities(), "XEVIL"));
    EXPECT_EQ(said, ehlo + starttls) << "STARTTLS is the last that is said";
}

TEST(SmtpProbe, WhatWasLearntInClearTextIsForgottenInsideTls) {
    PROVES("3207-4.2-a", "3207-4.2-b");
    std::string said;
    const auto machine =
        run({hello, offers, "220 go\r\n", "TLS", "250-mx\r\n250 PIPELINING\r\n", "221 bye\r\n"}, said);
    EXPECT_EQ(machine.capabilities_inside(), std::vector<std::string>{"PIPELINING"});
    EXPECT_TRUE(machine.quit_answered());
    std::string again;
    const auto repeats = run({hello, offers, "220 go\r\n", "TLS", offers, "221 bye\r\n"}, again);
    EXPECT_TRUE(has_capability(repeats.capabilities_inside(), "STARTTLS")) << "3207-4.2-b: it is noted";
    EXPECT_FALSE(has_capability(machine.capabilities_inside(), "STARTTLS"));
}

RC_GTEST_PROP(SmtpProbeProperty, NeverMailAndAlwaysAnEnd, ()) {
    // Whatever a server says, the client ends, and says nothing but its five commands.
    const auto answers = *rc::gen::container<std::vector<std::string>>(
        rc::gen::element<std::string>(std::string(hello), std::string(offers), "220 go\r\n", "250 ok\r\n",
                                      "454 no\r\n", "421 bye\r\n", "x", "250-", "\r\n", "…", ""));
    std::string said;
    smtp_probe machine("c");
    for (const auto& answer : answers) {
        while (machine.needs() == smtp_probe::need::send)
            said += machine.to_send();
        if (machine.needs() == smtp_probe::need::handshake)
            machine.handshake_done(answer.size() % 2 == 0);
        else if (answer == "…")
            machine.timeout();
        else if (answer.empty())
            machine.eof();
        else
            machine.feed(answer);
    }
    machine.eof();
    if (machine.needs() == smtp_probe::need::handshake)
        machine.handshake_done(false);
    RC_ASSERT(machine.needs() == smtp_probe::need::close || machine.needs() == smtp_probe::need::send);
    RC_ASSERT(machine.result() != outcome::open);
    for (const char* forbidden : {"MAIL", "RCPT", "DATA", "AUTH"})
        RC_ASSERT(said.find(forbidden) == said.npos);
}

} // namespace
