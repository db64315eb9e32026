// SPDX-License-Identifier: Apache-2.0
// Looks over the API with the daemon's observer, so that they share its probes and its manners with the looks
// of its own. Lives on the loop, as long as the core.
#pragma once

#include "api/look_desk.h"

#include <memory>

namespace mailtight::app {

struct daemon_core;

std::unique_ptr<api::look_desk> make_look_desk(daemon_core& core);

} // namespace mailtight::app
