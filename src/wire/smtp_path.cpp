// SPDX-License-Identifier: Apache-2.0
// One entry: parse_smtp_path. The text is eaten from the left: bracket, source route, local part, domain,
// bracket, parameters.
#include "wire/smtp_path.h"

#include "base/host_name.h"
#include "base/ip.h"
#include "base/text.h"

#include <algorithm>
#include <optional>

namespace mailtight::wire {

std::string_view explain(smtp_path_error error) {
    switch (error) {
    case smtp_path_error::not_a_path:
        return "the address must stand in angle brackets, with an @";
    case smtp_path_error::bad_local:
        return "what stands before the @ cannot be read";
    case smtp_path_error::bad_domain:
        return "what stands behind the @ is neither a domain nor an address literal";
    case smtp_path_error::not_ascii:
        return "addresses beyond ASCII are not supported";
    case smtp_path_error::too_long:
        return "the address is too long";
    case smtp_path_error::bad_parameter:
        return "a parameter cannot be read";
    }
    return "unknown";
}

namespace {

constexpr std::size_t path_octets = 256; // RFC 5321 §4.5.3.1.3, brackets included
constexpr std::size_t local_octets = 64; // RFC 5321 §4.5.3.1.1

bool is_atext(char c) {
    return base::is_alnum(c) || std::string_view("!#$%&'*+-/=?^_`{|}~").find(c) != std::string_view::npos;
}
bool is_printable(char c) {
    return c >= ' ' && c <= '~';
}

/// RFC 5321 §4.1.3. Other tags than IPv6 are registered nowhere.
bool is_address_literal(std::string_view text) {
    if (!text.starts_with('[') || !text.ends_with(']'))
        return false;
    text = text.substr(1, text.size() - 2);
    const bool v6 = base::iequals(text.substr(0, 5), "IPv6:");
    if (v6)
        text.remove_prefix(5);
    const auto address = base::ip_address::parse(text);
    return address && address->is_v6() == v6;
}

/// Eats the local part up to the `@` or `>`; nothing where it is none. Dots may stand anywhere: some hosts
/// have such mailboxes, and whether one exists is for the owner to say.
std::optional<std::string> take_local(std::string_view& text, bool& quoted) {
    std::string local;
    quoted = text.starts_with('"');
    if (!quoted) {
        const auto end = std::ranges::find_if_not(text, [](char c) { return is_atext(c) || c == '.'; });
        local.assign(text.begin(), end);
        text.remove_prefix(local.size());
        return local.empty() ? std::nullopt : std::optional(std::move(local));
    }
    for (std::size_t at = 1; at < text.size(); ++at) {
        if (text[at] == '"') {
            text.remove_prefix(at + 1);
            return local.empty() ? std::nullopt : std::optional(std::move(local));
        }
        if (text[at] == '\\' && ++at == text.size())
            break;
        if (!is_printable(text[at]))
            break;
        local += text[at];
    }
    return std::nullopt;
}

/// RFC 5321 §4.1.1.11: `SP KEYWORD[=value]`, any number.
std::optional<std::vector<std::pair<std::string, std::string>>> parameters(std::string_view text) {
    std::vector<std::pair<std::string, std::string>> found;
    if (!text.empty() && text.front() != ' ')
        return std::nullopt;
    for (const auto one : base::split(text, ' ')) {
        if (one.empty())
            continue;
        const auto equals = one.find('=');
        const auto keyword = one.substr(0, equals);
        const auto value = equals == one.npos ? std::string_view() : one.substr(equals + 1);
        const auto in_keyword = [](char c) { return base::is_alnum(c) || c == '-'; };
        const auto in_value = [](char c) { return c > ' ' && c <= '~' && c != '='; };
        if (keyword.empty() || keyword.front() == '-' || !std::ranges::all_of(keyword, in_keyword) ||
            (equals != one.npos && value.empty()) || !std::ranges::all_of(value, in_value))
            return std::nullopt;
        std::string upper(keyword);
        std::ranges::transform(upper, upper.begin(), [](char c) {
            return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
        });
        found.emplace_back(std::move(upper), value);
    }
    return found;
}

} // namespace

std::expected<smtp_path, smtp_path_error> parse_smtp_path(std::string_view text, smtp_path_kind kind) {
    using enum smtp_path_error;
    const auto refuse = [](smtp_path_error why) { return std::unexpected(why); };
    if (std::ranges::any_of(text, [](char c) { return static_cast<unsigned char>(c) >= 0x80; }))
        return refuse(not_ascii);
    while (text.starts_with(' '))
        text.remove_prefix(1);
    const auto before = text.size();
    if (!text.starts_with('<'))
        return refuse(not_a_path);
    text.remove_prefix(1);

    smtp_path path;
    if (kind == smtp_path_kind::sender && text.starts_with('>')) {
        text.remove_prefix(1);
    } else {
        if (text.starts_with('@')) { // RFC 5321 Appendix C: a source route is understood and ignored
            const auto colon = text.find(':');
            const auto route = text.substr(0, colon);
            const auto hops = base::split(route, ',');
            if (colon == text.npos || !std::ranges::all_of(hops, [](std::string_view hop) {
                    return hop.starts_with('@') && base::is_host_name(hop.substr(1));
                }))
                return refuse(bad_domain);
            text.remove_prefix(colon + 1);
        }
        auto local = take_local(text, path.quoted);
        if (!local)
            return refuse(bad_local);
        if (kind == smtp_path_kind::recipient && local->size() > local_octets)
            return refuse(too_long);
        path.address = std::move(*local);
        const bool postmaster = kind == smtp_path_kind::recipient && !path.quoted &&
                                base::iequals(path.address, "postmaster") && text.starts_with('>');
        if (!postmaster) {
            if (!text.starts_with('@'))
                return refuse(text.starts_with('>') ? not_a_path : bad_local);
            const auto end = text.find('>');
            if (end == text.npos)
                return refuse(not_a_path);
            const auto domain = text.substr(1, end - 1);
            if (!base::is_host_name(domain) && !is_address_literal(domain))
                return refuse(bad_domain);
            path.address += '@';
            path.address += domain;
            text.remove_prefix(end);
        }
        text.remove_prefix(1);
    }
    if (before - text.size() > path_octets)
        return refuse(too_long);
    auto found = parameters(text);
    if (!found)
        return refuse(bad_parameter);
    path.parameters = std::move(*found);
    return path;
}

} // namespace mailtight::wire
