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
/// or what stops it is no fault of the domain's (8460-4.3.4-a). Three things do, each host that they shut out
/// being one attempt: DNSSEC that does not validate; an enforced policy that admits no MX host; and a demand
/// made here (`require`) that hosts without TLSA records do not meet, which is what `dane-required` is for
/// (8460-4.3.2-c). A pin that admits nobody is the operator's own fault.
/// Of the line protocol's two questions: with POLICY the attempt goes on where a policy is enforced,
/// and each host is asked about by MX, which stops that one where the patterns do not admit it (A32).
std::vector<model::session_seen> stopped_by(const tls_decision& answer, const asked_about& what = {});
/// Whether that gives anything; on the way of every answer, so it allocates nothing.
bool stops(const tls_decision& answer, const asked_about& what = {});

} // namespace mailtight::resolve
