// SPDX-License-Identifier: Apache-2.0
// What each domain's totals come to over several days at once, so that a question about all domains over a
// period looks at a few rows of each instead of one a day. Days are cut into spans of 1, 3, 9 and 27, each
// beginning at a multiple of its length; a period of thirty days is at most eight of them. Of every domain
// that ever had totals: whether it is one of ours is for who asks. Errors are thrown, as everywhere below
// sql_store.
#pragma once

#include "store/question.h"
#include "store/sql.h"

#include <array>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <map>
#include <optional>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

namespace mailtight::store {

inline constexpr std::array<std::int64_t, 4> span_lengths{1, 3, 9, 27}; ///< each divides the next

/// Spans of one length that follow each other: they begin at `first`, ..., `last`.
struct span_run {
    std::int64_t days = 0, first = 0, last = 0;
    bool operator==(const span_run&) const = default;
};
/// The period, both days included, each day in exactly one span; without an end where none is given. At most
/// seven runs, however long it is.
std::vector<span_run> spans_of(std::optional<day> from, std::optional<day> to);
/// The first day of the span of this length that the day is in.
std::int64_t span_first(std::int64_t day, std::int64_t length);

/// Rows `KEYS, SUMS` of a table of spans (`t`) over the period. The same keys may come several times: who
/// asks adds up. `narrow` adds conditions; it is called once a run.
question span_question(
    const sql::connection& on, std::string_view keys, std::initializer_list<std::string_view> sums,
    std::string_view table, const std::vector<span_run>& runs,
    const std::function<void(question&)>& narrow = [](question&) {});

/// Gathered over a transaction, written at its end in one order.
class span_sums {
public:
    void add_day(std::int64_t domain, std::int64_t day, std::int64_t reports, std::int64_t success,
                 std::int64_t failure);
    /// `kind`: domain, type, result, reason, mx; of all reporters.
    void add_failure(std::int64_t day, const std::array<std::int64_t, 5>& kind, std::int64_t reports,
                     std::int64_t count);
    void write(sql::connection& on);

private:
    using span_key = std::pair<std::int64_t, std::int64_t>; ///< days, first
    std::map<std::pair<span_key, std::int64_t>, std::array<std::int64_t, 3>> days_;
    std::map<std::pair<span_key, std::array<std::int64_t, 5>>, std::array<std::int64_t, 2>> failures_;
};

} // namespace mailtight::store
