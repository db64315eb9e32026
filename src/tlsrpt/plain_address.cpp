// SPDX-License-Identifier: Apache-2.0
// The characters become masks, a bit for each, and the rules become arithmetic on the masks: digits of real
// addresses follow no pattern, and a wrongly guessed branch costs more than all of it.
#include "tlsrpt/plain_address.h"

#include "tlsrpt/eight_bytes.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>

namespace mailtight::tlsrpt {
namespace {

constexpr std::size_t shortest = 8, longest_v4 = 15, longest_v6 = 39;

std::uint64_t in_order(std::uint64_t word) {
    return std::endian::native == std::endian::big ? std::byteswap(word) : word;
}
// The characters from `at` on, the first lowest; zeros beyond the end. The text has at least eight.
std::uint64_t word_at(std::string_view text, std::size_t at) {
    if (at + 8 <= text.size())
        return in_order(eight_bytes(text.data() + at));
    if (at >= text.size())
        return 0;
    return in_order(eight_bytes(text.data() + text.size() - 8)) >> 8 * (at + 8 - text.size());
}
// The high bits of eight bytes, side by side.
std::uint64_t gathered(std::uint64_t high_bits) {
    return ((high_bits & high_of_eight) >> 7U) * 0x0102'0408'1020'4080U >> 56U;
}
std::uint64_t lowest(std::size_t bits) {
    return (std::uint64_t{1} << bits) - 1;
}

// One number of a dotted quad: one to three digits from `from` on, no zero in front, 255 at most.
bool is_octet(std::string_view text, std::size_t from, std::size_t end) {
    const std::size_t length = end - from;
    if (length - 1 >= 3)
        return false;
    const std::size_t at = std::min(from, text.size() - 4);
    std::uint32_t four = 0;
    std::memcpy(&four, text.data() + at, 4);
    if constexpr (std::endian::native == std::endian::big)
        four = std::byteswap(four);
    four = four >> 8 * (from - at) << 8 * (4 - length); // its last digit in the highest byte
    const std::uint32_t decimal = std::byteswap(four & 0x0F0F'0F0FU);
    constexpr std::array<std::uint32_t, 4> least{0, 0, 0x0000'0100, 0x0001'0000};
    return decimal >= least[length] && decimal <= 0x0002'0505;
}

bool is_plain_v4(std::string_view text) {
    const std::uint64_t low = word_at(text, 0), high = word_at(text, 8);
    const std::uint64_t digits = gathered(within(low, '0', '9')) | gathered(within(high, '0', '9')) << 8U;
    std::uint64_t dots = gathered(equal_to(low, '.')) | gathered(equal_to(high, '.')) << 8U;
    if (((low | high) & high_of_eight) != 0 || (digits | dots) != lowest(text.size()))
        return false;
    std::array<std::size_t, 3> dot{};
    for (auto& at : dot) {
        if (dots == 0)
            return false;
        at = static_cast<std::size_t>(std::countr_zero(dots));
        dots &= dots - 1;
    }
    if (dots != 0)
        return false;
    return is_octet(text, 0, dot[0]) && is_octet(text, dot[0] + 1, dot[1]) &&
           is_octet(text, dot[1] + 1, dot[2]) && is_octet(text, dot[2] + 1, text.size());
}

// RFC 5952: lower-case groups without leading zeros; no two zero groups side by side but behind one "::",
// which hides two or more and has none beside it.
bool is_plain_v6(std::string_view text) {
    std::uint64_t digits = 0, zeros = 0, colons = 0, beyond_ascii = 0;
    for (std::size_t at = 0; at < text.size(); at += 8) {
        const std::uint64_t word = word_at(text, at);
        beyond_ascii |= word & high_of_eight;
        digits |= gathered(within(word, '0', '9') | within(word, 'a', 'f')) << at;
        zeros |= gathered(equal_to(word, '0')) << at;
        colons |= gathered(equal_to(word, ':')) << at;
    }
    const std::uint64_t starts = digits & ~(digits << 1U), ends = digits & ~(digits >> 1U);
    const std::uint64_t zero_groups = starts & ends & zeros, gaps = colons & (colons >> 1U);
    const std::uint64_t last = std::uint64_t{1} << (text.size() - 1);
    std::uint64_t odd = beyond_ascii | ((digits | colons) ^ lowest(text.size()));
    odd |= digits & digits << 1U & digits << 2U & digits << 3U & digits << 4U;
    odd |= starts & zeros & ~ends;
    odd |= zero_groups & zero_groups << 2U;
    odd |= (gaps & zero_groups << 1U) | (gaps << 2U & zero_groups);
    odd |= gaps & (gaps - 1);
    odd |= (colons & last) & ~(gaps << 1U); // one colon alone at an end
    odd |= (colons & 1U) & ~gaps;
    const int groups = std::popcount(starts);
    return odd == 0 && (gaps != 0 ? groups <= 6 : groups == 8);
}

} // namespace

bool is_plain_address(std::string_view text) {
    if (text.size() < shortest || text.size() > longest_v6)
        return false;
    if (gathered(equal_to(word_at(text, 0), '.')) != 0)
        return text.size() <= longest_v4 && is_plain_v4(text);
    // RFC 5952 §5: those prefixes show an IPv4 address with dots.
    return !text.starts_with("::") && !text.starts_with("64:ff9b:") && is_plain_v6(text);
}

} // namespace mailtight::tlsrpt
