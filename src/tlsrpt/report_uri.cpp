// SPDX-License-Identifier: Apache-2.0
// split_uri() finds the parts without copying; check_report_uri() judges them; read_report_uri() decodes what
// was judged good. Percent-encoding is decoded exactly once (RFC 6068 §2).
#include "tlsrpt/report_uri.h"

#include "base/text.h"

#include <algorithm>
#include <array>
#include <utility>

namespace mailtight::tlsrpt {
namespace {
using scheme_type = report_uri::scheme_type;

int hex_value(char c) {
    if (base::is_digit(c))
        return c - '0';
    const char lower = base::to_lower(c);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

// Walks percent-encoded text one decoded byte at a time. Only for text that has passed uri_characters().
template<class Visit>
bool each_decoded(std::string_view text, Visit visit) {
    for (std::size_t i = 0; i < text.size(); ++i) {
        char c = text[i];
        if (c == '%') {
            c = static_cast<char>(hex_value(text[i + 1]) * 16 + hex_value(text[i + 2]));
            i += 2;
        }
        if (!visit(c))
            return false;
    }
    return true;
}

constexpr std::array<bool, 256> byte_set(std::string_view others) {
    std::array<bool, 256> set{};
    for (int c = 0; c < 128; ++c)
        set[static_cast<std::size_t>(c)] = base::is_alnum(static_cast<char>(c));
    for (char c : others)
        set[static_cast<unsigned char>(c)] = true;
    return set;
}
constexpr auto uri_byte = byte_set("-._~:/?#[]@$&'()*+=");
constexpr auto local_part_byte = byte_set("!#$%&'*+-/=?^_`{|}~."); // atext of RFC 5322, and the dot

// RFC 3986 unreserved, reserved and pct-encoded; 8460-3-s takes three of the reserved ones away.
std::optional<record_problem> uri_characters(std::string_view text) {
    std::optional<record_problem> unescaped;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (c == '%') {
            if (i + 2 >= text.size() || hex_value(text[i + 1]) < 0 || hex_value(text[i + 2]) < 0)
                return record_problem::rua_syntax;
            i += 2;
        } else if (c == '!' || c == ',' || c == ';') {
            unescaped = record_problem::rua_unescaped;
        } else if (!uri_byte[static_cast<unsigned char>(c)]) {
            return record_problem::rua_syntax;
        }
    }
    return unescaped;
}

struct uri_parts {
    std::string_view scheme;
    std::string_view rest;      // behind "scheme:", without query and fragment
    std::string_view authority; // of `rest`, where it begins with "//"
    bool has_authority = false;
};
std::optional<uri_parts> split_uri(std::string_view text) {
    const std::size_t colon = text.find(':');
    if (colon == text.npos || colon == 0 || !base::is_alpha(text.front()))
        return std::nullopt;
    uri_parts out;
    out.scheme = text.substr(0, colon);
    for (char c : out.scheme)
        if (!base::is_alnum(c) && c != '+' && c != '-' && c != '.')
            return std::nullopt;
    out.rest = text.substr(colon + 1);
    if (const std::size_t hash = out.rest.find('#'); hash != out.rest.npos) {
        if (out.rest.find('#', hash + 1) != out.rest.npos)
            return std::nullopt;
        out.rest = out.rest.substr(0, hash);
    }
    out.rest = out.rest.substr(0, out.rest.find('?'));
    if (out.rest.starts_with("//")) {
        out.has_authority = true;
        out.authority = out.rest.substr(2);
        out.authority = out.authority.substr(0, out.authority.find('/'));
    }
    // RFC 3986 §3.2.2: brackets only around an address in the authority.
    const std::size_t outside = out.has_authority ? colon + 3 + out.authority.size() : colon + 1;
    if (text.find_first_of("[]", outside) != text.npos)
        return std::nullopt;
    return out;
}

bool is_host_name(std::string_view name) {
    bool label_begins = true;
    char last = '.';
    for (char c : name) {
        const bool inner = c == '-' || c == '_';
        if (!base::is_alnum(c) && !(inner && !label_begins) && !(c == '.' && !label_begins && last != '-'))
            return false;
        label_begins = c == '.';
        last = c;
    }
    return base::is_alnum(last) || last == '_';
}

// The host of `[user@]host[:port]`, or nothing.
std::optional<std::string_view> https_host(std::string_view authority) {
    if (const std::size_t at = authority.rfind('@'); at != authority.npos)
        authority.remove_prefix(at + 1);
    std::string_view port;
    if (authority.starts_with('[')) {
        const std::size_t close = authority.find(']');
        if (close == authority.npos || close < 3)
            return std::nullopt;
        port = authority.substr(close + 1);
        authority = authority.substr(0, close + 1);
        for (char c : authority.substr(1, close - 1))
            if (hex_value(c) < 0 && c != ':' && c != '.')
                return std::nullopt;
    } else {
        const std::size_t colon = authority.find(':');
        port = colon == authority.npos ? "" : authority.substr(colon);
        authority = authority.substr(0, colon);
        if (!is_host_name(authority))
            return std::nullopt;
    }
    if (!port.empty() &&
        (port.front() != ':' || port.size() > 6 || !std::ranges::all_of(port.substr(1), base::is_digit)))
        return std::nullopt;
    return authority;
}

// RFC 6068: local-part "@" domain, each percent-encoded; one address, since a comma divides the rua list.
// Control characters are refused whatever their spelling: they would end up in a mail header.
bool is_mail_address(std::string_view rest) {
    const std::size_t at = rest.rfind('@');
    if (at == rest.npos || at == 0)
        return false;
    const std::string_view local = rest.substr(0, at);
    bool quoted = false;
    bool first = true;
    char last = 0;
    const bool local_good = each_decoded(local, [&](char c) {
        if (std::exchange(first, false))
            quoted = c == '"';
        last = c;
        if (c < 0)
            return true; // internationalised mail (RFC 6531)
        if (c < ' ' || c == '\x7f')
            return false;
        return quoted || local_part_byte[static_cast<unsigned char>(c)];
    });
    if (!local_good || (quoted && last != '"'))
        return false;
    const std::string_view domain = rest.substr(at + 1);
    return domain.size() <= 253 && is_host_name(domain);
}

std::string decoded(std::string_view text) {
    std::string out;
    each_decoded(text, [&out](char c) {
        out += c;
        return true;
    });
    return out;
}

std::expected<scheme_type, record_problem> check_parts(std::string_view text,
                                                       const std::optional<uri_parts>& parts) {
    if (!parts)
        return std::unexpected(record_problem::rua_syntax);
    if (const auto problem = uri_characters(text))
        return std::unexpected(*problem);
    if (base::iequals(parts->scheme, "mailto")) {
        if (!is_mail_address(parts->rest))
            return std::unexpected(record_problem::rua_syntax);
        return scheme_type::mailto;
    }
    if (base::iequals(parts->scheme, "https")) {
        if (!parts->has_authority || !https_host(parts->authority))
            return std::unexpected(record_problem::rua_syntax);
        return scheme_type::https;
    }
    return scheme_type::other;
}
} // namespace

std::expected<scheme_type, record_problem> check_report_uri(std::string_view text) {
    return check_parts(text, split_uri(text));
}

std::expected<report_uri, record_problem> read_report_uri(std::string_view text) {
    const auto parts = split_uri(text);
    const auto scheme = check_parts(text, parts);
    if (!scheme)
        return std::unexpected(scheme.error());
    report_uri out;
    out.scheme = *scheme;
    out.text = text;
    if (out.scheme == scheme_type::mailto) { // 8460-3-f
        out.address = decoded(parts->rest);
        out.host = base::lower(std::string_view(out.address).substr(out.address.rfind('@') + 1));
    } else if (out.scheme == scheme_type::https) {
        out.host = base::lower(*https_host(parts->authority));
    }
    return out;
}

} // namespace mailtight::tlsrpt
