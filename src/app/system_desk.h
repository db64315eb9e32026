// SPDX-License-Identifier: Apache-2.0
// The system and sending as the API asks for them, with the daemon's objects. For daemon*.cpp and part_*.cpp
// alone.
#pragma once

#include "api/system_desk.h"

#include <memory>

namespace mailtight::app {

struct daemon_core;

/// Everything in the core outlives it.
std::unique_ptr<api::system_desk> make_system_desk(daemon_core& core);

} // namespace mailtight::app
