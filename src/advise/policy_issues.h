// SPDX-License-Identifier: Apache-2.0
// From what sts::judge_policy() says about a body to finding codes; used by `check` and by `policy lint`, so
// that both say the same.
#pragma once

#include "findings/finding.h"
#include "sts/policy.h"

#include <optional>
#include <string>
#include <vector>

namespace mailtight::advise {

/// One finding to be: a code once, with every place where it applies.
struct policy_fault {
    std::string code;
    std::string message;
    std::string evidence;
    std::optional<findings::severity> severity;
    std::string consequence = {}; ///< instead of the catalogue's
};
/// The issues of the text itself, one entry a code, causes before what they explain (rules.h, 6).
std::vector<policy_fault> text_faults(const sts::policy_judgement& judged);

/// What is grammatical and unwise in a policy by itself, without knowing the domain: max_age, wildcards over
/// public suffixes. `provider_max_age`: what the domain's mail provider prescribes, or 0.
std::vector<policy_fault> wisdom_faults(const sts::policy& policy, std::uint64_t provider_max_age = 0);

} // namespace mailtight::advise
