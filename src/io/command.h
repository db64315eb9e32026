// SPDX-License-Identifier: Apache-2.0
// Runs another program without a shell: bytes on its standard input, its complaints read (and what it writes,
// where that is wanted), bounded in time.
// Blocks, so it belongs on a worker's thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace mailtight::io {

struct command_result {
    int exit_status = -1; ///< of a program that ended by itself; else -1
    std::string error;    ///< why there is no status: not started, killed by a signal, too slow
    std::string said;     ///< the first of its standard error
    std::string wrote;    ///< the first of its standard output, where it was wanted
};
/// Takes at most so many bytes of standard output; what is beyond goes nowhere. A program that does not read
/// all of its input is no error by itself.
command_result run_command(const std::vector<std::string>& words, std::string_view input,
                           std::chrono::milliseconds time, std::size_t wanted_bytes = 0);

} // namespace mailtight::io
