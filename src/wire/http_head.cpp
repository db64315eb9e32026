// SPDX-License-Identifier: Apache-2.0
// Entry: read_http_head. Where the standard lets a server repair (bare LF, folded fields, space before a
// colon), this one refuses, as wire/http_request.cpp does.
#include "wire/http_head.h"

#include "base/limits.h"
#include "base/text.h"

#include <algorithm>
#include <array>

namespace mailtight::wire {

namespace {

// RFC 9110 §5.6.2
constexpr auto token_chars = [] {
    std::array<bool, 256> set{};
    for (unsigned c = 0; c < 128; ++c)
        set[c] = base::is_alnum(static_cast<char>(c)) ||
                 std::string_view("!#$%&'*+-.^_`|~").find(static_cast<char>(c)) != std::string_view::npos;
    return set;
}();
bool is_token(std::string_view text) {
    return !text.empty() &&
           std::ranges::all_of(text, [](char c) { return token_chars[static_cast<unsigned char>(c)]; });
}

// RFC 9110 §5.5: visible, space, tab and the bytes beyond ASCII.
bool is_field_text(std::string_view text) {
    return std::ranges::all_of(text, [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return byte == '\t' || (byte >= 0x20 && byte != 0x7f);
    });
}

bool is_visible(std::string_view text) {
    return !text.empty() && std::ranges::all_of(text, [](char c) { return c > 0x20 && c < 0x7f; });
}

std::string_view without_space(std::string_view text) {
    while (!text.empty() && base::is_wsp(text.front()))
        text.remove_prefix(1);
    while (!text.empty() && base::is_wsp(text.back()))
        text.remove_suffix(1);
    return text;
}

bool lists(std::string_view elements, std::string_view word) {
    while (!elements.empty()) {
        const auto comma = elements.find(',');
        if (base::iequals(without_space(elements.substr(0, comma)), word))
            return true;
        elements.remove_prefix(comma == elements.npos ? elements.size() : comma + 1);
    }
    return false;
}

/// Request line and fields under way.
struct reading {
    http_head head;
    std::size_t fields = 0, hosts = 0, lengths = 0;
    bool coded = false, keep_alive = false;

    int request_line(std::string_view line, const http_head_limits& limits);
    int field(std::string_view line, const http_head_limits& limits);
    int end();
};

int reading::request_line(std::string_view line, const http_head_limits& limits) {
    const auto first = line.find(' ');
    const auto last = line.rfind(' ');
    if (first == line.npos || first == last)
        return 400;
    head.method = line.substr(0, first);
    head.target = line.substr(first + 1, last - first - 1);
    const auto version = line.substr(last + 1);
    if (!is_token(head.method) || version.size() != 8 || !version.starts_with("HTTP/") ||
        !base::is_digit(version[5]) || version[6] != '.' || !base::is_digit(version[7]))
        return 400;
    if (version[5] != '1')
        return 505;
    if (head.target.size() > limits.target_bytes)
        return 414;
    if (!is_visible(head.target))
        return 400;
    head.http10 = version[7] == '0';
    head.path = head.target;
    return 0;
}

int reading::field(std::string_view line, const http_head_limits& limits) {
    const auto colon = line.find(':');
    if (colon == line.npos || !is_token(line.substr(0, colon)) || !is_field_text(line))
        return 400; // also a folded field, which begins with a space
    if (++fields > limits.fields)
        return 431;
    const auto name = line.substr(0, colon);
    const auto value = without_space(line.substr(colon + 1));
    const auto is = [&](std::string_view wanted) { return base::iequals(name, wanted); };
    switch (name.size()) {
    case 4:
        if (is("host")) {
            ++hosts;
            head.host = value;
        }
        break;
    case 10:
        if (is("connection")) {
            head.close = head.close || lists(value, "close");
            keep_alive = keep_alive || lists(value, "keep-alive");
        } else if (is("user-agent")) {
            head.agent = value;
        }
        break;
    case 14:
        if (is("content-length")) {
            ++lengths;
            if (value.empty() || !std::ranges::all_of(value, base::is_digit))
                return 400;
            head.body = head.body || value.find_first_not_of('0') != value.npos;
        }
        break;
    case 15:
        if (is("x-forwarded-for"))
            head.forwarded = value;
        break;
    case 17:
        if (is("transfer-encoding"))
            coded = true;
        break;
    default:
        break;
    }
    return 0;
}

int reading::end() {
    // RFC 9112 §6.1, §6.3: two lengths are somebody's smuggling.
    if (lengths > 1 || (lengths > 0 && coded) || (coded && head.http10))
        return 400;
    if (hosts > 1 || (hosts == 0 && !head.http10)) // RFC 9112 §3.2
        return 400;
    head.has_host = hosts > 0;
    head.body = head.body || coded;
    head.close = head.close || head.http10;
    // RFC 9112 §3.2.2: an absolute target wins over Host.
    for (const std::string_view scheme : {"https://", "http://"}) {
        if (!base::iequals(head.target.substr(0, scheme.size()), scheme))
            continue;
        const auto rest = head.target.substr(scheme.size());
        const auto slash = rest.find_first_of("/?");
        head.host = rest.substr(0, slash);
        head.has_host = true;
        head.path = slash == rest.npos ? "/" : rest.substr(slash);
    }
    return 0;
}

} // namespace

http_head read_http_head(std::string_view bytes, const http_head_limits& limits) {
    reading now;
    const auto refuse = [&](int status) {
        now.head.refused = status;
        return now.head;
    };
    std::size_t at = 0;
    while (at < 2 && bytes.substr(at).starts_with("\r\n")) // RFC 9112 §2.2: left over from a body
        at = 2;
    // What begins with no letter (TLS, noise) is not waited for.
    if (at < bytes.size() && bytes[at] != '\r' && !token_chars[static_cast<unsigned char>(bytes[at])])
        return refuse(400);
    const auto begin = at;
    for (bool first = true;; first = false) {
        const auto end = bytes.find('\n', at);
        const auto line_end = end == bytes.npos ? bytes.size() : end;
        if (line_end - begin > limits.head_bytes)
            return refuse(first ? 414 : 431);
        if (end == bytes.npos)
            return now.head.size = 0, now.head;
        if (end == at || bytes[end - 1] != '\r')
            return refuse(400);
        const auto line = bytes.substr(at, end - 1 - at);
        at = end + 1;
        if (line.empty() && !first) {
            if (const int status = now.end())
                return refuse(status);
            now.head.size = at;
            return now.head;
        }
        if (const int status = first ? now.request_line(line, limits) : now.field(line, limits))
            return refuse(status);
    }
}

std::string_view host_name_of(std::string_view host, char (&room)[256]) {
    if (const auto colon = host.find(':'); colon != host.npos) {
        const auto port = host.substr(colon + 1);
        if (port.size() > 5 || !std::ranges::all_of(port, base::is_digit))
            return {};
        host = host.substr(0, colon);
    }
    if (host.ends_with('.'))
        host.remove_suffix(1);
    if (host.size() > base::limits::dns_name_text_max)
        return {};
    const auto plain = [](char c) { return base::is_alnum(c) || c == '-' || c == '.' || c == '_'; };
    if (!std::ranges::all_of(host, plain))
        return {};
    std::ranges::transform(host, room, base::to_lower);
    return {room, host.size()};
}

} // namespace mailtight::wire
