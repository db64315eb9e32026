// SPDX-License-Identifier: Apache-2.0
// A pointer must point before the place where the current run of labels began, so every jump goes strictly
// backwards and the walk ends; the 255 octets bound what one name can cost.
#include "wire/dns_name.h"

#include "base/limits.h"
#include "base/text.h"

namespace mailtight::wire {

namespace {

constexpr std::size_t name_octets_max = 255; // RFC 1035 §2.3.4

unsigned octet(std::string_view bytes, std::size_t at) {
    return static_cast<unsigned char>(bytes[at]);
}

void append_label(std::string& text, std::string_view label) {
    if (!text.empty())
        text += '.';
    for (const char c : label) {
        const auto value = static_cast<unsigned char>(c);
        if (value > 0x20 && value < 0x7f && c != '.' && c != '\\') {
            text += base::to_lower(c);
            continue;
        }
        text += '\\';
        text += static_cast<char>('0' + value / 100);
        text += static_cast<char>('0' + value / 10 % 10);
        text += static_cast<char>('0' + value % 10);
    }
}

/// The byte behind a backslash at `at`, which moves behind the escape.
std::optional<char> unescape(std::string_view text, std::size_t& at) {
    if (++at >= text.size())
        return {};
    if (!base::is_digit(text[at]))
        return text[at++];
    if (at + 3 > text.size() || !base::is_digit(text[at + 1]) || !base::is_digit(text[at + 2]))
        return {};
    const int value = (text[at] - '0') * 100 + (text[at + 1] - '0') * 10 + (text[at + 2] - '0');
    if (value > 255)
        return {};
    at += 3;
    return static_cast<char>(static_cast<unsigned char>(value));
}

} // namespace

std::optional<std::string> dns_name_bytes(std::string_view text) {
    std::string bytes;
    if (text.empty() || text == ".")
        return std::string(1, '\0');
    std::size_t at = 0;
    while (at < text.size()) {
        std::string label;
        while (at < text.size() && text[at] != '.') {
            if (text[at] != '\\') {
                label += text[at++];
                continue;
            }
            const auto c = unescape(text, at);
            if (!c)
                return {};
            label += *c;
        }
        if (label.empty() || label.size() > base::limits::dns_label_max)
            return {};
        bytes += static_cast<char>(label.size());
        bytes += label;
        if (bytes.size() >= name_octets_max)
            return {};
        ++at; // the dot, or beyond the end
    }
    bytes += '\0';
    return bytes;
}

std::optional<std::string> read_dns_name(std::string_view message, std::size_t& offset) {
    std::string text;
    std::size_t at = offset;
    std::size_t run_began = offset; // of the current run of labels
    std::size_t octets = 1;
    bool jumped = false;
    for (;;) {
        if (at >= message.size())
            return {};
        const unsigned length = octet(message, at);
        if (length == 0) {
            if (!jumped)
                offset = at + 1;
            return text;
        }
        if ((length & 0xc0) == 0xc0) {
            if (at + 1 >= message.size())
                return {};
            const std::size_t target = (length & 0x3f) << 8 | octet(message, at + 1);
            if (target >= run_began)
                return {};
            if (!jumped)
                offset = at + 2;
            jumped = true;
            at = run_began = target;
            continue;
        }
        if (length > base::limits::dns_label_max)
            return {}; // 0x40 and 0x80: the extended label types that nobody uses (RFC 6891 §5)
        octets += length + 1;
        if (octets > name_octets_max || at + 1 + length > message.size())
            return {};
        append_label(text, message.substr(at + 1, length));
        at += 1 + length;
    }
}

std::string reverse_name(const base::ip_address& address) {
    constexpr std::string_view hex = "0123456789abcdef";
    const auto bytes = address.bytes();
    std::string out;
    for (auto at = bytes.rbegin(); at != bytes.rend(); ++at) {
        const auto byte = static_cast<unsigned char>(*at);
        if (address.is_v4())
            out += std::to_string(byte) + ".";
        else
            out += {hex[byte & 0xFU], '.', hex[byte >> 4U], '.'};
    }
    return out + (address.is_v4() ? "in-addr.arpa" : "ip6.arpa");
}

std::optional<std::string> canonical_dns_name(std::string_view text) {
    const auto bytes = dns_name_bytes(text);
    if (!bytes)
        return {};
    std::size_t offset = 0;
    return read_dns_name(*bytes, offset);
}

} // namespace mailtight::wire
