// SPDX-License-Identifier: Apache-2.0
// Which MX hosts a policy has to admit: those wished for or found in DNS, those that are to come, and those
// that senders may still use. Pure; the room's own.
#pragma once

#include "plan/picture.h"

#include <optional>
#include <string>
#include <vector>

namespace mailtight::plan {

struct mx_choice {
    std::vector<std::string> patterns;          ///< of the policy to publish now
    std::vector<std::string> passing_away;      ///< hosts that are in it only until `shrink_at`
    std::optional<base::utc_seconds> shrink_at; ///< the first of them may go then
    std::vector<std::string> unlisted;          ///< in DNS, but the wished list does not admit them
    std::vector<std::string>
        leaving;                     ///< in DNS, to be removed from there: asked for, or left out of the list
    std::vector<std::string> coming; ///< to be added to DNS
    bool moving() const { return !leaving.empty() || !coming.empty(); }
};
mx_choice choose_mx(const picture& p);

/// The same set of patterns, in whatever order and case.
bool same_patterns(const std::vector<std::string>& a, const std::vector<std::string>& b);

} // namespace mailtight::plan
