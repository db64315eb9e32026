// SPDX-License-Identifier: Apache-2.0
// One entry: smtp_client::feed. One command, one reply, then the next; nothing is pipelined, since one mail a
// day is not in a hurry. Every reply goes to the stage it belongs to, and every stage ends in the next
// command or in an outcome.
#include "wire/smtp_client.h"

#include "base/encode.h"
#include "base/text.h"
#include "wire/smtp_reply.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <utility>

namespace mailtight::wire {

namespace {

constexpr std::size_t address_bytes = 254; // RFC 5321 §4.5.3.1.3 without the brackets
constexpr std::size_t shown_bytes = 500;

/// Safe inside the brackets of MAIL and RCPT, and in one line.
bool is_address(std::string_view text) {
    return text.size() <= address_bytes &&
           std::ranges::none_of(text, [](char c) { return c < ' ' || c > '~' || c == '<' || c == '>'; });
}

/// Dot-stuffed (RFC 5321 §4.5.2), every line end a CRLF, ended by CRLF.CRLF. A bare CR or LF in the mail
/// would be an end of line to some servers and not to others: here it is one to all.
std::string stuffed(std::string_view message) {
    std::string out;
    out.reserve(message.size() + message.size() / 32 + 8);
    while (!message.empty()) {
        const auto end = message.find_first_of("\r\n");
        if (message.front() == '.')
            out += '.';
        out += message.substr(0, end);
        out += "\r\n";
        if (end == message.npos)
            break;
        message.remove_prefix(end + (message.substr(end, 2) == "\r\n" ? 2 : 1));
    }
    out += ".\r\n";
    return out;
}

/// The code at the beginning of a reply's text (RFC 3463), or "".
std::string enhanced_of(const smtp_reply& reply) {
    if (reply.lines.empty())
        return {};
    const std::string_view line = reply.lines.front();
    const auto word = line.substr(0, line.find(' '));
    const auto parts = base::split(word, '.');
    const bool well_formed =
        parts.size() == 3 && std::ranges::all_of(parts, [](std::string_view part) {
            return !part.empty() && part.size() <= 3 && std::ranges::all_of(part, base::is_digit);
        });
    return well_formed && parts[0] == std::to_string(reply.code / 100) ? std::string(word) : std::string();
}

/// The words behind a keyword in the reply to EHLO, all lines of that keyword together.
std::vector<std::string_view> words_of(const std::vector<std::string>& capabilities,
                                       std::string_view keyword) {
    std::vector<std::string_view> words;
    for (const std::string_view line : capabilities) {
        const auto end = line.find_first_of(" \t=");
        if (end == line.npos || !base::iequals(line.substr(0, end), keyword))
            continue;
        for (const auto word : base::split(line.substr(end + 1), ' '))
            if (!word.empty())
                words.push_back(word);
    }
    return words;
}

} // namespace

struct smtp_client::machine {
    enum class stage {
        greeting,
        ehlo,
        helo,
        starttls,
        handshake,
        auth_plain,
        auth_login,
        auth_user,
        auth_password,
        mail,
        rcpt,
        data,
        message,
        quit,
        over,
    };

    machine(smtp_client_options with, outgoing_mail what)
        : options(std::move(with))
        , mail(std::move(what)) {}

    void on_reply(const smtp_reply& reply);
    void on_ehlo(const smtp_reply& reply);
    void on_auth(const smtp_reply& reply);
    void on_rcpt(const smtp_reply& reply);
    void on_message(const smtp_reply& reply);
    void say_ehlo();
    void say_auth();
    void say_mail();
    void say_rcpt();
    void command(stage next, std::string_view line);
    void refused(std::string_view where, const smtp_reply& reply);
    void note(std::string_view where, const smtp_reply& reply);
    void finish(std::string_view where, std::string_view text, bool temporary);
    void quit();
    void drop(std::string_view text);
    std::string_view stage_name() const;

    smtp_client_options options;
    outgoing_mail mail;
    smtp_reply_reader reader;
    stage at = stage::greeting;
    bool tls = false;
    bool starttls_refused = false;
    bool any_temporary = false; ///< among the refusals of recipients
    std::vector<std::string> capabilities;
    std::vector<std::string> taken; ///< recipients
    std::size_t recipient = 0;      ///< the one whose RCPT, or under LMTP whose last reply, is awaited
    std::string out;
    smtp_client_outcome outcome;
};

// ---- replies -------------------------------------------------------------------------------------

void smtp_client::machine::on_reply(const smtp_reply& reply) {
    switch (at) {
    case stage::greeting:
        return reply.code == 220 ? say_ehlo() : refused("greeting", reply);
    case stage::ehlo:
        return on_ehlo(reply);
    case stage::helo:
        return reply.positive() ? say_auth() : refused("EHLO", reply);
    case stage::starttls:
        if (reply.code == 220) {
            at = stage::handshake; // 3207-4-b: nothing is sent before it
            return;
        }
        // Opportunistic: a server that cannot today (454) is written to in clear text.
        starttls_refused = true;
        return reply.positive() ? refused("STARTTLS", reply) : say_auth();
    case stage::auth_plain:
    case stage::auth_login:
    case stage::auth_user:
    case stage::auth_password:
        return on_auth(reply);
    case stage::mail:
        return reply.positive() ? say_rcpt() : refused("MAIL", reply);
    case stage::rcpt:
        return on_rcpt(reply);
    case stage::data:
        if (reply.code != 354)
            return refused("DATA", reply);
        at = stage::message;
        recipient = 0;
        out = stuffed(mail.message);
        return;
    case stage::message:
        return on_message(reply);
    case stage::quit:
        at = stage::over;
        return;
    case stage::handshake:
    case stage::over:
        return;
    }
}

void smtp_client::machine::on_ehlo(const smtp_reply& reply) {
    // RFC 5321 §3.2: a server that knows no EHLO is greeted with HELO. LMTP has nothing older.
    if (reply.permanent() && !options.lmtp && !tls)
        return command(stage::helo, "HELO " + options.helo);
    if (!reply.positive())
        return refused("EHLO", reply);
    capabilities = ehlo_capabilities(reply);
    if (options.start_tls && !tls && has_capability(capabilities, "STARTTLS"))
        return command(stage::starttls, "STARTTLS"); // 3207-4-a: no parameter
    say_auth();
}

void smtp_client::machine::on_auth(const smtp_reply& reply) {
    if (reply.code == 235)
        return say_mail();
    if (reply.code == 334) {
        switch (std::exchange(at, stage::over)) {
        case stage::auth_plain: // the initial response was not taken: once more by itself
            return command(stage::auth_password, base::base64(std::string(1, '\0') + options.user +
                                                              std::string(1, '\0') + options.password));
        case stage::auth_login:
            return command(stage::auth_user, base::base64(options.user));
        case stage::auth_user:
            return command(stage::auth_password, base::base64(options.password));
        default:
            return finish("AUTH", "the server asks for more than user and password", false);
        }
    }
    refused("AUTH", reply);
}

void smtp_client::machine::on_rcpt(const smtp_reply& reply) {
    note("RCPT", reply);
    any_temporary = any_temporary || outcome.temporary;
    auto& address = mail.recipients[recipient];
    if (reply.positive())
        taken.push_back(std::move(address));
    else
        outcome.refused.push_back(std::move(address));
    if (reply.code == 421) // the server closes
        return quit();
    if (++recipient < mail.recipients.size())
        return say_rcpt();
    if (!taken.empty())
        return command(stage::data, "DATA");
    outcome.temporary = any_temporary;
    quit();
}

void smtp_client::machine::on_message(const smtp_reply& reply) {
    if (recipient == 0)
        any_temporary = false;
    // Where one recipient is served, the outcome is of that one; the others show in `refused`.
    if (!outcome.accepted) {
        note("message", reply);
        any_temporary = any_temporary || outcome.temporary;
        outcome.accepted = reply.positive();
        outcome.temporary = !outcome.accepted && any_temporary;
    }
    if (!options.lmtp)
        return quit();
    // RFC 2033 §4.2: one reply for each recipient that was taken, in their order.
    if (!reply.positive())
        outcome.refused.push_back(taken[recipient]);
    if (++recipient == taken.size())
        quit();
}

// ---- commands ------------------------------------------------------------------------------------

void smtp_client::machine::say_ehlo() {
    command(stage::ehlo, (options.lmtp ? "LHLO " : "EHLO ") + options.helo);
}

void smtp_client::machine::say_auth() {
    if (options.user.empty())
        return say_mail();
    if (!tls && !options.auth_allowed_plain)
        return finish("AUTH", "without TLS the password is not sent", starttls_refused);
    const auto offered = words_of(capabilities, "AUTH");
    const auto offers = [&](std::string_view mechanism) {
        return std::ranges::any_of(offered,
                                   [&](std::string_view one) { return base::iequals(one, mechanism); });
    };
    if (offers("PLAIN")) // RFC 4616, with the initial response of RFC 4954 §4
        return command(stage::auth_plain,
                       "AUTH PLAIN " + base::base64(std::string(1, '\0') + options.user +
                                                    std::string(1, '\0') + options.password));
    if (offers("LOGIN"))
        return command(stage::auth_login, "AUTH LOGIN");
    finish("AUTH", "the server offers neither AUTH PLAIN nor AUTH LOGIN", false);
}

void smtp_client::machine::say_mail() {
    std::string line = fmt::format("MAIL FROM:<{}>", mail.sender);
    if (has_capability(capabilities, "SIZE")) { // RFC 1870
        const auto words = words_of(capabilities, "SIZE");
        const auto limit = words.empty() ? std::string_view() : words.front();
        std::uint64_t most = 0; // 0: no limit is told
        std::from_chars(limit.data(), limit.data() + limit.size(), most);
        if (most > 0 && mail.message.size() > most)
            return finish("MAIL", fmt::format("the server takes mails up to {} bytes", most), false);
        line += fmt::format(" SIZE={}", mail.message.size());
    }
    const bool beyond_ascii =
        std::ranges::any_of(mail.message, [](char c) { return static_cast<unsigned char>(c) >= 0x80; });
    if (beyond_ascii) { // RFC 6152 §3: never without the server's word
        if (!has_capability(capabilities, "8BITMIME"))
            return finish("MAIL", "the mail has 8-bit bytes, and the server does not offer 8BITMIME", false);
        line += " BODY=8BITMIME";
    }
    command(stage::mail, line);
}

void smtp_client::machine::say_rcpt() {
    command(stage::rcpt, fmt::format("RCPT TO:<{}>", mail.recipients[recipient]));
}

void smtp_client::machine::command(stage next, std::string_view line) {
    at = next;
    out = std::string(line) + "\r\n";
}

// ---- outcomes ------------------------------------------------------------------------------------

void smtp_client::machine::note(std::string_view where, const smtp_reply& reply) {
    outcome.temporary = !reply.positive() && !reply.permanent();
    outcome.code = reply.code;
    outcome.enhanced = enhanced_of(reply);
    outcome.text = base::printable(reply.text(), shown_bytes);
    outcome.stage = where;
}

void smtp_client::machine::refused(std::string_view where, const smtp_reply& reply) {
    if (reply.positive()) // 250 where 354 is due, and the like
        return drop(fmt::format("{} was answered with {}", where, reply.code));
    note(where, reply);
    quit();
}

void smtp_client::machine::finish(std::string_view where, std::string_view text, bool temporary) {
    outcome.stage = where;
    outcome.text = text;
    outcome.temporary = temporary;
    quit();
}

void smtp_client::machine::quit() {
    command(stage::quit, "QUIT");
}

/// Ends without another word. Where the fate of the mail is known (QUIT), nothing changes it.
void smtp_client::machine::drop(std::string_view text) {
    if (at == stage::message && outcome.accepted) { // LMTP: the replies for the rest never came
        const auto rest = taken.begin() + static_cast<std::ptrdiff_t>(recipient);
        outcome.refused.insert(outcome.refused.end(), rest, taken.end());
    } else if (at != stage::quit) {
        outcome.stage = stage_name();
        outcome.text = base::printable(text, shown_bytes);
        outcome.temporary = true;
        outcome.code = 0;
        outcome.enhanced.clear();
    }
    at = stage::over;
    out.clear();
}

std::string_view smtp_client::machine::stage_name() const {
    switch (at) {
    case stage::greeting:
        return "greeting";
    case stage::ehlo:
    case stage::helo:
        return "EHLO";
    case stage::starttls:
    case stage::handshake:
        return "STARTTLS";
    case stage::auth_plain:
    case stage::auth_login:
    case stage::auth_user:
    case stage::auth_password:
        return "AUTH";
    case stage::mail:
        return "MAIL";
    case stage::rcpt:
        return "RCPT";
    case stage::data:
        return "DATA";
    case stage::message:
    case stage::quit:
    case stage::over:
        return "message";
    }
    return "";
}

// ---- what the owner calls ------------------------------------------------------------------------

smtp_client::smtp_client(smtp_client_options options, outgoing_mail mail)
    : machine_(std::make_shared<machine>(std::move(options), std::move(mail))) {
    auto& m = *machine_;
    const auto never = [&](std::string_view where, std::string_view text) {
        m.outcome.stage = where;
        m.outcome.text = text;
        m.at = machine::stage::over;
    };
    const auto& name = m.options.helo;
    if (name.empty() || !is_address(name) || name.find(' ') != name.npos)
        never("EHLO", "the name to greet with is none");
    else if (m.options.user.find('\0') != std::string::npos ||
             m.options.password.find('\0') != std::string::npos)
        never("AUTH", "a NUL in user or password");
    else if (!is_address(m.mail.sender))
        never("MAIL", "the sender is no address");
    else if (m.mail.recipients.empty() || !std::ranges::all_of(m.mail.recipients, is_address) ||
             std::ranges::any_of(m.mail.recipients, &std::string::empty))
        never("RCPT", "a recipient is no address, or there is none");
}

void smtp_client::feed(std::string_view bytes) {
    using stage = machine::stage;
    auto& m = *machine_;
    while (!bytes.empty() && m.at != stage::over) {
        if (m.at == stage::handshake) // 3207-4-c: clear text behind the 220 is from whoever sits on the path
            return m.drop("plaintext bytes follow the 220 of STARTTLS");
        if (!m.out.empty())
            return m.drop("the server speaks before it was asked");
        bytes.remove_prefix(m.reader.feed(bytes));
        if (m.reader.error())
            return m.drop(explain(*m.reader.error()));
        if (!m.reader.complete())
            return;
        m.on_reply(m.reader.take());
    }
}

smtp_client_step smtp_client::step() {
    const auto& m = *machine_;
    if (!m.out.empty())
        return smtp_client_step::send;
    if (m.at == machine::stage::over)
        return smtp_client_step::done;
    return m.at == machine::stage::handshake ? smtp_client_step::start_tls : smtp_client_step::need_bytes;
}

std::string smtp_client::output() {
    return std::exchange(machine_->out, {});
}

void smtp_client::tls_started() {
    auto& m = *machine_;
    if (m.at != machine::stage::handshake)
        return;
    m.tls = true;
    // 3207-4.2-a: what was learnt in clear text is forgotten; EHLO is said again.
    m.capabilities.clear();
    m.reader = {};
    m.say_ehlo();
}

void smtp_client::tls_failed() {
    if (machine_->at == machine::stage::handshake)
        machine_->drop("the TLS handshake failed");
}

void smtp_client::connection_lost(std::string_view why) {
    if (machine_->at != machine::stage::over)
        machine_->drop(why);
}

const smtp_client_outcome& smtp_client::outcome() const {
    return machine_->outcome;
}

} // namespace mailtight::wire
