// SPDX-License-Identifier: Apache-2.0
// What received reports tell of a domain, as plain facts beside what a look at it shows. The one who keeps
// reports fills it; nobody has to.
#pragma once

#include "base/time.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace mailtight::model {

struct report_evidence {
    std::uint64_t sessions = 0, failed = 0; ///< counted, of the last 14 days
    struct failure {
        std::string result_type, mx;
        std::uint64_t count = 0;
        std::vector<std::string> reporters;
        bool against_enforce =
            true; ///< enforce would hold this mail back, and nothing says that it is mended
    };
    std::vector<failure> failures;                    ///< the most sessions first
    std::optional<std::chrono::sys_days> last_report; ///< newest day that a counted report is about
    std::optional<base::utc_seconds> record_since;    ///< the TLSRPT record was first seen
};

} // namespace mailtight::model
