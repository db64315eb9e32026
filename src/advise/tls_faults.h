// SPDX-License-Identifier: Apache-2.0
// One mapping from what a handshake showed to finding codes, for the policy host and for MX hosts.
#pragma once

#include "findings/finding.h"
#include "model/tls_facts.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mailtight::advise {

/// Something wrong with one address, before it is known whether others share it.
struct fault {
    std::string code;
    std::string evidence;
    std::optional<findings::severity> severity = {};
    std::string message = {};
};

/// The faults of a handshake and its certificate, the most specific code for each cause. `room` is
/// "policy-host" or "mx". A handshake that failed for another reason than an old version gives nothing here.
/// A certificate without fault that ends within 30 days and in the last third of its life gives
/// `.cert-expires-soon`.
std::vector<fault> tls_faults(const model::tls_fact& tls, std::string_view room, base::utc_seconds now);

/// True where one of the faults keeps a sender away (a warning does not).
bool blocking(const std::vector<fault>& faults);
/// The faults in words, for evidence: "cert-expired (…)".
std::string fault_words(const std::vector<fault>& faults);

} // namespace mailtight::advise
