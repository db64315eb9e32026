// SPDX-License-Identifier: Apache-2.0
// The plan for a domain that is to have MTA-STS, and the two for one that is to have it no longer. Pure; the
// room's own.
#pragma once

#include "plan/step_list.h"

namespace mailtight::plan {

void plan_publication(const picture& p, step_list& list, plan& out);
void plan_removal(const picture& p, step_list& list, plan& out);
/// What a person should know beside the steps.
void add_warnings(const picture& p, plan& out);

} // namespace mailtight::plan
