// SPDX-License-Identifier: Apache-2.0
// What is wanted of each domain, and the log of who changed it. A revision counts on where the log of a
// domain that was removed had ended, so that who still holds an old one never overwrites a new domain.
#include "store/domains.h"

#include "store/domain_filter.h"
#include "store/domain_rows.h"
#include "store/postgres/engine.h"
#include "store/result_rows.h"
#include "store/schema.h"
#include "store/sql_domains.h"
#include "store/sqlite/engine.h"

#include <fmt/format.h>

#include <limits>

namespace mailtight::store {
namespace {

constexpr std::size_t log_text_max = 4'096; // of each column of an entry

std::string loggable(std::string_view text) {
    if (text.size() <= log_text_max)
        return storable_text(std::string(text));
    return storable_text(fmt::format("{}… ({} bytes)", text.substr(0, log_text_max), text.size()));
}

} // namespace

// For stores that know no better way, as those of tests.
result<void> domain_store::together(bool, const std::function<void(domain_store&)>& calls) {
    calls(*this);
    return {};
}
result<std::size_t> domain_store::done_all(std::span<const done_with> all) {
    std::size_t out = 0;
    for (const auto& [work, again] : all) {
        const auto done = done_work(work, again);
        if (!done)
            return std::unexpected(done.error());
        out += *done ? 1 : 0;
    }
    return out;
}
result<domain_store::left_by> domain_store::last_owner(std::string_view) {
    return left_by{};
}
result<void> domain_store::keep_look(const model::shown&, std::string_view) {
    return {};
}
result<void> domain_store::keep_next(std::string_view, const std::optional<model::next_step>&) {
    return {};
}
result<std::vector<model::shown>> domain_store::shown_after(std::int64_t, std::size_t) {
    return std::vector<model::shown>{};
}
result<std::optional<model::kept_look>> domain_store::last_look(std::string_view) {
    return std::optional<model::kept_look>{};
}

result<std::size_t> domain_store::watched_all(std::span<const model::watched_state> all) {
    std::size_t out = 0;
    for (const auto& each : all) {
        const auto done = watched(each);
        if (!done)
            return std::unexpected(done.error());
        out += *done ? 1 : 0;
    }
    return out;
}

sql_domains::sql_domains(std::unique_ptr<sql::connection> on, bool shared)
    : on_(std::move(on))
    , shared_(shared) {}

result<void> sql_domains::together(bool light, const std::function<void(domain_store&)>& calls) {
    if (joined_) {
        calls(*this);
        return {};
    }
    return sql::in_transaction(*on_, light ? sql::access::write_light : sql::access::write, [&] {
        std::optional<sql::failure> failed;
        struct open_door {
            sql_domains& of;
            ~open_door() { of.joined_ = nullptr; }
        } const until{*this};
        joined_ = &failed;
        calls(*this);
        if (failed)
            throw sql::failure(*failed);
    });
}

void sql_domains::append(const model::change_entry& entry) {
    const auto domain = loggable(entry.domain), who = loggable(entry.who), what = loggable(entry.what),
               from = loggable(entry.from), to = loggable(entry.to), why = loggable(entry.why);
    on_->run("insert into domain_change (at, domain, who, what, from_text, to_text, why) "
             "values ($1, $2, $3, $4, $5, $6, $7)",
             {entry.at, domain, who, what, from, to, why});
}

void sql_domains::insert_labels(const model::looked_after& value) {
    for (const auto& label : value.labels)
        on_->run("insert into domain_label (label, domain) values ($1, $2) on conflict do nothing",
                 {label, value.domain});
}

result<domain_store::saved> sql_domains::save(const model::looked_after& value, std::string_view who,
                                              std::string_view why, base::utc_seconds now) {
    if (auto problem = refused(value))
        return std::unexpected(*problem);
    if (value.revision == 0) {
        const auto* const one = &value;
        return writing(
            [&] { return add_some(std::span(&one, 1), who, why, now) == 1 ? saved::yes : saved::exists; });
    }
    return writing([&] {
        std::optional<model::looked_after> before;
        on_->query(on_->dialect(fmt::format("select {} from looked_after where domain = $1 {{for_update}}",
                                            looked_after_columns())),
                   {value.domain}, [&](const sql::row& r) { before = read_looked_after(r); });
        if (!before)
            return saved::absent;
        if (before->revision != value.revision)
            return saved::outdated;
        std::vector<std::string> texts;
        std::string set;
        for (const auto& field : wish_fields()) {
            auto text = field.read(value);
            if (text == field.read(*before))
                continue;
            append({.number = 0,
                    .at = now,
                    .domain = value.domain,
                    .who = std::string(who),
                    .what = fmt::format("set {}", field.name),
                    .from = for_people(field, *before),
                    .to = for_people(field, value),
                    .why = std::string(why)});
            texts.push_back(std::move(text));
            set += fmt::format(", {} = ${}", field.column, texts.size() + 3);
        }
        if (texts.empty())
            return saved::yes;
        sql::values with{value.domain, now, before->revision + 1};
        for (const auto& text : texts)
            with.emplace_back(text);
        on_->run(
            fmt::format("update looked_after set changed_at = $2, revision = $3{} where domain = $1", set),
            with);
        if (before->labels != value.labels) {
            on_->run("delete from domain_label where domain = $1", {value.domain});
            insert_labels(value);
        }
        return saved::yes;
    });
}

result<domain_store::saved> sql_domains::remove(std::string_view domain, std::string_view who,
                                                std::string_view why, base::utc_seconds now) {
    return writing([&] {
        std::optional<std::string> owner;
        on_->query("delete from looked_after where domain = $1 returning owner", {domain},
                   [&](const sql::row& r) { owner = r.string(0); });
        if (!owner)
            return saved::absent;
        on_->run("insert into domain_left (domain, owner, at) values ($1, $2, $3) on conflict (domain) do "
                 "update set owner = excluded.owner, at = excluded.at",
                 {domain, *owner, now});
        // Whoever is about it loses the lease: the fence of a row that comes back is a new one.
        on_->run("delete from domain_work where domain = $1", {domain});
        on_->run("delete from domain_label where domain = $1", {domain});
        on_->run("delete from domain_mark where domain = $1", {domain});
        on_->run("delete from domain_shown where domain = $1", {domain});
        on_->run("delete from domain_look where domain = $1", {domain});
        append({.number = 0,
                .at = now,
                .domain = std::string(domain),
                .who = std::string(who),
                .what = "removed",
                .from = {},
                .to = {},
                .why = std::string(why)});
        return saved::yes;
    });
}

result<domain_store::left_by> sql_domains::last_owner(std::string_view domain) {
    return reading([&] {
        left_by out;
        on_->query("select owner from domain_left where domain = $1", {domain}, [&](const sql::row& r) {
            out.known = true;
            out.owner = r.string(0);
        });
        if (!out.known) // removed before owners were written down
            out.known =
                on_->number("select 1 from domain_change where domain = $1 limit 1", {domain}).has_value();
        return out;
    });
}

void sql_domains::load_marks(std::span<model::looked_after> domains) {
    std::vector<sql::values> with;
    with.reserve(domains.size());
    for (const auto& each : domains)
        with.push_back({each.domain});
    on_->query_each("select name, at, by_whom, words from domain_mark where domain = $1", with,
                    [&](std::size_t n, const sql::row& r) {
                        domains[n].marks.insert_or_assign(
                            r.string(0), model::mark{.at = r.at(1), .by = r.string(2), .text = r.string(3)});
                    });
}

result<std::optional<model::looked_after>> sql_domains::find(std::string_view domain) {
    return reading([&] {
        std::optional<model::looked_after> out;
        on_->query(fmt::format("select {} from looked_after where domain = $1", looked_after_columns()),
                   {domain}, [&](const sql::row& r) { out = read_looked_after(r); });
        if (out)
            load_marks(std::span(&*out, 1));
        return out;
    });
}

result<std::vector<model::looked_after>> sql_domains::list(const domain_question& which) {
    const domain_filter filter(which);
    return reading([&] {
        std::vector<model::looked_after> out;
        on_->query(fmt::format("select {} from looked_after d where {} order by domain limit $1",
                               looked_after_columns(), filter.where()),
                   filter.with(), [&](const sql::row& r) { out.push_back(read_looked_after(r)); });
        load_marks(out);
        return out;
    });
}

result<std::uint64_t> sql_domains::count(const std::optional<std::string>& owner) {
    return reading([&] {
        return static_cast<std::uint64_t>(
            (owner ? on_->number("select count(*) from looked_after where owner = $1", {*owner})
                   : on_->number("select count(*) from looked_after"))
                .value_or(0));
    });
}

result<void> sql_domains::set_mark(std::string_view domain, std::string_view name, const model::mark& value) {
    if (auto problem = refused_domain(domain))
        return std::unexpected(*problem);
    if (auto problem = refused(value, name))
        return std::unexpected(*problem);
    return writing([&] {
        const auto by = storable_text(value.by), text = storable_text(value.text);
        on_->run("insert into domain_mark (domain, name, at, by_whom, words) values ($1, $2, $3, $4, $5) "
                 "on conflict (domain, name) do update set at = excluded.at, by_whom = excluded.by_whom, "
                 "words = excluded.words",
                 {domain, name, value.at, by, text});
    });
}

result<void> sql_domains::clear_mark(std::string_view domain, std::string_view name) {
    return writing(
        [&] { on_->run("delete from domain_mark where domain = $1 and name = $2", {domain, name}); });
}

result<std::vector<model::change_entry>> sql_domains::changes(std::string_view domain, std::int64_t before,
                                                              std::size_t limit) {
    return reading([&] {
        std::vector<model::change_entry> out;
        const auto select = [&](std::string_view condition, std::initializer_list<sql::value> with) {
            on_->query(fmt::format("select number, at, domain, who, what, from_text, to_text, why from "
                                   "domain_change where {} order by number desc limit $2",
                                   condition),
                       with, [&](const sql::row& r) {
                           out.push_back({.number = r.integer(0),
                                          .at = r.at(1),
                                          .domain = r.string(2),
                                          .who = r.string(3),
                                          .what = r.string(4),
                                          .from = r.string(5),
                                          .to = r.string(6),
                                          .why = r.string(7)});
                       });
        };
        const auto below = before > 0 ? before : std::numeric_limits<std::int64_t>::max();
        if (domain.empty())
            select("number < $1", {below, std::uint64_t{limit}});
        else
            select("number < $1 and domain = $3", {below, std::uint64_t{limit}, domain});
        return out;
    });
}

result<void> sql_domains::log_change(const model::change_entry& entry) {
    return writing([&] { append(entry); });
}

result<std::unique_ptr<domain_store>> open_domains(const open_options& options) {
    try {
        const bool shared = is_postgres(options.where);
        auto on = shared ? postgres::connect(options) : sqlite::connect(options);
        if (options.read_only)
            require_current(*on, domains_schema());
        else
            migrate(*on, domains_schema());
        return std::make_unique<sql_domains>(std::move(on), shared);
    } catch (const sql::failure& f) {
        return std::unexpected(f.error);
    }
}

} // namespace mailtight::store
