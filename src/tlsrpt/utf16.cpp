// SPDX-License-Identifier: Apache-2.0
#include "base/utf8.h"
#include "tlsrpt/json_mend.h"

namespace mailtight::tlsrpt {
namespace {
constexpr char32_t replacement = 0xFFFD;

bool is_high(char32_t unit) {
    return unit >= 0xD800 && unit <= 0xDBFF;
}
bool is_low(char32_t unit) {
    return unit >= 0xDC00 && unit <= 0xDFFF;
}
bool little_endian(std::string_view bytes) {
    return bytes.starts_with("\xff\xfe") || (bytes[0] != '\0' && bytes[1] == '\0');
}
} // namespace

bool looks_like_utf16(std::string_view bytes) {
    if (bytes.size() < 4)
        return false;
    if (bytes.starts_with("\xff\xfe") || bytes.starts_with("\xfe\xff"))
        return true;
    const bool low_first = bytes[0] == '{' && bytes[1] == '\0' && bytes[2] != '\0';
    const bool high_first = bytes[0] == '\0' && bytes[1] == '{' && bytes[2] == '\0';
    return low_first || high_first;
}

std::string from_utf16(std::string_view bytes, remarks& notes) {
    const bool low_first = little_endian(bytes);
    const auto unit_at = [&](std::size_t at) -> char32_t {
        const auto a = static_cast<unsigned char>(bytes[at]), b = static_cast<unsigned char>(bytes[at + 1]);
        return low_first ? a | (char32_t{b} << 8U) : b | (char32_t{a} << 8U);
    };
    std::string out;
    out.reserve(bytes.size() / 2);
    bool lone = false;
    std::size_t at = 0;
    if (unit_at(0) == 0xFEFF)
        at = 2;
    for (; at + 1 < bytes.size(); at += 2) {
        char32_t unit = unit_at(at);
        if (is_high(unit) && at + 3 < bytes.size() && is_low(unit_at(at + 2))) {
            unit = 0x10000 + ((unit - 0xD800) << 10U) + (unit_at(at + 2) - 0xDC00);
            at += 2;
        } else if (is_high(unit) || is_low(unit)) {
            unit = replacement;
            lone = true;
        }
        base::append_utf8(out, unit);
    }
    if (lone)
        notes.add(quirk::lone_surrogate, place{}, "");
    if (at < bytes.size()) {
        base::append_utf8(out, replacement);
        notes.add(quirk::invalid_utf8, place{}, "an odd number of bytes");
    }
    return out;
}

} // namespace mailtight::tlsrpt
