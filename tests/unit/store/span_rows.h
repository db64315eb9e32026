// SPDX-License-Identifier: Apache-2.0
// What the tables of spans have to hold, added up one by one from the totals of days that they were made of.
#pragma once

#include "store/spans.h"
#include "store/sql.h"

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace mailtight::store {

using numbers = std::vector<std::int64_t>;
using span_rows = std::map<numbers, numbers>; ///< days, first and the other keys; the sums

inline span_rows kept_spans(sql::connection& on, std::string_view table, int keys, int sums) {
    span_rows out;
    on.query("select * from " + std::string(table), {}, [&](const sql::row& r) {
        numbers key, sum;
        for (int i = 0; i < keys + sums; ++i)
            (i < keys ? key : sum).push_back(r.integer(i));
        out[key] = sum;
    });
    return out;
}

/// `select` gives the day, the other keys, then the sums.
inline span_rows added_up(sql::connection& on, std::string_view select, int keys, int sums) {
    span_rows out;
    on.query(select, {}, [&](const sql::row& r) {
        for (const auto length : span_lengths) {
            numbers key{length, 0};
            // The multiple of the length at or below the day, found by walking.
            for (key[1] = r.integer(0); key[1] % length != 0;)
                --key[1];
            for (int i = 1; i < keys; ++i)
                key.push_back(r.integer(i));
            auto& sum = out[key];
            sum.resize(static_cast<std::size_t>(sums), 0);
            for (int i = 0; i < sums; ++i)
                sum[static_cast<std::size_t>(i)] += r.integer(keys + i);
        }
    });
    return out;
}

inline bool domain_spans_are_their_days(sql::connection& on) {
    return kept_spans(on, "domain_span", 3, 3) ==
           added_up(on, "select day, domain, reports, success, failure from domain_day", 2, 3);
}
inline bool failure_spans_are_their_days(sql::connection& on) {
    return kept_spans(on, "failure_span", 7, 2) ==
           added_up(on, "select day, domain, type, result, reason, mx, reports, count from failure_day", 6,
                    2);
}

} // namespace mailtight::store
