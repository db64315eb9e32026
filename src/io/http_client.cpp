// SPDX-License-Identifier: Apache-2.0
// Entries: parse_url and http_request. Once a connection stands there is no second try, since the server may
// have done what was asked.
#include "io/http_client.h"

#include "io/http_exchange.h"

#include "base/host_name.h"
#include "base/text.h"

#include <algorithm>
#include <charconv>

namespace mailtight::io {

namespace {

/// Host and port of an authority; false where it is none that we ask.
bool read_authority(std::string_view text, url_parts& into) {
    auto host = text;
    std::string_view port;
    bool with_port = false;
    if (text.starts_with('[')) {
        const auto end = text.find(']');
        if (end == text.npos)
            return false;
        host = text.substr(1, end - 1);
        const auto rest = text.substr(end + 1);
        if (!rest.empty() && rest.front() != ':')
            return false;
        with_port = rest.size() > 1;
        port = with_port ? rest.substr(1) : rest;
        const auto address = base::ip_address::parse(host);
        if (!address || address->is_v4())
            return false;
    } else {
        const auto colon = text.find(':');
        host = text.substr(0, colon);
        port = colon == text.npos ? std::string_view{} : text.substr(colon + 1);
        with_port = !port.empty();
        auto bare = host;
        if (bare.ends_with('.'))
            bare.remove_suffix(1);
        if (!base::is_host_name(bare))
            return false;
    }
    into.host = base::lower(host);
    if (!with_port)
        return true;
    const auto end = port.data() + port.size();
    const auto [at, wrong] = std::from_chars(port.data(), end, into.port);
    return wrong == std::errc{} && at == end && into.port != 0;
}

} // namespace

std::optional<url_parts> parse_url(std::string_view url) {
    url_parts parts;
    const auto scheme_end = url.find("://");
    if (scheme_end == url.npos)
        return std::nullopt;
    const auto scheme = url.substr(0, scheme_end);
    if (base::iequals(scheme, "http")) {
        parts.tls = false;
        parts.port = 80;
    } else if (!base::iequals(scheme, "https")) {
        return std::nullopt;
    }
    auto rest = url.substr(scheme_end + 3);
    // A request target is printable ASCII (RFC 9112 §3.2); what is not was to be percent-encoded.
    if (!std::ranges::all_of(rest, [](char c) { return c > ' ' && c < '\x7f'; }))
        return std::nullopt;
    rest = rest.substr(0, rest.find('#'));
    const auto path = rest.find_first_of("/?");
    const auto authority = rest.substr(0, path);
    // A user or password would go to whoever the URL names: never written by somebody who means well.
    if (authority.find('@') != authority.npos || !read_authority(authority, parts))
        return std::nullopt;
    parts.target = path == rest.npos ? "/" : rest.substr(path);
    if (parts.target.starts_with('?'))
        parts.target.insert(0, "/");
    return parts;
}

task<http_answer> http_request(loop& on, resolver& dns, const tls_client& tls,
                               const base::address_guard& guard, const base::clock& clock, http_call call) {
    http_answer answer;
    const auto url = parse_url(call.url);
    answer.error = http_exchange::fault_of(url, call);
    if (!answer.error.empty())
        co_return answer;
    const auto deadline = on.now() + call.time;
    const http_exchange::world around{on, dns, tls, guard, clock};
    auto connection = co_await http_exchange::reach(around, *url, call, answer, deadline);
    if (!connection)
        co_return answer;
    auto text = http_exchange::request_text(*url, call, false);
    co_await http_exchange::converse(*connection, std::move(text), answer, call.reply_bytes, deadline);
    connection->close();
    co_return answer;
}

} // namespace mailtight::io
