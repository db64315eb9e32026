// SPDX-License-Identifier: Apache-2.0
#include "tally/clean_text.h"

#include "base/text.h"
#include "base/utf8.h"

#include <algorithm>

namespace mailtight::tally {
namespace {

constexpr std::string_view replacement = "\xef\xbf\xbd"; // U+FFFD

bool is_control(char32_t c) {
    return c < 0x20 || (c >= 0x7f && c < 0xa0);
}
bool is_noncharacter(char32_t c) {
    return (c >= 0xfdd0 && c <= 0xfdef) || (c & 0xfffeU) == 0xfffe;
}
// Most texts are a line of printable ASCII, which needs no more than its copy.
bool is_plain(std::string_view text) {
    bool plain = true;
    for (const char c : text)
        plain &= static_cast<unsigned char>(c) - 0x20U < 0x5fU;
    return plain;
}

} // namespace

std::string mend_utf8(std::string_view bytes) {
    std::string out;
    out.reserve(bytes.size() + 16);
    while (!bytes.empty()) {
        const auto good = std::min(base::first_invalid_utf8(bytes), bytes.size());
        out += bytes.substr(0, good);
        bytes.remove_prefix(good);
        if (bytes.empty())
            break;
        out += replacement;
        bytes.remove_prefix(1);
    }
    return out;
}

std::string clean_text(std::string_view bytes, std::size_t most) {
    bytes = base::trim(bytes);
    if (bytes.size() <= most && is_plain(bytes))
        return std::string(bytes);
    std::string out;
    out.reserve(std::min(bytes.size(), most));
    for (std::size_t at = 0; at < bytes.size();) {
        const auto c = base::utf8_at(bytes, at);
        std::string_view next = replacement;
        if (c && is_control(c->code_point))
            next = " ";
        else if (c && !is_noncharacter(c->code_point))
            next = bytes.substr(at, c->length);
        if (out.size() + next.size() > most)
            break;
        out += next;
        at += c ? c->length : 1;
    }
    return std::string(base::trim(out));
}

std::string_view first_of_ehlo(std::string_view reply) {
    reply = reply.substr(0, reply.find_first_of("\r\n"));
    const bool coded = reply.size() >= 3 && std::ranges::all_of(reply.substr(0, 3), base::is_digit) &&
                       (reply.size() == 3 || reply[3] == '-' || reply[3] == ' ');
    if (coded)
        reply.remove_prefix(std::min<std::size_t>(reply.size(), 4));
    return base::trim(reply);
}

} // namespace mailtight::tally
