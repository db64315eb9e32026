// SPDX-License-Identifier: Apache-2.0
// One received report, shown: as the JSON line of `report read --json` and for a person.
// Pure; nothing here asks a network. Remote text is made safe here: JSON gets valid UTF-8, a person's view no
// control characters.
#pragma once

#include "advise/diagnose.h"
#include "advise/text.h"
#include "insight/known_today.h"
#include "model/received.h"

#include <boost/json/object.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace mailtight::insight {

/// `report read --json`: one line a report, without the final newline when serialised. `most`: only so many
/// details and policies are shown, and "left_out" says how many are not; the counts hold all of them.
boost::json::object report_json(const model::received_report& from, const known_today& today = {},
                                std::optional<std::size_t> most = {});
/// A source that is no report: {"source":…,"error":{"code":…,"message":…}}.
boost::json::object source_error_json(std::string_view source, std::string_view code,
                                      std::string_view message);

/// The person's view: the opening sentence, then each policy with its failures, cause, fix and check; the
/// oddities of the report last. Ends with a newline.
std::string report_text(const model::received_report& from, const advise::style& how,
                        const known_today& today = {});
std::string source_error_text(std::string_view source, std::string_view message, const advise::style& how);

/// `report read --example`: a report with every result type, each field explained.
std::string example_text(const tlsrpt::report& example, const advise::style& how);

/// The failure_context of one policy result of this report.
advise::failure_context context_of(const model::received_report& from, const tlsrpt::policy_result& policy,
                                   const known_today& today);

} // namespace mailtight::insight
