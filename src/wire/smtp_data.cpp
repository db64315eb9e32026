// SPDX-License-Identifier: Apache-2.0
// One entry for DATA, smtp_data::lines: inside a line the next LF is searched at once, so that the machine of
// single bytes only sees the few bytes around a dot.
#include "wire/smtp_data.h"

#include "wire/bounded.h"

namespace mailtight::wire {

std::size_t smtp_data::lines(std::string_view bytes) {
    std::size_t used = 0;
    while (used < bytes.size() && at_ != state::end) {
        if ((at_ == state::line || at_ == state::loose) && bytes[used] != '.') {
            at_ = state::text;
            after_cr_ = false;
        }
        if (at_ == state::text)
            used += on_text(bytes.substr(used));
        else
            on_byte(bytes[used++]);
    }
    return used;
}

void smtp_data::chunk(std::string_view bytes) {
    while (!bytes.empty())
        bytes.remove_prefix(on_text(bytes));
}

/// Up to the end of the line; says how many bytes it took.
std::size_t smtp_data::on_text(std::string_view bytes) {
    const auto end = bytes.find('\n');
    if (end == bytes.npos) {
        keep(bytes);
        after_cr_ = bytes.back() == '\r';
        return bytes.size();
    }
    const bool whole = end > 0 ? bytes[end - 1] == '\r' : after_cr_;
    if (whole) {
        keep(bytes.substr(0, end + 1));
    } else {
        keep(bytes.substr(0, end));
        keep("\r\n");
    }
    at_ = whole ? state::line : state::loose;
    after_cr_ = false;
    return end + 1;
}

/// Around a dot at the beginning of a line. RFC 5321 §4.5.2: the dot goes where something follows it in its
/// line; alone between two CRLF it ends the mail; alone beside a bare LF it is neither, and stays.
void smtp_data::on_byte(char c) {
    const bool strict = at_ == state::line || at_ == state::dot || at_ == state::dot_cr;
    if (at_ == state::line || at_ == state::loose) {
        at_ = strict ? state::dot : state::loose_dot;
        return;
    }
    const bool after_cr = at_ == state::dot_cr || at_ == state::loose_dot_cr;
    if (c == '\n') {
        if (after_cr && strict) {
            at_ = state::end;
            return;
        }
        keep(".\r\n");
        at_ = after_cr ? state::line : state::loose;
    } else if (c == '\r' && !after_cr) {
        at_ = strict ? state::dot_cr : state::loose_dot_cr;
    } else {
        if (after_cr)
            keep("\r");
        keep({&c, 1});
        at_ = state::text;
        after_cr_ = c == '\r';
    }
}

void smtp_data::keep(std::string_view bytes) {
    if (too_large_)
        return;
    if (bytes.size() > limit_ - text_.size()) {
        too_large_ = true;
        forget(text_);
        return;
    }
    append_within(text_, bytes, limit_);
}

void smtp_data::clear() {
    forget(text_);
    at_ = state::line;
    after_cr_ = false;
    too_large_ = false;
}

} // namespace mailtight::wire
