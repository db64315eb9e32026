// SPDX-License-Identifier: Apache-2.0
// Domains looked after, as the API and the pages ask for them, with the daemon's objects: the same functions
// as the commands use, on threads of its own. It works without the part that carries plans out, too: then
// steps are carried out here, when a person says so.
#pragma once

#include "api/domain_desk.h"

#include <expected>
#include <memory>
#include <string>

namespace mailtight::app {

struct daemon_core;

/// Made and destroyed on the loop's thread; the core outlives it. The error is for a person.
std::expected<std::unique_ptr<api::domain_desk>, std::string> make_domain_desk(daemon_core& core);

} // namespace mailtight::app
