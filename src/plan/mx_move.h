// SPDX-License-Identifier: Apache-2.0
// Adding, removing and exchanging MX hosts: a person changes DNS, and the plan says when that refuses no
// mail. RFC 8461 §8.1. Pure; the room's own.
#pragma once

#include "plan/patterns.h"
#include "plan/step_list.h"

namespace mailtight::plan {

/// `aside`: nothing else waits for the move (while MTA-STS is being switched off).
void add_move_steps(const picture& p, step_list& list, const mx_choice& mx, bool aside);
/// The narrower policy that follows when a former MX host may leave it.
void add_shrink_step(step_list& list, const mx_choice& mx);

/// Senders may hold a policy that admits none of the MX hosts of today: until when; nothing where there is no
/// such policy.
std::optional<base::utc_seconds> shut_out_until(const picture& p);

} // namespace mailtight::plan
