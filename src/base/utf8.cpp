// SPDX-License-Identifier: Apache-2.0
#include "base/utf8.h"

#include "base/text.h"

#include <array>
#include <cstdint>

namespace mailtight::base {

std::optional<utf8_char> utf8_at(std::string_view bytes, std::size_t at) {
    const auto first = static_cast<std::uint8_t>(bytes[at]);
    if (first < 0x80)
        return utf8_char{first, 1};
    const std::size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : first >= 0xC2 ? 2 : 0;
    if (length == 0 || first > 0xF4 || bytes.size() - at < length)
        return std::nullopt;
    char32_t value = first & (0xFFU >> (length + 1));
    for (std::size_t i = 1; i < length; ++i) {
        const auto next = static_cast<std::uint8_t>(bytes[at + i]);
        if ((next & 0xC0U) != 0x80U)
            return std::nullopt;
        value = (value << 6U) | (next & 0x3FU);
    }
    constexpr std::array<char32_t, 5> smallest{0, 0, 0x80, 0x800, 0x10000};
    if (value < smallest[length] || value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF))
        return std::nullopt;
    return utf8_char{value, length};
}

void append_utf8(std::string& to, char32_t code_point) {
    const auto continuation = [&](unsigned shift) {
        to += static_cast<char>(0x80U | ((code_point >> shift) & 0x3FU));
    };
    if (code_point < 0x80) {
        to += static_cast<char>(code_point);
    } else if (code_point < 0x800) {
        to += static_cast<char>(0xC0U | (code_point >> 6U));
        continuation(0);
    } else if (code_point < 0x10000) {
        to += static_cast<char>(0xE0U | (code_point >> 12U));
        continuation(6);
        continuation(0);
    } else {
        to += static_cast<char>(0xF0U | (code_point >> 18U));
        continuation(12);
        continuation(6);
        continuation(0);
    }
}

std::size_t first_invalid_utf8(std::string_view bytes) {
    for (std::size_t at = 0; at < bytes.size();) {
        const auto c = utf8_at(bytes, at);
        if (!c)
            return at;
        at += c->length;
    }
    return std::string_view::npos;
}

bool is_utf8(std::string_view bytes) {
    return first_invalid_utf8(bytes) == std::string_view::npos;
}

} // namespace mailtight::base
