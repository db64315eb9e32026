// SPDX-License-Identifier: Apache-2.0
// One entry: smtp_server::feed. Bytes go to what they belong to (a command line, the rest of a line that is
// too long, DATA, a BDAT chunk) until the owner must answer; what follows waits in `held` and goes on with
// the answer. So replies leave in the order of the commands (RFC 2920 §3.2), and a command of a pipelined
// group never overtakes a decision.
#include "wire/smtp_server.h"

#include "base/text.h"
#include "wire/bounded.h"
#include "wire/smtp_server_machine.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace mailtight::wire {

namespace {

constexpr std::size_t reply_text_bytes = 400; // RFC 5321 §4.5.3.1.5: a reply line has at most 512

/// Text from elsewhere inside a reply: printable ASCII in one line, whatever came.
std::string one_line(std::string_view text) {
    std::string line(text.substr(0, reply_text_bytes));
    std::ranges::replace_if(line, [](char c) { return c < ' ' || c > '~'; }, '?');
    return line;
}

/// True where the text begins with an enhanced status code (RFC 3463) of this class.
bool has_enhanced(std::string_view text, int code) {
    const auto word = text.substr(0, text.find(' '));
    const auto parts = base::split(word, '.');
    const auto number = [](std::string_view part) {
        return !part.empty() && part.size() <= 3 && std::ranges::all_of(part, base::is_digit);
    };
    return parts.size() == 3 && parts[0].size() == 1 && parts[0][0] == '0' + code / 100 && number(parts[1]) &&
           number(parts[2]);
}

} // namespace

// ---- bytes ---------------------------------------------------------------------------------------

void smtp_server::machine::feed(std::string_view bytes) {
    if (!takes_bytes())
        return; // 3207-4-c: and what comes in clear text behind STARTTLS never counts
    if (asked != question::none) {
        held.erase(0, std::exchange(held_at, 0));
        held += bytes;
        return;
    }
    const auto used = run(bytes);
    if (takes_bytes())
        held += bytes.substr(used);
}

/// Goes on with what waited for an answer.
void smtp_server::machine::resume() {
    if (takes_bytes())
        held_at += run(std::string_view(held).substr(held_at));
    if (!takes_bytes() || held_at == held.size()) {
        held_at = 0;
        forget(held);
    }
}

std::size_t smtp_server::machine::run(std::string_view bytes) {
    std::size_t used = 0;
    while (used < bytes.size() && asked == question::none && takes_bytes()) {
        const auto rest = bytes.substr(used);
        if (at == mode::data) {
            used += data.lines(rest);
            if (data.ended())
                end_of_mail();
        } else if (at == mode::chunk) {
            used += take_chunk(rest);
        } else {
            used += take_line(rest);
        }
    }
    return used;
}

/// Gathers up to LF: commands may end in a bare LF, since no end of a mail is decided here.
std::size_t smtp_server::machine::take_line(std::string_view bytes) {
    const auto end = bytes.find('\n');
    const auto part = bytes.substr(0, end);
    const auto used = end == bytes.npos ? part.size() : end + 1;
    // One byte more than the limit is kept for the CR.
    if (at == mode::commands && part.size() > options.command_bytes + 1 - line.size()) {
        at = mode::long_line;
        line.clear();
    }
    if (at == mode::commands)
        line += part;
    if (end == bytes.npos)
        return used;
    if (at == mode::commands && line.ends_with('\r'))
        line.pop_back();
    const bool too_long = at == mode::long_line || line.size() > options.command_bytes;
    at = mode::commands;
    const auto text = std::exchange(line, {});
    if (too_long)
        wrong(500, "5.5.2", "line too long");
    else
        on_line(text);
    return used;
}

std::size_t smtp_server::machine::take_chunk(std::string_view bytes) {
    const auto part =
        bytes.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(chunk_left, bytes.size())));
    if (chunk_kept)
        data.chunk(part);
    chunk_left -= part.size();
    if (chunk_left == 0)
        end_of_chunk();
    return part.size();
}

// ---- replies -------------------------------------------------------------------------------------

void smtp_server::machine::reply(int code, std::string_view enhanced, std::string_view text) {
    out += fmt::format("{} {} {}\r\n", code, enhanced, text);
}

/// A reply with the owner's text, which may bring its own enhanced code.
void smtp_server::machine::reply_with(int code, std::string_view text, std::string_view enhanced) {
    const auto words = one_line(text);
    if (has_enhanced(words, code))
        out += fmt::format("{} {}\r\n", code, words);
    else
        reply(code, enhanced, words);
}

/// A command that should not have come; the last of too many is answered with 421.
void smtp_server::machine::wrong(int code, std::string_view enhanced, std::string_view text) {
    if (++errors < options.errors)
        return reply(code, enhanced, text);
    reply(421, "4.7.0", "too many errors");
    close();
}

/// A command that leads nowhere; many of them without a mail are a flood.
void smtp_server::machine::idle(int code, std::string_view enhanced, std::string_view text) {
    if (++idles <= idle_commands)
        return reply(code, enhanced, text);
    flood();
}

void smtp_server::machine::flood() {
    wrong(450, "4.7.1", "so many commands, and no mail");
}

void smtp_server::machine::close() {
    at = mode::closed;
    asked = question::none;
    event = smtp_event{smtp_event::kind::close, {}};
    reset_transaction();
    forget(line, 0);
    data.clear();
}

/// Behind every answer of the owner's: a shut_down() that waited for it, or the bytes that did.
void smtp_server::machine::answered() {
    if (parting && at != mode::closed) {
        reply(421, "4.3.2", *parting);
        close();
    }
    resume();
}

void smtp_server::machine::reset_transaction() {
    in_mail = in_chunks = any_refused = false;
    sender.clear();
    recipients.clear();
    data.clear();
}

// ---- what the owner calls ------------------------------------------------------------------------

smtp_server::smtp_server(smtp_server_options options)
    : machine_(std::make_shared<machine>(std::move(options))) {}

void smtp_server::greet(bool refuse) {
    auto& m = *machine_;
    if (!refuse) {
        m.out +=
            fmt::format("220 {} {} Mailtight\r\n", m.options.host_name, m.options.lmtp ? "LMTP" : "ESMTP");
        return;
    }
    m.out += fmt::format("421 {} no service now, please try again later\r\n", m.options.host_name);
    m.close();
}

void smtp_server::feed(std::string_view bytes) {
    machine_->feed(bytes);
}

std::optional<smtp_event> smtp_server::next() {
    return std::exchange(machine_->event, std::nullopt);
}

void smtp_server::reply_recipient(bool accept, std::string_view text, int code) {
    auto& m = *machine_;
    if (m.asked != machine::question::recipient)
        return;
    m.asked = machine::question::none;
    m.event.reset();
    if (accept) {
        m.recipients.push_back(std::move(m.candidate));
        m.reply_with(code / 100 == 2 ? code : 250, text.empty() ? "recipient taken" : text, "2.1.5");
    } else {
        m.any_refused = true;
        const int with = code >= 400 && code < 600 ? code : 550;
        // Guessing recipients counts as a fault; under LMTP the client is one's own server, which only asks.
        if (with >= 500 && !m.options.lmtp && ++m.errors >= m.options.errors) {
            m.reply(421, "4.7.0", "too many errors");
            m.close();
        } else {
            m.reply_with(with, text.empty() ? "no such recipient" : text, with < 500 ? "4.3.0" : "5.1.1");
            if (with == 421)
                m.close();
        }
    }
    m.candidate.clear();
    m.answered();
}

void smtp_server::reply_message(int code, std::string_view text) {
    auto& m = *machine_;
    if (m.asked != machine::question::message)
        return;
    m.asked = machine::question::none;
    m.event.reset();
    const int with = code / 100 == 2 || (code >= 400 && code < 600) ? code : 451;
    const auto enhanced = with < 300 ? "2.0.0" : with < 500 ? "4.3.0" : "5.6.0";
    // RFC 2033 §4.2: one reply for each recipient that was accepted, in their order.
    for (std::size_t n = m.options.lmtp ? m.recipients.size() : 1; n > 0; --n)
        m.reply_with(with, text.empty() ? (with < 300 ? "stored" : "not stored") : text, enhanced);
    m.reset_transaction();
    ++m.messages;
    if (with < 300)
        m.errors = m.idles = 0;
    if (with == 421)
        m.close();
    m.answered();
}

void smtp_server::tls_started() {
    auto& m = *machine_;
    if (m.at != machine::mode::handshake)
        return;
    m.at = machine::mode::commands;
    m.event.reset();
    m.tls = true;
    // 3207-4.2-a: the client is nobody again until it says EHLO inside TLS.
    m.helo.clear();
    m.line.clear();
    m.reset_transaction();
    if (m.parting)
        m.answered();
}

std::string smtp_server::output() {
    return std::exchange(machine_->out, {});
}

const std::string& smtp_server::message() const {
    return machine_->data.text();
}
const std::vector<std::string>& smtp_server::recipients() const {
    return machine_->recipients;
}
const std::string& smtp_server::sender() const {
    return machine_->sender;
}
const std::string& smtp_server::helo() const {
    return machine_->helo;
}
bool smtp_server::in_message() const {
    return machine_->at == machine::mode::data || machine_->at == machine::mode::chunk;
}

void smtp_server::shut_down(std::string_view text) {
    auto& m = *machine_;
    if (m.at == machine::mode::closed)
        return;
    const bool waits = m.asked != machine::question::none || m.at == machine::mode::handshake;
    m.parting = one_line(text);
    if (!waits)
        m.answered();
}

} // namespace mailtight::wire
