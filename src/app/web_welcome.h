// SPDX-License-Identifier: Apache-2.0
// How somebody comes in to the pages, said at the start.
#pragma once

#include "io/task.h"

#include <string>

namespace mailtight::app {

struct daemon_core;

/// The first start says how to come in; at a terminal each does. `address`: where the pages are found.
io::task<> welcome(daemon_core& core, std::string address);

} // namespace mailtight::app
