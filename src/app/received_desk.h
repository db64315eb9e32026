// SPDX-License-Identifier: Apache-2.0
// Reports received as the API asks for them, with the daemon's objects: the store on the asker's thread, the
// keeper for what is written, the alarm loop for mutes. For daemon*.cpp and part_*.cpp alone.
#pragma once

#include "api/received_desk.h"

#include <memory>

namespace mailtight::app {

struct daemon_core;

/// Everything in the core outlives it.
std::unique_ptr<api::received_desk> make_received_desk(daemon_core& core);

} // namespace mailtight::app
