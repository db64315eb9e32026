// SPDX-License-Identifier: Apache-2.0
// Scripts for the SMTP and LMTP client: after each thing that the client says the next reply of the server.
// Every row runs in whole replies and byte by byte.
#pragma once

#include "wire/smtp_client.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace mailtight::tests::smtp_client_script {

using namespace mailtight::wire;

/// A reply of "*" closes the connection, "TLS" completes a handshake, "NOTLS" fails it.
struct result {
    std::string said;
    smtp_client_outcome outcome;
    bool done = false, tls = false;
};

inline result talk(smtp_client_options options, outgoing_mail mail, const std::vector<std::string>& replies,
                   bool bytewise = false) {
    smtp_client client(std::move(options), std::move(mail));
    result all;
    std::size_t next = 0;
    for (int steps = 0; steps < 10'000; ++steps) {
        const auto step = client.step();
        if (step == smtp_client_step::done) {
            all.done = true;
            break;
        }
        if (step == smtp_client_step::send) {
            all.said += client.output();
            continue;
        }
        const auto reply = next < replies.size() ? replies[next] : std::string("*");
        ++next;
        if (step == smtp_client_step::start_tls) {
            if (reply == "TLS")
                client.tls_started(), all.tls = true;
            else if (reply == "NOTLS")
                client.tls_failed();
            else
                client.feed(reply);
        } else if (reply == "*") {
            client.connection_lost("the connection was closed");
        } else if (bytewise) {
            for (const char c : reply)
                client.feed(std::string_view(&c, 1));
        } else {
            client.feed(reply);
        }
    }
    all.outcome = client.outcome();
    return all;
}

inline smtp_client_options plain() {
    smtp_client_options options;
    options.helo = "me.example";
    return options;
}
inline smtp_client_options with_user() {
    auto options = plain();
    options.user = "user";
    options.password = "pass";
    return options;
}
inline smtp_client_options lmtp() {
    auto options = plain();
    options.lmtp = true;
    return options;
}
inline outgoing_mail mail(std::vector<std::string> to = {"a@b.example"}) {
    return {"me@me.example", std::move(to), "Subject: x\r\n\r\nhi\r\n"};
}

inline const std::string greeting = "220 mx\r\n", ehlo = "250-mx\r\n250 HELP\r\n", ok = "250 2.0.0 ok\r\n",
                         go = "354 go\r\n", bye = "221 bye\r\n";
inline const std::string ehlo_tls = "250-mx\r\n250-AUTH EXTERNAL\r\n250 STARTTLS\r\n";
inline const std::string body = "Subject: x\r\n\r\nhi\r\n.\r\n";

/// "accepted at message: 250 [2.0.0] 2.0.0 ok without c@d.example"; "later" and "never" where it was not.
inline std::string summary(const smtp_client_outcome& outcome) {
    std::string text = outcome.accepted ? "accepted" : outcome.temporary ? "later" : "never";
    text += " at " + outcome.stage + ": " + std::to_string(outcome.code) + " [" + outcome.enhanced + "] ";
    text += outcome.text;
    for (std::size_t n = 0; n < outcome.refused.size(); ++n)
        text += (n ? " " : " without ") + outcome.refused[n];
    return text;
}

struct client_row {
    const char* why;
    smtp_client_options options;
    outgoing_mail mail;
    std::vector<std::string> replies;
    std::string said;
    std::string outcome; ///< as summary() writes it
};

inline void run(const std::vector<client_row>& rows) {
    for (const auto& row : rows) {
        for (const bool bytewise : {false, true}) {
            const auto seen = talk(row.options, row.mail, row.replies, bytewise);
            EXPECT_TRUE(seen.done) << row.why;
            EXPECT_EQ(seen.said, row.said) << row.why;
            EXPECT_EQ(summary(seen.outcome), row.outcome) << row.why;
        }
    }
}

inline const std::string kept = "accepted at message: 250 [2.0.0] 2.0.0 ok";
inline const std::string hello = "EHLO me.example\r\n", from = "MAIL FROM:<me@me.example>\r\n",
                         to = "RCPT TO:<a@b.example>\r\n", quit = "QUIT\r\n";

} // namespace mailtight::tests::smtp_client_script
