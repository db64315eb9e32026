// SPDX-License-Identifier: Apache-2.0
// From what a mail server saw and what was known of the destination to what is counted: the one place that
// decides which policy a session belongs to and whether it complied (RFC 8460 §4.2, §4.3; A21-A23, A31-A35).
// Pure.
#pragma once

#include "model/delivery.h"

namespace mailtight::tally {

/// A whole result (a datagram): policies that the mail server could not know are put in its place, without
/// counting the session twice. `no-policy-found` becomes `sts` where a policy is in testing, where one is
/// enforced of which the mail server was told in a dialect without names for reports, and where fetching it
/// failed; a failing verdict of a probe of the same address relabels it, and only then; totals stay those of
/// the mail server. What names a policy of its own stays as it is; that an `sts` policy could not be fetched
/// anew is told beside it.
model::delivery_result join(model::delivery_result told, const model::policy_facts& known,
                            base::utc_seconds at);
/// Facts alone: the policies come from what is known.
model::delivery_result join(const model::session_seen& seen, const model::policy_facts& known,
                            base::utc_seconds at);

inline constexpr std::chrono::seconds verdict_lasts{3'600};
inline constexpr std::string_view reason_mx_not_in_policy = "sts-mx-not-in-policy"; ///< A32

} // namespace mailtight::tally
