// SPDX-License-Identifier: Apache-2.0
// Counted results, back as they are reported: rows of equal policies are one again.
#include "store/sql_results.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <tuple>

namespace mailtight::store {

result<std::vector<model::counted_result>> sql_results::results(std::chrono::sys_days day,
                                                                std::string_view domain,
                                                                model::report_audience audience,
                                                                bool reported, std::size_t limit) {
    return reading([&] { return read(day, domain, audience, reported, limit); });
}

std::vector<model::counted_result> sql_results::read(std::chrono::sys_days day, std::string_view domain,
                                                     model::report_audience audience, bool reported,
                                                     std::size_t limit) {
    const bool recipient = audience == model::report_audience::recipient_domain;
    std::string where = "r.day = $1";
    if (!recipient)
        where += " and r.base <> ''";
    if (!domain.empty())
        where += recipient ? " and r.domain = $2" : " and r.base = $2";
    if (!reported)
        where += recipient ? " and r.report = 0" : " and r.base_report = 0";
    const auto select = fmt::format(
        "select r.domain, {}, r.success, r.failure, r.faults, coalesce(s.record, '') from sent_result r "
        "join sent_policy p on p.id = r.policy left join sent_record s on s.domain = r.domain "
        "where {} order by r.domain, r.policy limit ${}",
        applied_policy_columns, where, domain.empty() ? 2 : 3);
    std::vector<model::counted_result> rows;
    std::vector<std::pair<std::size_t, std::int64_t>> lists;
    const auto take = [&](const sql::row& r) {
        if (const auto list = r.integer(7); list != 0)
            lists.emplace_back(rows.size(), list);
        rows.push_back({.day = day,
                        .domain = r.string(0),
                        .policy = read_applied_policy(r, 1),
                        .success = r.count(5),
                        .failure = r.count(6),
                        .faults = {},
                        .record_seen = r.string(8)});
    };
    if (domain.empty())
        on_->query(select, {number_of(day), std::uint64_t{limit}}, take);
    else
        on_->query(select, {number_of(day), domain, std::uint64_t{limit}}, take);

    std::vector<sql::values> with;
    with.reserve(lists.size());
    for (const auto& [row, list] : lists)
        with.push_back({list});
    on_->query_each(
        fmt::format("select {} from sent_fault where list = $1", fault_columns), with,
        [&](std::size_t n, const sql::row& r) { rows[lists[n].first].faults.push_back(read_fault(r)); });
    return summed(std::move(rows));
}

} // namespace mailtight::store
