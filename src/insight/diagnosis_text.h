// SPDX-License-Identifier: Apache-2.0
// A diagnosis in lines for a person, the same in every answer. The room's own.
#pragma once

#include "advise/diagnose.h"
#include "advise/page.h"

#include <string>

namespace mailtight::insight {

/// Seen, cause, who else, policy, fix and check, each where there is something to say; `seen` is shown as it
/// is.
void diagnosis_lines(advise::page& to, const advise::diagnosis& said, const std::string& seen = {});

} // namespace mailtight::insight
