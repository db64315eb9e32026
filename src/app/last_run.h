// SPDX-License-Identifier: Apache-2.0
// What the last `check --changed` saw of a domain, kept as one small JSON file a domain, replaced atomically.
#pragma once

#include "advise/advise.h"
#include "app/settings.h"
#include "model/observation.h"

#include <string>
#include <vector>

namespace mailtight::app {

/// Compares with the last run, then keeps this one. Each change is a sentence that says what to do about it;
/// empty where nothing changed or this is the first run. What could not be looked up is never a change. A
/// state that cannot be written is complained about.
std::vector<std::string> compare_with_last_run(const settings& from, const model::observation& seen,
                                               const advise::judgement& judged);

} // namespace mailtight::app
