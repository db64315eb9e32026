// SPDX-License-Identifier: Apache-2.0
// Starts another program without a shell. For io/ alone.
#pragma once

#include <string>
#include <vector>

#include <sys/types.h>

namespace mailtight::io {

/// 0, or the error. The descriptors become its standard input, output and error; -1: /dev/null.
int spawn_program(pid_t& child, const std::vector<std::string>& words, int input, int output, int complaints);

} // namespace mailtight::io
