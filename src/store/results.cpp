// SPDX-License-Identifier: Apache-2.0
// Opens the sender's part of the database, and its small questions: batches, marks, figures, the suppression
// list.
#include "store/results.h"

#include "store/policy_rows.h"
#include "store/postgres/engine.h"
#include "store/schema.h"
#include "store/sql_results.h"
#include "store/sqlite/engine.h"

#include <bit>

namespace mailtight::store {
namespace {

constexpr std::uint64_t due_counted = 100'000; // a longer queue is told as this long

// Made once a database, so that all machines of it agree and nobody else can foresee the times.
base::hash_key secret_of(sql::connection& on, bool read_only) {
    if (!read_only) {
        const auto fresh = base::random_hash_key();
        sql::transaction t(on, sql::access::write);
        for (const auto& [name, part] : {std::pair("secret 1", fresh[0]), std::pair("secret 2", fresh[1])})
            on.run("insert into result_setting (name, value) values ($1, $2) on conflict (name) do nothing",
                   {name, std::bit_cast<std::int64_t>(part)});
        t.commit();
    }
    base::hash_key out{};
    sql::transaction t(on, sql::access::read);
    on.query("select name, value from result_setting where name in ('secret 1', 'secret 2')", {},
             [&](const sql::row& r) {
                 out[r.text(0) == "secret 1" ? 0 : 1] = std::bit_cast<std::uint64_t>(r.integer(1));
             });
    t.commit();
    return out;
}

} // namespace

// For stores that know no better way, as those of tests.
result<std::vector<std::optional<std::int64_t>>>
result_store::file_all(std::span<const model::due_report> all, const make_each& make) {
    std::vector<std::optional<std::int64_t>> out;
    for (const auto& each : all) {
        const auto number =
            file(each, [&](auto results, std::uint32_t part) { return make(each, results, part); });
        if (!number)
            return std::unexpected(number.error());
        out.push_back(*number);
    }
    return out;
}
result<void> result_store::drop_all(std::span<const model::due_report> all) {
    for (const auto& each : all)
        if (auto done = drop_due(each); !done)
            return done;
    return {};
}

sql_results::sql_results(std::unique_ptr<sql::connection> on, bool shared, const base::hash_key& secret)
    : on_(std::move(on))
    , shared_(shared)
    , secret_(secret) {}

std::optional<store_error> sql_results::sync() {
    try {
        on_->sync("update result_setting set value = value where name = 'fence'");
        return std::nullopt;
    } catch (const sql::failure& f) {
        return f.error;
    }
}

void sql_results::grow(std::string_view figure, std::int64_t by) {
    on_->run("update result_figure set value = value + $2 where name = $1", {figure, by});
}

result<std::int64_t> sql_results::latest_batch(std::string_view machine) {
    return reading([&] {
        return on_->number("select batch from result_machine where machine = $1", {machine}).value_or(0);
    });
}

result<std::vector<std::pair<std::string, std::string>>> sql_results::marks(std::string_view machine) {
    return reading([&] {
        std::vector<std::pair<std::string, std::string>> out;
        on_->query("select name, value from result_mark where machine = $1 order by name", {machine},
                   [&](const sql::row& r) { out.emplace_back(r.string(0), r.string(1)); });
        return out;
    });
}

result<result_store::figures> sql_results::figures_of(base::utc_seconds now) {
    return reading([&] {
        figures out;
        out.due = static_cast<std::uint64_t>(
            on_->number("select count(*) from (select 1 from report_due where due_at <= $1 limit $2) few",
                        {now, due_counted})
                .value_or(0));
        if (const auto at = on_->number("select min(due_at) from report_due"); at && out.due > 0)
            out.oldest_due = base::utc_seconds(std::chrono::seconds(*at));
        if (const auto at =
                on_->number("select made_at from outbox_report where number = (select min(report) "
                            "from outbox_delivery where state = 0 and state <> 1)"))
            out.oldest_waiting = base::utc_seconds(std::chrono::seconds(*at));
        on_->query("select name, value from result_figure", {}, [&](const sql::row& r) {
            for (const auto& [name, figure] : {std::pair("unreported", &out.unreported_sessions),
                                               {"waiting", &out.waiting},
                                               {"sent", &out.sent},
                                               {"refused", &out.refused},
                                               {"given-up", &out.given_up},
                                               {"suppressed", &out.suppressed}})
                if (r.text(0) == name)
                    *figure = r.count(1);
        });
        return out;
    });
}

result<void> sql_results::suppress(const suppressed_address& value) {
    return synced(writing([&] {
        const auto who = storable_text(value.who), why = shown(value.why);
        on_->run("insert into suppressed (who, why, since, until) values ($1, $2, $3, $4) on conflict (who) "
                 "do update set why = excluded.why, since = excluded.since, until = excluded.until",
                 {who, why, value.since, value.until});
    }));
}

result<bool> sql_results::allow_again(std::string_view who) {
    return writing(
        [&] { return on_->number("delete from suppressed where who = $1 returning 1", {who}).has_value(); });
}

result<std::vector<suppressed_address>> sql_results::suppressed() {
    return reading([&] {
        std::vector<suppressed_address> out;
        on_->query("select who, why, since, until from suppressed order by who", {}, [&](const sql::row& r) {
            out.push_back({.who = r.string(0), .why = r.string(1), .since = r.at(2), .until = r.maybe_at(3)});
        });
        return out;
    });
}

result<std::unique_ptr<result_store>> open_results(const open_options& options) {
    try {
        auto relaxed = options; // what has to survive a power cut is synced where it is written
        relaxed.relaxed = true;
        const bool shared = is_postgres(options.where);
        auto on = shared ? postgres::connect(relaxed) : sqlite::connect(relaxed);
        if (options.read_only)
            require_current(*on, results_schema());
        else
            migrate(*on, results_schema());
        const auto secret = secret_of(*on, options.read_only);
        return std::make_unique<sql_results>(std::move(on), shared, secret);
    } catch (const sql::failure& f) {
        return std::unexpected(f.error);
    }
}

} // namespace mailtight::store
