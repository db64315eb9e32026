// SPDX-License-Identifier: Apache-2.0
// What our hosts serve, and the log of every policy that senders could fetch (RFC 8461 §8.3). The log of a
// domain is written by one at a time, who holds its row of served_head. An entry's end only ever moves
// later, and an entry is open before anybody can fetch its policy.
#include "store/domain_rows.h"
#include "store/result_rows.h"
#include "store/sql_domains.h"
#include "store/words.h"

#include <fmt/format.h>

#include <algorithm>

namespace mailtight::store {
namespace {

constexpr std::size_t ids_max = 1'000; // of one entry; a policy that changes its id daily for years

model::publication read_publication(const sql::row& r) {
    return {.domain = r.string(0),
            .body = r.string(2),
            .id = r.string(3),
            .since = r.at(4),
            .change = r.integer(1)};
}
constexpr std::string_view publication_columns = "domain, change, body, id, since";

std::string in_short(std::string_view body, std::string_view id) {
    if (body.empty())
        return "";
    const auto facts = facts_of(body);
    return fmt::format("mode {}, max_age {}, id {}", sts::to_string(facts.mode), facts.max_age,
                       id.empty() ? "none" : id);
}

} // namespace

void sql_domains::hold_log(std::string_view domain) {
    on_->run("insert into served_head as h (domain, held) values ($1, 0) "
             "on conflict (domain) do update set held = h.held where false",
             {domain});
}

std::optional<model::publication> sql_domains::publication_of(std::string_view domain) {
    std::optional<model::publication> out;
    on_->query(fmt::format("select {} from publication where domain = $1", publication_columns), {domain},
               [&](const sql::row& r) { out = read_publication(r); });
    return out;
}

// Those that are open, and the newest one that has this body.
std::vector<sql_domains::entry> sql_domains::entries(std::string_view domain, std::string_view body) {
    std::vector<entry> out;
    const auto take = [&](const sql::row& r) {
        const auto number = r.integer(0);
        if (std::ranges::find(out, number, &entry::number) == out.end())
            out.push_back({.number = number,
                           .body = r.string(1),
                           .ids = read_list(r.text(2)),
                           .reached = r.at(3),
                           .last_served = r.maybe_at(4)});
    };
    constexpr std::string_view columns = "number, body, ids, reached, last_served";
    on_->query(fmt::format("select {} from served_policy where domain = $1 and last_served is null "
                           "order by domain, number",
                           columns),
               {domain}, take);
    // In the order of the index of domains: by number alone, SQLite would walk through all of them.
    on_->query(fmt::format("select {} from served_policy where domain = $1 and body = $2 "
                           "order by domain desc, number desc limit 1",
                           columns),
               {domain, sql::bytes{body}}, take);
    return out;
}

void sql_domains::open_entry(std::string_view domain, std::string_view body, std::string_view id, bool ours,
                             base::utc_seconds at) {
    const auto facts = facts_of(body);
    const auto ids = id.empty() ? std::string() : write_list({std::string(id)});
    on_->run(
        "insert into served_policy (domain, body, mode, max_age, ids, first_served, reached, last_served, "
        "ours) values ($1, $2, $3, $4, $5, $6, $6, null, $7)",
        {domain, sql::bytes{body}, sts::to_string(facts.mode), facts.max_age, ids, at, ours});
}

void sql_domains::add_id(const entry& to, std::string_view id) {
    if (id.empty() || (!to.ids.empty() && to.ids.back() == id) || to.ids.size() >= ids_max)
        return;
    auto all = to.ids;
    all.emplace_back(id);
    const auto ids = write_list(all);
    on_->run("update served_policy set ids = $2 where number = $1", {to.number, ids});
}

void sql_domains::close_entry(const entry& which, base::utc_seconds at) {
    on_->run(
        "update served_policy set last_served = $2, reached = $2 where number = $1 and last_served is null",
        {which.number, std::max(at, which.reached)});
}

result<bool> sql_domains::publish(const model::publication& value, const lease& held, std::string_view who,
                                  std::chrono::seconds lag) {
    if (auto problem = refused(value))
        return std::unexpected(*problem);
    return writing([&] {
        if (!holds(held))
            return false;
        hold_log(value.domain);
        const auto before = publication_of(value.domain).value_or(model::publication{});
        if (before.body == value.body && before.id == value.id)
            return true; // said again, by who did not hear that it was done
        const entry* same = nullptr;
        const auto known = entries(value.domain, value.body);
        for (const auto& each : known) {
            if (each.last_served)
                continue;
            if (!value.body.empty() && each.body == value.body)
                same = &each;
            else if (!before.body.empty() && each.body == before.body) // 8461-8.3-a: it was ours until now
                close_entry(each, value.since + std::max(lag, std::chrono::seconds(0)));
        }
        if (same) {
            add_id(*same, value.id);
            on_->run("update served_policy set ours = 1, reached = case when reached < $2 then $2 else "
                     "reached end "
                     "where number = $1",
                     {same->number, value.since});
        } else if (!value.body.empty()) {
            open_entry(value.domain, value.body, value.id, true, value.since);
        }
        append({.number = 0,
                .at = value.since,
                .domain = value.domain,
                .who = std::string(who),
                .what = value.body.empty() ? "withdrew policy" : "served policy",
                .from = in_short(before.body, before.id),
                .to = in_short(value.body, value.id),
                .why = {}});
        on_->run("insert into publication (domain, change, body, id, since) values ($1, $2, $3, $4, $5) "
                 "on conflict (domain) do update set change = excluded.change, body = excluded.body, "
                 "id = excluded.id, since = excluded.since",
                 {value.domain, next("publication"), sql::bytes{value.body}, value.id, value.since});
        return true;
    });
}

result<std::optional<model::publication>> sql_domains::published(std::string_view domain) {
    return reading([&] { return publication_of(domain); });
}

result<std::vector<model::publication>> sql_domains::published_after(std::int64_t change, std::size_t limit) {
    return reading([&] {
        std::vector<model::publication> out;
        on_->query(fmt::format("select {} from publication where change > $1 order by change limit $2",
                               publication_columns),
                   {from_here("publication", change), std::uint64_t{limit}},
                   [&](const sql::row& r) { out.push_back(read_publication(r)); });
        return out;
    });
}

// Whether the log says all of this already: the usual case, which writes nothing.
bool sql_domains::known_as_open(std::string_view domain, std::string_view body, std::string_view id) {
    const auto known = entries(domain, body);
    const auto publication = publication_of(domain);
    bool open = false;
    for (const auto& each : known) {
        if (each.last_served)
            continue;
        if (each.body == body)
            open = id.empty() || (!each.ids.empty() && each.ids.back() == id);
        else if (!publication || publication->body != each.body)
            return false;
    }
    return open;
}

result<void> sql_domains::seen_served(std::string_view domain, std::string_view body, std::string_view id,
                                      bool ours, base::utc_seconds at) {
    if (auto problem = refused({.domain = std::string(domain), .body = std::string(body), .id = {}}))
        return std::unexpected(*problem);
    if (body.empty())
        return seen_gone(domain, at);
    const auto plain_id = storable_text(std::string(id.substr(0, 255)));
    const auto nothing_new = reading([&] { return known_as_open(domain, body, plain_id); });
    if (!nothing_new)
        return std::unexpected(nothing_new.error());
    if (*nothing_new)
        return {};
    return writing([&] {
        hold_log(domain);
        const auto publication = publication_of(domain);
        const std::string_view served = publication ? std::string_view(publication->body) : "";
        const entry *open = nullptr, *closed = nullptr;
        const auto known = entries(domain, body);
        for (const auto& each : known) {
            if (each.body != body) {
                if (each.body != served)
                    close_entry(each, at);
            } else if (!each.last_served)
                open = &each;
            else
                closed = &each;
        }
        if (!open && !closed)
            return open_entry(domain, body, plain_id, ours, at);
        const auto& same = open ? *open : *closed;
        add_id(same, plain_id);
        if (open || (ours && *same.last_served >= at)) // within the lag, from a machine that has not heard
            return;
        const auto reached = std::max(at, *same.last_served);
        // Ours that our hosts serve no more: somebody still gives the old one. Else it is served again.
        if (ours && !served.empty())
            on_->run("update served_policy set last_served = $2, reached = $2 where number = $1",
                     {same.number, reached});
        else
            on_->run("update served_policy set last_served = null, reached = $2 where number = $1",
                     {same.number, reached});
    });
}

result<void> sql_domains::seen_gone(std::string_view domain, base::utc_seconds at) {
    return writing([&] {
        hold_log(domain);
        const auto publication = publication_of(domain);
        for (const auto& each : entries(domain, ""))
            if (!each.last_served && !(publication && publication->body == each.body))
                close_entry(each, at);
    });
}

result<std::vector<model::served_policy>> sql_domains::served(std::string_view domain) {
    return reading([&] {
        std::vector<model::served_policy> out;
        on_->query("select domain, body, mode, max_age, ids, first_served, last_served, ours from "
                   "served_policy where domain = $1 order by number",
                   {domain}, [&](const sql::row& r) {
                       out.push_back({.domain = r.string(0),
                                      .body = r.string(1),
                                      .mode = sts::parse_mode(r.text(2)).value_or(sts::mode::none),
                                      .max_age = r.count(3),
                                      .ids = read_list(r.text(4)),
                                      .first_served = r.at(5),
                                      .last_served = r.maybe_at(6),
                                      .ours = r.integer(7) != 0});
                   });
        return out;
    });
}

} // namespace mailtight::store
