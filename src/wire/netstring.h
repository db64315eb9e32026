// SPDX-License-Identifier: Apache-2.0
// Netstrings (the framing of Sendmail's and Postfix's socketmap): decimal length, colon, bytes, comma. Reads
// with a limit before allocation; strict (no leading zeros, no blanks). Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace mailtight::wire {

struct netstring_read {
    enum class state {
        complete, ///< payload and size are there
        partial,  ///< more bytes are needed
        broken,   ///< never a netstring, whatever follows
        too_long, ///< its length exceeds the limit
    } what = state::partial;
    std::string_view payload;
    std::size_t size = 0; ///< bytes of the whole netstring
};
/// Looks at the beginning of `bytes`; nothing is copied.
netstring_read read_netstring(std::string_view bytes, std::size_t limit);
void append_netstring(std::string& to, std::string_view payload);

} // namespace mailtight::wire
