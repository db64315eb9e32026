// SPDX-License-Identifier: Apache-2.0
// What changes after a report has come: our domains and rules (every report that this touches is judged
// again), corrections that take the lead, and what expires. Day totals survive the reports they were made of.
#include "base/encode.h"
#include "mail/domain_name.h"
#include "store/key.h"
#include "store/sql_store.h"

#include <fmt/format.h>

#include <sys/random.h>

#include <algorithm>
#include <set>

namespace mailtight::store {
namespace {

constexpr std::int64_t bodies_a_step = 1000;
constexpr std::int64_t reports_a_step = 200;
constexpr std::size_t judged_between_writes = 500;

// 80 bits: sixteen letters and digits that nobody guesses.
std::string fresh_token() {
    char raw[10];
    if (::getrandom(raw, sizeof raw, 0) != static_cast<ssize_t>(sizeof raw))
        throw sql::failure{
            .error = {.what = store_error::kind::unreachable, .message = "the system gives no random bytes"}};
    return base::base32({raw, sizeof raw});
}

} // namespace

sql_store::sql_store(std::unique_ptr<sql::connection> on)
    : on_(std::move(on)) {}

void sql_store::learn_rules() {
    std::int64_t generation = 0;
    bool unverified = false;
    on_->query("select name, value from setting where name in ('generation', 'count_unverified')", {},
               [&](const sql::row& r) {
                   if (r.text(0) == "generation")
                       generation = r.integer(1);
                   else
                       unverified = r.integer(1) != 0;
               });
    if (generation == generation_)
        return;
    rules now{.count_unverified = unverified};
    on_->query("select name, word from own_domain", {},
               [&](const sql::row& r) { now.own.emplace(r.string(0), r.integer(1)); });
    rules_ = std::move(now);
    generation_ = generation;
}

void sql_store::changed_rules() {
    on_->run("update setting set value = value + 1 where name = 'generation'");
    generation_ = 0;
    learn_rules();
}

std::vector<report_number> sql_store::numbers(std::string_view statement,
                                              std::initializer_list<sql::value> with) {
    std::vector<report_number> out;
    on_->query(statement, with, [&](const sql::row& r) { out.push_back(r.integer(0)); });
    return out;
}

result<void> sql_store::add_domains(std::span<const std::string> names, base::utc_seconds now) {
    std::set<std::string> wanted;
    for (const auto& name : names) {
        const auto canonical = mail::canonical_name(name);
        if (!canonical)
            return std::unexpected(
                store_error{.what = store_error::kind::wrong,
                            .message = fmt::format("\"{}\" is no domain name", storable(name))});
        wanted.insert(*canonical);
    }
    return writing([&] {
        on_->hold(true);
        learn_rules();
        std::vector<std::string> missing;
        for (const auto& name : wanted)
            if (rules_.of(name) == 0)
                missing.push_back(name);
        if (missing.empty())
            return;
        for (const auto& name : missing) {
            const auto word = words_.enter(*on_, name);
            on_->run("insert into own_domain (name, token, added_at, word) values ($1, $2, $3, $4)",
                     {name, fresh_token(), now, word});
            enter_whole(*on_, word); // what was counted when it was one of ours before
        }
        changed_rules();
        totals sums(*on_, words_);
        std::size_t judged = 0;
        for (const auto& name : missing)
            for (const auto number :
                 numbers("select report from about where domain = $1 and counted = 0", {name})) {
                judge_again(number, sums);
                if (++judged % judged_between_writes == 0)
                    sums.write();
            }
        sums.write();
    });
}

result<void> sql_store::remove_domain(std::string_view name) {
    const auto canonical = mail::canonical_name(name);
    if (!canonical)
        return {};
    return writing([&] {
        on_->hold(true);
        learn_rules();
        const auto word = rules_.of(*canonical);
        if (word == 0)
            return;
        on_->run("delete from own_domain where name = $1", {*canonical});
        changed_rules();
        totals sums(*on_, words_);
        std::size_t judged = 0;
        for (const auto number :
             numbers("select report from about where domain = $1 and counted = 1", {*canonical})) {
            judge_again(number, sums);
            if (++judged % judged_between_writes == 0)
                sums.write();
        }
        sums.write();
        leave_whole(*on_, word); // what remains of reports that have expired
    });
}

result<void> sql_store::count_unverified(bool yes) {
    return writing([&] {
        on_->hold(true);
        learn_rules();
        if (rules_.count_unverified == yes)
            return;
        on_->run("update setting set value = $1 where name = 'count_unverified'", {yes});
        changed_rules();
        totals sums(*on_, words_);
        std::size_t judged = 0;
        for (const auto number :
             numbers("select id from report where leads = 1 and trust = $1 and state = $2",
                     {static_cast<std::int64_t>(model::trust::unverified),
                      static_cast<std::int64_t>(yes ? state::quarantined : state::counted)})) {
            judge_again(number, sums);
            if (++judged % judged_between_writes == 0)
                sums.write();
        }
        sums.write();
    });
}

// Takes a counted report out of the totals; its rows say so from now on.
void sql_store::uncount(const stored_report& old, const judgement& was, totals& sums) {
    const auto number = old.row.number;
    counted_report out{
        .report = &old.report, .judgement = &was, .number = number, .reporter = old.row.reporter};
    on_->query("select text from policy_result where report = $1 order by n", {number},
               [&](const sql::row& r) { out.texts.push_back(r.integer(0)); });
    sums.subtract(out);
    on_->run("update report set state = $2 where id = $1",
             {number, static_cast<std::int64_t>(state::quarantined)});
    on_->run("update policy_result set owner = 0 where report = $1 and owner <> 0", {number});
    for (const auto& domain : domains_named(old.report))
        on_->run("update about set counted = 0 where domain = $1 and report = $2 and counted = 1 and day = "
                 "(select day from report where id = $2)",
                 {domain, number});
}

void sql_store::judge_again(report_number number, totals& sums) {
    const bool leads = on_->number("select leads from report where id = $1", {number}).value_or(0) != 0;
    if (!leads)
        return;
    const auto stored = load(number, false);
    const auto was = judgement_of(number);
    const auto now = judge(stored->report, rules_);
    if (was.state == state::counted) {
        if (now.state == state::counted && now.owners == was.owners && now.report_owner == was.report_owner)
            return;
        uncount(*stored, was, sums);
    }
    on_->run("update report set state = $2, why = $3 where id = $1",
             {number, static_cast<std::int64_t>(now.state), now.why});
    if (now.state != state::counted)
        return;
    const auto& report = stored->report.report;
    const auto texts = enter_texts(report);
    for (std::size_t i = 0; i < texts.size(); ++i)
        on_->run("update policy_result set owner = $3, text = $4, strings = '' where report = $1 and n = $2",
                 {number, static_cast<std::int64_t>(i), now.owners[i], texts[i]});
    for (const auto& domain : domains_named(stored->report)) {
        const auto owner = rules_.of(domain);
        if (owner != 0 &&
            (owner == now.report_owner || std::ranges::find(now.owners, owner) != now.owners.end()))
            on_->run("update about set counted = 1 where domain = $1 and report = $2 and day = "
                     "(select day from report where id = $2)",
                     {domain, number});
    }
    sums.add({.report = &stored->report,
              .judgement = &now,
              .number = number,
              .reporter = stored->row.reporter,
              .texts = texts});
}

void sql_store::take_lead(report_number from, report_number to, totals& sums) {
    const auto was = judgement_of(from);
    if (was.state == state::counted)
        uncount(*load(from, false), was, sums);
    on_->run("update report set leads = 0, state = $2, why = $3 where id = $1",
             {from, static_cast<std::int64_t>(state::superseded), why::corrected});
    on_->run("update report set leads = 1 where id = $1", {to});
    judge_again(to, sums);
}

result<bool> sql_store::expire(base::utc_seconds bodies, base::utc_seconds details) {
    return writing([&] {
        const auto old_bodies =
            numbers("select report from body where received_at < $1 order by received_at limit $2",
                    {bodies, bodies_a_step});
        for (const auto number : old_bodies)
            on_->run("delete from body where report = $1", {number});
        const auto old_reports =
            numbers("select id from report where received_at < $1 order by received_at limit $2",
                    {details, reports_a_step});
        drop_reports(old_reports);
        return std::ssize(old_bodies) == bodies_a_step || std::ssize(old_reports) == reports_a_step;
    });
}

void sql_store::drop_reports(const std::vector<report_number>& old) {
    for (const auto number : old) {
        const auto stored = load(number, false);
        if (!stored)
            continue;
        on_->run("insert into gone (key) select key from report where id = $1 and state = $2 on conflict do "
                 "nothing",
                 {number, static_cast<std::int64_t>(state::counted)});
        for (const auto& domain : domains_named(stored->report))
            on_->run("delete from about where domain = $1 and report = $2 and day = "
                     "(select day from report where id = $2)",
                     {domain, number});
        for (const auto* statement :
             {"delete from detail where report = $1", "delete from policy_result where report = $1",
              "delete from body where report = $1", "delete from report where id = $1"})
            on_->run(statement, {number});
    }
}

void sql_store::put_fact(std::string_view name, std::string_view value) {
    if (value.empty())
        on_->run("delete from fact where name = $1", {storable(name)});
    else
        on_->run("insert into fact (name, value) values ($1, $2) "
                 "on conflict (name) do update set value = excluded.value",
                 {storable(name), storable(value)});
}

result<void> sql_store::set_fact(std::string_view name, std::string_view value) {
    return writing([&] { put_fact(name, value); });
}

// A store that keeps nothing beyond its own life has no half-way.
result<void> store::set_facts(std::span<const std::pair<std::string, std::string>> facts) {
    for (const auto& [name, value] : facts)
        if (auto done = set_fact(name, value); !done)
            return done;
    return {};
}

result<void> sql_store::set_facts(std::span<const std::pair<std::string, std::string>> facts) {
    return writing([&] {
        for (const auto& [name, value] : facts)
            put_fact(name, value);
    });
}

} // namespace mailtight::store
