// SPDX-License-Identifier: Apache-2.0
// Conversations with the SMTP and LMTP server as rows: what the client says, the codes that the server
// answers, what its owner is asked. Every row runs in one piece and byte by byte.
#pragma once

#include "wire/smtp_server.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace mailtight::tests::smtp_server_script {

using namespace mailtight::wire;

/// An owner who takes every recipient but those that begin with "no", "later" or "bye", and stores every mail
/// but those that hold the word "reject" or "full".
struct seen {
    std::string out;
    std::vector<std::string> recipients, mails, events;
    bool closed = false;
    bool operator==(const seen&) const = default;
};

inline void answer(smtp_server& server, const smtp_event& event, seen& into) {
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

inline smtp_server_options plain(bool lmtp = false) {
    smtp_server_options options;
    options.lmtp = lmtp;
    options.host_name = "mx.example.com";
    options.message_bytes = 1'000;
    options.recipients = 5;
    return options;
}

inline seen talk(const std::vector<std::string>& pieces, const smtp_server_options& options = plain()) {
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

inline std::vector<std::string> bytewise(const std::string& text) {
    std::vector<std::string> pieces;
    for (char c : text)
        pieces.emplace_back(1, c);
    return pieces;
}

/// The codes of the replies, "250-" for a line that is not the last of its reply.
inline std::string codes(const std::string& out) {
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

inline const std::string ehlo = "EHLO client.example\r\n";
inline const std::string to_data = ehlo + "MAIL FROM:<a@example.net>\r\nRCPT TO:<t@example.com>\r\nDATA\r\n";

struct server_row {
    const char* why;
    std::string said;
    std::string codes;
    std::vector<std::string> events;
};

inline void run(const std::vector<server_row>& rows, const smtp_server_options& options) {
    for (const auto& row : rows) {
        for (const auto& pieces : {std::vector{row.said}, bytewise(row.said)}) {
            const auto all = talk(pieces, options);
            EXPECT_EQ(codes(all.out), row.codes) << row.why << "\n" << all.out;
            EXPECT_EQ(all.events, row.events) << row.why;
        }
    }
}

} // namespace mailtight::tests::smtp_server_script
