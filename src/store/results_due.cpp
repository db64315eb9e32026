// SPDX-License-Identifier: Apache-2.0
// What is owed, and who is about it. Every lease takes a fresh fence from one counter: numbers never
// come again, even where a row goes and is owed anew.
#include "store/sql_results.h"

#include <fmt/format.h>

namespace mailtight::store {

std::int64_t sql_results::lease_clock(base::utc_seconds now) {
    if (!shared_)
        return now.time_since_epoch().count() * 1'000;
    return on_->number(on_->dialect("select {now_ms}")).value_or(0);
}

result<std::vector<model::due_report>> sql_results::take_due(base::utc_seconds now, std::string_view who,
                                                             std::chrono::seconds how_long, std::size_t limit,
                                                             std::optional<std::chrono::sys_days> day) {
    return writing([&] {
        const auto clock = lease_clock(now);
        std::vector<model::due_report> out;
        const auto take = [&](const sql::row& r) {
            out.push_back({.day = r.on(0),
                           .domain = r.string(2),
                           .audience = r.integer(1) == 0 ? model::report_audience::recipient_domain
                                                         : model::report_audience::tlsa_base,
                           .due_at = r.at(3),
                           .first_tried = r.at(4),
                           .tries = static_cast<std::uint32_t>(r.count(5)),
                           .last_part_at = r.at(6)});
        };
        constexpr std::string_view columns =
            "day, audience, domain, due_at, first_tried, tries, coalesce((select max(o.made_at) from "
            "outbox_report o where o.domain = report_due.domain and o.day = report_due.day and "
            "o.audience = report_due.audience), 0)";
        if (day) // those that somebody counts into just now are waited for
            on_->query(on_->dialect(fmt::format("select {} from report_due where day = $1 and lease_until <= "
                                                "$2 order by audience, domain limit $3 {{for_update}}",
                                                columns)),
                       {number_of(*day), clock, std::uint64_t{limit}}, take);
        else // and here they are left for the next time
            on_->query(
                on_->dialect(fmt::format("select {} from report_due where due_at <= $1 and lease_until "
                                         "<= $2 order by due_at, domain limit $3 {{for_update_free}}",
                                         columns)),
                {now, clock, std::uint64_t{limit}}, take);
        if (out.empty())
            return out;
        auto fence = on_->number("update result_setting set value = value + $1 where name = 'fence' "
                                 "returning value",
                                 {std::uint64_t{out.size()}})
                         .value_or(0);
        const auto until = clock + std::chrono::milliseconds(how_long).count();
        for (auto& each : out) {
            each.fence = fence--;
            on_->run(
                "update report_due set fence = $4, leased_by = $5, lease_until = $6, first_tried = case "
                "when first_tried = 0 then $7 else first_tried end "
                "where day = $1 and audience = $2 and domain = $3",
                {number_of(each.day), number_of(each.audience), each.domain, each.fence, who, until, now});
        }
        return out;
    });
}

result<void> sql_results::postpone(const model::due_report& due, base::utc_seconds until) {
    return writing([&] {
        on_->run("update report_due set due_at = $5, tries = tries + 1, leased_by = '', lease_until = 0 "
                 "where day = $1 and audience = $2 and domain = $3 and fence = $4",
                 {number_of(due.day), number_of(due.audience), due.domain, due.fence, until});
    });
}

// In the order in which others take these locks.
result<void> sql_results::take_back(std::string_view who) {
    return writing([&] {
        std::vector<model::due_report> owed;
        on_->query(on_->dialect("select day, audience, domain from report_due where leased_by = $1 "
                                "order by day, audience, domain {for_update}"),
                   {who}, [&](const sql::row& r) {
                       owed.push_back({.day = r.on(0),
                                       .domain = r.string(2),
                                       .audience = r.integer(1) == 0
                                                       ? model::report_audience::recipient_domain
                                                       : model::report_audience::tlsa_base});
                   });
        for (const auto& each : owed)
            on_->run("update report_due set leased_by = '', lease_until = 0 "
                     "where day = $1 and audience = $2 and domain = $3",
                     {number_of(each.day), number_of(each.audience), each.domain});
        std::vector<std::int64_t> deliveries;
        on_->query(on_->dialect("select number from outbox_delivery where state = 0 and leased_by = $1 "
                                "order by number {for_update}"),
                   {who}, [&](const sql::row& r) { deliveries.push_back(r.integer(0)); });
        for (const auto number : deliveries)
            on_->run("update outbox_delivery set leased_by = '', lease_until = 0 where number = $1",
                     {number});
    });
}

} // namespace mailtight::store
