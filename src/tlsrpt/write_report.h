// SPDX-License-Identifier: Apache-2.0
// The strict writer: RFC 8460 §4, I-JSON (RFC 7493), every rule for a producer in docs/rules.tsv; and the
// names that a report travels under (§5.1, §5.3). What it writes, the reader reads without a warning. Pure.
#pragma once

#include "tlsrpt/report.h"

#include <optional>
#include <string>
#include <string_view>

namespace mailtight::tlsrpt {

/// The JSON text of a report. Dates as full UTC days where the period is one. Members that RFC 8460 leaves
/// out for a policy type are left out; text is cleaned to valid UTF-8 without noncharacters.
std::string write_report(const report& what);

/// 3.G4: SENDER!DOMAIN!START!END[!UNIQUE].json[.gz]
struct report_file_name {
    std::string sender, domain;
    base::utc_seconds start{}, end{};
    std::string unique_id;
    bool gzip = true;
    std::string to_string() const;
};
/// Tolerant; a path in front is dropped. Only ever a hint (8460-5.1-g).
std::optional<report_file_name> parse_report_file_name(std::string_view name);

/// 3.G5: "Report Domain: D Submitter: S Report-ID: <left@right>"
struct report_subject {
    std::string domain, submitter, report_id;
    std::string to_string() const; ///< strict
};
/// Tolerant: case, spaces, missing angle brackets.
std::optional<report_subject> parse_report_subject(std::string_view subject);

/// A made-up report with every result type, for `report read --example` and the documentation.
report example_report(base::utc_seconds day);

} // namespace mailtight::tlsrpt
