// SPDX-License-Identifier: Apache-2.0
// An mbox of any size, message by message, from a place on, in bounded memory. Blocking calls. The room's
// own.
#pragma once

#include "intake/files.h"

#include <cstdint>
#include <deque>
#include <string>

namespace mailtight::intake {

struct mbox_message {
    std::string bytes;     ///< without its postmark line, `>From ` unquoted
    std::uint64_t end = 0; ///< where the next message's postmark begins, or the end of the file
    std::string error;     ///< where it is too large to be read
};

class mbox_reader {
public:
    /// Takes the file at its present position, which is `start` bytes from its beginning: a postmark.
    mbox_reader(file_handle from, std::uint64_t start, std::size_t message_bytes);
    /// The next message; false at the end, or where reading failed (error() says so).
    bool next(mbox_message& into);
    const std::string& error() const { return error_; }

private:
    void fill();
    void take_whole_messages();
    void skip_too_large();

    file_handle file_;
    std::uint64_t window_at_; ///< of window_'s first byte in the file
    std::size_t message_bytes_;
    std::string window_;
    std::deque<mbox_message> ready_;
    bool at_end_ = false, skipping_ = false;
    std::string error_;
};

/// Where a watcher has got to in an mbox, and how it knows the file again.
struct mbox_place {
    std::uint64_t inode = 0, offset = 0;
    std::string before; ///< digest of the bytes before the offset
    std::string to_string() const;
    static mbox_place parse(std::string_view text); ///< anything odd: the beginning
};
/// The digest of what stands before `offset` (at most 256 bytes).
std::string digest_before(const file_handle& file, std::uint64_t offset);

} // namespace mailtight::intake
