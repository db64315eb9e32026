// SPDX-License-Identifier: Apache-2.0
#include "base/encode.h"

#include "base/text.h"

#include <algorithm>

namespace mailtight::base {
namespace {

constexpr std::string_view base64_digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view base32_digits = "abcdefghijklmnopqrstuvwxyz234567";
constexpr std::string_view hex_digits = "0123456789abcdef";

std::uint32_t byte_at(std::string_view bytes, std::size_t at) {
    return static_cast<std::uint8_t>(bytes[at]);
}

int base64_value(char c) {
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (is_digit(c))
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

} // namespace

std::string hex(std::string_view bytes) {
    std::string out;
    out.reserve(2 * bytes.size());
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        out += hex_digits[byte_at(bytes, i) >> 4U];
        out += hex_digits[byte_at(bytes, i) & 0xFU];
    }
    return out;
}

std::optional<std::string> unhex(std::string_view text) {
    if (text.size() % 2 != 0)
        return std::nullopt;
    std::string out;
    out.reserve(text.size() / 2);
    for (std::size_t i = 0; i < text.size(); i += 2) {
        const auto high = hex_digits.find(to_lower(text[i]));
        const auto low = hex_digits.find(to_lower(text[i + 1]));
        if (high == std::string_view::npos || low == std::string_view::npos)
            return std::nullopt;
        out += static_cast<char>(high << 4U | low);
    }
    return out;
}

std::string base64(std::string_view bytes) {
    std::string out;
    out.reserve((bytes.size() + 2) / 3 * 4);
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        const std::size_t have = std::min<std::size_t>(3, bytes.size() - i);
        std::uint32_t group = byte_at(bytes, i) << 16U;
        if (have > 1)
            group |= byte_at(bytes, i + 1) << 8U;
        if (have > 2)
            group |= byte_at(bytes, i + 2);
        out += base64_digits[group >> 18U];
        out += base64_digits[group >> 12U & 0x3FU];
        out += have > 1 ? base64_digits[group >> 6U & 0x3FU] : '=';
        out += have > 2 ? base64_digits[group & 0x3FU] : '=';
    }
    return out;
}

std::optional<std::string> unbase64(std::string_view text) {
    if (text.size() % 4 != 0)
        return std::nullopt;
    std::string out;
    out.reserve(text.size() / 4 * 3);
    for (std::size_t i = 0; i < text.size(); i += 4) {
        const bool is_last = i + 4 == text.size();
        const std::size_t padding = !is_last || text[i + 3] != '=' ? 0 : text[i + 2] == '=' ? 2 : 1;
        std::uint32_t group = 0;
        for (std::size_t j = 0; j < 4 - padding; ++j) {
            const int value = base64_value(text[i + j]);
            if (value < 0)
                return std::nullopt;
            group |= static_cast<std::uint32_t>(value) << (18 - 6 * j);
        }
        // RFC 4648 §3.5: bits that the padding leaves over are zero, so that each value has one text only.
        if ((padding == 2 && (group & 0xFFFFU) != 0) || (padding == 1 && (group & 0xFFU) != 0))
            return std::nullopt;
        for (std::size_t j = 0; j < 3 - padding; ++j)
            out += static_cast<char>(group >> (16 - 8 * j) & 0xFFU);
    }
    return out;
}

std::string base32(std::string_view bytes) {
    std::string out;
    out.reserve((bytes.size() * 8 + 4) / 5);
    std::uint32_t held = 0;
    unsigned bits = 0;
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        held = (held << 8U | byte_at(bytes, i)) & 0xFFFU; // at most 4 old bits and 8 new
        bits += 8;
        for (; bits >= 5; bits -= 5)
            out += base32_digits[held >> (bits - 5) & 0x1FU];
    }
    if (bits > 0)
        out += base32_digits[held << (5 - bits) & 0x1FU];
    return out;
}

} // namespace mailtight::base
