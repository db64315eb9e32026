// SPDX-License-Identifier: Apache-2.0
// The commands of SMTP and LMTP. One entry: on_line, with one whole line; and end_of_mail, where the content
// of a mail ends. Every command leads to exactly one reply, but BDAT, whose reply follows its chunk.
#include "base/text.h"
#include "wire/smtp_path.h"
#include "wire/smtp_server_machine.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace mailtight::wire {

namespace {

std::optional<std::uint64_t> number(std::string_view text) {
    std::uint64_t value = 0;
    const auto end = text.data() + text.size();
    const auto [at, wrong] = std::from_chars(text.data(), end, value);
    if (text.empty() || text.size() > 20 || wrong != std::errc{} || at != end)
        return std::nullopt;
    return value;
}

} // namespace

void smtp_server::machine::on_line(std::string_view text) {
    while (!text.empty() && base::is_wsp(text.back()))
        text.remove_suffix(1);
    const auto space = text.find(' ');
    auto argument = space == text.npos ? std::string_view() : text.substr(space + 1);
    std::string verb(text.substr(0, space));
    std::ranges::transform(verb, verb.begin(), base::to_lower);
    const bool clean =
        std::ranges::none_of(text, [](char c) { return (c >= 0 && c < ' ' && c != '\t') || c == 0x7f; });

    // A browser made to talk to this port (cross-protocol attacks such as ALPACA) is not listened to.
    static constexpr std::array<std::string_view, 8> http = {"get",   "post",   "put",     "head",
                                                             "host:", "delete", "options", "connect"};
    if (std::ranges::find(http, verb) != http.end()) {
        reply(554, "5.5.1", "this is no HTTP server");
        return close();
    }
    if (!clean)
        return wrong(500, "5.5.2", "control characters in a command");

    const bool hello = options.lmtp ? verb == "lhlo" : verb == "ehlo" || verb == "helo";
    // RFC 3207 §4: without TLS nothing but NOOP, EHLO, STARTTLS and QUIT is answered otherwise.
    if (options.require_starttls && !tls && verb != "noop" && verb != "ehlo" && verb != "lhlo" &&
        verb != "starttls" && verb != "quit")
        return wrong(530, "5.7.0", "issue STARTTLS first");
    if (hello)
        return on_hello(verb, argument);
    if (verb == "mail")
        return on_mail(argument);
    if (verb == "rcpt")
        return on_rcpt(argument);
    if (verb == "data")
        return on_data(argument);
    if (verb == "bdat")
        return on_bdat(argument);
    if (verb == "starttls")
        return on_starttls(argument);
    if (verb == "rset") {
        if (!argument.empty())
            return wrong(501, "5.5.4", "RSET takes no parameter");
        reset_transaction();
        return idle(250, "2.0.0", "forgotten");
    }
    if (verb == "noop")
        return idle(250, "2.0.0", "done");
    if (verb == "vrfy")
        return idle(252, "2.5.0", "send the mail and see");
    if (verb == "help")
        return idle(214, "2.0.0", "RFC 5321 says it all");
    if (verb == "quit") {
        reply(221, "2.0.0", "goodbye");
        return close();
    }
    if (verb == "expn" || verb == "auth")
        return wrong(502, "5.5.1", "not offered here");
    wrong(500, "5.5.1", "unknown command");
}

void smtp_server::machine::on_hello(std::string_view verb, std::string_view argument) {
    while (argument.starts_with(' '))
        argument.remove_prefix(1);
    const bool graphic = std::ranges::all_of(argument, [](char c) { return c > ' ' && c <= '~'; });
    if (argument.empty() || argument.size() > 255 || !graphic)
        return wrong(501, "5.5.4", "say your host name");
    reset_transaction(); // RFC 5321 §4.1.4
    helo = argument;
    if (++idles > idle_commands)
        return flood();
    // RFC 2034 §3: no enhanced code here.
    if (verb == "helo") {
        out += fmt::format("250 {}\r\n", options.host_name);
        return;
    }
    out += fmt::format("250-{}\r\n250-PIPELINING\r\n250-SIZE {}\r\n250-8BITMIME\r\n", options.host_name,
                       options.message_bytes);
    if (options.offer_starttls && !tls) // 3207-4.2-b: never inside TLS
        out += "250-STARTTLS\r\n";
    out += "250-ENHANCEDSTATUSCODES\r\n250 CHUNKING\r\n";
}

void smtp_server::machine::on_mail(std::string_view argument) {
    if (!base::iequals(argument.substr(0, 5), "FROM:"))
        return wrong(501, "5.5.4", "MAIL FROM:<address>");
    if (helo.empty())
        return wrong(503, "5.5.1", options.lmtp ? "say LHLO first" : "say EHLO first");
    if (in_mail)
        return wrong(503, "5.5.1", "a mail is under way");
    if (messages >= options.messages) {
        reply(421, "4.7.0", "enough mails for one connection, please make a new one");
        return close();
    }
    const auto path = parse_smtp_path(argument.substr(5), smtp_path_kind::sender);
    if (!path) {
        const bool ascii = path.error() != smtp_path_error::not_ascii;
        const bool parameter = path.error() == smtp_path_error::bad_parameter;
        return wrong(ascii ? 501 : 553,
                     !ascii      ? "5.6.7"
                     : parameter ? "5.5.4"
                                 : "5.1.7",
                     explain(path.error()));
    }
    for (const auto& [keyword, value] : path->parameters) {
        if (keyword == "SIZE") { // RFC 1870 §6
            const bool digits =
                !value.empty() && value.size() <= 20 && std::ranges::all_of(value, base::is_digit);
            if (!digits)
                return wrong(501, "5.5.4", "SIZE is a number");
            if (const auto size = number(value); !size || *size > options.message_bytes)
                return wrong(552, "5.3.4", fmt::format("a mail may have {} bytes", options.message_bytes));
        } else if (keyword == "BODY") { // RFC 6152 §2
            if (!base::iequals(value, "7BIT") && !base::iequals(value, "8BITMIME"))
                return wrong(501, "5.5.4", "BODY is 7BIT or 8BITMIME");
        } else {
            return wrong(555, "5.5.4", "a parameter is not offered");
        }
    }
    sender = path->address;
    in_mail = true;
    reply(250, "2.1.0", "sender taken");
}

void smtp_server::machine::on_rcpt(std::string_view argument) {
    if (!base::iequals(argument.substr(0, 3), "TO:"))
        return wrong(501, "5.5.4", "RCPT TO:<address>");
    if (!in_mail || in_chunks)
        return wrong(503, "5.5.1", in_chunks ? "the mail has begun" : "say MAIL first");
    const auto path = parse_smtp_path(argument.substr(3), smtp_path_kind::recipient);
    any_refused = any_refused || !path;
    if (!path) {
        const bool ascii = path.error() != smtp_path_error::not_ascii;
        const bool parameter = path.error() == smtp_path_error::bad_parameter;
        return wrong(ascii ? 501 : 553,
                     !ascii      ? "5.6.7"
                     : parameter ? "5.5.4"
                                 : "5.1.3",
                     explain(path.error()));
    }
    if (!path->parameters.empty()) {
        any_refused = true;
        return wrong(555, "5.5.4", "a parameter is not offered");
    }
    if (recipients.size() >= options.recipients) {
        any_refused = true;
        return idle(452, "4.5.3", "enough recipients for one mail"); // RFC 5321 §4.5.3.1.10
    }
    asked = question::recipient;
    candidate = path->address;
    event = smtp_event{smtp_event::kind::recipient, candidate};
}

void smtp_server::machine::on_data(std::string_view argument) {
    if (!argument.empty())
        return wrong(501, "5.5.4", "DATA takes no parameter");
    if (in_chunks)
        return wrong(503, "5.5.1", "the mail has begun with BDAT"); // RFC 3030 §2
    if (recipients.empty()) {
        // Where a pipelining client was refused every recipient, its DATA comes all the same (RFC 2033 §4.2).
        if (any_refused)
            return idle(503, "5.5.1", "no valid recipients");
        return wrong(503, "5.5.1", in_mail ? "say RCPT first" : "say MAIL first");
    }
    data.clear();
    at = mode::data;
    out += "354 end with <CR><LF>.<CR><LF>\r\n";
}

/// RFC 3030 §2: the chunk follows the line, and is read whatever becomes of it.
void smtp_server::machine::on_bdat(std::string_view argument) {
    const auto space = argument.find(' ');
    const auto size = number(argument.substr(0, space));
    const bool last = space != argument.npos;
    if (!size || (last && !base::iequals(base::trim(argument.substr(space)), "LAST"))) {
        // How many bytes follow is unknown: they must not be read as commands.
        reply(501, "5.5.4", "BDAT size [LAST]");
        return close();
    }
    chunk_size = chunk_left = *size;
    last_chunk = last;
    chunk_kept = !recipients.empty();
    if (chunk_kept && !std::exchange(in_chunks, true))
        data.clear();
    at = mode::chunk;
    if (chunk_left == 0)
        end_of_chunk();
}

void smtp_server::machine::end_of_chunk() {
    at = mode::commands;
    if (!chunk_kept) {
        if (any_refused)
            return idle(503, "5.5.1", "no valid recipients");
        return wrong(503, "5.5.1", in_mail ? "say RCPT first" : "say MAIL first");
    }
    if (last_chunk)
        return end_of_mail();
    if (data.too_large()) {
        reset_transaction();
        any_refused = true; // pipelined chunks that follow are no errors of the client's
        return reply(552, "5.3.4", fmt::format("a mail may have {} bytes", options.message_bytes));
    }
    reply(250, "2.0.0", fmt::format("{} octets received", chunk_size));
}

void smtp_server::machine::end_of_mail() {
    at = mode::commands;
    asked = question::message;
    if (!data.too_large()) {
        event = smtp_event{smtp_event::kind::message, {}};
        return;
    }
    const auto why = fmt::format("a mail may have {} bytes", options.message_bytes);
    for (std::size_t n = options.lmtp ? recipients.size() : 1; n > 0; --n)
        reply(552, "5.3.4", why);
    asked = question::none;
    reset_transaction();
}

void smtp_server::machine::on_starttls(std::string_view argument) {
    if (!argument.empty())
        return wrong(501, "5.5.4", "STARTTLS takes no parameter"); // 3207-4-a
    if (tls)
        return wrong(503, "5.5.1", "TLS is there already");
    if (!options.offer_starttls)
        return wrong(502, "5.5.1", "not offered here");
    if (in_mail)
        return wrong(503, "5.5.1", "a mail is under way");
    reply(220, "2.0.0", "go ahead"); // 3207-4-a
    at = mode::handshake;            // 3207-4-c: from here on clear text is thrown away
    event = smtp_event{smtp_event::kind::start_tls, {}};
}

} // namespace mailtight::wire
