// SPDX-License-Identifier: Apache-2.0
// What a report adds to the totals, or takes from them again, gathered over a whole transaction and written
// at its end in one fixed order: few statements a report, and writers that never wait for each other in a
// circle. Counts are taken at most at a million millions a report, so that no sum overflows.
#pragma once

#include "store/judge.h"
#include "store/spans.h"
#include "store/sql.h"
#include "store/whole.h"
#include "store/words.h"

#include <array>
#include <compare>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace mailtight::store {

/// A report as it counts: what it says, for whom, and the numbers of its reporter and policy texts.
struct counted_report {
    const model::received_report* report = nullptr;
    const mailtight::store::judgement* judgement = nullptr;
    std::int64_t number = 0;
    std::string_view reporter;
    std::vector<std::int64_t> texts; ///< per policy, in policy_text
};

class totals {
public:
    totals(sql::connection& on, dictionary& words)
        : on_(on)
        , words_(words) {}
    void add(const counted_report& what) { apply(what, 1); }
    void subtract(const counted_report& what) { apply(what, -1); }
    /// Writes everything gathered. The rows of the reports have to be as they shall be by then.
    void write();

private:
    struct day_key {
        std::int64_t domain, reporter, day;
        auto operator<=>(const day_key&) const = default;
    };
    struct policy_key {
        std::int64_t domain, day, reporter, type, text;
        auto operator<=>(const policy_key&) const = default;
    };
    struct policy_sum {
        std::int64_t reports = 0, success = 0, failure = 0;
    };
    struct failure_key {
        std::int64_t domain, day, reporter, type, result, reason, mx;
        auto operator<=>(const failure_key&) const = default;
    };
    struct failure_sum {
        std::int64_t reports = 0, count = 0;
        std::int64_t example_report = 0, example_policy = 0, example_detail = 0, text = 0;
        bool taken = false; ///< something was subtracted: the example may be gone
    };
    struct seen {
        std::string organization;
        std::int64_t named_by = -1; ///< the trust of the report that gave the name
        std::int64_t last_received = 0;
        std::set<std::int64_t> ends;
        bool again = false; ///< something was subtracted: look at all that is left
    };
    /// A report says how its reporter is called: one that is believed less never changes the name.
    static bool renames(std::int64_t trust, std::int64_t received_at, const seen& before) {
        return trust > before.named_by || (trust == before.named_by && received_at >= before.last_received);
    }
    void apply(const counted_report& what, std::int64_t sign);
    void apply_owner(const counted_report& what, std::int64_t owner, std::int64_t sign);
    void write_days();
    void write_policies();
    void write_failures();
    void find_example(const failure_key& key);
    void write_seen();
    void look_again(std::int64_t domain, std::int64_t reporter, seen& into);

    sql::connection& on_;
    dictionary& words_;
    std::map<day_key, day_sum> days_;
    std::map<policy_key, policy_sum> policies_;
    std::map<failure_key, failure_sum> failures_;
    std::map<std::pair<std::int64_t, std::int64_t>, seen> seen_;
    span_sums spans_;
    whole_sums whole_;
};

/// The ends of the last periods of a reporter, newest first, as they stand in a column.
std::string write_ends(const std::set<std::int64_t>& ends);
/// Numbers with one space between them.
std::vector<std::int64_t> read_numbers(std::string_view column);
/// The median of the distances between consecutive ends; 0 where there are fewer than three.
std::chrono::seconds usual_interval(const std::vector<std::int64_t>& ends);

} // namespace mailtight::store
