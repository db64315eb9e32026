// SPDX-License-Identifier: Apache-2.0
// The outbox: reports as filed, and what became of their deliveries. A success is final, whoever tells it.
#include "base/encode.h"
#include "base/keyed_hash.h"
#include "store/policy_rows.h"
#include "store/sql_results.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace mailtight::store {
namespace {

using model::delivery_state;

constexpr std::string_view report_columns =
    "number, day, audience, domain, part, report_id, file_name, success, failure, made_at";
constexpr std::string_view delivery_columns = "number, report, uri, address, host, state, tries, first_at, "
                                              "next_at, ended_at, family, words, fence";

// So many bits of the Message-ID that an index of numbers finds it.
std::int64_t id_hash(std::string_view report_id) {
    const auto digest = base::sha256(report_id);
    std::uint64_t out = 0;
    for (int i = 0; i < 8; ++i)
        out = out << 8 | static_cast<unsigned char>(digest[static_cast<std::size_t>(i)]);
    return static_cast<std::int64_t>(out >> 1);
}

model::outgoing_report read_report(const sql::row& r) {
    return {.number = r.integer(0),
            .day = r.on(1),
            .domain = r.string(3),
            .audience = r.integer(2) == 0 ? model::report_audience::recipient_domain
                                          : model::report_audience::tlsa_base,
            .part = static_cast<std::uint32_t>(r.count(4)),
            .report_id = r.string(5),
            .file_name = r.string(6),
            .body = {},
            .success = r.count(7),
            .failure = r.count(8),
            .made_at = r.at(9),
            .deliveries = {}};
}

// Who gets one mail of a report, and knows the report, still cannot tell the tag of another.
std::string tag_of(std::int64_t delivery, const base::hash_key& secret) {
    return fmt::format("d{}-{:016x}", delivery, base::keyed_hash(secret, fmt::format("tag {}", delivery)));
}

model::outgoing_delivery read_delivery(const sql::row& r, const base::hash_key& secret) {
    const auto state = std::min(r.count(5), static_cast<std::uint64_t>(delivery_state::copied));
    const auto family = std::min(r.count(10), static_cast<std::uint64_t>(model::address_family::v6));
    return {.number = r.integer(0),
            .report = r.integer(1),
            .tag = tag_of(r.integer(0), secret),
            .uri = r.string(2),
            .address = r.string(3),
            .host = r.string(4),
            .state = static_cast<delivery_state>(state),
            .tries = static_cast<std::uint32_t>(r.count(6)),
            .first_at = r.at(7),
            .next_at = r.at(8),
            .ended_at = r.at(9),
            .family = static_cast<model::address_family>(family),
            .words = r.string(11),
            .fence = r.integer(12)};
}

} // namespace

void sql_results::put_into_outbox(std::span<model::outgoing_report> made) {
    std::vector<sql::values> with;
    for (const auto& each : made)
        with.push_back({number_of(each.day), number_of(each.audience), each.domain, std::int64_t{each.part},
                        each.report_id, id_hash(each.report_id), each.file_name, each.success, each.failure,
                        each.made_at});
    on_->query_each("insert into outbox_report (day, audience, domain, part, report_id, id_hash, file_name, "
                    "success, failure, made_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) "
                    "returning number",
                    with, [&](std::size_t n, const sql::row& r) { made[n].number = r.integer(0); });
    std::map<std::string_view, std::int64_t> states;
    for (const auto& each : made) {
        if (!each.body.empty())
            on_->run("insert into outbox_body (report, body) values ($1, $2)",
                     {each.number, sql::bytes{each.body}});
        for (const auto& d : each.deliveries) {
            const auto uri = storable_text(d.uri), address = storable_text(d.address),
                       host = storable_text(d.host), words = shown(d.words);
            on_->run("insert into outbox_delivery (report, uri, address, host, state, tries, first_at, "
                     "next_at, ended_at, family, words, fence, leased_by, lease_until) "
                     "values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 0, '', 0)",
                     {each.number, uri, address, host, number_of(d.state), std::int64_t{d.tries}, d.first_at,
                      d.next_at, d.ended_at, static_cast<std::int64_t>(d.family), words});
            ++states[model::to_string(d.state)];
        }
    }
    for (const auto& [state, count] : states)
        grow(state, count);
}

result<std::vector<model::outgoing_delivery>> sql_results::take_deliveries(base::utc_seconds now,
                                                                           std::string_view who,
                                                                           std::chrono::seconds how_long,
                                                                           std::size_t limit) {
    return writing([&] {
        const auto clock = lease_clock(now);
        std::vector<model::outgoing_delivery> out;
        on_->query(
            on_->dialect(fmt::format("select {} from outbox_delivery where state = 0 and next_at <= $1 "
                                     "and lease_until <= $2 order by next_at, number limit $3 "
                                     "{{for_update_free}}",
                                     delivery_columns)),
            {now, clock, std::uint64_t{limit}},
            [&](const sql::row& r) { out.push_back(read_delivery(r, secret_)); });
        const auto until = clock + std::chrono::milliseconds(how_long).count();
        for (auto& each : out) {
            ++each.fence;
            on_->run("update outbox_delivery set fence = $2, leased_by = $3, lease_until = $4 "
                     "where number = $1",
                     {each.number, each.fence, who, until});
        }
        return out;
    });
}

// Only what went out to somebody counts for the caps.
void sql_results::count_try(const model::outgoing_delivery& now) {
    const auto day = std::chrono::floor<std::chrono::days>(now.first_at);
    std::vector<std::string> what{""};
    if (!now.address.empty())
        what.push_back(now.address);
    if (!now.host.empty())
        what.push_back("@" + now.host);
    std::ranges::sort(what);
    for (const auto& each : what)
        on_->run("insert into sent_count as c (day, what, count) values ($1, $2, 1) on conflict (day, what) "
                 "do update set count = c.count + 1",
                 {number_of(day), storable_text(each)});
}

result<void> sql_results::tried(const model::outgoing_delivery& now, bool skip_others) {
    const bool success = now.state == delivery_state::sent;
    auto done = writing([&] {
        std::optional<model::outgoing_delivery> before;
        const auto select = fmt::format("select {} from outbox_delivery where", delivery_columns);
        // All of a report, in order: so that two of them that skip each other wait in line.
        std::vector<model::outgoing_delivery> others;
        on_->query(on_->dialect(select + " report = $1 order by number {for_update}"), {now.report},
                   [&](const sql::row& r) {
                       auto each = read_delivery(r, secret_);
                       if (each.number == now.number)
                           before = std::move(each);
                       else
                           others.push_back(std::move(each));
                   });
        if (!before || before->state == delivery_state::sent)
            return;
        if (!success && (before->state != delivery_state::waiting || before->fence != now.fence))
            return;
        const auto words = shown(now.words);
        on_->run("update outbox_delivery set state = $2, tries = $3, first_at = $4, next_at = $5, "
                 "ended_at = $6, family = $7, words = $8, leased_by = '', lease_until = 0 where number = $1",
                 {now.number, number_of(now.state), std::int64_t{now.tries}, now.first_at, now.next_at,
                  now.ended_at, static_cast<std::int64_t>(now.family), words});
        if (before->first_at == base::utc_seconds{} && now.first_at != base::utc_seconds{} &&
            now.state != delivery_state::suppressed && now.state != delivery_state::copied)
            count_try(now);
        std::map<std::string_view, std::int64_t> moved;
        --moved[model::to_string(before->state)];
        ++moved[model::to_string(now.state)];
        if (skip_others) // 8460-3-y
            for (const auto& each : others)
                if (each.state == delivery_state::waiting) {
                    on_->run("update outbox_delivery set state = $2, ended_at = $3, fence = fence + 1, "
                             "leased_by = '', lease_until = 0 where number = $1",
                             {each.number, number_of(delivery_state::skipped), now.ended_at});
                    --moved[model::to_string(delivery_state::waiting)];
                    ++moved[model::to_string(delivery_state::skipped)];
                }
        for (const auto& [figure, by] : moved)
            if (by != 0)
                grow(figure, by);
    });
    // What is accepted is never sent again, whatever happens to this machine.
    return success ? synced(std::move(done)) : done;
}

void sql_results::load(std::vector<model::outgoing_report>& reports) {
    std::vector<sql::values> with;
    for (const auto& each : reports)
        with.push_back({each.number});
    on_->query_each(
        fmt::format("select {} from outbox_delivery where report = $1 order by number", delivery_columns),
        with, [&](std::size_t n, const sql::row& r) {
            reports[n].deliveries.push_back(read_delivery(r, secret_));
        });
}

result<std::optional<model::outgoing_report>> sql_results::report(std::int64_t number) {
    return reading([&]() -> std::optional<model::outgoing_report> {
        std::vector<model::outgoing_report> found;
        on_->query(fmt::format("select {} from outbox_report where number = $1", report_columns), {number},
                   [&](const sql::row& r) { found.push_back(read_report(r)); });
        if (found.empty())
            return std::nullopt;
        on_->query("select body from outbox_body where report = $1", {number},
                   [&](const sql::row& r) { found.front().body = r.string(0); });
        load(found);
        return std::move(found.front());
    });
}

result<std::vector<model::outgoing_report>> sql_results::outbox(const outbox_question& which) {
    return reading([&] {
        sql::values with;
        std::string where;
        const auto narrow = [&](std::string_view condition, sql::value value) {
            with.push_back(value);
            where += fmt::format("{} {}", where.empty() ? " where" : " and",
                                 fmt::format(fmt::runtime(condition), with.size()));
        };
        if (which.before > 0)
            narrow("r.number < ${}", which.before);
        if (!which.domain.empty())
            narrow("r.domain = ${}", which.domain);
        if (which.day)
            narrow("r.day = ${}", number_of(*which.day));
        if (which.state == delivery_state::sent) // nearly all have one: the newest are soon found
            narrow("exists (select 1 from outbox_delivery d where d.report = r.number and d.state = ${})",
                   number_of(*which.state));
        else if (which.state)
            narrow("r.number in (select report from outbox_delivery where state = ${} and state <> 1)",
                   number_of(*which.state));
        with.push_back(std::uint64_t{which.limit});
        std::vector<model::outgoing_report> out;
        on_->query(fmt::format("select {} from outbox_report r{} order by r.number desc limit ${}",
                               report_columns, where, with.size()),
                   with, [&](const sql::row& r) { out.push_back(read_report(r)); });
        load(out);
        return out;
    });
}

result<std::optional<std::int64_t>> sql_results::find_report(std::string_view report_id) {
    return reading([&] {
        return on_->number("select number from outbox_report where id_hash = $1 and report_id = $2 "
                           "order by number",
                           {id_hash(report_id), report_id});
    });
}

result<result_store::sent_so_far> sql_results::sent_on(std::chrono::sys_days day, std::string_view address,
                                                       std::string_view host) {
    return reading([&] {
        const auto counted = [&](std::string_view what) {
            return static_cast<std::uint64_t>(
                on_->number("select count from sent_count where day = $1 and what = $2",
                            {number_of(day), what})
                    .value_or(0));
        };
        sent_so_far out{.in_all = counted("")};
        if (!address.empty())
            out.to_address = counted(address);
        if (!host.empty())
            out.to_host = counted("@" + std::string(host));
        return out;
    });
}

} // namespace mailtight::store
