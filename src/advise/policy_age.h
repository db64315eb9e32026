// SPDX-License-Identifier: Apache-2.0
// The policy that a report shows, beside the one that is served today. Pure; the room's own.
#pragma once

#include "advise/diagnose.h"
#include "sts/policy.h"

#include <optional>
#include <span>
#include <string>
#include <vector>

namespace mailtight::advise {

/// The policy text of a report, where it can be used.
std::optional<sts::policy> policy_of(std::span<const std::string> strings);

/// Both policies of one failure, as far as they are known.
struct policy_pair {
    std::optional<sts::policy> then, now;
    std::vector<std::string> patterns_then; ///< from the text, else as the report lists them
    /// Nothing where one of the two is not known.
    std::optional<bool> differ() const;
    /// "it is in testing (now enforce) and lacks mx2.example.com": what differs; "" where nothing does.
    std::string difference() const;
};
policy_pair policies_of(const failure_context& context);

/// The sentence on the age of the policy in the report; "" where it is not known.
std::string policy_age_words(const policy_pair& both, const failure_context& context);

} // namespace mailtight::advise
