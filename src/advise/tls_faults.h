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

/// A fault and the addresses that show it.
struct shared_fault {
    fault what;
    std::vector<std::string> addresses;
    /// "192.0.2.1 and 192.0.2.2: what was seen".
    std::string evidence() const;
};
/// One entry a code, in the order of first appearance; `addresses[i]` is the address of `faults[i]`.
std::vector<shared_fault> by_code(const std::vector<std::vector<fault>>& faults,
                                  const std::vector<std::string>& addresses);

/// True where one of the faults keeps a sender away (a warning does not).
bool blocking(const std::vector<fault>& faults);
/// The faults in words, for evidence: "cert-expired (…)".
std::string fault_words(const std::vector<fault>& faults);

} // namespace mailtight::advise
