// SPDX-License-Identifier: Apache-2.0
// What a probe says of a real session. A probe is no session and is counted nowhere; it can only say of a
// session in testing mode, of which the mail server judged nothing, that enforce would have refused it
// (8461-5-b). Pure; the room's own.
#pragma once

#include "model/delivery.h"

#include <optional>
#include <string_view>

namespace mailtight::tally {

/// The fault, its reason beginning with `probe`; nothing where no verdict speaks against the session.
/// With an address: what a probe of that address under that name found. Without: only where each MX host of
/// the domain was probed and all of them fail alike, so that it does not matter which one it was.
std::optional<model::session_fault> failed_probe(const model::policy_facts& known, std::string_view host,
                                                 const std::optional<base::ip_address>& address,
                                                 base::utc_seconds at);

} // namespace mailtight::tally
