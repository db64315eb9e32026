// SPDX-License-Identifier: Apache-2.0
// Two looks at one domain, one after the other: what is different, in words for the table of all domains.
// Pure.
#pragma once

#include "model/watched.h"

#include <string>

namespace mailtight::publish {

/// "from testing to protected; mx2.example.com is no longer an MX host"; "" where nothing differs. The first
/// few differences, the weightier ones first.
std::string what_changed(const model::watched_state& before, const model::watched_state& now);

} // namespace mailtight::publish
