// SPDX-License-Identifier: Apache-2.0
// Lines of a mail, ended by CRLF or by the bare LF that mailboxes and tools leave. Pure; nothing is copied.
#pragma once

#include <cstddef>
#include <string_view>

namespace mailtight::mail {

/// A line without its end, and where the next one begins.
struct message_line {
    std::string_view text;
    std::size_t next;
};
inline message_line line_at(std::string_view bytes, std::size_t at) {
    const std::size_t lf = bytes.find('\n', at);
    if (lf == std::string_view::npos)
        return {bytes.substr(at), bytes.size()};
    const std::size_t end = lf > at && bytes[lf - 1] == '\r' ? lf - 1 : lf;
    return {bytes.substr(at, end - at), lf + 1};
}

/// Without the line end at its end, if there is one.
inline std::string_view without_line_end(std::string_view bytes) {
    if (bytes.ends_with('\n'))
        bytes.remove_suffix(bytes.ends_with("\r\n") ? 2 : 1);
    return bytes;
}

} // namespace mailtight::mail
