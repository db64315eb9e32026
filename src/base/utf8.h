// SPDX-License-Identifier: Apache-2.0
// One step of a strict UTF-8 reader (RFC 3629). Pure; any bytes may be given.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace mailtight::base {

struct utf8_char {
    char32_t code_point;
    std::size_t length; ///< bytes, 1 to 4
};

/// The character that starts at `at` (which must be below the size), or nothing where the bytes there are no
/// well-formed UTF-8: overlong forms, surrogates, values beyond U+10FFFF and cut sequences are none.
std::optional<utf8_char> utf8_at(std::string_view bytes, std::size_t at);

/// Appends one code point (at most U+10FFFF, no surrogate) as UTF-8.
void append_utf8(std::string& to, char32_t code_point);

} // namespace mailtight::base
