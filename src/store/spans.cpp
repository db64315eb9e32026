// SPDX-License-Identifier: Apache-2.0
#include "store/spans.h"

#include "store/whole.h"

#include <fmt/format.h>

#include <string>

namespace mailtight::store {
namespace {

// Multiples of every length, beyond any day; their sums do not overflow.
constexpr std::int64_t beginning = -(std::int64_t{1} << 40) * span_lengths.back(), end_of_days = -beginning;

} // namespace

std::int64_t span_first(std::int64_t day, std::int64_t length) {
    return day - ((day % length) + length) % length;
}

std::vector<span_run> spans_of(std::optional<day> from, std::optional<day> to) {
    auto at = from ? from->time_since_epoch().count() : beginning;
    const auto end = to ? to->time_since_epoch().count() + 1 : end_of_days;
    std::vector<span_run> runs;
    const auto take = [&](std::int64_t days, std::int64_t until) {
        if (until <= at)
            return;
        runs.push_back({.days = days, .first = at, .last = until - days});
        at = until;
    };
    // Up to where longer ones begin, then down again to the end.
    std::size_t longest = 0;
    for (; longest + 1 < span_lengths.size(); ++longest) {
        const auto next = span_lengths[longest + 1];
        const auto begins = span_first(at + next - 1, next);
        if (begins + next > end)
            break;
        take(span_lengths[longest], begins);
    }
    for (auto i = longest + 1; i-- > 0;)
        take(span_lengths[i], at + (end - at) / span_lengths[i] * span_lengths[i]);
    return runs;
}

question span_question(const sql::connection& on, std::string_view keys,
                       std::initializer_list<std::string_view> sums, std::string_view table,
                       const std::vector<span_run>& runs, const std::function<void(question&)>& narrow) {
    auto columns = std::string(keys), added = columns;
    for (const auto sum : sums) {
        columns += fmt::format(", t.{}", sum);
        added += fmt::format(", cast(sum(t.{}) as bigint)", sum);
    }
    question q(on.adds_up() ? fmt::format("select {} from (", added) : std::string());
    const auto rows = fmt::format("select {} from {} t where ", columns, table);
    for (bool more = false; const auto& run : runs) {
        q.text(more ? " union all " : "").text(rows).text("t.days = ").bound(run.days);
        q.text(" and t.first >= ").bound(run.first).text(" and t.first <= ").bound(run.last);
        narrow(q);
        more = true;
    }
    if (runs.empty()) // a period that ends before it begins
        q.text(rows).text("1 = 0");
    if (on.adds_up())
        q.text(") t group by ").text(keys);
    return q;
}

void span_sums::add_day(std::int64_t domain, std::int64_t day, std::int64_t reports, std::int64_t success,
                        std::int64_t failure) {
    for (const auto length : span_lengths) {
        auto& sums = days_[{{length, span_first(day, length)}, domain}];
        sums[0] += reports;
        sums[1] += success;
        sums[2] += failure;
    }
}

void span_sums::add_failure(std::int64_t day, const std::array<std::int64_t, 5>& kind, std::int64_t reports,
                            std::int64_t count) {
    for (const auto length : span_lengths) {
        auto& sums = failures_[{{length, span_first(day, length)}, kind}];
        sums[0] += reports;
        sums[1] += count;
    }
}

void span_sums::write(sql::connection& on) {
    static const auto add_days =
        insert_or_add("domain_span", "days, first, domain", {"reports", "success", "failure"},
                      "values ($1, $2, $3, $4, $5, $6)");
    for (const auto& [key, sums] : days_) {
        const auto& [span, domain] = key;
        on.run(add_days, {span.first, span.second, domain, sums[0], sums[1], sums[2]});
        if (sums[0] <= 0) // a report may have come and gone in one transaction
            on.run("delete from domain_span where days = $1 and first = $2 and domain = $3 and reports <= 0",
                   {span.first, span.second, domain});
    }
    static const auto add_failures =
        insert_or_add("failure_span", "days, first, domain, type, result, reason, mx", {"reports", "count"},
                      "values ($1, $2, $3, $4, $5, $6, $7, $8, $9)");
    for (const auto& [key, sums] : failures_) {
        const auto& [span, kind] = key;
        sql::values row{span.first, span.second};
        row.insert(row.end(), kind.begin(), kind.end());
        auto with_sums = row;
        with_sums.insert(with_sums.end(), sums.begin(), sums.end());
        on.run(add_failures, with_sums);
        if (sums[0] <= 0)
            on.run("delete from failure_span where days = $1 and first = $2 and domain = $3 and type = $4 "
                   "and result = $5 and reason = $6 and mx = $7 and reports <= 0",
                   row);
    }
    days_.clear();
    failures_.clear();
}

} // namespace mailtight::store
