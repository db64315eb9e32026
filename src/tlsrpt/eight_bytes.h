// SPDX-License-Identifier: Apache-2.0
// Short texts looked at eight bytes at a time, without a call: every name and text of every report passes
// here. Pure. Private to the reader.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace mailtight::tlsrpt {

inline std::uint64_t eight_bytes(const char* at) {
    std::uint64_t value = 0;
    std::memcpy(&value, at, 8);
    return value;
}
/// Equality without a call: every name of every report is compared.
inline bool same_name(std::string_view a, std::string_view b) {
    if (a.size() != b.size())
        return false;
    if (a.size() < 8)
        return a == b;
    const std::size_t last = a.size() - 8;
    for (std::size_t at = 0; at < last; at += 8)
        if (eight_bytes(a.data() + at) != eight_bytes(b.data() + at))
            return false;
    return eight_bytes(a.data() + last) == eight_bytes(b.data() + last);
}
/// The high bit of every byte of eight; the searches below set it where a byte fits. They hold for ASCII:
/// where a byte has its own high bit set, what they say is to be thrown away.
inline constexpr std::uint64_t high_of_eight = 0x8080'8080'8080'8080;
inline constexpr std::uint64_t each_of_eight = 0x0101'0101'0101'0101;
inline std::uint64_t at_least(std::uint64_t eight, unsigned char least) {
    return eight + (0x80U - least) * each_of_eight;
}
inline std::uint64_t within(std::uint64_t eight, unsigned char first, unsigned char last) {
    return at_least(eight, first) & ~at_least(eight, static_cast<unsigned char>(last + 1));
}
inline std::uint64_t equal_to(std::uint64_t eight, unsigned char c) {
    return high_of_eight - (eight ^ c * each_of_eight);
}
/// `folded(eight)` of every eight bytes of a text of eight or more, put together by OR.
template<class Folded>
std::uint64_t of_eights(std::string_view text, Folded folded) {
    const std::size_t last = text.size() - 8;
    std::uint64_t all = folded(eight_bytes(text.data() + last));
    for (std::size_t at = 0; at < last; at += 8)
        all |= folded(eight_bytes(text.data() + at));
    return all & high_of_eight;
}
/// True where every byte is printable ASCII or DEL: eight at a time, since every text passes here.
inline bool is_plain(std::string_view text) {
    if (text.size() >= 8)
        return of_eights(text, [](std::uint64_t eight) { return eight | ~at_least(eight, ' '); }) == 0;
    bool plain = true;
    for (const char c : text)
        plain = plain && static_cast<unsigned char>(c) - 0x20U < 0x60U;
    return plain;
}
/// True where every byte is ASCII without controls, blanks, `"`, `<` and `>`.
inline bool has_only_uri_bytes(std::string_view text) {
    if (text.size() >= 8)
        return of_eights(text, [](std::uint64_t eight) {
                   return eight | ~at_least(eight, '!') | equal_to(eight, 0x7f) | equal_to(eight, '"') |
                          equal_to(eight, '<') | equal_to(eight, '>');
               }) == 0;
    bool only = true;
    for (const char c : text)
        only = only && c > ' ' && c < '\x7f' && c != '"' && c != '<' && c != '>';
    return only;
}
/// True only where no byte is a capital letter of ASCII; false says nothing.
inline bool has_no_capitals(std::string_view text) {
    return text.size() >= 8 &&
           of_eights(text, [](std::uint64_t eight) { return eight | within(eight, 'A', 'Z'); }) == 0;
}

} // namespace mailtight::tlsrpt
