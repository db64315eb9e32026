// SPDX-License-Identifier: Apache-2.0
// parse_next_hop(): first what stands around the name (a transport's prefix, brackets, a port), then what the
// name is. The text is as a mail server's map look-up sends it, so nothing is guessed as it would be for a
// person (mail/typed_domain.cpp): what is not exactly a next hop has no policy.
#include "mail/next_hop.h"

#include "base/ip.h"
#include "base/limits.h"
#include "base/text.h"
#include "mail/domain_name.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

namespace mailtight::mail {
namespace {

using kind = next_hop::kind;
namespace limits = base::limits;

constexpr std::size_t owner_prefix = std::string_view("_mta-sts.").size(); // 8461-3.1-a
// The longest text that can still be a name: four bytes a character, brackets, a port, a transport.
constexpr std::size_t key_max = 4 * limits::dns_name_text_max + 64;

bool take_prefix(std::string_view& text, std::string_view prefix) {
    if (text.size() < prefix.size() || !base::iequals(text.substr(0, prefix.size()), prefix))
        return false;
    text.remove_prefix(prefix.size());
    return true;
}

bool is_ascii(std::string_view text) {
    return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

/// A number of 1 to 65535 or the name of a service. A name that is not known here gives 0: the policy does
/// not depend on it (A18), and a TLSA record cannot be asked for.
std::optional<std::uint16_t> parse_port(std::string_view text) {
    struct service {
        std::string_view name;
        std::uint16_t port;
    };
    constexpr std::array<service, 4> services{
        {{"smtp", 25}, {"submission", 587}, {"submissions", 465}, {"smtps", 465}}};
    constexpr std::size_t digits_max = 5, service_name_max = 15; // RFC 6335 §5.1
    if (text.empty() || text.size() > service_name_max)
        return std::nullopt;
    if (std::ranges::all_of(text, base::is_digit)) {
        unsigned value = 0;
        for (const char c : text)
            value = value > 65'535 ? value : value * 10 + static_cast<unsigned>(c - '0');
        if (text.size() > digits_max || value == 0 || value > 65'535)
            return std::nullopt;
        return static_cast<std::uint16_t>(value);
    }
    for (const auto& [name, port] : services)
        if (base::iequals(text, name))
            return port;
    const auto allowed = [](char c) { return base::is_alnum(c) || c == '-'; };
    if (!std::ranges::all_of(text, allowed) || text.front() == '-' || text.back() == '-')
        return std::nullopt;
    return std::uint16_t{0};
}

/// An address in any dress of RFC 5321 §4.1.3, with or without its tag, with or without a zone; and what
/// ends in a number, which no domain does (RFC 3696 §2) but many a reader takes for an address.
bool is_address(std::string_view text) {
    take_prefix(text, "IPv6:");
    const auto zone = text.find('%');
    if (base::ip_address::parse(text.substr(0, zone)))
        return true;
    if (text.ends_with('.'))
        text.remove_suffix(1);
    const auto last = text.substr(text.rfind('.') + 1); // npos + 1 is 0: the whole text
    return last.size() < text.size() && !last.empty() && std::ranges::all_of(last, base::is_digit);
}

next_hop without_policy(kind why) {
    return {.what = why};
}

/// The name is all that is left.
next_hop judge_name(std::string_view name, kind what, std::uint16_t port) {
    if (is_address(name)) // 8461-3.4-b
        return without_policy(kind::address_literal);
    // An ASCII name is taken as DNS takes it, odd A-labels too: the mail server asks DNS for the same.
    const auto ascii = is_ascii(name) ? canonical_name(name) : to_ascii(name); // 8461-3.1-a
    if (!ascii || ascii->size() + owner_prefix > limits::dns_name_text_max)
        return without_policy(kind::not_a_name);
    if (ascii->find('.') == std::string::npos)
        return without_policy(kind::single_label);
    if (is_address(*ascii)) // digits of other scripts become ASCII digits
        return without_policy(kind::address_literal);
    return {.what = what, .domain = *ascii, .port = port};
}

/// `[host]`, `[host]:port`: no MX look-up, and the host is the Policy Domain (8461-3.4-a, A19).
next_hop judge_brackets(std::string_view text) {
    const auto close = text.find(']');
    if (close == std::string_view::npos)
        return without_policy(kind::not_a_name);
    std::string_view after = text.substr(close + 1);
    std::optional<std::uint16_t> port = 25;
    if (!after.empty()) {
        if (!after.starts_with(':'))
            return without_policy(kind::not_a_name);
        port = parse_port(after.substr(1));
    }
    if (!port)
        return without_policy(kind::not_a_name);
    return judge_name(text.substr(1, close - 1), kind::smart_host, *port);
}

next_hop judge_plain(std::string_view text, kind what) {
    if (is_address(text))
        return without_policy(kind::address_literal);
    std::uint16_t port = 25;
    if (const auto colon = text.rfind(':'); colon != std::string_view::npos) {
        const auto parsed = parse_port(text.substr(colon + 1));
        if (!parsed)
            return without_policy(kind::not_a_name);
        port = *parsed;
        text = text.substr(0, colon);
    }
    return judge_name(text, what, port);
}

} // namespace

next_hop parse_next_hop(std::string_view key) {
    if (key.empty())
        return without_policy(kind::empty);
    const auto control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
    if (std::ranges::any_of(key, control))
        return without_policy(kind::not_a_name);
    // Transports for local delivery put their kind of address in front.
    take_prefix(key, "lmtp:");
    if (key.starts_with('/') || take_prefix(key, "unix:"))
        return without_policy(kind::local_path);
    const bool without_mx = take_prefix(key, "inet:"); // LMTP over TCP: a host, never its MX hosts
    if (key.size() > key_max)
        return without_policy(kind::not_a_name);
    const std::string plain = is_ascii(key) ? std::string(key) : with_plain_dots(key);
    const std::string_view text = plain;
    if (text.starts_with('.')) // 8461-3.4-c
        return without_policy(text.size() > 1 && text[1] != '.' ? kind::parent : kind::not_a_name);
    if (text.starts_with('['))
        return judge_brackets(text);
    return judge_plain(text, without_mx ? kind::smart_host : kind::domain);
}

std::string_view explain(next_hop::kind what) {
    switch (what) {
    case kind::domain:
    case kind::smart_host:
        return "";
    case kind::empty:
        return "nothing was asked for";
    case kind::parent:
        return "a key with a dot in front asks for the parent of a domain, and the policy of a parent domain "
               "says nothing about its subdomains (RFC 8461 section 3.4)";
    case kind::address_literal:
        return "an address has no policy: MTA-STS is for domain names";
    case kind::local_path:
        return "a local socket is no mail domain";
    case kind::single_label:
        return "one word without a dot is no public mail domain";
    case kind::not_a_name:
        return "this is no domain name that could have a policy";
    }
    std::unreachable();
}

} // namespace mailtight::mail
