// SPDX-License-Identifier: Apache-2.0
// What is old goes, a bounded part a call: what is still owed of those days first, then results with what
// only they name, then reports whose deliveries have ended.
#include "store/sql_results.h"

#include <algorithm>
#include <map>

namespace mailtight::store {
namespace {
constexpr std::size_t rows_a_call = 2'000;
constexpr std::int64_t counts_kept = 2; // days; the caps ask for today
} // namespace

result<bool> sql_results::expire(std::chrono::sys_days before) {
    return writing([&] {
        on_->run("update result_setting set value = $1 where name = 'horizon' and value < $1",
                 {number_of(before)});
        policies_.clear();
        on_->run("delete from sent_count where day < $1 or day < (select max(day) from sent_count) - $2",
                 {number_of(before), counts_kept});
        const bool more = expire_owed(before) || expire_results(before);
        return expire_outbox(before) || more;
    });
}

bool sql_results::expire_owed(std::chrono::sys_days before) {
    std::size_t gone = 0;
    on_->query("delete from report_due where (day, audience, domain) in (select day, audience, domain from "
               "report_due where day < $1 order by day, audience, domain limit $2) returning 1",
               {number_of(before), std::uint64_t{rows_a_call}}, [&](const sql::row&) { ++gone; });
    return gone == rows_a_call;
}

bool sql_results::expire_results(std::chrono::sys_days before) {
    struct gone_row {
        std::int64_t policy, faults;
        std::string domain;
    };
    std::vector<gone_row> gone;
    std::uint64_t unreported = 0;
    on_->query("delete from sent_result where (day, domain, policy, report, base_report) in (select day, "
               "domain, policy, report, base_report from sent_result where day < $1 order by day, domain, "
               "policy, report, base_report limit $2) "
               "returning policy, faults, domain, report, success + failure",
               {number_of(before), std::uint64_t{rows_a_call}}, [&](const sql::row& r) {
                   gone.push_back({r.integer(0), r.integer(1), r.string(2)});
                   if (r.integer(3) == 0)
                       unreported += r.count(4);
               });
    for (const auto& row : gone) {
        if (row.faults != 0) {
            on_->run("delete from sent_fault where list = $1", {row.faults});
            on_->run("delete from sent_faults where id = $1", {row.faults});
        }
        on_->run("delete from sent_policy where id = $1 and last_day < $2", {row.policy, number_of(before)});
        on_->run("delete from sent_record where domain = $1 and last_day < $2",
                 {row.domain, number_of(before)});
    }
    if (unreported > 0)
        grow("unreported", -static_cast<std::int64_t>(unreported));
    return gone.size() == rows_a_call;
}

bool sql_results::expire_outbox(std::chrono::sys_days before) {
    std::vector<std::int64_t> numbers;
    on_->query("select r.number from outbox_report r where r.day < $1 and not exists (select 1 from "
               "outbox_delivery d where d.report = r.number and d.state = 0) order by r.number limit $2",
               {number_of(before), std::uint64_t{rows_a_call}},
               [&](const sql::row& r) { numbers.push_back(r.integer(0)); });
    std::map<std::uint64_t, std::int64_t> states;
    for (const auto number : numbers) {
        on_->query("delete from outbox_delivery where report = $1 returning state", {number},
                   [&](const sql::row& r) { ++states[r.count(0)]; });
        on_->run("delete from outbox_body where report = $1", {number});
        on_->run("delete from outbox_report where number = $1", {number});
    }
    for (const auto& [state, count] : states)
        grow(model::to_string(static_cast<model::delivery_state>(state)), -count);
    return numbers.size() == rows_a_call;
}

} // namespace mailtight::store
