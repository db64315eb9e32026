// SPDX-License-Identifier: Apache-2.0
// What watching saw. A hundred thousand domains are looked at each hour and hardly ever differ: then one
// small row is updated, found by its key and compared by a digest; the texts are written where they changed.
#include "store/domain_filter.h"
#include "store/domain_rows.h"
#include "store/result_rows.h"
#include "store/sql_domains.h"
#include "store/words.h"

#include <fmt/format.h>

#include <algorithm>

namespace mailtight::store {
namespace {

constexpr std::uint64_t rows_a_call = 2'000;
constexpr std::size_t network_max = 64, agent_max = 64, id_max = 255;

// `last_seen` of the newest state stands in watched_now, and its own is never: so it is not written often.
constexpr std::string_view state_columns =
    "s.domain, s.first_seen, coalesce(n.last_seen, s.last_seen), s.verdict, s.record_id, s.policy_sha256, "
    "s.policy, s.mx, s.findings, s.complete";
model::watched_state read_state(const sql::row& r) {
    return {.domain = r.string(0),
            .first = r.at(1),
            .last = r.at(2),
            .verdict = r.string(3),
            .record_id = r.string(4),
            .policy_sha256 = r.string(5),
            .policy = r.string(6),
            .mx = read_list(r.text(7)),
            .findings = read_list(r.text(8)),
            .full = r.integer(9) != 0};
}

std::vector<std::string> storable(std::vector<std::string> list) {
    for (auto& each : list)
        each = storable_text(std::move(each));
    return list;
}

} // namespace

// A look that differs: the state before it ends, and this one is entered.
bool sql_domains::append_state(const model::watched_state& state, std::string_view digest) {
    on_->run("insert into watched_now as n (domain, complete, state, digest, first_seen, last_seen, earlier) "
             "values ($1, $2, 0, $3, $4, $4, 0) on conflict (domain, complete) do update set "
             "state = n.state where false",
             {state.domain, state.full, sql::bytes{""}, state.first});
    std::int64_t number = 0, earlier = 0;
    base::utc_seconds last_seen{};
    bool same = false;
    on_->query(on_->dialect("select state, digest, last_seen, earlier from watched_now where domain = $1 and "
                            "complete = $2 {for_update}"),
               {state.domain, state.full}, [&](const sql::row& r) {
                   number = r.integer(0);
                   same = r.text(1) == digest;
                   last_seen = r.at(2);
                   earlier = r.integer(3);
               });
    if (same) { // another machine entered it in the meantime
        on_->run(
            "update watched_now set last_seen = $3 where domain = $1 and complete = $2 and last_seen < $3",
            {state.domain, state.full, state.last});
        return false;
    }
    if (number > 0)
        on_->run("update watched_state set last_seen = $2 where number = $1", {number, last_seen});
    const auto verdict = storable_text(state.verdict), record = storable_text(state.record_id),
               sha = storable_text(state.policy_sha256), mx = write_list(storable(state.mx)),
               findings = write_list(storable(state.findings));
    const auto fresh =
        on_->number("insert into watched_state (domain, first_seen, last_seen, verdict, record_id, "
                    "policy_sha256, policy, mx, findings, complete) values ($1, $2, $3, $4, $5, $6, $7, $8, "
                    "$9, $10) returning number",
                    {state.domain, state.first, never_due, verdict, record, sha, sql::bytes{state.policy}, mx,
                     findings, state.full});
    on_->run("update watched_now set state = $3, digest = $4, first_seen = $5, last_seen = $6, earlier = $7 "
             "where domain = $1 and complete = $2",
             {state.domain, state.full, fresh.value_or(0), sql::bytes{digest}, state.first, state.last,
              number > 0 ? earlier + 1 : 0});
    return true;
}

result<bool> sql_domains::watched(const model::watched_state& now) {
    const auto done = watched_all(std::span(&now, 1));
    if (!done)
        return std::unexpected(done.error());
    return *done == 1;
}

result<std::size_t> sql_domains::watched_all(std::span<const model::watched_state> all) {
    struct seen {
        const model::watched_state* of;
        std::string digest;
        bool same = false;
        auto lane() const { return std::pair(std::string_view(of->domain), of->full); }
    };
    std::vector<seen> sorted;
    sorted.reserve(all.size()); // what is bound stays where it is
    for (const auto& each : all) {
        if (auto problem = refused(each))
            return std::unexpected(*problem);
        sorted.push_back({.of = &each, .digest = digest_of(each)});
    }
    // In order, so that two who write the same wait in line and not in a circle.
    std::ranges::sort(sorted, {}, [](const seen& each) { return std::pair(each.lane(), each.of); });
    std::vector<sql::values> with;
    std::vector<seen*> first; // of several of one domain the others are compared with it
    for (auto& each : sorted)
        if (first.empty() || first.back()->lane() != each.lane()) {
            first.push_back(&each);
            with.push_back({each.of->domain, each.of->full, sql::bytes{each.digest}, each.of->last});
        }
    return writing_lightly([&] {
        for (auto& each : sorted)
            each.same = false;
        on_->query_each("update watched_now set last_seen = case when last_seen < $4 then $4 else last_seen "
                        "end where domain = $1 and complete = $2 and digest = $3 returning 1",
                        with, [&](std::size_t n, const sql::row&) { first[n]->same = true; });
        std::size_t appended = 0;
        for (const auto& each : sorted)
            if (!each.same)
                appended += append_state(*each.of, each.digest) ? 1 : 0;
        return appended;
    });
}

result<std::vector<model::watched_state>> sql_domains::history(std::string_view domain, std::size_t limit) {
    return reading([&] {
        std::vector<model::watched_state> out;
        on_->query(
            fmt::format("select {} from watched_state s left join watched_now n on n.domain = s.domain "
                        "and n.complete = s.complete and n.state = s.number where s.domain = $1 "
                        "order by s.number desc limit $2",
                        state_columns),
            {domain, std::uint64_t{limit}}, [&](const sql::row& r) { out.push_back(read_state(r)); });
        return out;
    });
}

result<std::vector<model::watched_state>> sql_domains::latest_states(const domain_question& which) {
    const domain_filter filter(which);
    return reading([&] {
        std::vector<model::watched_state> out;
        on_->query(
            fmt::format(
                "select {} from looked_after d "
                "left join watched_now a on a.domain = d.domain and a.complete = 1 "
                "left join watched_now b on b.domain = d.domain and b.complete = 0 "
                "join watched_now n on n.domain = d.domain and n.complete = case when a.state is null or "
                "(b.earlier > 0 and b.first_seen > a.last_seen) then 0 else 1 end "
                "join watched_state s on s.number = n.state where {} order by d.domain limit $1",
                state_columns, filter.where()),
            filter.with(), [&](const sql::row& r) { out.push_back(read_state(r)); });
        return out;
    });
}

result<void> sql_domains::count_fetches(std::span<const model::policy_fetches> batch) {
    struct counted {
        std::string network, agent, id;
        const model::policy_fetches* of;
        auto key() const { return std::tie(of->domain, of->day, network, agent, id); }
    };
    std::vector<counted> sorted;
    sorted.reserve(batch.size());
    for (const auto& each : batch) {
        if (auto problem = refused_domain(each.domain))
            return std::unexpected(*problem);
        sorted.push_back({.network = storable_text(each.network.substr(0, network_max)),
                          .agent = storable_text(each.agent.substr(0, agent_max)),
                          .id = storable_text(each.id.substr(0, id_max)),
                          .of = &each});
    }
    std::ranges::sort(sorted, [](const counted& a, const counted& b) { return a.key() < b.key(); });
    return writing_lightly([&] {
        for (const auto& each : sorted)
            on_->run("insert into policy_fetches as f (domain, day, network, agent, id, count, last_at) "
                     "values ($1, $2, $3, $4, $5, $6, $7) on conflict (domain, day, network, agent, id) do "
                     "update set count = f.count + excluded.count, last_at = case when excluded.last_at > "
                     "f.last_at then excluded.last_at else f.last_at end",
                     {each.of->domain, number_of(each.of->day), each.network, each.agent, each.id,
                      each.of->count, each.of->last});
    });
}

result<std::vector<model::policy_fetches>> sql_domains::fetches(std::string_view domain,
                                                                std::chrono::sys_days since) {
    return reading([&] {
        std::vector<model::policy_fetches> out;
        on_->query("select domain, day, network, agent, id, count, last_at from policy_fetches where "
                   "domain = $1 and day >= $2 order by day, network, agent, id",
                   {domain, number_of(since)}, [&](const sql::row& r) {
                       out.push_back({.domain = r.string(0),
                                      .day = r.on(1),
                                      .network = r.string(2),
                                      .agent = r.string(3),
                                      .id = r.string(4),
                                      .count = r.count(5),
                                      .last = r.at(6)});
                   });
        return out;
    });
}

bool sql_domains::expire_fetches(base::utc_seconds before) {
    std::uint64_t gone = 0;
    on_->query("delete from policy_fetches where (domain, day, network, agent, id) in (select domain, day, "
               "network, agent, id from policy_fetches where day < $1 order by day limit $2) returning 1",
               {number_of(std::chrono::floor<std::chrono::days>(before)), rows_a_call},
               [&](const sql::row&) { ++gone; });
    return gone == rows_a_call;
}

// Those that ended first: an index has them. The newest of domains that nobody watches any more are looked
// for last, once.
bool sql_domains::expire_states(base::utc_seconds before) {
    std::uint64_t gone = 0;
    on_->query("delete from watched_state where number in (select number from watched_state where "
               "last_seen < $1 order by last_seen limit $2) returning 1",
               {before, rows_a_call}, [&](const sql::row&) { ++gone; });
    if (gone == rows_a_call)
        return true;
    std::vector<sql::values> states;
    on_->query(
        "delete from watched_now where (domain, complete) in (select domain, complete from watched_now "
        "where last_seen < $1 order by domain, complete limit $2) returning state",
        {before, rows_a_call}, [&](const sql::row& r) { states.push_back({r.integer(0)}); });
    on_->query_each("delete from watched_state where number = $1", states,
                    [](std::size_t, const sql::row&) {});
    return states.size() == rows_a_call;
}

result<bool> sql_domains::expire(base::utc_seconds before) {
    return writing_lightly([&] {
        on_->run("delete from challenge_answer where until < $1", {before});
        const bool more = expire_fetches(before);
        return expire_states(before) || more;
    });
}

} // namespace mailtight::store
