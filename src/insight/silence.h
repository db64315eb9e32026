// SPDX-License-Identifier: Apache-2.0
// Why no reports arrive: the causes in the order to try, each as certain as the facts make it. Pure.
#pragma once

#include "base/time.h"
#include "store/questions.h"

#include <optional>
#include <string>
#include <vector>

namespace mailtight::insight {

using store::day;

/// Facts that tell why nothing arrives; nothing: not known.
struct silence_facts {
    std::optional<bool> record_present;
    std::optional<base::utc_seconds> record_since; ///< first seen
    std::optional<bool> rua_deliverable;
    std::optional<bool> test_arrived;    ///< the last `report test`
    std::optional<bool> ipv6_only_fault; ///< our report address works over IPv4 and not over IPv6
    std::uint64_t quarantined = 0;       ///< arrived, but not counted
    std::uint64_t last_30_days_sessions = 0;
    std::optional<day> last_report;
};
struct silence_cause {
    std::string code; ///< "record-absent", "record-young", "rua-undeliverable", "mailbox-rejects",
                      ///< "ipv6-only", "not-counted", "little-traffic", "senders-do-not-report"
    std::string text, fix;
    bool certain = false;
};
/// In the order to try.
std::vector<silence_cause> why_silent(const silence_facts& facts, base::utc_seconds now);

} // namespace mailtight::insight
