// SPDX-License-Identifier: Apache-2.0
// Addresses and networks: text in, text out. The judgement of ranges is in ip_special.cpp.
#include "base/ip.h"

#include "base/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <span>

namespace mailtight::base {
namespace {

std::optional<unsigned> small_decimal(std::string_view text, unsigned max) {
    if (text.empty() || text.size() > 3 || (text.size() > 1 && text.front() == '0'))
        return std::nullopt;
    unsigned value = 0;
    for (const char c : text) {
        if (!is_digit(c))
            return std::nullopt;
        value = value * 10 + static_cast<unsigned>(c - '0');
    }
    return value <= max ? std::optional(value) : std::nullopt;
}

std::optional<std::array<std::uint8_t, 4>> parse_v4(std::string_view text) {
    if (text.size() > 15)
        return std::nullopt;
    const auto parts = split(text, '.');
    std::array<std::uint8_t, 4> bytes{};
    if (parts.size() != bytes.size())
        return std::nullopt;
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        const auto value = small_decimal(parts[i], 255);
        if (!value)
            return std::nullopt;
        bytes[i] = static_cast<std::uint8_t>(*value);
    }
    return bytes;
}

int hex_value(char c) {
    if (is_digit(c))
        return c - '0';
    c = to_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/// Reads colon-separated groups (the last may be a dotted quad where `quad_allowed`) into `out` and gives
/// their number of bytes; nothing on a syntax error or where they don't fit.
std::optional<std::size_t> parse_groups(std::string_view text, bool quad_allowed,
                                        std::span<std::uint8_t, 16> out) {
    if (text.empty())
        return 0;
    std::size_t used = 0;
    const auto groups = split(text, ':');
    for (const auto& group : groups) {
        const bool is_last = &group == &groups.back();
        if (is_last && quad_allowed && group.find('.') != std::string_view::npos) {
            const auto quad = parse_v4(group);
            if (!quad || used + 4 > out.size())
                return std::nullopt;
            std::ranges::copy(*quad, out.subspan(used).begin());
            return used + 4;
        }
        if (group.empty() || group.size() > 4 || used + 2 > out.size())
            return std::nullopt;
        unsigned value = 0;
        for (const char c : group) {
            const int digit = hex_value(c);
            if (digit < 0)
                return std::nullopt;
            value = value * 16 + static_cast<unsigned>(digit);
        }
        out[used++] = static_cast<std::uint8_t>(value >> 8U);
        out[used++] = static_cast<std::uint8_t>(value & 0xFFU);
    }
    return used;
}

std::optional<std::array<std::uint8_t, 16>> parse_v6(std::string_view text) {
    if (text.size() > 45) // the longest form: six groups and a dotted quad
        return std::nullopt;
    std::array<std::uint8_t, 16> bytes{}, tail{};
    const auto gap = text.find("::");
    if (gap == std::string_view::npos) {
        const auto used = parse_groups(text, true, bytes);
        return used == bytes.size() ? std::optional(bytes) : std::nullopt;
    }
    const auto head_bytes = parse_groups(text.substr(0, gap), false, bytes);
    const auto tail_bytes = parse_groups(text.substr(gap + 2), true, tail);
    // RFC 4291 §2.2: "::" stands for at least one group of zeros.
    if (!head_bytes || !tail_bytes || *head_bytes + *tail_bytes > bytes.size() - 2)
        return std::nullopt;
    std::copy_n(tail.begin(), *tail_bytes, bytes.end() - static_cast<std::ptrdiff_t>(*tail_bytes));
    return bytes;
}

std::string quad_text(std::span<const std::uint8_t, 4> b) {
    return fmt::format("{}.{}.{}.{}", b[0], b[1], b[2], b[3]);
}

std::string v6_text(const std::array<std::uint8_t, 16>& bytes) {
    // RFC 5952 §5: known prefixes that hold an IPv4 address (mapped; NAT64, RFC 6052 §2.4) show it dotted.
    constexpr std::array<std::uint8_t, 12> mapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};
    constexpr std::array<std::uint8_t, 12> nat64{0, 0x64, 0xFF, 0x9B};
    const std::span all(bytes);
    if (std::ranges::equal(all.first<12>(), mapped))
        return "::ffff:" + quad_text(all.last<4>());
    if (std::ranges::equal(all.first<12>(), nat64))
        return "64:ff9b::" + quad_text(all.last<4>());

    const auto group = [&](std::size_t i) {
        return static_cast<unsigned>(bytes[2 * i]) << 8U | bytes[2 * i + 1];
    };
    // RFC 5952 §4.2: the longest run of two or more zero groups is shortened, the first of equals.
    std::size_t gap = 8, gap_length = 1;
    for (std::size_t i = 0; i < 8;) {
        std::size_t end = i;
        while (end < 8 && group(end) == 0)
            ++end;
        if (end - i > gap_length) {
            gap = i;
            gap_length = end - i;
        }
        i = end + 1;
    }
    std::string out;
    for (std::size_t i = 0; i < 8; ++i) {
        if (i == gap) {
            out += "::";
            i += gap_length - 1;
            continue;
        }
        if (!out.empty() && out.back() != ':')
            out += ':';
        out += fmt::format("{:x}", group(i));
    }
    return out;
}

} // namespace

ip_address ip_address::v4(std::array<std::uint8_t, 4> bytes) {
    ip_address out;
    std::ranges::copy(bytes, out.bytes_.begin());
    return out;
}

ip_address ip_address::v6(std::array<std::uint8_t, 16> bytes) {
    ip_address out;
    out.bytes_ = bytes;
    out.v4_ = false;
    return out;
}

std::optional<ip_address> ip_address::parse(std::string_view text) {
    if (text.find(':') != std::string_view::npos) {
        const auto bytes = parse_v6(text);
        return bytes ? std::optional(v6(*bytes)) : std::nullopt;
    }
    const auto bytes = parse_v4(text);
    return bytes ? std::optional(v4(*bytes)) : std::nullopt;
}

std::string_view ip_address::bytes() const {
    return {reinterpret_cast<const char*>(bytes_.data()), v4_ ? 4U : 16U};
}

std::string ip_address::to_string() const {
    return v4_ ? quad_text(std::span(bytes_).first<4>()) : v6_text(bytes_);
}

std::optional<ip_network> ip_network::parse(std::string_view text) {
    const auto slash = text.find('/');
    const auto address = ip_address::parse(text.substr(0, slash));
    if (!address)
        return std::nullopt;
    const unsigned width = address->is_v4() ? 32 : 128;
    ip_network out;
    out.prefix_ = width;
    if (slash != std::string_view::npos) {
        const auto prefix = small_decimal(text.substr(slash + 1), width);
        if (!prefix)
            return std::nullopt;
        out.prefix_ = *prefix;
    }
    // Host bits are dropped: people write 127.0.0.1/8 for the network their address lies in.
    std::array<std::uint8_t, 16> bytes{};
    std::ranges::copy(address->bytes(), bytes.begin());
    for (unsigned bit = out.prefix_; bit < width; ++bit)
        bytes[bit / 8] &= static_cast<std::uint8_t>(~(0x80U >> (bit % 8)));
    out.base_ =
        address->is_v4() ? ip_address::v4({bytes[0], bytes[1], bytes[2], bytes[3]}) : ip_address::v6(bytes);
    return out;
}

bool ip_network::contains(const ip_address& address) const {
    if (address.is_v4() != base_.is_v4())
        return false;
    const auto a = address.bytes(), b = base_.bytes();
    const std::size_t whole = prefix_ / 8;
    if (a.substr(0, whole) != b.substr(0, whole))
        return false;
    const unsigned rest = prefix_ % 8;
    return rest == 0 || ((static_cast<unsigned>(a[whole]) ^ static_cast<unsigned>(b[whole])) &
                         (0xFFU << (8 - rest)) & 0xFFU) == 0;
}

std::string ip_network::to_string() const {
    return fmt::format("{}/{}", base_.to_string(), prefix_);
}

} // namespace mailtight::base
