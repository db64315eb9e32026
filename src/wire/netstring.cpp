// SPDX-License-Identifier: Apache-2.0
// Entry: read_netstring. What the first bytes decide stays decided, whatever follows them and however they
// were cut: a length is judged digit by digit, before a byte of its payload is there.
#include "wire/netstring.h"

#include <array>
#include <charconv>
#include <limits>

namespace mailtight::wire {

netstring_read read_netstring(std::string_view bytes, std::size_t limit) {
    using enum netstring_read::state;
    std::size_t length = 0, at = 0;
    for (; at < bytes.size() && bytes[at] != ':'; ++at) {
        const char digit = bytes[at];
        if (digit < '0' || digit > '9' || (at == 1 && bytes[0] == '0'))
            return {broken, {}, 0};
        const auto value = static_cast<std::size_t>(digit - '0');
        if (value > limit || length > (limit - value) / 10) // that is, length * 10 + value > limit
            return {too_long, {}, 0};
        length = length * 10 + value;
    }
    if (at == bytes.size())
        return {partial, {}, 0};
    if (at == 0)
        return {broken, {}, 0};
    const auto rest = bytes.substr(at + 1);
    if (rest.size() <= length)
        return {partial, {}, 0};
    if (rest[length] != ',')
        return {broken, {}, 0};
    return {complete, rest.substr(0, length), at + 1 + length + 1};
}

void append_netstring(std::string& to, std::string_view payload) {
    std::array<char, std::numeric_limits<std::size_t>::digits10 + 1> digits{};
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), payload.size()).ptr;
    to.append(digits.data(), end);
    to += ':';
    to += payload;
    to += ',';
}

} // namespace mailtight::wire
