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
/// True where every byte is printable ASCII or DEL: eight at a time, since every text passes here.
inline bool is_plain(std::string_view text) {
    constexpr std::uint64_t blanks = 0x2020'2020'2020'2020, high = 0x8080'8080'8080'8080;
    const auto odd_bits = [](std::uint64_t eight) { return (eight - blanks) | eight; };
    std::uint64_t odd = 0;
    if (text.size() >= 8) {
        const std::size_t last = text.size() - 8;
        for (std::size_t at = 0; at < last; at += 8)
            odd |= odd_bits(eight_bytes(text.data() + at));
        odd |= odd_bits(eight_bytes(text.data() + last));
        return (odd & high) == 0;
    }
    bool plain = true;
    for (const char c : text)
        plain = plain && static_cast<unsigned char>(c) - 0x20U < 0x60U;
    return plain;
}

} // namespace mailtight::tlsrpt
