// SPDX-License-Identifier: Apache-2.0
// Policies in the order of their changes. A write takes its numbers from one counter and holds that row to
// the end of its transaction: writers of many machines commit one after the other (each commits a group, so
// that costs little), and whoever has read up to a number has missed nothing below it. A sequence would hand
// out numbers that are committed later than higher ones.
#include "store/policies.h"

#include "store/like_pattern.h"
#include "store/policy_rows.h"
#include "store/postgres/engine.h"
#include "store/schema.h"
#include "store/sql_policies.h"
#include "store/sqlite/engine.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace mailtight::store {
namespace {

constexpr std::size_t page_rows = 5'000;                              // rows of each() at once in memory
constexpr std::int64_t remembered_ms = std::int64_t{30} * 86'400'000; // that a domain was removed

// Each group of columns goes with the time that says which side's is newer.
struct group {
    std::string_view age;
    std::span<const std::string_view> columns;
};
constexpr auto held = std::to_array<std::string_view>({"id", "body", "fetched_at"});
constexpr auto tried =
    std::to_array<std::string_view>({"failed_fault", "failed_id", "failed_at", "failed_detail", "refresh_at",
                                     "failing_since", "failures", "tried_at"});
constexpr auto seen =
    std::to_array<std::string_view>({"record_what", "record_id", "record_ttl", "record_detail", "record_at"});
constexpr group groups[] = {{"fetched_at", held}, {"tried_at", tried}, {"record_at", seen}};

std::string put_statement() {
    std::string out = fmt::format("insert into sending_policy as p ({}) values (", policy_columns);
    for (int n = 1; n <= removed_column; ++n)
        out += fmt::format("${}, ", n);
    out += "0) on conflict (domain) do update set change = excluded.change, removed_at = 0, "
           "used_at = case when excluded.used_at > p.used_at then excluded.used_at else p.used_at end";
    std::string newer, same;
    for (const auto& g : groups) {
        for (const auto column : g.columns)
            out += fmt::format(", {0} = case when excluded.{1} >= p.{1} then excluded.{0} else p.{0} end",
                               column, g.age);
        newer += fmt::format("excluded.{0} > p.{0} or ", g.age);
        same += fmt::format("{1}excluded.{0} = p.{0}", g.age, same.empty() ? "" : " and ");
    }
    return fmt::format("{} where {}({})", out, newer, same);
}

} // namespace

// For stores that know no better way, as those of tests.
result<std::vector<model::kept_policy>> policy_store::after(std::string_view domain, std::size_t limit,
                                                            std::string_view contains) {
    std::vector<model::kept_policy> rows;
    const auto done = each([&](model::kept_policy row) {
        if (row.domain > domain && rows.size() < limit && row.domain.find(contains) != row.domain.npos)
            rows.push_back(std::move(row));
        return rows.size() < limit;
    });
    if (!done)
        return std::unexpected(done.error());
    return rows;
}

sql_policies::sql_policies(std::unique_ptr<sql::connection> on, bool shared)
    : on_(std::move(on))
    , shared_(shared)
    , put_(put_statement())
    // Its times go back to never, so that whatever is learnt of the domain later is newer.
    , remove_(
          on_->dialect("update sending_policy set change = $1, removed_at = {now_ms}, id = '', body = '', "
                       "fetched_at = 0, failed_fault = -1, failed_id = '', failed_at = 0, "
                       "failed_detail = '', record_what = 0, record_id = '', record_ttl = 0, "
                       "record_detail = '', record_at = 0, refresh_at = 0, failing_since = 0, "
                       "failures = 0, tried_at = 0, used_at = 0 where domain = $2 and removed_at = 0"))
    , forget_(on_->dialect("delete from sending_policy where removed_at > 0 and removed_at < {now_ms} - $1"))
    , lease_(
          on_->dialect("insert into sending_lease as l (domain, who, until) values ($1, $2, {now_ms} + $3) "
                       "on conflict (domain) do update set who = excluded.who, until = excluded.until "
                       "where l.who = excluded.who or l.until <= {now_ms} returning 1")) {}

std::int64_t sql_policies::reserve_changes(std::size_t how_many) {
    const auto last =
        on_->number("update sending_counter set value = value + $1 where name = 'change' returning value",
                    {std::uint64_t{how_many}});
    if (!last)
        throw sql::failure{
            .error = {.what = store_error::kind::damaged, .message = "the counter is missing"}};
    return *last - static_cast<std::int64_t>(how_many) + 1;
}

result<void> sql_policies::put(std::span<const model::kept_policy> policies) {
    if (policies.empty())
        return {};
    return writing([&] {
        auto change = reserve_changes(policies.size());
        for (const auto& each : policies)
            on_->run(put_, policy_values(each, change++).all());
    });
}

result<void> sql_policies::remove(std::span<const std::string> domains) {
    if (domains.empty())
        return {};
    return writing([&] {
        auto change = reserve_changes(domains.size());
        for (const auto& domain : domains)
            on_->run(remove_, {change++, domain});
        on_->run(forget_, {remembered_ms});
    });
}

result<std::optional<model::kept_policy>> sql_policies::get(std::string_view domain) {
    return reading([&] {
        std::optional<model::kept_policy> out;
        on_->query(
            fmt::format("select {} from sending_policy where domain = $1 and removed_at = 0", policy_columns),
            {domain}, [&](const sql::row& r) { out = read_policy(r); });
        return out;
    });
}

result<void> sql_policies::each(const std::function<bool(model::kept_policy)>& take) {
    const auto select = fmt::format(
        "select {} from sending_policy where removed_at = 0 and domain > $1 order by domain limit $2",
        policy_columns);
    const auto done = reading([&] {
        std::string last;
        std::vector<model::kept_policy> rows;
        do {
            rows.clear();
            on_->query(select, {last, std::uint64_t{page_rows}},
                       [&](const sql::row& r) { rows.push_back(read_policy(r)); });
            if (!rows.empty())
                last = rows.back().domain;
            for (auto& row : rows)
                if (!take(std::move(row)))
                    return false;
        } while (rows.size() == page_rows);
        return true;
    });
    if (!done)
        return std::unexpected(done.error());
    return {};
}

result<std::vector<model::kept_policy>> sql_policies::after(std::string_view domain, std::size_t limit,
                                                            std::string_view contains) {
    const auto pattern = anywhere(contains);
    return reading([&] {
        std::vector<model::kept_policy> rows;
        const auto take = [&](const sql::row& r) { rows.push_back(read_policy(r)); };
        const auto select = [&](std::string_view narrowed, const sql::values& with) {
            on_->query(fmt::format("select {} from sending_policy where removed_at = 0 and domain > $1 {}"
                                   "order by domain limit $2",
                                   policy_columns, narrowed),
                       with, take);
        };
        if (contains.empty())
            select("", {domain, std::uint64_t{limit}});
        else
            select("and domain like $3 escape '!' ", {domain, std::uint64_t{limit}, pattern});
        return rows;
    });
}

result<policy_store::changes> sql_policies::since(std::int64_t mark, std::size_t limit) {
    return reading([&] {
        changes out;
        std::int64_t newest = 0;
        on_->query("select name, value from sending_counter", {}, [&](const sql::row& r) {
            (r.text(0) == "change" ? newest : out.exceptions) = r.integer(1);
        });
        out.mark = mark > newest ? 0 : mark; // beyond it: the database was restored from an older copy
        on_->query(fmt::format("select {} from sending_policy where change > $1 order by change limit $2",
                               policy_columns),
                   {out.mark, std::uint64_t{limit}}, [&](const sql::row& r) {
                       out.mark = r.integer(change_column);
                       if (out.rows.empty())
                           out.rows.reserve(std::min(limit, page_rows));
                       if (r.integer(removed_column) > 0)
                           out.removed.push_back(r.string(domain_column));
                       else
                           out.rows.push_back(read_policy(r));
                   });
        return out;
    });
}

result<bool> sql_policies::lease(std::string_view domain, std::string_view who, std::chrono::seconds how_long,
                                 base::utc_seconds) {
    if (!shared_)
        return true;
    return writing([&] {
        return on_->number(lease_, {domain, who, std::chrono::milliseconds(how_long).count()}).has_value();
    });
}

result<void> sql_policies::release(std::string_view domain, std::string_view who) {
    if (!shared_)
        return {};
    return writing(
        [&] { on_->run("delete from sending_lease where domain = $1 and who = $2", {domain, who}); });
}

result<std::uint64_t> sql_policies::count() {
    return reading([&] {
        return static_cast<std::uint64_t>(
            on_->number("select count(*) from sending_policy where removed_at = 0").value_or(0));
    });
}

result<void> sql_policies::sync() {
    try {
        on_->sync("update sending_counter set value = value where name = 'change'");
        return {};
    } catch (const sql::failure& f) {
        return std::unexpected(f.error);
    }
}

result<std::unique_ptr<policy_store>> open_policies(const open_options& options) {
    try {
        auto relaxed = options;
        relaxed.relaxed = true;
        const bool shared = is_postgres(options.where);
        auto on = shared ? postgres::connect(relaxed) : sqlite::connect(relaxed);
        if (options.read_only)
            require_current(*on, policies_schema());
        else
            migrate(*on, policies_schema());
        return std::make_unique<sql_policies>(std::move(on), shared);
    } catch (const sql::failure& f) {
        return std::unexpected(f.error);
    }
}

} // namespace mailtight::store
