// SPDX-License-Identifier: Apache-2.0
// The client against the server of this house, and against servers that say anything.
#include "unit/wire/smtp_client_script.h"

#include "wire/smtp_server.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <string>
#include <vector>

namespace mailtight::tests {
using namespace smtp_client_script;
namespace {

struct arrived {
    std::string sender, message;
    std::vector<std::string> recipients;
};

arrived deliver(bool with_lmtp, const outgoing_mail& what, smtp_client_outcome& outcome) {
    smtp_server_options there;
    there.lmtp = with_lmtp;
    there.host_name = "mx.example";
    there.offer_starttls = true;
    smtp_server server(there);
    smtp_client client(with_lmtp ? lmtp() : plain(), what);
    arrived got;
    server.greet();
    while (client.step() != smtp_client_step::done) {
        if (client.step() == smtp_client_step::send)
            server.feed(client.output());
        const bool handshake = client.step() == smtp_client_step::start_tls;
        if (handshake)
            client.tls_started();
        while (const auto event = server.next()) {
            if (event->what == smtp_event::kind::recipient)
                server.reply_recipient(true);
            else if (event->what == smtp_event::kind::start_tls)
                client.feed(server.output()), server.tls_started();
            else if (event->what == smtp_event::kind::message) {
                got = {server.sender(), server.message(), server.recipients()};
                server.reply_message(250, "kept");
            }
        }
        client.feed(server.output());
    }
    outcome = client.outcome();
    return got;
}

RC_GTEST_PROP(SmtpClientProperty, WhatIsSentArrives, ()) {
    std::string text;
    for (const auto& piece : *rc::gen::container<std::vector<std::string>>(
             rc::gen::element<std::string>(".", "..", "\r\n", "\r\n.", "a", "\x01", "line\r\n", "\r\n.\r\n")))
        text += piece;
    const outgoing_mail what{"me@me.example", {"a@b.example", "c@d.example"}, text};
    smtp_client_outcome outcome;
    const auto got = deliver(*rc::gen::arbitrary<bool>(), what, outcome);
    RC_ASSERT(outcome.accepted && outcome.refused.empty());
    RC_ASSERT(got.sender == what.sender);
    RC_ASSERT(got.recipients == what.recipients);
    RC_ASSERT(got.message == (text.empty() || text.ends_with("\r\n") ? text : text + "\r\n"));
}

RC_GTEST_PROP(SmtpClientProperty, AnyServerLeadsToAnOutcome, ()) {
    const auto replies =
        *rc::gen::container<std::vector<std::string>>(rc::gen::elementOf(std::vector<std::string>{
            greeting, ehlo, ehlo_tls, ok, go, bye, "TLS", "NOTLS", "*", "334 \r\n", "235 x\r\n", "450 x\r\n",
            "550 x\r\n", "421 x\r\n", "250-", "\r\n", "250-mx\r\n250-AUTH PLAIN LOGIN\r\n250 8BITMIME\r\n",
            std::string(5'000, 'x')}));
    auto options = *rc::gen::arbitrary<bool>() ? plain() : with_user();
    options.lmtp = *rc::gen::arbitrary<bool>();
    const auto seen = talk(options, mail({"a@b.example", "c@d.example"}), replies);
    RC_ASSERT(seen.done);
    RC_ASSERT(!seen.outcome.stage.empty());
    RC_ASSERT(!(seen.outcome.accepted && seen.outcome.temporary));
    RC_ASSERT(seen.said.size() < 1'000U);
    // user and password in base64, alone and as PLAIN has them
    const bool told = seen.said.find("dXNlcg==") != std::string::npos ||
                      seen.said.find("AHVzZXIAcGFzcw==") != std::string::npos;
    RC_ASSERT(seen.tls || !told);
}

} // namespace
} // namespace mailtight::tests
