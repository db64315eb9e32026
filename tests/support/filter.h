// SPDX-License-Identifier: Apache-2.0
// Bytes through a program of the tests: in by a file, out by a pipe.
#pragma once

#include "support/scratch.h"

#include <cstdio>
#include <fstream>
#include <stdexcept>
#include <string>
#include <string_view>

namespace mailtight::tests {

/// What `command` (of words that the shell takes as they are) writes when it reads `input`.
inline std::string filter(const std::string& command, std::string_view input) {
    const scratch_folder folder;
    const auto file = folder / "input";
    std::ofstream(file, std::ios::binary) << input;
    FILE* pipe = ::popen((command + " < " + file).c_str(), "r");
    if (pipe == nullptr)
        throw std::runtime_error("cannot run " + command);
    std::string out;
    char buffer[65'536];
    for (std::size_t got; (got = std::fread(buffer, 1, sizeof buffer, pipe)) > 0;)
        out.append(buffer, got);
    if (const int status = ::pclose(pipe); status != 0)
        throw std::runtime_error(command + " ended with " + std::to_string(status));
    return out;
}

} // namespace mailtight::tests
