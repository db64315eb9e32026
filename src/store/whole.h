// SPDX-License-Identifier: Apache-2.0
// What the totals of all our domains come to together: by day and reporter, by day and kind of failure, and
// how reporters call themselves. They change in the transaction that changes the totals of a domain, so that
// a question about thousands of domains need not add them up. Errors are thrown, as everywhere below
// sql_store.
#pragma once

#include "store/sql.h"

#include <array>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

namespace mailtight::store {

/// Sessions of one reporter on one day: of reports, of verified ones; success and failure of all policies,
/// then of sts, tlsa and none.
struct day_sum {
    std::int64_t reports = 0, verified = 0;
    std::array<std::int64_t, 8> counts{};
    void add(const day_sum& other);
};

/// How a reporter calls itself: as the report says that is believed the most, of these the newest.
struct reporter_name {
    std::int64_t believed = -2; ///< the trust of that report
    std::int64_t at = 0;        ///< when it came
    std::string text;
    void take(reporter_name other) {
        if (std::tie(other.believed, other.at) >= std::tie(believed, at))
            *this = std::move(other);
    }
};

/// Gathered over a transaction, written at its end: rows that all writers share are held as short as can be.
class whole_sums {
public:
    void add_day(std::int64_t day, std::int64_t reporter, const day_sum& sum);
    /// `key`: day, reporter, type, result, mx.
    void add_failure(const std::array<std::int64_t, 5>& key, std::int64_t reports, std::int64_t count);
    void add_name(std::int64_t reporter, reporter_name name);
    /// Something of this reporter was taken back: its name is looked for again.
    void look_again(std::int64_t reporter) { again_.insert(reporter); }
    void write(sql::connection& on);

private:
    void find_names(sql::connection& on);

    std::map<std::pair<std::int64_t, std::int64_t>, day_sum> days_;
    std::map<std::array<std::int64_t, 5>, std::pair<std::int64_t, std::int64_t>> failures_;
    std::map<std::int64_t, reporter_name> names_;
    std::set<std::int64_t> again_;
};

/// All totals that are kept of a domain (by its word) enter the whole, or leave it: it becomes one of ours
/// or ceases to be. Its reports are judged again apart from this, since totals outlive them.
void enter_whole(sql::connection& on, std::int64_t domain);
void leave_whole(sql::connection& on, std::int64_t domain);

/// `insert into TABLE (keys, sums) SOURCE on conflict (keys) do update set` each sum increased.
std::string insert_or_add(std::string_view table, std::string_view keys,
                          std::initializer_list<std::string_view> sums, std::string_view source);

} // namespace mailtight::store
