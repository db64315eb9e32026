// SPDX-License-Identifier: Apache-2.0
// What a body lacks, from what stands around it; and where the two disagree, the body counts (8460-5.6-a).
// Private to the reader.
#pragma once

#include "tlsrpt/read_report.h"
#include "tlsrpt/remarks.h"

#include <string_view>

namespace mailtight::tlsrpt {

/// Fills organisation, id, period and policy domains, each marked as inferred; `json` is hashed for a missing
/// id.
void fill_gaps(report& of, const report_hints& hints, std::string_view json, remarks& notes);
/// Says what is unusual about the period as it now stands, and settles an end at the next midnight (A27).
void settle_period(report& of, remarks& notes);
/// Warnings where mail headers, subject or file name say something else than the body.
void compare_with_hints(const report& of, const report_hints& hints, remarks& notes);

} // namespace mailtight::tlsrpt
