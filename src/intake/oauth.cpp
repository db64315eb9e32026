// SPDX-License-Identifier: Apache-2.0
#include "intake/oauth.h"

#include "base/base64url.h"
#include "base/crypto/keys.h"
#include "base/encode.h"
#include "base/text.h"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>

namespace mailtight::intake {

namespace {

namespace json = boost::json;

constexpr std::string_view jwt_grant = "urn:ietf:params:oauth:grant-type:jwt-bearer";
constexpr std::int64_t assertion_seconds = 3600; // the longest that Google takes
constexpr std::int64_t token_seconds_default = 3600;
constexpr std::int64_t token_seconds_max = 86'400;

std::string form_escape(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (base::is_alnum(c) || c == '-' || c == '.' || c == '_' || c == '~')
            out += c;
        else
            out += fmt::format("%{:02X}", static_cast<unsigned>(static_cast<unsigned char>(c)));
    }
    return out;
}

class form {
public:
    form& add(std::string_view name, std::string_view value) {
        if (value.empty())
            return *this;
        if (!text_.empty())
            text_ += '&';
        text_ += fmt::format("{}={}", name, form_escape(value));
        return *this;
    }
    std::string take() { return std::move(text_); }

private:
    std::string text_;
};

std::string text_of(const json::object& from, std::string_view name) {
    const auto* value = from.if_contains(name);
    return value && value->is_string() ? std::string(value->get_string()) : std::string();
}

std::optional<json::object> parse_object(std::string_view text) {
    boost::system::error_code wrong;
    json::value value = json::parse(json::string_view(text.data(), text.size()), wrong);
    if (wrong || !value.is_object())
        return {};
    return std::move(value.get_object());
}

/// RFC 7523 §3: who asks, for whom, and until when, signed with RS256.
std::expected<std::string, std::string> assertion(const oauth_grant& grant, base::utc_seconds now) {
    auto key = base::private_key::from_pem(grant.private_key_pem);
    if (!key)
        return std::unexpected("the private key of the service account: " + key.error());
    if (key->kind() != base::key_kind::rsa)
        return std::unexpected("the private key of the service account is no RSA key");
    const std::int64_t at = now.time_since_epoch().count();
    const json::object head = {{"alg", "RS256"}, {"typ", "JWT"}};
    const json::object claims = {{"iss", grant.issuer},
                                 {"sub", grant.subject},
                                 {"scope", grant.scope},
                                 {"aud", grant.token_url},
                                 {"iat", at},
                                 {"exp", at + assertion_seconds}};
    const std::string signed_part =
        base::base64url(json::serialize(head)) + "." + base::base64url(json::serialize(claims));
    const std::string signature = key->sign(base::sha256(signed_part));
    if (signature.empty())
        return std::unexpected("the private key of the service account cannot sign");
    return signed_part + "." + base::base64url(signature);
}

} // namespace

std::expected<oauth_grant, std::string> read_service_account(std::string_view text, std::string_view user,
                                                             std::string_view scope) {
    const auto key = parse_object(text);
    if (!key)
        return std::unexpected("the service account's key file is no JSON object");
    oauth_grant grant;
    grant.how = oauth_grant::kind::service_account;
    grant.issuer = text_of(*key, "client_email");
    grant.private_key_pem = text_of(*key, "private_key");
    grant.token_url = text_of(*key, "token_uri");
    grant.subject = user;
    grant.scope = scope;
    for (const auto& [name, value] :
         {std::pair{"client_email", &grant.issuer}, std::pair{"private_key", &grant.private_key_pem},
          std::pair{"token_uri", &grant.token_url}})
        if (value->empty())
            return std::unexpected(fmt::format("the service account's key file has no {}", name));
    return grant;
}

std::expected<std::string, std::string> token_request(const oauth_grant& grant, base::utc_seconds now) {
    switch (grant.how) {
    case oauth_grant::kind::refresh_token:
        return form()
            .add("grant_type", "refresh_token")
            .add("client_id", grant.client_id)
            .add("client_secret", grant.client_secret)
            .add("refresh_token", grant.refresh_token)
            .add("scope", grant.scope)
            .take();
    case oauth_grant::kind::client_credentials:
        return form()
            .add("grant_type", "client_credentials")
            .add("client_id", grant.client_id)
            .add("client_secret", grant.client_secret)
            .add("scope", grant.scope)
            .take();
    case oauth_grant::kind::service_account: {
        auto made = assertion(grant, now);
        if (!made)
            return std::unexpected(made.error());
        return form().add("grant_type", jwt_grant).add("assertion", *made).take();
    }
    }
    return std::unexpected("an unknown kind of grant");
}

std::expected<oauth_token, oauth_error> read_token(int status, std::string_view body, base::utc_seconds now) {
    if (status == 0)
        return std::unexpected(oauth_error{false, "the token server gave no answer"});
    const auto answer = parse_object(body);
    if (status != 200) {
        const std::string code = answer ? text_of(*answer, "error") : "";
        const std::string words = answer ? text_of(*answer, "error_description") : "";
        // RFC 6749 §5.2: these do not get better by themselves; 5xx and 429 do.
        const bool lasting = status / 100 == 4 && status != 429 && status != 408;
        return std::unexpected(
            oauth_error{lasting, fmt::format("the token server answered {}{}{}{}", status,
                                             code.empty() ? "" : ": ", base::printable(code, 100),
                                             words.empty() ? "" : " (" + base::printable(words, 300) + ")")});
    }
    if (!answer || text_of(*answer, "access_token").empty())
        return std::unexpected(oauth_error{false, "the token server's answer holds no access_token"});
    std::int64_t seconds = token_seconds_default;
    if (const auto* given = answer->if_contains("expires_in")) {
        if (given->is_int64())
            seconds = given->get_int64();
        else if (given->is_uint64())
            seconds = token_seconds_max;
    }
    seconds = std::clamp<std::int64_t>(seconds, 0, token_seconds_max);
    return oauth_token{text_of(*answer, "access_token"), text_of(*answer, "refresh_token"),
                       now + std::chrono::seconds(seconds)};
}

} // namespace mailtight::intake
