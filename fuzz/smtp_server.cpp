// SPDX-License-Identifier: Apache-2.0
// The SMTP and LMTP server under any client: however the bytes are cut the conversation is the same; every
// reply is well-formed, one for each line that is a command; nothing is kept beyond the limits. The first
// byte chooses the options.
#include "wire/smtp_server.h"
#include "base/text.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

using namespace mailtight;
using wire::smtp_event;

namespace {

void require(bool holds) {
    if (!holds)
        std::abort();
}

struct transcript {
    std::string out;
    std::vector<std::string> events;
    bool closed = false;
    bool operator==(const transcript&) const = default;
};

/// Every line a reply line; gives the number of replies.
std::size_t check_replies(std::string_view out) {
    std::size_t replies = 0;
    while (!out.empty()) {
        const auto end = out.find("\r\n");
        require(end != out.npos && end <= 510 && end >= 4);
        const auto line = out.substr(0, end);
        require(line[0] >= '2' && line[0] <= '5' && base::is_digit(line[1]) && base::is_digit(line[2]));
        require(line[3] == ' ' || line[3] == '-');
        require(std::ranges::all_of(line, [](char c) { return c >= ' ' && c <= '~'; }));
        replies += line[3] == ' ';
        out.remove_prefix(end + 2);
    }
    return replies;
}

void answer(wire::smtp_server& server, const smtp_event& event, transcript& all,
            const wire::smtp_server_options& options) {
    using enum smtp_event::kind;
    require(!all.closed);
    switch (event.what) {
    case recipient:
        require(!event.address.empty() && event.address.size() <= options.command_bytes);
        all.events.push_back("recipient " + event.address);
        return server.reply_recipient(!event.address.starts_with('n'), event.address, 0);
    case message: {
        const auto& text = server.message();
        require(text.size() <= options.message_bytes);
        require(!server.recipients().empty() && server.recipients().size() <= options.recipients);
        for (std::size_t at = text.find('\n'); at != text.npos; at = text.find('\n', at + 1))
            require(at > 0 && text[at - 1] == '\r');
        all.events.push_back("message " + text);
        return server.reply_message(text.find('r') == text.npos ? 250 : 554, text);
    }
    case start_tls:
        all.events.emplace_back("tls");
        return server.tls_started();
    case close:
        all.closed = true;
        return;
    }
}

transcript converse(std::string_view bytes, const wire::smtp_server_options& options, std::size_t piece) {
    wire::smtp_server server(options);
    transcript all;
    server.greet();
    all.out = server.output();
    while (!bytes.empty()) {
        // piece 0: a line at a time, so that commands can be counted
        const auto line = bytes.substr(0, bytes.find('\n') + (bytes.find('\n') != bytes.npos));
        const auto part = piece ? bytes.substr(0, piece) : line;
        const bool command = !server.in_message() && !all.closed;
        server.feed(part);
        while (const auto event = server.next())
            answer(server, *event, all, options);
        const auto out = server.output();
        const auto replies = check_replies(out);
        if (piece == 0 && command && line.ends_with('\n') && !base::iequals(line.substr(0, 4), "BDAT"))
            require(replies == 1);
        all.out += out;
        require(server.message().capacity() <= std::max<std::size_t>(options.message_bytes, 64 * 1024));
        bytes.remove_prefix(part.size());
    }
    return all;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0)
        return 0;
    const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
    wire::smtp_server_options options;
    options.host_name = "fuzz.example";
    options.lmtp = (data[0] & 1) != 0;
    options.offer_starttls = (data[0] & 2) != 0;
    options.require_starttls = (data[0] & 6) == 6;
    options.message_bytes = (data[0] & 8) != 0 ? 40 : 4'000;
    options.recipients = 3;
    options.command_bytes = 120;
    options.errors = (data[0] & 16) != 0 ? 5 : 1'000;
    options.messages = 4;
    const auto by_lines = converse(bytes, options, 0);
    // Clear text behind STARTTLS is thrown away: there the cuts make a difference, and must.
    if (std::ranges::find(by_lines.events, "tls") == by_lines.events.end()) {
        require(converse(bytes, options, size) == by_lines);
        require(converse(bytes, options, 1) == by_lines);
        require(converse(bytes, options, 7) == by_lines);
    } else {
        converse(bytes, options, size);
        converse(bytes, options, 7);
    }
    return 0;
}
