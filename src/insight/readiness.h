// SPDX-License-Identifier: Apache-2.0
// May the policy go from testing to enforce? The answer with its reasons; none where something is not known.
// Pure.
#pragma once

#include "base/time.h"
#include "insight/failures.h"
#include "store/questions.h"

#include <optional>
#include <string>
#include <vector>

namespace mailtight::insight {

struct readiness_facts {
    std::optional<base::utc_seconds> testing_since;
    std::vector<store::reporter_row> reporters; ///< of the last 30 days
    std::vector<failure_group> failures;        ///< of the last 14 days
    std::uint64_t sessions = 0, failed = 0;     ///< of the last 14 days
    std::vector<std::string> mx_today, mx_seen_failing;
    std::optional<bool> check_green; ///< the last check: every MX tested and right, policy matches
};
struct readiness {
    std::optional<bool> ready; ///< nothing: not to be said yet
    struct reason {
        bool met = false;
        std::string code, text; ///< "days-in-testing", "two-reporters", "sessions", "no-failures",
                                ///< "mx-hosts", "check-green"
        bool known = true;      ///< false: nothing can be said; `met` is false then
    };
    std::vector<reason> reasons;
    std::string sentence;
};
/// Whether mail of these sessions would be held back in enforce: not where the policy is mended already, the
/// host is gone, or the sender asks for more than MTA-STS.
bool speaks_against_enforce(const failure_group& group);
readiness ready_to_enforce(const readiness_facts& facts, base::utc_seconds now);

} // namespace mailtight::insight
