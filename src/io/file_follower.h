// SPDX-License-Identifier: Apache-2.0
// The lines of a file that grows, from where they were last read: over rotation (renamed or truncated), over
// restarts (the position is given back by the owner), and while it is missing. Lines of any bytes, bounded.
// Lives on the loop.
#pragma once

#include "io/loop.h"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace mailtight::io {

struct file_position {
    std::uint64_t device = 0, inode = 0, offset = 0; ///< of the first byte not read
    std::string to_string() const;
    static file_position parse(std::string_view text); ///< what is none: all 0, the end of the file
};
struct follow_options {
    std::string path;
    file_position from;              ///< inode 0: begins at the end of the file
    std::size_t line_bytes = 16'384; ///< longer lines are cut
    std::size_t chunk = 262'144;
    std::chrono::milliseconds look_every{250};
    /// Asked before each chunk: true, and nothing is read until it says otherwise. May be empty.
    std::function<bool()> wait;
};
/// Reads until stop(); what is between two positions is handed over once, in order. `take` gets whole lines
/// without their end; `read_to` after each chunk, when everything before it was taken, and at the beginning.
/// A position is always the beginning of a line. A file that was renamed is read to its end, and what was
/// begun after it (`mail.log.1`, `mail.log-20261122`) before the newest.
class file_follower {
public:
    file_follower(loop& on, follow_options options, std::function<void(std::string_view)> take,
                  std::function<void(const file_position&)> read_to,
                  std::function<void(std::string_view)> complain);
    ~file_follower();
    task<> run();
    void stop();
    struct figures {
        std::uint64_t lines = 0, cut = 0, rotations = 0;
        bool missing = false;
        bool was_there = false;              ///< since the start: not a path that nobody writes to
        loop::clock::duration missing_for{}; ///< where it is missing
        std::string last_error;
    };
    figures counted() const;

private:
    struct state;
    std::shared_ptr<state> state_;
};

} // namespace mailtight::io
