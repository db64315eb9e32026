// SPDX-License-Identifier: Apache-2.0
// Failures of all reporters, grouped by what fails where, each group with its diagnosis. Pure.
#pragma once

#include "advise/diagnose.h"
#include "insight/known_today.h"
#include "store/questions.h"

#include <span>
#include <string>
#include <vector>

namespace mailtight::insight {

using store::day;

struct failure_group {
    std::string domain, result_type, reason_code, mx, policy_type;
    std::uint64_t count = 0, held_back = 0, delivered = 0, unknown = 0;
    std::vector<std::string> reporters;
    std::uint64_t reporters_fine = 0;
    day first{}, last{};
    std::vector<std::string> sending_ips, receiving_ips;
    advise::diagnosis diagnosis;
    std::int64_t last_report = 0;
};
/// Days for people: "15 May 2026", "14 to 16 May 2026".
std::string days_words(day first, day last);
/// Rows over reporters, grouped by domain, result, reason and MX; the most sessions first. `today` is of the
/// one domain that the rows are of.
std::vector<failure_group> group_failures(std::span<const store::failure_row> rows,
                                          std::span<const store::reporter_row> reporters,
                                          std::span<const store::policy_row> policies,
                                          const known_today& today = {});

} // namespace mailtight::insight
