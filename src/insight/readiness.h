// SPDX-License-Identifier: Apache-2.0
// May the policy go from testing to enforce? The answer with its reasons; none where something is not known.
// Pure.
#pragma once

#include "base/time.h"
#include "insight/failures.h"
#include "store/questions.h"

#include <optional>
#include <span>
#include <string>
#include <vector>

namespace mailtight::insight {

/// What of the reports says anything of enforce: sessions of senders that applied the MTA-STS policy. A
/// sender that saw no policy, or went by DANE, says nothing of what enforce would do, however many of them
/// there are.
struct under_policy {
    std::uint64_t sessions = 0;         ///< of the last 14 days
    std::uint64_t undescribed = 0;      ///< failed ones of these that their own reporter describes nowhere
    std::vector<std::string> reporters; ///< who tells of such sessions, of the last 30 days
    /// Where every sender that sees the policy saw none in between: since when the first of them sees it
    /// again.
    std::optional<store::day> again_since;
};
/// `days`: of one domain, of the last 30 days; `failures`: of it, since `recent`.
under_policy under_policy_of(std::span<const store::reporter_day_row> days,
                             std::span<const store::failure_row> failures, store::day recent);

struct readiness_facts {
    std::optional<base::utc_seconds> testing_since;
    std::vector<store::reporter_row> reporters; ///< of the last 30 days
    std::vector<failure_group> failures;        ///< of the last 14 days
    std::uint64_t sessions = 0, failed = 0;     ///< of the last 14 days
    under_policy seen;                          ///< what of all that was under the policy
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
