// SPDX-License-Identifier: Apache-2.0
#include "intake/imap_position.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace mailtight::intake {

std::string imap_position::to_text() const {
    return fmt::format("{} {}", uid_validity, last_uid);
}

std::optional<imap_position> imap_position::parse(std::string_view text) {
    imap_position out;
    const char* end = text.data() + text.size();
    const auto first = std::from_chars(text.data(), end, out.uid_validity);
    if (first.ec != std::errc() || first.ptr == end || *first.ptr != ' ')
        return {};
    const auto second = std::from_chars(first.ptr + 1, end, out.last_uid);
    if (second.ec != std::errc() || second.ptr != end)
        return {};
    return out;
}

std::uint64_t uid_windows::last() const {
    return std::min(next_ - 1, at_ + width_ - 1);
}

void uid_windows::advance(bool empty) {
    at_ = last() + 1;
    width_ = empty ? std::min(width_ * 2, most) : least;
}

} // namespace mailtight::intake
