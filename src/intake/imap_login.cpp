// SPDX-License-Identifier: Apache-2.0
#include "intake/imap_login.h"

#include "base/encode.h"
#include "io/http_client.h"

#include <fmt/format.h>

#include <fstream>

namespace mailtight::intake {

namespace {

constexpr std::size_t secret_bytes = 64 * 1024;
constexpr std::chrono::seconds token_margin{60}; // a token is renewed that long before it expires
constexpr std::string_view google_scope = "https://mail.google.com/";

/// A secret from a file, without the line end that editors add.
std::expected<std::string, std::string> read_secret(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file)
        return std::unexpected(fmt::format("{} cannot be read", path));
    std::string text(secret_bytes, '\0');
    file.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(file.gcount()));
    while (!text.empty() && (text.back() == '\n' || text.back() == '\r'))
        text.pop_back();
    return text;
}

/// A refresh token that the server replaced is kept under the digest of the one in the file, so that a new
/// file wins again.
std::string refresh_name(const std::string& given) {
    return "refresh/" + base::hex(base::sha256(given)).substr(0, 16);
}

} // namespace

imap_login::imap_login(io::loop& on, const base::clock& clock, io::resolver& dns, const io::tls_client& tls,
                       const imap_options& options, read_fact read, write_fact write)
    : loop_(on)
    , clock_(clock)
    , dns_(dns)
    , tls_(tls)
    , options_(options)
    , read_(std::move(read))
    , write_(std::move(write)) {}

bool imap_login::uses_oauth() const {
    return !options_.service_account_file.empty() || !options_.oauth_token_url.empty();
}

bool imap_login::expired() const {
    return !made_ || (token_ && token_->expires_at - token_margin <= clock_.now());
}

void imap_login::forget() {
    made_ = false;
    token_.reset();
}

io::task<std::expected<oauth_grant, std::string>> imap_login::grant() {
    if (!options_.service_account_file.empty()) {
        auto key = read_secret(options_.service_account_file);
        if (!key)
            co_return std::unexpected(key.error());
        auto made = read_service_account(
            *key, options_.user,
            options_.oauth_scope.empty() ? google_scope : std::string_view(options_.oauth_scope));
        if (made && !options_.oauth_token_url.empty())
            made->token_url = options_.oauth_token_url;
        co_return made;
    }
    oauth_grant out;
    out.how = oauth_grant::kind::client_credentials;
    out.token_url = options_.oauth_token_url;
    out.client_id = options_.oauth_client_id;
    out.scope = options_.oauth_scope;
    if (!options_.oauth_client_secret_file.empty()) {
        auto secret = read_secret(options_.oauth_client_secret_file);
        if (!secret)
            co_return std::unexpected(secret.error());
        out.client_secret = *secret;
    }
    if (!options_.oauth_refresh_token_file.empty()) {
        out.how = oauth_grant::kind::refresh_token;
        auto given = read_secret(options_.oauth_refresh_token_file);
        if (!given)
            co_return std::unexpected(given.error());
        auto newer = co_await read_(refresh_name(*given));
        out.refresh_token = newer ? *newer : *given;
    }
    co_return out;
}

io::task<std::expected<std::string, std::string>> imap_login::fetch_token() {
    auto ask = co_await grant();
    auto body = ask ? token_request(*ask, clock_.now()) : std::unexpected(ask.error());
    if (!body)
        co_return std::unexpected(body.error());
    io::http_call call;
    call.url = ask->token_url;
    call.fields = {{"Content-Type", "application/x-www-form-urlencoded"}, {"Accept", "application/json"}};
    call.body = *body;
    call.exempt = true; // the operator named it
    const base::address_guard guard;
    const auto answer = co_await io::http_request(loop_, dns_, tls_, guard, clock_, std::move(call));
    auto read = read_token(answer.status, answer.body, clock_.now());
    if (!read)
        co_return std::unexpected(fmt::format("no OAuth2 token for {}: {}{}{}", options_.user,
                                              read.error().message,
                                              answer.error.empty() ? "" : " (" + answer.error + ")",
                                              read.error().revoked ? "; access must be granted anew" : ""));
    if (!read->refresh_token.empty() && !options_.oauth_refresh_token_file.empty()) {
        // RFC 6749 §6: the server may replace the token at each use.
        auto given = read_secret(options_.oauth_refresh_token_file);
        if (given && read->refresh_token != *given)
            co_await write_(refresh_name(*given), read->refresh_token);
    }
    token_ = *read;
    co_return read->access_token;
}

io::task<std::expected<io::imap_access, std::string>> imap_login::make() {
    io::imap_access with;
    with.host = options_.url_host;
    with.port = options_.port;
    with.start_tls = options_.start_tls;
    with.ca_file = options_.ca_file;
    with.user = options_.user;
    with.mechanism = options_.mechanism;
    with.password = options_.password;
    if (uses_oauth()) {
        auto bearer = co_await fetch_token();
        if (!bearer)
            co_return std::unexpected(bearer.error());
        with.bearer = *bearer;
    } else if (!options_.password_file.empty()) {
        auto read = read_secret(options_.password_file);
        if (!read)
            co_return std::unexpected(read.error());
        with.password = *read;
    }
    made_ = true;
    co_return with;
}

} // namespace mailtight::intake
