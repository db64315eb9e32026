// SPDX-License-Identifier: Apache-2.0
// tcp_table(5). Postfix takes a whole reply through its decoder, the text of errors too: everything behind
// the code is encoded.
#include "wire/tcp_table.h"

#include <fmt/format.h>

namespace mailtight::wire {

namespace {

/// What stands for itself on the line: printing ASCII without the sign of the encoding.
bool plain(char c) {
    return c > ' ' && c < 0x7f && c != '%';
}

std::optional<unsigned> hex_value(char digit) {
    if (digit >= '0' && digit <= '9')
        return static_cast<unsigned>(digit - '0');
    const char lower = static_cast<char>(digit | 0x20);
    if (lower >= 'a' && lower <= 'f')
        return static_cast<unsigned>(lower - 'a' + 10);
    return std::nullopt;
}

void append_encoded(std::string& to, std::string_view text) {
    constexpr std::string_view digits = "0123456789ABCDEF";
    for (const char c : text) {
        if (plain(c)) {
            to += c;
            continue;
        }
        const auto value = static_cast<unsigned char>(c);
        to += '%';
        to += digits[value >> 4];
        to += digits[value & 15];
    }
}

std::string line_of(int code, std::string_view text) {
    auto line = fmt::format("{} ", code);
    append_encoded(line, text);
    line += '\n';
    return line;
}

} // namespace

std::optional<std::string> percent_decode(std::string_view text) {
    std::string decoded;
    decoded.reserve(text.size());
    for (std::size_t at = 0; at < text.size(); ++at) {
        const char c = text[at];
        if (c == '%') {
            if (text.size() - at < 3)
                return std::nullopt;
            const auto high = hex_value(text[at + 1]), low = hex_value(text[at + 2]);
            if (!high || !low)
                return std::nullopt;
            decoded += static_cast<char>(*high << 4 | *low);
            at += 2;
        } else if (plain(c) || static_cast<unsigned char>(c) >= 0x80) { // UTF-8 typed by a person
            decoded += c;
        } else {
            return std::nullopt;
        }
    }
    return decoded;
}

tcp_table_request read_tcp_table_request(std::string_view line) {
    using enum tcp_table_request::kind;
    const auto verb = line.substr(0, 4);
    if (verb != "get " && verb != "put ")
        return {broken, {}};
    auto words = line.substr(4);
    if (verb == "put ") {
        const auto between = words.find(' ');
        if (between == words.npos || !percent_decode(words.substr(between + 1)))
            return {broken, {}};
        words = words.substr(0, between);
    }
    auto key = percent_decode(words);
    if (!key || key->empty())
        return {broken, {}};
    return {verb == "get " ? get : put, std::move(*key)};
}

std::string tcp_table_reply(int code, std::string_view text) {
    if (text.size() <= tcp_table_line) { // encoding never shortens
        auto line = line_of(code, text);
        if (line.size() <= tcp_table_line)
            return line;
    }
    return line_of(400, fmt::format("the answer is longer than the {} bytes that a tcp_table client takes",
                                    tcp_table_line));
}

} // namespace mailtight::wire
