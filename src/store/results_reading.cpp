// SPDX-License-Identifier: Apache-2.0
// Counted results, back as they are reported: rows of equal policies are one again.
#include "store/sql_results.h"

#include <fmt/format.h>

#include <deque>
#include <iterator>
#include <limits>

namespace mailtight::store {

// What is asked of sent_result, `r`, and its neighbours. An unreported row of one domain, or all.
std::string sql_results::select_results(model::report_audience audience, bool one_domain, bool reported) {
    const bool recipient = audience == model::report_audience::recipient_domain;
    std::string where = "r.day = $1";
    if (!recipient)
        where += " and r.base <> ''";
    if (one_domain)
        where += recipient ? " and r.domain = $3" : " and r.base = $3";
    if (!reported)
        where += recipient ? " and r.report = 0" : " and r.base_report = 0";
    return fmt::format(
        "select r.day, r.domain, {}, r.success, r.failure, r.faults, coalesce(s.record, '') "
        "from sent_result r join sent_policy p on p.id = r.policy "
        "left join sent_record s on s.domain = r.domain where {} order by r.domain, r.policy limit $2",
        applied_policy_columns, where);
}

namespace {
model::counted_result read_result(const sql::row& r) {
    return {.day = r.on(0),
            .domain = r.string(1),
            .policy = read_applied_policy(r, 2),
            .success = r.count(6),
            .failure = r.count(7),
            .faults = {},
            .record_seen = r.string(9)};
}
constexpr int faults_column = 8;
} // namespace

// Each list belongs to one row, which stays where it is until then.
void sql_results::read_faults(std::span<const std::pair<model::counted_result*, std::int64_t>> lists) {
    std::vector<sql::values> with;
    with.reserve(lists.size());
    for (const auto& [row, list] : lists)
        with.push_back({list});
    on_->query_each(
        fmt::format("select {} from sent_fault where list = $1", fault_columns), with,
        [&](std::size_t n, const sql::row& r) { lists[n].first->faults.push_back(read_fault(r)); });
}

result<std::vector<model::counted_result>> sql_results::results(std::chrono::sys_days day,
                                                                std::string_view domain,
                                                                model::report_audience audience,
                                                                bool reported, std::size_t limit) {
    return reading([&] {
        std::deque<model::counted_result> rows;
        std::vector<std::pair<model::counted_result*, std::int64_t>> lists;
        sql::values with{number_of(day), std::uint64_t{limit}};
        if (!domain.empty())
            with.push_back(domain);
        on_->query(select_results(audience, !domain.empty(), reported), with, [&](const sql::row& r) {
            auto& row = rows.emplace_back(read_result(r));
            if (const auto list = r.integer(faults_column); list != 0)
                lists.emplace_back(&row, list);
        });
        read_faults(lists);
        return summed({std::make_move_iterator(rows.begin()), std::make_move_iterator(rows.end())});
    });
}

void sql_results::read_unreported(std::span<filing> all) {
    using enum model::report_audience;
    std::vector<std::deque<model::counted_result>> rows(all.size());
    std::vector<std::pair<model::counted_result*, std::int64_t>> lists;
    for (const auto audience : {recipient_domain, tlsa_base}) {
        std::vector<sql::values> with;
        std::vector<std::size_t> which;
        for (std::size_t i = 0; i < all.size(); ++i)
            if (all[i].due->audience == audience) {
                with.push_back({number_of(all[i].due->day), std::numeric_limits<std::int64_t>::max(),
                                all[i].due->domain});
                which.push_back(i);
            }
        on_->query_each(select_results(audience, true, false), with, [&](std::size_t n, const sql::row& r) {
            auto& row = rows[which[n]].emplace_back(read_result(r));
            if (const auto list = r.integer(faults_column); list != 0)
                lists.emplace_back(&row, list);
        });
    }
    read_faults(lists);
    for (std::size_t i = 0; i < all.size(); ++i)
        all[i].results =
            summed({std::make_move_iterator(rows[i].begin()), std::make_move_iterator(rows[i].end())});
}

result<std::vector<sql_results::day_sum>> sql_results::day_sums(std::chrono::sys_days since,
                                                                std::chrono::sys_days until) {
    return reading([&] {
        std::vector<day_sum> out;
        on_->query("select day, cast(sum(success) as bigint), cast(sum(failure) as bigint) from sent_result "
                   "where day >= $1 and day <= $2 group by day order by day",
                   {number_of(since), number_of(until)}, [&](const sql::row& r) {
                       out.push_back({.day = r.on(0), .success = r.count(1), .failure = r.count(2)});
                   });
        return out;
    });
}

result<std::vector<sql_results::fault_sum>> sql_results::fault_sums(std::chrono::sys_days since,
                                                                    std::size_t limit) {
    return reading([&] {
        std::vector<fault_sum> out;
        on_->query("select r.domain, f.type, f.mx, f.reason, cast(sum(f.count) as bigint), max(r.day) "
                   "from sent_result r join sent_fault f on f.list = r.faults "
                   "where r.day >= $1 and r.faults <> 0 group by r.domain, f.type, f.mx, f.reason "
                   "order by 5 desc, 1, 2, 3, 4 limit $2",
                   {number_of(since), std::uint64_t{limit}}, [&](const sql::row& r) {
                       out.push_back({.domain = r.string(0),
                                      .type = tlsrpt::result_type_from_wire(static_cast<int>(r.integer(1)))
                                                  .value_or(tlsrpt::result_type::validation_failure),
                                      .mx = r.string(2),
                                      .reason = r.string(3),
                                      .count = r.count(4),
                                      .day = r.on(5)});
                   });
        return out;
    });
}

} // namespace mailtight::store
