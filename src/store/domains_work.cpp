// SPDX-License-Identifier: Apache-2.0
// Work that is due, and leases: one table, since a lease is one of work that is never due. Every lease takes
// a fresh fence from one counter, and a row without a holder has none: so a fence says by itself whether it
// still holds, and never comes again, even where a row goes and comes back.
//
// Leases end by the database's clock where machines share one. With SQLite, by the callers' own: they say
// what it is, and where they say none, it runs on from there: how far it is ahead of this machine's stands
// beside the counters.
#include "store/result_rows.h"
#include "store/sql_domains.h"

#include <fmt/format.h>

#include <algorithm>

namespace mailtight::store {
namespace {

constexpr std::size_t rows_at_once = 2'000, name_max = 1'000, state_max = 1u << 20, error_max = 1'000;
constexpr std::int64_t a_second_and_a_half = 1'500;
constexpr std::uint64_t waiting_counted = 100'000; // a longer queue is told as this long

std::pair<std::string_view, std::string_view> parts_of(std::string_view what) {
    const auto slash = what.find('/');
    if (slash == std::string_view::npos)
        return {what, {}};
    return {what.substr(0, slash), what.substr(slash + 1)};
}

std::optional<store_error> refused_work(std::string_view kind, std::string_view domain) {
    if (kind.empty() || kind.size() + domain.size() > name_max || storable_text(std::string(kind)) != kind ||
        storable_text(std::string(domain)) != domain)
        return store_error{.what = store_error::kind::wrong, .message = "not a name for work or a lease"};
    return std::nullopt;
}
std::optional<store_error> refused_state(const due_work& work) {
    if (work.state.size() <= state_max)
        return std::nullopt;
    return store_error{.what = store_error::kind::wrong,
                       .message = fmt::format("the state of work \"{}\" has {} bytes; at most {} are kept",
                                              work.kind, work.state.size(), state_max)};
}

constexpr std::string_view work_columns = "kind, domain, due_at, fence, tries, last_error, state";
due_work read_work(const sql::row& r) {
    return {.kind = r.string(0),
            .domain = r.string(1),
            .due_at = r.at(2),
            .fence = r.integer(3),
            .tries = static_cast<std::uint32_t>(std::min<std::uint64_t>(r.count(4), UINT32_MAX)),
            .last_error = r.string(5),
            .state = r.string(6)};
}

// What is asked for while somebody has it is kept apart, so that they do not sweep it away when they end.
constexpr std::string_view plan_statement =
    "insert into domain_work as w (kind, domain, due_at, wake_at, fence, leased_by, lease_until, tries, "
    "last_error, state) values ($1, $2, $3, null, 0, '', 0, 0, '', $4) on conflict (domain, kind) do update "
    "set due_at = case when excluded.due_at < w.due_at then excluded.due_at else w.due_at end, "
    "wake_at = case when w.fence > 0 and (w.wake_at is null or excluded.due_at < w.wake_at) "
    "then excluded.due_at else w.wake_at end "
    "where excluded.due_at < w.due_at or w.fence > 0";

} // namespace

// Those who say no time (leases on anything) run on from the time that others said, in whole seconds.
std::int64_t sql_domains::lease_clock() {
    const auto clock = on_->number(on_->dialect("select {now_ms}")).value_or(0);
    return shared_ ? clock
                   : clock + on_->number("select value from domain_counter where name = 'ahead'").value_or(0);
}
std::int64_t sql_domains::lease_clock(base::utc_seconds now) {
    const auto clock = lease_clock();
    if (shared_)
        return clock;
    const auto said = now.time_since_epoch().count() * 1'000;
    if (said > clock || said < clock - a_second_and_a_half)
        on_->run("update domain_counter set value = value + $1 where name = 'ahead'", {said - clock});
    return said;
}

std::int64_t sql_domains::next(std::string_view counter, std::uint64_t how_many) {
    const auto last = on_->number("update domain_counter set value = value + $2 where name = $1 "
                                  "returning value",
                                  {counter, how_many});
    if (!last)
        throw sql::failure{.error = {.what = store_error::kind::damaged, .message = "a counter is missing"}};
    return *last;
}

std::int64_t sql_domains::from_here(std::string_view counter, std::int64_t change) {
    const auto newest =
        on_->number("select value from domain_counter where name = $1", {counter}).value_or(0);
    return change > newest ? 0 : change; // beyond it: the database was restored from an older copy
}

// Held to the end of the transaction: nobody takes it over meanwhile.
bool sql_domains::holds(const lease& held) {
    const auto [kind, domain] = parts_of(held.what);
    return held.fence > 0 &&
           on_->number(on_->dialect("select 1 from domain_work where domain = $1 and kind = $2 and "
                                    "fence = $3 {for_update}"),
                       {domain, kind, held.fence})
               .has_value();
}

result<void> sql_domains::plan_work(std::string_view kind, std::string_view domain, base::utc_seconds at) {
    if (auto problem = refused_work(kind, domain))
        return std::unexpected(*problem);
    return writing(
        [&] { on_->run(plan_statement, {kind, domain, std::min(at, never_due), sql::bytes{""}}); });
}

result<void> sql_domains::plan_all(std::string_view kind,
                                   std::span<const std::pair<std::string, base::utc_seconds>> at) {
    std::vector<const std::pair<std::string, base::utc_seconds>*> sorted;
    sorted.reserve(at.size());
    for (const auto& each : at) {
        if (auto problem = refused_work(kind, each.first))
            return std::unexpected(*problem);
        sorted.push_back(&each);
    }
    std::ranges::sort(sorted, {}, [](const auto* each) { return std::string_view(each->first); });
    for (std::span left = sorted; !left.empty();) {
        const auto some = left.first(std::min(rows_at_once, left.size()));
        auto done = writing([&] {
            for (const auto* each : some)
                on_->run(plan_statement,
                         {kind, each->first, std::min(each->second, never_due), sql::bytes{""}});
        });
        if (!done)
            return done;
        left = left.subspan(some.size());
    }
    return {};
}

result<std::vector<due_work>> sql_domains::take_work(std::string_view kind, base::utc_seconds now,
                                                     std::string_view who, std::chrono::seconds how_long,
                                                     std::size_t limit, work_order order) {
    const std::string_view by =
        order == work_order::oldest_first ? "due_at, domain" : "due_at desc, domain desc";
    return writing_fence([&] {
        const auto clock = lease_clock(now);
        std::vector<due_work> out;
        on_->query(on_->dialect(fmt::format("select {} from domain_work where kind = $1 and due_at <= $2 and "
                                            "lease_until <= $3 order by {} limit $4 "
                                            "{{for_update_free}}",
                                            work_columns, by)),
                   {kind, now, clock, std::uint64_t{limit}},
                   [&](const sql::row& r) { out.push_back(read_work(r)); });
        if (out.empty())
            return out;
        auto fence = next("fence", out.size()) - static_cast<std::int64_t>(out.size());
        const auto until = clock + std::chrono::milliseconds(how_long).count();
        for (auto& each : out) {
            each.fence = ++fence;
            on_->run("update domain_work set fence = $3, leased_by = $4, lease_until = $5, wake_at = null "
                     "where domain = $1 and kind = $2",
                     {each.domain, each.kind, each.fence, who, until});
        }
        return out;
    });
}

result<bool> sql_domains::done_work(const due_work& work, std::optional<base::utc_seconds> again) {
    const done_with one(work, again);
    const auto done = done_all(std::span(&one, 1));
    if (!done)
        return std::unexpected(done.error());
    return *done == 1;
}

result<std::size_t> sql_domains::done_all(std::span<const done_with> all) {
    std::vector<std::string> errors;
    std::vector<sql::values> with;
    errors.reserve(all.size()); // what is bound stays where it is
    for (const auto& [work, again] : all) {
        if (auto problem = refused_state(work))
            return std::unexpected(*problem);
        if (work.fence > 0)
            with.push_back({work.domain, work.kind, work.fence,
                            std::min(again.value_or(never_due), never_due), std::int64_t{work.tries},
                            errors.emplace_back(storable_text(work.last_error.substr(0, error_max))),
                            sql::bytes{work.state}});
    }
    std::ranges::sort(with, {},
                      [](const sql::values& row) { return std::pair(row[0].view(), row[1].view()); });
    return writing_lightly([&] {
        std::size_t done = 0;
        on_->query_each("update domain_work set due_at = case when wake_at < $4 then wake_at else $4 end, "
                        "wake_at = null, fence = 0, leased_by = '', lease_until = 0, tries = $5, "
                        "last_error = $6, state = $7 where domain = $1 and kind = $2 and fence = $3 "
                        "returning 1",
                        with, [&](std::size_t, const sql::row&) { ++done; });
        return done;
    });
}

result<bool> sql_domains::keep_work(const due_work& work, base::utc_seconds now,
                                    std::chrono::seconds how_long) {
    if (auto problem = refused_state(work))
        return std::unexpected(*problem);
    return writing([&] {
        const auto until = lease_clock(now) + std::chrono::milliseconds(how_long).count();
        return work.fence > 0 &&
               on_->number("update domain_work set state = $4, lease_until = $5 where domain = $1 and "
                           "kind = $2 and fence = $3 returning 1",
                           {work.domain, work.kind, work.fence, sql::bytes{work.state}, until})
                   .has_value();
    });
}

result<std::optional<due_work>> sql_domains::work(std::string_view kind, std::string_view domain) {
    return reading([&] {
        std::optional<due_work> out;
        on_->query(fmt::format("select {} from domain_work where domain = $1 and kind = $2", work_columns),
                   {domain, kind}, [&](const sql::row& r) { out = read_work(r); });
        return out;
    });
}

result<std::vector<due_work>> sql_domains::noted_work(std::string_view kind, std::string_view after,
                                                      std::size_t limit) {
    return reading([&] {
        std::vector<due_work> out;
        on_->query(fmt::format("select {} from domain_work where kind = $1 and domain > $2 and "
                               "(length(state) > 0 or last_error <> '') order by domain limit $3",
                               work_columns),
                   {kind, after, std::uint64_t{limit}},
                   [&](const sql::row& r) { out.push_back(read_work(r)); });
        return out;
    });
}

result<std::uint64_t> sql_domains::waiting_work(std::string_view kind, base::utc_seconds now) {
    return reading([&] {
        return static_cast<std::uint64_t>(
            on_->number("select count(*) from (select 1 from domain_work where kind = $1 and due_at <= $2 "
                        "limit $3) few",
                        {kind, now, waiting_counted})
                .value_or(0));
    });
}

result<std::optional<lease>> sql_domains::take_lease(std::string_view what, std::string_view who,
                                                     std::chrono::seconds how_long) {
    const auto [kind, domain] = parts_of(what);
    if (auto problem = refused_work(kind, domain))
        return std::unexpected(*problem);
    return writing_fence([&]() -> std::optional<lease> {
        on_->run("insert into domain_work (kind, domain, due_at, wake_at, fence, leased_by, lease_until, "
                 "tries, last_error, state) values ($1, $2, $3, null, 0, '', 0, 0, '', $4) "
                 "on conflict (domain, kind) do nothing",
                 {kind, domain, never_due, sql::bytes{""}});
        const auto until = on_->number(on_->dialect("select lease_until from domain_work where domain = $1 "
                                                    "and kind = $2 {for_update}"),
                                       {domain, kind});
        const auto clock = lease_clock(); // after the row is ours: waiting for it took time
        if (!until || *until > clock)
            return std::nullopt;
        lease out{.what = std::string(what), .who = std::string(who), .fence = next("fence")};
        on_->run("update domain_work set fence = $3, leased_by = $4, lease_until = $5, wake_at = null "
                 "where domain = $1 and kind = $2",
                 {domain, kind, out.fence, who, clock + std::chrono::milliseconds(how_long).count()});
        return out;
    });
}

result<bool> sql_domains::renew_lease(const lease& held, std::chrono::seconds how_long) {
    return writing_lightly([&] {
        if (!holds(held))
            return false;
        const auto [kind, domain] = parts_of(held.what);
        on_->run("update domain_work set lease_until = $3 where domain = $1 and kind = $2",
                 {domain, kind, lease_clock() + std::chrono::milliseconds(how_long).count()});
        return true;
    });
}

// What was asked for meanwhile stays due: due_at heard of it too.
constexpr std::string_view let_go = "update domain_work set fence = 0, leased_by = '', lease_until = 0, "
                                    "wake_at = null where domain = $1 and kind = $2";

result<void> sql_domains::release_lease(const lease& held) {
    return writing_lightly([&] {
        if (!holds(held))
            return;
        const auto [kind, domain] = parts_of(held.what);
        on_->run(let_go, {domain, kind});
        // What was a lease and nothing else leaves no row behind.
        on_->run("delete from domain_work where domain = $1 and kind = $2 and due_at >= $3 and state = $4 "
                 "and tries = 0",
                 {domain, kind, never_due, sql::bytes{""}});
    });
}

// In the order in which others take these locks.
result<void> sql_domains::take_back(std::string_view who) {
    return writing_lightly([&] {
        std::vector<std::pair<std::string, std::string>> held;
        on_->query(on_->dialect("select domain, kind from domain_work where fence > 0 and leased_by = $1 "
                                "order by domain, kind {for_update}"),
                   {who}, [&](const sql::row& r) { held.emplace_back(r.string(0), r.string(1)); });
        for (const auto& [domain, kind] : held)
            on_->run(let_go, {domain, kind});
    });
}

} // namespace mailtight::store
