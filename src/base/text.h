// SPDX-License-Identifier: Apache-2.0
// Small text helpers. ASCII only where nothing else is said: protocol text is ASCII, and a locale has no say
// in it. Every function is pure, allocates only its result, and takes any bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace mailtight::base {

constexpr bool is_digit(char c) {
    return c >= '0' && c <= '9';
}
constexpr bool is_alpha(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
constexpr bool is_alnum(char c) {
    return is_digit(c) || is_alpha(c);
}
/// Space or tab (WSP of RFC 5234).
constexpr bool is_wsp(char c) {
    return c == ' ' || c == '\t';
}
constexpr char to_lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

/// Lower-cases ASCII letters; every other byte is kept.
std::string lower(std::string_view text);
/// ASCII case-insensitive equality.
bool iequals(std::string_view a, std::string_view b);
/// True where `text` ends in `suffix`, ASCII case-insensitively.
bool iends_with(std::string_view text, std::string_view suffix);
/// Without the spaces, tabs, CR and LF at both ends.
std::string_view trim(std::string_view text);
/// The parts between `separator`; "a,,b" has three, "" has one (empty).
std::vector<std::string_view> split(std::string_view text, char separator);
std::string join(const std::vector<std::string>& parts, std::string_view separator);

/// Makes any bytes safe for a terminal or a log line: control characters (C0, DEL, C1), invalid UTF-8,
/// line and paragraph separators and bidirectional overrides become visible escapes (`\x1b`, `\u202e`);
/// LF, CR and TAB become `\n`, `\r` and `\t`. At most `limit` bytes of input are shown, the rest is counted
/// ("… 123 more bytes").
std::string printable(std::string_view bytes, std::size_t limit = 2000);

/// True where the bytes are well-formed UTF-8 (RFC 3629: no overlong forms, no surrogates, at most U+10FFFF).
bool is_utf8(std::string_view bytes);
/// The offset of the first byte that is no well-formed UTF-8, or npos.
std::size_t first_invalid_utf8(std::string_view bytes);

/// Columns a well-formed UTF-8 text takes on a terminal (combining marks 0, East Asian wide 2).
std::size_t display_width(std::string_view utf8);
/// Wraps text at spaces to `width` columns; a word longer than a line is kept whole. Existing newlines are
/// kept.
std::vector<std::string> wrap(std::string_view utf8, std::size_t width);

/// The known word nearest to `word` (edit distance at most a third of its length), or "" where none is near.
std::string_view nearest(std::string_view word, const std::vector<std::string_view>& known);

} // namespace mailtight::base
