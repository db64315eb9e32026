// SPDX-License-Identifier: Apache-2.0
// Mode and max_age: what may be published now on the way to what is wished, and what has to come before the
// next raise. Up only on evidence and step by step, down only when a person says so. RFC 8461 §10.2. Pure;
// the room's own.
#pragma once

#include "plan/patterns.h"
#include "plan/picture.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace mailtight::plan {

struct course {
    sts::mode mode = sts::mode::testing; ///< to publish now
    std::uint64_t max_age = 0;
    bool enforce_wished = false;
    bool may_enforce = false;         ///< the evidence allows it, or it is forced
    std::vector<std::uint64_t> rungs; ///< max_age values still to come in enforce, shortest first
    std::optional<base::utc_seconds> next_rung_at;
};
course choose_course(const picture& p, const mx_choice& mx);

/// Whether every MX host passes, as far as that decides about a raise.
struct mx_verdict {
    bool passes = false;
    std::string why; ///< the first that is in the way
    std::vector<std::string> failing;
    bool untested = false; ///< they only could not be tested from here
};
/// What to do about it, a line each.
std::string how_to_pass(const picture& p, const mx_verdict& verdict);
mx_verdict judge_mx(const picture& p, const mx_choice& mx);

/// The record announces the policy in force, and every authoritative server says so.
bool record_settled(const picture& p);

} // namespace mailtight::plan
