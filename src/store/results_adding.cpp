// SPDX-License-Identifier: Apache-2.0
// Counting: a batch in one transaction, its locks in the order that schema_results.cpp says. What is owed is
// entered, and held, before anything is counted: a report that is filed meanwhile either holds a session, or
// the session begins a fresh row and is owed anew.
#include "store/policy_rows.h"
#include "store/sql_results.h"
#include "store/words.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <map>
#include <tuple>
#include <utility>

namespace mailtight::store {
namespace {

constexpr std::size_t chunk_rows = 2'000;       // on their way at once
constexpr std::size_t policies_known = 250'000; // about 30 MB
constexpr std::int64_t seconds_a_day = 86'400;

} // namespace

result<bool> sql_results::add(const result_batch& batch, std::chrono::seconds spread, std::size_t faults) {
    auto added = writing([&] {
        const auto horizon =
            on_->number(on_->dialect("select value from result_setting where name = 'horizon' {for_share}"))
                .value_or(0);
        if (horizon != std::exchange(horizon_, horizon))
            policies_.clear(); // some may have gone with their results
        if (!on_->number("insert into result_machine as m (machine, batch) values ($1, $2) on conflict "
                         "(machine) do update set batch = excluded.batch where m.batch < excluded.batch "
                         "returning 1",
                         {batch.machine, batch.number}))
            return false;
        auto rows = rows_of(batch.results);
        owe(rows, spread);
        number_policies(rows);
        std::ranges::sort(rows, {}, &counting::key);
        merge(rows);
        std::uint64_t sessions = 0;
        for (std::span<counting> left = rows; !left.empty();) {
            const auto some = left.first(std::min(chunk_rows, left.size()));
            count(some, faults);
            left = left.subspan(some.size());
        }
        for (const auto& row : rows)
            sessions += row.success + row.failure;
        saw_records(rows);
        for (const auto& [name, value] : batch.marks)
            on_->run("insert into result_mark (machine, name, value) values ($1, $2, $3) on conflict "
                     "(machine, name) do update set value = excluded.value",
                     {batch.machine, name, value});
        if (sessions > 0)
            grow("unreported", static_cast<std::int64_t>(sessions));
        return true;
    });
    return synced(std::move(added));
}

std::vector<sql_results::counting> sql_results::rows_of(std::span<const model::counted_result> results) {
    std::vector<counting> rows;
    rows.reserve(results.size());
    for (const auto& each : results) {
        auto& row = rows.emplace_back(counting{.day = number_of(each.day),
                                               .domain = storable_text(each.domain),
                                               .base = base_of(each),
                                               .success = each.success,
                                               .failure = each.failure,
                                               .from = &each,
                                               .with_faults = {},
                                               .record = each.record_seen});
        if (!each.faults.empty())
            row.with_faults.push_back(&each);
    }
    return rows;
}

void sql_results::owe(const std::vector<counting>& rows, std::chrono::seconds spread) {
    std::vector<std::tuple<std::int64_t, std::int64_t, std::string_view>> owed;
    owed.reserve(rows.size());
    for (const auto& row : rows) {
        owed.emplace_back(row.day, number_of(model::report_audience::recipient_domain), row.domain);
        if (!row.base.empty())
            owed.emplace_back(row.day, number_of(model::report_audience::tlsa_base), row.base);
    }
    std::ranges::sort(owed);
    owed.erase(std::ranges::unique(owed).begin(), owed.end());
    // 8460-4.1-b: spread over hours, differently for each domain and day, the same on every machine. The
    // update that never happens holds the row.
    for (const auto& [day, audience, domain] : owed) {
        const auto part = base::keyed_hash(secret_, fmt::format("{} {} {}", day, audience, domain)) %
                          static_cast<std::uint64_t>(std::max<std::int64_t>(spread.count(), 1));
        on_->run("insert into report_due as d (day, audience, domain, due_at, first_tried, tries, fence, "
                 "leased_by, lease_until) values ($1, $2, $3, $4, 0, 0, 0, '', 0) on conflict "
                 "(day, audience, domain) do update set tries = d.tries where 1 = 0",
                 {day, audience, domain, (day + 1) * seconds_a_day + 1 + static_cast<std::int64_t>(part)});
    }
}

// In the order of their keys, so that machines that learn of the same ones wait in line.
void sql_results::number_policies(std::vector<counting>& rows) {
    std::map<std::string, std::vector<counting*>> unknown;
    for (auto& row : rows) {
        auto key = key_of(row.from->policy);
        const auto known = policies_.find(key);
        if (known != policies_.end() && known->second.last_day >= row.day && row.day >= horizon_)
            row.policy = known->second.id;
        else
            unknown[std::move(key)].push_back(&row);
    }
    struct texts {
        model::applied_policy policy;
        std::string strings, patterns;
    };
    for (auto next = unknown.begin(); next != unknown.end();) {
        std::deque<texts> kept; // what the values refer to
        std::vector<sql::values> with;
        std::vector<std::pair<const std::string, std::vector<counting*>>*> of;
        for (; next != unknown.end() && of.size() < chunk_rows; ++next) {
            auto& t = kept.emplace_back(texts{.policy = storable(next->second.front()->from->policy)});
            t.strings = write_list(t.policy.strings);
            t.patterns = write_list(t.policy.mx_patterns);
            const auto day = std::ranges::max(next->second, {}, &counting::day)->day;
            with.push_back({sql::bytes{next->first}, std::int64_t{tlsrpt::wire_code(t.policy.type)},
                            t.policy.domain, t.strings, t.patterns, day});
            of.push_back(&*next);
        }
        on_->query_each("insert into sent_policy as p (hash, type, domain, strings, mx_patterns, last_day) "
                        "values ($1, $2, $3, $4, $5, $6) on conflict (hash) do update set last_day = "
                        "case when excluded.last_day > p.last_day then excluded.last_day else p.last_day end "
                        "returning id, last_day",
                        with, [&](std::size_t n, const sql::row& r) {
                            for (auto* row : of[n]->second)
                                row->policy = r.integer(0);
                            if (policies_.size() >= policies_known)
                                policies_.clear();
                            policies_.insert_or_assign(
                                of[n]->first, known_policy{.id = r.integer(0), .last_day = r.integer(1)});
                        });
    }
}

void sql_results::merge(std::vector<counting>& rows) {
    auto last = rows.begin();
    for (auto next = rows.begin(); next != rows.end(); ++next) {
        if (next == last)
            continue;
        if (next->key() == last->key()) {
            last->success += next->success;
            last->failure += next->failure;
            if (!next->record.empty())
                last->record = next->record;
            last->with_faults.insert(last->with_faults.end(), next->with_faults.begin(),
                                     next->with_faults.end());
        } else if (++last != next)
            *last = std::move(*next);
    }
    if (!rows.empty())
        rows.erase(last + 1, rows.end());
}

void sql_results::count(std::span<counting> rows, std::size_t faults) {
    std::vector<sql::values> with;
    with.reserve(rows.size());
    for (const auto& row : rows)
        with.push_back({row.day, row.domain, row.policy, row.base, row.success, row.failure});
    on_->query_each(
        "insert into sent_result as r (day, domain, policy, report, base_report, base, faults, success, "
        "failure) values ($1, $2, $3, 0, 0, $4, 0, $5, $6) on conflict "
        "(day, domain, policy, report, base_report) do update set success = r.success + excluded.success, "
        "failure = r.failure + excluded.failure returning faults",
        with, [&](std::size_t n, const sql::row& r) { rows[n].list = r.integer(0); });
    std::vector<counting*> faulty;
    for (auto& row : rows)
        if (!row.with_faults.empty())
            faulty.push_back(&row);
    if (!faulty.empty())
        count_faults(faulty, faults);
}

void sql_results::saw_records(std::span<const counting> rows) {
    std::map<std::string_view, std::pair<std::int64_t, std::string_view>> seen; // later days come later
    for (const auto& row : rows)
        if (!row.record.empty())
            seen.insert_or_assign(row.domain, std::pair(row.day, row.record));
    for (const auto& [domain, what] : seen) {
        const auto record = shown(what.second);
        on_->run("insert into sent_record as r (domain, record, last_day) values ($1, $2, $3) on conflict "
                 "(domain) do update set record = excluded.record, last_day = excluded.last_day "
                 "where excluded.last_day > r.last_day or "
                 "(excluded.last_day = r.last_day and excluded.record <> r.record)",
                 {domain, record, what.first});
    }
}

} // namespace mailtight::store
