// SPDX-License-Identifier: Apache-2.0
// One element of `policies`: its policy, summary and failure details (RFC 8460 §4.4). Private to the reader.
#pragma once

#include "tlsrpt/json_fields.h"

namespace mailtight::tlsrpt {

/// Reads one element. `whole` is false for the last of a report that broke off inside: what it lacks is no
/// fault of the reporter. Nothing where the counts of such a one were not reached.
std::optional<policy_result> read_policy_result(simdjson::dom::element value, const place& at, reading& r,
                                                bool whole = true, bool last_detail_whole = true);

/// `failure-details`, appended.
void read_details(simdjson::dom::element value, const place& at, reading& r,
                  std::vector<failure_detail>& into);

/// The lines of a policy (or its TLSA records) as separate texts without blanks at their ends, whatever way
/// they were packed: A25, Microsoft's list within a text, one text for all.
void settle_policy_strings(std::vector<std::string>& strings, std::string_view type, const place& at,
                           reading& r);
/// The MX patterns in lower case, one each; those of the policy's text where there are none.
void settle_mx_patterns(policy_result& p, const place& at, reading& r);

} // namespace mailtight::tlsrpt
