// SPDX-License-Identifier: Apache-2.0
// The characters become masks, a bit for each, and the rules become arithmetic on the masks: digits of real
// addresses follow no pattern, and a wrongly guessed branch costs more than all of it.
#include "tlsrpt/plain_address.h"

#include "tlsrpt/eight_bytes.h"

#include <bit>
#include <cstdint>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace mailtight::tlsrpt {
namespace {

constexpr std::size_t shortest = 8, longest_v4 = 15, longest_v6 = 39;

using mask = std::uint64_t; // the lowest bit is the first character

mask in_order(std::uint64_t word) {
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
mask lowest(std::size_t bits) {
    return (mask{1} << bits) - 1;
}

// Sixteen characters of a text. Beside one beyond ASCII, what the others are is not told rightly.
class sixteen {
public:
    sixteen(std::string_view text, std::size_t at)
        : low_(word_at(text, at))
        , high_(word_at(text, at + 8)) {}
    bool beyond_ascii() const { return ((low_ | high_) & high_of_eight) != 0; }
#ifdef __SSE2__
    mask are(char c) const { return bits(_mm_cmpeq_epi8(both_, _mm_set1_epi8(c))); }
    mask at_least(char c) const {
        return bits(_mm_cmpgt_epi8(both_, _mm_set1_epi8(static_cast<char>(c - 1))));
    }
#else
    mask are(char c) const {
        const auto byte = static_cast<unsigned char>(c);
        return gathered(equal_to(low_, byte)) | gathered(equal_to(high_, byte)) << 8U;
    }
    mask at_least(char c) const {
        const auto byte = static_cast<unsigned char>(c);
        return gathered(tlsrpt::at_least(low_, byte)) | gathered(tlsrpt::at_least(high_, byte)) << 8U;
    }
#endif
    mask within(char first, char last) const {
        return at_least(first) & ~at_least(static_cast<char>(last + 1));
    }

private:
    std::uint64_t low_, high_;
#ifdef __SSE2__
    static mask bits(__m128i found) { return static_cast<std::uint32_t>(_mm_movemask_epi8(found)); }
    __m128i both_ = _mm_set_epi64x(std::bit_cast<long long>(high_), std::bit_cast<long long>(low_));
#else
    // The high bits of eight bytes, side by side.
    static mask gathered(std::uint64_t high_bits) {
        return ((high_bits & high_of_eight) >> 7U) * 0x0102'0408'1020'4080U >> 56U;
    }
#endif
};

bool is_plain_v4(const sixteen& chars, mask dots, std::size_t size) {
    const mask digits = chars.within('0', '9'), next = digits >> 1U;
    const mask starts = digits & ~(digits << 1U), ends = digits & ~next;
    const mask hundreds = starts & next & digits >> 2U;
    const mask twos = hundreds & chars.are('2'), fives = chars.are('5');
    mask odd = chars.beyond_ascii() | ((digits | dots) ^ lowest(size));
    odd |= digits & digits << 1U & digits << 2U & digits << 3U;
    odd |= starts & chars.are('0') & ~ends;
    odd |= hundreds & chars.at_least('3');
    const mask above_five = chars.at_least('6');
    odd |= twos & (above_five >> 1U | (fives >> 1U & above_five >> 2U));
    return odd == 0 && std::popcount(starts) == 4 && std::popcount(dots) == 3;
}

// RFC 5952: lower-case groups without leading zeros; no two zero groups side by side but behind one "::",
// which hides two or more and has none beside it.
bool is_plain_v6(std::string_view text) {
    mask digits = 0, zeros = 0, colons = 0, odd = 0;
    for (std::size_t at = 0; at < text.size(); at += 16) {
        const sixteen chars(text, at);
        odd |= chars.beyond_ascii();
        digits |= (chars.within('0', '9') | chars.within('a', 'f')) << at;
        zeros |= chars.are('0') << at;
        colons |= chars.are(':') << at;
    }
    const mask starts = digits & ~(digits << 1U), ends = digits & ~(digits >> 1U);
    const mask zero_groups = starts & ends & zeros, gaps = colons & (colons >> 1U);
    const mask last = mask{1} << (text.size() - 1);
    odd |= (digits | colons) ^ lowest(text.size());
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
    if (text.size() <= longest_v4) {
        const sixteen chars(text, 0);
        if (const mask dots = chars.are('.'); dots != 0)
            return is_plain_v4(chars, dots, text.size());
    }
    // RFC 5952 §5: those prefixes show an IPv4 address with dots.
    return !text.starts_with("::") && !text.starts_with("64:ff9b:") && is_plain_v6(text);
}

} // namespace mailtight::tlsrpt
