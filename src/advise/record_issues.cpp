// SPDX-License-Identifier: Apache-2.0
#include "advise/record_issues.h"

#include <fmt/format.h>

#include <algorithm>

namespace mailtight::advise {
namespace {

using findings::severity;

std::string words(std::string_view explanation, std::string_view detail) {
    if (explanation.ends_with('.'))
        explanation.remove_suffix(1); // what was seen follows
    return detail.empty() ? std::string(explanation)
                          : fmt::format("{}: \"{}\"", explanation, detail.substr(0, 200));
}

void add(std::vector<record_fault>& faults, record_fault fault) {
    if (std::ranges::find(faults, fault.code, &record_fault::code) == faults.end())
        faults.push_back(std::move(fault));
}

/// `tls@example.com`, without a scheme: the mistake is a missing `mailto:`.
bool is_bare_address(std::string_view item) {
    return item.find('@') != std::string_view::npos && item.find_first_of(": \t") == std::string_view::npos;
}

bool has(const tlsrpt::record_judgement& judged, tlsrpt::record_problem what) {
    return std::ranges::any_of(judged.issues, [&](const auto& issue) { return issue.problem == what; });
}

} // namespace

std::vector<record_fault> sts_faults(const sts::record_judgement& judged) {
    using problem = sts::record_problem;
    std::vector<record_fault> faults;
    for (const sts::record_issue& issue : judged.issues) {
        const std::string message = words(sts::explain(issue.problem), issue.detail);
        switch (issue.problem) {
        case problem::not_a_record:
        case problem::syntax:
            return {{"sts-record.syntax", message, {}}}; // 8461-3.1-p
        case problem::id_missing:
            return {{"sts-record.id-missing", message, {}}}; // 8461-3.1-d
        case problem::id_invalid:
            return {{"sts-record.id-invalid", message, {}}}; // 8461-3.1-j
        case problem::space_before_delimiter:                // A2
        case problem::duplicate_field:                       // A3
            add(faults, {"sts-record.syntax", message, severity::warning});
            break;
        case problem::unknown_field:
            break; // 8461-3.1-l: an extension, ignored by senders
        }
    }
    return faults;
}

std::vector<record_fault> tlsrpt_faults(const tlsrpt::record_judgement& judged) {
    using problem = tlsrpt::record_problem;
    std::vector<record_fault> faults;
    for (const tlsrpt::record_issue& issue : judged.issues) {
        const std::string message = words(tlsrpt::explain(issue.problem), issue.detail);
        switch (issue.problem) {
        case problem::not_a_record:
        case problem::syntax:
        case problem::rua_syntax:
            if (is_bare_address(issue.detail)) {
                add(faults, {"tlsrpt.rua-scheme",
                             words("A mail address stands without mailto: before it", issue.detail),
                             {}});
                break;
            }
            // An unescaped character breaks the grammar too, and is the more useful thing to say.
            if (!has(judged, problem::rua_unescaped))
                add(faults, {"tlsrpt.syntax", message, {}});
            break;
        case problem::rua_missing: // 8460-3-p
            if (!has(judged, problem::rua_syntax) && !has(judged, problem::syntax) &&
                !has(judged, problem::rua_unescaped) && !has(judged, problem::rua_scheme))
                add(faults, {"tlsrpt.rua-missing", message, {}});
            break;
        case problem::rua_scheme:
            add(faults, {"tlsrpt.rua-scheme", message, {}});
            break; // 8460-3-c
        case problem::rua_unescaped:
            add(faults, {"tlsrpt.rua-unescaped", message, {}});
            break; // 8460-3-s
        case problem::rua_many:
        case problem::rua_duplicate:
            add(faults, {"tlsrpt.rua-many", message, {}});
            break; // 8460-3-y
        case problem::space_before_delimiter:
            add(faults, {"tlsrpt.syntax", message, severity::warning});
            break;
        case problem::duplicate_field:
            add(faults, {"tlsrpt.syntax", message, severity::info});
            break;
        case problem::unknown_field:
            // `id=` and `ruf=` come from other records; a real extension needs no word.
            if (issue.detail.starts_with("id") || issue.detail.starts_with("ruf"))
                add(faults, {"tlsrpt.syntax", message, severity::info});
            break;
        }
    }
    return faults;
}

} // namespace mailtight::advise
