// SPDX-License-Identifier: Apache-2.0
// Our DKIM keys against what DNS has for them: for `report keys` and `doctor`.
#pragma once

#include "app/world.h"
#include "deliver/keys.h"

#include <string>
#include <vector>

namespace mailtight::app {

/// What is wrong with the published record of a key; empty: it is there and right.
io::task<std::vector<std::string>> judge_key(world& with, deliver::key_entry key);

} // namespace mailtight::app
