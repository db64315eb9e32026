// SPDX-License-Identifier: Apache-2.0
// Rows of the store as these tests need them: short to write, on days counted back from one.
#pragma once

#include "store/questions.h"

#include <string>
#include <vector>

namespace mailtight::tests {

inline constexpr store::day today = std::chrono::sys_days(std::chrono::year(2026) / 5 / 17);
inline store::day ago(int days) {
    return today - std::chrono::days(days);
}

inline store::day_row sessions(int days_ago, std::uint64_t success, std::uint64_t failure) {
    store::day_row made;
    made.domain = "example.com";
    made.day = ago(days_ago);
    made.success = success;
    made.failure = failure;
    made.reporters = made.reports = 1;
    return made;
}
/// The same each day, from `first` to `last` days ago.
inline std::vector<store::day_row> every_day(int first, int last, std::uint64_t success,
                                             std::uint64_t failure) {
    std::vector<store::day_row> rows;
    for (int i = first; i >= last; --i)
        rows.push_back(sessions(i, success, failure));
    return rows;
}
inline std::vector<store::day_row> operator+(std::vector<store::day_row> a,
                                             const std::vector<store::day_row>& b) {
    a.insert(a.end(), b.begin(), b.end());
    return a;
}

inline store::reporter_row reporter(std::string name, bool verified = true, std::uint64_t success = 100) {
    store::reporter_row made;
    made.domain = "example.com";
    made.reporter = std::move(name);
    made.success = success;
    made.reports = 7;
    made.first = ago(30);
    made.last = ago(1);
    made.verified = verified;
    made.usual_interval = std::chrono::hours(24);
    return made;
}
inline store::failure_row failure(std::string by, std::string result, std::string mx, std::uint64_t count = 1,
                                  int days_ago = 1) {
    store::failure_row made;
    made.domain = "example.com";
    made.reporter = std::move(by);
    made.policy_type = "sts";
    made.policy_mode = "enforce";
    made.result_type = std::move(result);
    made.mx = std::move(mx);
    made.count = count;
    made.first = made.last = ago(days_ago);
    return made;
}

} // namespace mailtight::tests
