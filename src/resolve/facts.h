// SPDX-License-Identifier: Apache-2.0
// What a decision says of a destination, for the reports: policies by the names and texts of RFC 8460 §4.4.
// Pure.
#pragma once

#include "model/delivery.h"
#include "resolve/decision.h"

#include <vector>

namespace mailtight::resolve {

/// Policies of mode none are no policy (8461-5). Verdicts are the caller's to add.
model::policy_facts facts_of(const tls_decision& of);
/// The attempt that an answer of this kind stops, as it is counted; nothing where the answer lets it go on,
/// or what stops it is no fault of the domain's (8460-4.3.4-a): DNSSEC that does not validate, and an
/// enforced policy that admits no MX host (one fault for each).
std::vector<model::session_seen> stopped_by(const tls_decision& answer);

} // namespace mailtight::resolve
