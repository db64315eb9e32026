// SPDX-License-Identifier: Apache-2.0
// What a request says of who sends it, read strictly: tokens, cookies, the names that a browser may know us
// by, and whether a page of ours sent it. Pure; never trusts, only reads.
#pragma once

#include "base/ip.h"
#include "wire/http_request.h"

#include <chrono>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace mailtight::api {

/// What our tokens begin with, so that scanners for secrets find them; 43 characters of base64url follow.
inline constexpr std::string_view token_prefix = "mt_";
bool is_token(std::string_view text);
/// The secret of a session or link: 43 characters of base64url.
bool is_secret(std::string_view text);

/// The token of `Authorization: Bearer TOKEN` (RFC 6750 §2.1); "" where there is no such field. The error
/// says what is wrong with it: twice, another scheme, no token of ours.
std::expected<std::string, std::string> bearer_of(const wire::http_request& request);

/// The one value of this cookie (RFC 6265 §5.4). Nothing where it is missing, or stands there twice: a second
/// one was put in front by somebody else.
std::optional<std::string> cookie_of(const wire::http_request& request, std::string_view name);

/// `__Host-mailtight` (RFC 6265bis §4.1.3.2: Secure, Path=/, no Domain) where the browser speaks TLS;
/// browsers keep no such cookie over plain HTTP, and on loopback it is another one.
std::string_view session_cookie_name(bool secure);
/// The field Set-Cookie; without a secret it ends the cookie.
std::string session_cookie(bool secure, std::string_view secret, std::chrono::seconds lasts);

/// Whether the host of the request is one that we are known by: an address, `localhost`, or one of these
/// names (`*.example.com` for one label). A name of an attacker's that resolves to our address is none (DNS
/// rebinding); an address needs no resolving.
bool is_our_host(std::string_view host, std::span<const std::string> ours);

/// Where a browser says that the request comes from.
enum class origin {
    ours,    ///< a page of ours, by Sec-Fetch-Site, or by Origin
    person,  ///< typed, or a bookmark: Sec-Fetch-Site: none
    foreign, ///< another site, or another scheme or port of this host
    unsaid,  ///< no browser, or one of before 2023
};
/// `secure`: the browser speaks TLS with us. W3C Fetch Metadata §2.4; RFC 6454 §7.
origin origin_of(const wire::http_request& request, bool secure);

/// The name that a proxy gives in its field. Nothing where the field is missing; an empty text where it is no
/// name that could be anybody's: then nobody is let in.
std::optional<std::string> proxied_name(const wire::http_request& request, std::string_view field);

/// The one whose attempts count together: an IPv4 address, the /64 of an IPv6 one, else the text.
std::string counted_client(std::string_view client);

} // namespace mailtight::api
