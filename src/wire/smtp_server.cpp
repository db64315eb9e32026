// SPDX-License-Identifier: Apache-2.0
// One entry: smtp_server::feed. Bytes go to what they belong to (a command line, the rest of a line that is
// too long, DATA, a BDAT chunk) until the owner must answer; what follows waits in held_ and goes on with the
// answer. So replies leave in the order of the commands (RFC 2920 §3.2), and a command of a pipelined group
// never overtakes a decision.
#include "wire/smtp_server.h"

#include "base/text.h"
#include "wire/bounded.h"
#include "wire/smtp_data.h"
#include "wire/smtp_path.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <utility>

namespace mailtight::wire {

namespace {

constexpr std::size_t reply_text_bytes = 400; // RFC 5321 §4.5.3.1.5: a reply line has at most 512
constexpr std::size_t idle_commands = 100;    // that lead nowhere, before they count as wrong

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

std::optional<std::uint64_t> number(std::string_view text) {
    std::uint64_t value = 0;
    const auto end = text.data() + text.size();
    const auto [at, wrong] = std::from_chars(text.data(), end, value);
    if (text.empty() || text.size() > 20 || wrong != std::errc{} || at != end)
        return std::nullopt;
    return value;
}

} // namespace

struct smtp_server::machine {
    explicit machine(smtp_server_options with)
        : options(std::move(with))
        , data(options.message_bytes) {}

    enum class mode {
        commands,
        long_line, ///< the rest of a line beyond the limit is skipped
        data,
        chunk,
        handshake, ///< between the 220 of STARTTLS and tls_started()
        closed,
    };
    enum class question { none, recipient, message };

    // ---- bytes ----
    void feed(std::string_view bytes);
    void resume();
    std::size_t run(std::string_view bytes);
    std::size_t take_line(std::string_view bytes);
    std::size_t take_chunk(std::string_view bytes);
    bool takes_bytes() const { return at != mode::handshake && at != mode::closed; }

    // ---- commands ----
    void on_line(std::string_view text);
    void on_hello(std::string_view verb, std::string_view argument);
    void on_mail(std::string_view argument);
    void on_rcpt(std::string_view argument);
    void on_data(std::string_view argument);
    void on_bdat(std::string_view argument);
    void on_starttls(std::string_view argument);
    void end_of_chunk();
    void end_of_mail();

    // ---- replies ----
    void reply(int code, std::string_view enhanced, std::string_view text);
    void reply_with(int code, std::string_view text, std::string_view enhanced);
    void wrong(int code, std::string_view enhanced, std::string_view text);
    void idle(int code, std::string_view enhanced, std::string_view text);
    void flood();
    void close();
    void answered();
    void reset_transaction();

    smtp_server_options options;
    mode at = mode::commands;
    question asked = question::none;
    std::optional<smtp_event> event;
    std::optional<std::string> parting; ///< shut_down() came while an answer was awaited
    std::string out, line;
    std::string held; ///< bytes behind a question
    std::size_t held_at = 0;

    bool tls = false;
    std::string helo;
    bool in_mail = false; ///< MAIL was accepted
    std::string sender, candidate;
    std::vector<std::string> recipients;
    bool any_refused = false; ///< a RCPT of this mail was refused: a pipelined DATA behind it is no error
    smtp_data data;
    bool in_chunks = false;  ///< BDAT has begun this mail
    bool chunk_kept = false; ///< the chunk under way belongs to a mail
    bool last_chunk = false; ///< and is its last
    std::uint64_t chunk_size = 0, chunk_left = 0;
    std::size_t errors = 0, idles = 0, messages = 0;
};

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

// ---- commands ------------------------------------------------------------------------------------

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
