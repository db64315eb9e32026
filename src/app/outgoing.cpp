// SPDX-License-Identifier: Apache-2.0
#include "app/outgoing.h"

#include "app/typed.h"
#include "base/encode.h"
#include "base/text.h"
#include "io/http_client.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

#include <sys/random.h>

namespace mailtight::app {

namespace {

constexpr std::size_t secret_bytes = 64 * 1024;

/// The first line of a file with a secret.
std::expected<std::string, std::string> secret_of(const std::string& file) {
    auto bytes = read_bytes(file, secret_bytes);
    if (!bytes)
        return std::unexpected(bytes.error());
    return std::string(base::trim(std::string_view(*bytes).substr(0, bytes->find('\n'))));
}

/// RFC 2047 encoded words where the text is more than printable ASCII, folded between words.
std::string header_text(const std::string& text) {
    const std::string clean = base::printable(text);
    if (std::ranges::all_of(clean, [](char c) { return c >= ' ' && c <= '~'; }) && clean.size() < 900)
        return clean;
    std::string out;
    for (std::size_t at = 0; at < clean.size();) {
        std::size_t end = std::min(clean.size(), at + 42); // 42 bytes are 56 letters of base64
        while (end < clean.size() && end > at + 1 && (static_cast<unsigned char>(clean[end]) & 0xC0) == 0x80)
            --end; // no word ends within a character
        out +=
            fmt::format("{}=?utf-8?B?{}?=", at == 0 ? "" : "\r\n ", base::base64(clean.substr(at, end - at)));
        at = end;
    }
    return out;
}

} // namespace

std::string hmac_sha256(std::string_view key, std::string_view bytes) {
    constexpr std::size_t block = 64;
    std::string padded = key.size() > block ? base::sha256(key) : std::string(key);
    padded.resize(block, '\0');
    std::string inner = padded, outer = padded;
    for (char& c : inner)
        c = static_cast<char>(c ^ 0x36);
    for (char& c : outer)
        c = static_cast<char>(c ^ 0x5c);
    return base::sha256(outer + base::sha256(inner + std::string(bytes)));
}

std::string random_token(std::size_t bytes) {
    std::string raw(bytes, '\0');
    if (::getrandom(raw.data(), raw.size(), 0) != static_cast<ssize_t>(raw.size()))
        throw std::runtime_error("the kernel gives no random bytes");
    return base::base32(raw);
}

std::expected<io::mail_route, std::string> mail_route(const settings& from, const std::string& own_name) {
    using kind = io::mail_route::kind;
    io::mail_route route;
    route.how = from.mail_route == "direct"    ? kind::direct
                : from.mail_route == "command" ? kind::command
                                               : kind::smart_host;
    route.host = from.mail_host;
    route.port = from.mail_port;
    route.user = from.mail_user;
    route.command = from.mail_command;
    route.helo = own_name;
    route.mx_port = from.smtp_port;
    if (!from.mail_password_file.empty()) {
        auto secret = secret_of(from.mail_password_file);
        if (!secret)
            return std::unexpected(secret.error());
        route.password = *secret;
    }
    return route;
}

std::string sender_address(const settings& from, const std::string& own_name) {
    return from.mail_from.empty() ? "mailtight@" + own_name : from.mail_from;
}

std::string text_message(const insight::letter& letter, const std::string& from,
                         const std::vector<std::string>& to, const std::string& own_name,
                         base::utc_seconds now, std::string_view unique) {
    std::string out = fmt::format("Date: {:%a, %d %b %Y %H:%M:%S} +0000\r\nFrom: Mailtight <{}>\r\nTo: {}\r\n"
                                  "Subject: {}\r\nMessage-ID: <{}@{}>\r\nAuto-Submitted: auto-generated\r\n"
                                  "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
                                  "Content-Transfer-Encoding: base64\r\n\r\n",
                                  fmt::gmtime(now.time_since_epoch().count()), from, base::join(to, ", "),
                                  header_text(letter.subject), unique, own_name);
    const std::string body = base::base64(letter.text);
    for (std::size_t at = 0; at < body.size(); at += 76)
        out += body.substr(at, 76) + "\r\n";
    return out;
}

io::task<std::expected<void, std::string>> send_letter(world& with, const settings& from,
                                                       insight::letter letter, std::vector<std::string> to) {
    const std::string own_name = with.probes.ehlo_name;
    auto route = mail_route(from, own_name);
    if (!route)
        co_return std::unexpected(route.error());
    wire::outgoing_mail mail;
    mail.sender = sender_address(from, own_name);
    mail.recipients = to;
    mail.message = text_message(letter, mail.sender, to, own_name, with.clock.now(), random_token());
    // A copy, so that the temporaries of this statement are none of the coroutine's business.
    const io::mail_route by = *route;
    auto sent =
        co_await io::send_mail(with.loop, *with.dns, *with.tls, with.guard, with.clock, by, std::move(mail));
    if (!sent.outcome.accepted)
        co_return std::unexpected(fmt::format("{} at {}: {}{}", sent.outcome.stage,
                                              sent.server.empty() ? route->host : sent.server,
                                              sent.outcome.code ? fmt::format("{} ", sent.outcome.code) : "",
                                              base::printable(sent.outcome.text, 300)));
    co_return std::expected<void, std::string>{};
}

std::string webhook_signature(std::string_view secret, std::string_view body, base::utc_seconds now) {
    const auto time = now.time_since_epoch().count();
    return fmt::format("t={},v1={}", time, base::hex(hmac_sha256(secret, fmt::format("{}.{}", time, body))));
}

io::task<std::expected<void, std::string>> post_webhook(world& with, const settings& from, std::string body) {
    io::http_call call;
    call.url = from.webhook;
    call.exempt = true; // the operator named it
    call.fields = {{"Content-Type", "application/json"}, {"User-Agent", "mailtight"}};
    if (!from.webhook_secret_file.empty()) {
        auto secret = secret_of(from.webhook_secret_file);
        if (!secret)
            co_return std::unexpected(secret.error());
        call.fields.emplace_back("Mailtight-Signature", webhook_signature(*secret, body, with.clock.now()));
    }
    call.body = std::move(body);
    auto answer =
        co_await io::http_request(with.loop, *with.dns, *with.tls, with.guard, with.clock, std::move(call));
    if (answer.status == 0)
        co_return std::unexpected(fmt::format("{}: {}", from.webhook, base::printable(answer.error, 300)));
    if (answer.status < 200 || answer.status > 299)
        co_return std::unexpected(fmt::format("{} answered with status {}", from.webhook, answer.status));
    co_return std::expected<void, std::string>{};
}

} // namespace mailtight::app
