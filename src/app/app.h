// SPDX-License-Identifier: Apache-2.0
// The command line: wiring only. Exit status: 0 fine, 1 problems found, 2 wrong command line, 3 could not be
// done.
#pragma once

namespace mailtight::app {
int run(int argc, char** argv);
}
