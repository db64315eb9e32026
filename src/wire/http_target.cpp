// SPDX-License-Identifier: Apache-2.0
// One entry: read_http_target, which takes scheme and authority off an absolute form and hands the rest to
// read_path.
#include "wire/http_target.h"

#include "base/host_name.h"
#include "base/ip.h"
#include "base/text.h"

#include <algorithm>

namespace mailtight::wire {

namespace {

int hex_digit(char c) {
    if (base::is_digit(c))
        return c - '0';
    const char low = base::to_lower(c);
    return low >= 'a' && low <= 'f' ? low - 'a' + 10 : -1;
}

/// pchar of RFC 3986 §3.3, but the percent sign.
bool is_path_char(char c) {
    return base::is_alnum(c) || std::string_view("-._~!$&'()*+,;=:@").find(c) != std::string_view::npos;
}

/// Nothing where two readers of the path could end at two places.
std::optional<std::string> read_path(std::string_view text) {
    std::string path, segment;
    const auto end_of_segment = [&] {
        const bool wanders = segment.empty() || segment == "." || segment == "..";
        path += segment;
        segment.clear();
        return !wanders;
    };
    if (!text.starts_with('/'))
        return std::nullopt;
    path = "/";
    for (std::size_t at = 1; at < text.size(); ++at) {
        char c = text[at];
        if (c == '/') {
            if (!end_of_segment())
                return std::nullopt;
            path += '/';
            continue;
        }
        if (c == '%') {
            const int high = at + 2 < text.size() ? hex_digit(text[at + 1]) : -1;
            const int low = at + 2 < text.size() ? hex_digit(text[at + 2]) : -1;
            if (high < 0 || low < 0)
                return std::nullopt;
            c = static_cast<char>(high * 16 + low);
            at += 2;
            const auto byte = static_cast<unsigned char>(c);
            if (byte < 0x20 || byte == 0x7f || c == '/' || c == '\\')
                return std::nullopt;
        } else if (!is_path_char(c)) {
            return std::nullopt;
        }
        segment += c;
    }
    if (!segment.empty() && !end_of_segment()) // a final slash is no empty segment
        return std::nullopt;
    if (!base::is_utf8(path))
        return std::nullopt;
    return path;
}

} // namespace

std::optional<std::string> read_http_host(std::string_view text) {
    auto host = text;
    if (text.starts_with('[')) {
        const auto end = text.find(']');
        if (end == text.npos)
            return std::nullopt;
        host = text.substr(0, end + 1);
        const auto address = base::ip_address::parse(host.substr(1, host.size() - 2));
        if (!address || !address->is_v6())
            return std::nullopt;
    } else {
        host = text.substr(0, text.find(':'));
    }
    auto port = text.substr(host.size());
    if (port.starts_with(':'))
        port.remove_prefix(1); // the port itself may be empty (RFC 3986 §3.2.3)
    else if (!port.empty())
        return std::nullopt;
    if (port.size() > 5 || !std::ranges::all_of(port, base::is_digit))
        return std::nullopt;
    if (host.ends_with('.'))
        host.remove_suffix(1);
    if (!host.starts_with('[') && !base::is_host_name(host))
        return std::nullopt;
    return base::lower(host);
}

std::optional<http_target> read_http_target(std::string_view text, std::string_view method) {
    http_target target;
    if (text == "*" && method == "OPTIONS") {
        target.path = "*";
        return target;
    }
    // Visible ASCII only; a fragment is never sent (RFC 9112 §3.2).
    if (std::ranges::any_of(text, [](char c) { return c <= ' ' || c > '~' || c == '#'; }))
        return std::nullopt;
    if (!text.starts_with('/')) {
        const auto scheme = text.find("://");
        if (scheme == text.npos || (!base::iequals(text.substr(0, scheme), "http") &&
                                    !base::iequals(text.substr(0, scheme), "https")))
            return std::nullopt;
        text.remove_prefix(scheme + 3);
        const auto authority = text.substr(0, text.find_first_of("/?"));
        auto host = read_http_host(authority); // user information is refused with the rest
        if (!host)
            return std::nullopt;
        target.host = std::move(*host);
        text.remove_prefix(authority.size());
    }
    const auto mark = text.find('?');
    if (mark != text.npos)
        target.query = text.substr(mark + 1);
    const auto written = text.substr(0, mark);
    auto path = read_path(written.empty() && !target.host.empty() ? "/" : written);
    if (!path)
        return std::nullopt;
    target.path = std::move(*path);
    return target;
}

} // namespace mailtight::wire
