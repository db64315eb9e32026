// SPDX-License-Identifier: Apache-2.0
#include "base/keyed_hash.h"

#include <bit>
#include <random>

namespace mailtight::base {
namespace {

struct sip_state {
    std::uint64_t a, b, c, d;

    void round() {
        a += b;
        b = std::rotl(b, 13) ^ a;
        a = std::rotl(a, 32);
        c += d;
        d = std::rotl(d, 16) ^ c;
        a += d;
        d = std::rotl(d, 21) ^ a;
        c += b;
        b = std::rotl(b, 17) ^ c;
        c = std::rotl(c, 32);
    }
    void take(std::uint64_t word) {
        d ^= word;
        round();
        round();
        a ^= word;
    }
};

/// Up to eight bytes as a little-endian number.
std::uint64_t word_of(std::string_view bytes) {
    std::uint64_t out = 0;
    for (std::size_t i = 0; i < bytes.size(); ++i)
        out |= std::uint64_t{static_cast<unsigned char>(bytes[i])} << (8 * i);
    return out;
}

} // namespace

hash_key random_hash_key() {
    std::random_device device; // getrandom() or the like; never a fixed sequence on Linux
    const auto number = [&] { return (std::uint64_t{device()} << 32) | device(); };
    return {number(), number()};
}

std::uint64_t keyed_hash(const hash_key& key, std::string_view bytes) {
    sip_state state{key[0] ^ 0x736f6d6570736575, key[1] ^ 0x646f72616e646f6d, key[0] ^ 0x6c7967656e657261,
                    key[1] ^ 0x7465646279746573};
    const std::uint64_t length = std::uint64_t{bytes.size()} << 56;
    for (; bytes.size() >= 8; bytes.remove_prefix(8))
        state.take(word_of(bytes.substr(0, 8)));
    state.take(length | word_of(bytes));
    state.c ^= 0xff;
    for (int i = 0; i < 4; ++i)
        state.round();
    return state.a ^ state.b ^ state.c ^ state.d;
}

} // namespace mailtight::base
