// SPDX-License-Identifier: Apache-2.0
// How `report test` marks its synthetic report: by the report-id, which survives every way in. A stranger who
// borrows the mark only keeps a report of his own from being counted.
#include "intake/examine.h"

#include "base/text.h"

#include <algorithm>

namespace mailtight::intake {

namespace {
constexpr std::string_view mark = "mailtight-test-";
constexpr std::size_t token_min = 8, token_max = 64;
} // namespace

std::string test_report_id(std::string_view token, std::string_view submitter) {
    return std::string(mark) + std::string(token) + "@" + std::string(submitter);
}

std::string test_token_of(std::string_view report_id) {
    if (report_id.starts_with('<'))
        report_id.remove_prefix(1);
    if (!report_id.starts_with(mark))
        return "";
    report_id.remove_prefix(mark.size());
    const auto token = report_id.substr(0, report_id.find('@'));
    const bool fits = token.size() >= token_min && token.size() <= token_max &&
                      std::ranges::all_of(token, [](char c) { return base::is_alnum(c); });
    return fits ? std::string(token) : "";
}

} // namespace mailtight::intake
