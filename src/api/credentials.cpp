// SPDX-License-Identifier: Apache-2.0
#include "api/credentials.h"

#include "base/text.h"
#include "store/access.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace mailtight::api {

namespace {

constexpr std::size_t secret_characters = 43;

bool is_base64url(char c) {
    return base::is_alnum(c) || c == '-' || c == '_';
}

std::size_t how_often(const wire::http_request& request, std::string_view name) {
    return static_cast<std::size_t>(
        std::ranges::count_if(request.fields, [name](const auto& field) { return field.first == name; }));
}

} // namespace

bool is_secret(std::string_view text) {
    return text.size() == secret_characters && std::ranges::all_of(text, is_base64url);
}

bool is_token(std::string_view text) {
    return text.starts_with(token_prefix) && is_secret(text.substr(token_prefix.size()));
}

std::expected<std::string, std::string> bearer_of(const wire::http_request& request) {
    const auto often = how_often(request, "authorization");
    if (often == 0)
        return std::string();
    if (often > 1)
        return std::unexpected("Authorization stands there twice");
    const auto value = request.field("authorization");
    const auto space = value.find(' ');
    if (!base::iequals(std::string_view(value).substr(0, space), "Bearer"))
        return std::unexpected("only \"Authorization: Bearer TOKEN\" is known here");
    const auto token = base::trim(std::string_view(value).substr(std::min(space, value.size())));
    if (!is_token(token))
        return std::unexpected("this is no token of ours: mt_ and 43 characters");
    return std::string(token);
}

std::optional<std::string> cookie_of(const wire::http_request& request, std::string_view name) {
    std::optional<std::string> found;
    for (const auto& [field, value] : request.fields) {
        if (field != "cookie")
            continue;
        for (const auto pair : base::split(value, ';')) {
            const auto text = base::trim(pair);
            const auto equals = text.find('=');
            if (equals == std::string_view::npos || text.substr(0, equals) != name)
                continue;
            if (found)
                return {};
            found = text.substr(equals + 1);
        }
    }
    return found;
}

std::string_view session_cookie_name(bool secure) {
    return secure ? "__Host-mailtight" : "mailtight-session";
}

std::string session_cookie(bool secure, std::string_view secret, std::chrono::seconds lasts) {
    return fmt::format("{}={}; Path=/; Max-Age={}; HttpOnly; SameSite=Strict{}", session_cookie_name(secure),
                       secret, secret.empty() ? 0 : lasts.count(), secure ? "; Secure" : "");
}

bool is_our_host(std::string_view host, std::span<const std::string> ours) {
    if (host.ends_with('.'))
        host.remove_suffix(1);
    if (host == "localhost")
        return true;
    auto literal = host;
    if (literal.starts_with('[') && literal.ends_with(']'))
        literal = literal.substr(1, literal.size() - 2);
    if (base::ip_address::parse(literal))
        return true;
    return std::ranges::any_of(ours, [host](const std::string& name) {
        if (!name.starts_with("*."))
            return base::iequals(name, host);
        const auto dot = host.find('.');
        return dot != std::string_view::npos && dot > 0 &&
               base::iequals(host.substr(dot), std::string_view(name).substr(1));
    });
}

origin origin_of(const wire::http_request& request, bool secure) {
    // A browser sends each of them once, and nothing on the way adds a second.
    if (how_often(request, "sec-fetch-site") > 1 || how_often(request, "origin") > 1)
        return origin::foreign;
    const auto site = request.field("sec-fetch-site");
    const auto from = request.field("origin");
    if (!site.empty()) // no script can write it, and a proxy that changes Host does not make it wrong
        return site == "same-origin"            ? origin::ours
               : site == "none" && from.empty() ? origin::person
                                                : origin::foreign;
    if (from.empty())
        return origin::unsaid;
    const auto host = request.field("host");
    const auto wanted = fmt::format("{}://{}", secure ? "https" : "http", host);
    return !host.empty() && base::iequals(from, wanted) ? origin::ours : origin::foreign;
}

std::optional<std::string> proxied_name(const wire::http_request& request, std::string_view field) {
    const auto often = field.empty() ? 0 : how_often(request, field);
    if (often == 0)
        return {};
    auto value = request.field(field);
    const auto name = base::trim(value);
    if (often > 1 || !store::is_access_name(name))
        return std::string();
    return std::string(name);
}

std::string counted_client(std::string_view client) {
    const auto address = base::ip_address::parse(client);
    if (!address)
        return std::string(client.substr(0, 64));
    if (address->is_v4())
        return address->to_string();
    auto bytes = address->bytes();
    static constexpr std::string_view mapped("\0\0\0\0\0\0\0\0\0\0\xff\xff", 12);
    if (bytes.starts_with(mapped)) // 192.0.2.1 that came over a socket of both families
        return fmt::format("{}.{}.{}.{}", static_cast<unsigned char>(bytes[12]),
                           static_cast<unsigned char>(bytes[13]), static_cast<unsigned char>(bytes[14]),
                           static_cast<unsigned char>(bytes[15]));
    std::array<std::uint8_t, 16> network{};
    std::ranges::copy(bytes.substr(0, 8), network.begin());
    return base::ip_address::v6(network).to_string() + "/64";
}

} // namespace mailtight::api
