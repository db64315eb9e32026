// SPDX-License-Identifier: Apache-2.0
#include "mail/message_base64.h"

#include "base/text.h"
#include "mail/message_lines.h"

#include <algorithm>
#include <array>
#include <cstdint>

namespace mailtight::mail {
namespace {

constexpr std::uint8_t foreign = 0xFF;
constexpr std::array<std::uint8_t, 256> values = [] {
    std::array<std::uint8_t, 256> out{};
    out.fill(foreign);
    constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (std::size_t i = 0; i < digits.size(); ++i)
        out[static_cast<std::uint8_t>(digits[i])] = static_cast<std::uint8_t>(i);
    return out;
}();
std::uint8_t value_of(char c) {
    return values[static_cast<std::uint8_t>(c)];
}

class decoder {
public:
    explicit decoder(std::string_view text)
        : text_(text) {}

    std::size_t run(char* out) {
        out_ = out;
        while (at_ < text_.size()) {
            if (have_ == 0)
                whole_groups();
            if (at_ < text_.size() && !one(text_[at_]))
                break;
        }
        flush();
        return static_cast<std::size_t>(out_ - out);
    }

private:
    // The bulk: four letters in a row, as long as it goes.
    void whole_groups() {
        const char* at = text_.data() + at_;
        const char* const end = text_.data() + text_.size();
        for (; end - at >= 4; at += 4) {
            const std::uint32_t a = value_of(at[0]), b = value_of(at[1]), c = value_of(at[2]),
                                d = value_of(at[3]);
            if (((a | b | c | d) & 0x80U) != 0)
                break;
            const std::uint32_t group = a << 18U | b << 12U | c << 6U | d;
            *out_++ = static_cast<char>(group >> 16U);
            *out_++ = static_cast<char>(group >> 8U);
            *out_++ = static_cast<char>(group);
            line_has_data_ = true;
        }
        at_ = static_cast<std::size_t>(at - text_.data());
    }

    // One byte; false where the base64 ends.
    bool one(char c) {
        ++at_;
        if (const auto value = value_of(c); value != foreign) {
            group_ = group_ << 6U | value;
            line_has_data_ = true;
            if (++have_ == 4)
                flush();
            return true;
        }
        if (c == '\n') {
            const bool empty_line = !line_has_data_ && out_any_;
            out_any_ = out_any_ || line_has_data_;
            line_has_data_ = false;
            return !empty_line || base64_follows(false);
        }
        if (c != '=')
            return true;
        flush();
        while (at_ < text_.size() && (text_[at_] == '=' || base::is_wsp(text_[at_])))
            ++at_;
        return base64_follows(true);
    }

    // Goes on to the next line that is not empty; whether that could be base64 (`whole`: in full groups).
    // Each byte is looked at once, however often the question is asked.
    bool base64_follows(bool whole) {
        while (at_ < text_.size() && at_ >= looked_to_) {
            const auto [line, next] = line_at(text_, at_);
            const auto inside = base::trim(line);
            if (inside.empty()) {
                at_ = next;
                continue;
            }
            looked_to_ = next;
            return std::ranges::all_of(inside, [](char c) { return c == '=' || value_of(c) != foreign; }) &&
                   (!whole || inside.size() % 4 == 0);
        }
        return at_ < text_.size();
    }

    void flush() {
        const std::uint32_t group = group_ << 6U * (4U - have_);
        if (have_ > 1)
            *out_++ = static_cast<char>(group >> 16U);
        if (have_ > 2)
            *out_++ = static_cast<char>(group >> 8U);
        if (have_ > 3)
            *out_++ = static_cast<char>(group);
        have_ = 0;
        group_ = 0;
    }

    std::string_view text_;
    std::size_t at_ = 0;
    std::size_t looked_to_ = 0; // up to here base64_follows() found base64
    char* out_ = nullptr;
    std::uint32_t group_ = 0;
    unsigned have_ = 0; // letters in the group
    bool line_has_data_ = false;
    bool out_any_ = false; // in an earlier line
};

} // namespace

std::string decode_damaged_base64(std::string_view text) {
    std::string out;
    // Every four letters give three bytes; a cut group gives less than a letter each.
    out.resize_and_overwrite(text.size() / 4 * 3 + 3,
                             [&](char* to, std::size_t) { return decoder(text).run(to); });
    return out;
}

} // namespace mailtight::mail
