// SPDX-License-Identifier: Apache-2.0
// Questions: each is one walk over the totals of our domains (or over reports, where reports are asked for),
// narrowed by bound values.
#include "store/sql_store.h"

#include "base/text.h"
#include "store/narrowing.h"

#include <algorithm>
#include <map>
#include <tuple>

namespace mailtight::store {
namespace {

std::optional<std::vector<std::int64_t>> word_numbers(sql::connection& on, dictionary& words,
                                                      const std::vector<std::string>& texts) {
    if (texts.empty())
        return std::nullopt;
    std::vector<std::int64_t> out;
    for (const auto& text : texts)
        if (const auto number = words.find(on, text))
            out.push_back(*number);
    return out;
}
std::vector<std::string> maybe_one(const std::string& text) {
    return text.empty() ? std::vector<std::string>{} : std::vector{text};
}

void narrow_who(question& q, sql::connection& on, dictionary& words, std::string_view reporter_column,
                const filter& of) {
    std::vector<std::string> domains;
    for (const auto& d : of.domains)
        domains.push_back(base::lower(d));
    if (!domains.empty())
        q.any_text("o.name", domains);
    if (const auto reporters = word_numbers(on, words, of.reporters))
        q.any_number(reporter_column, *reporters);
}

} // namespace

question totals_question(sql::connection& on, dictionary& words, std::string_view select,
                         std::string_view table, const filter& of) {
    question q(select);
    q.text(" from own_domain o cross join ").text(table).text(" t where t.domain = o.word");
    narrow_who(q, on, words, "t.reporter", of);
    q.days("t.day", of.from, of.to);
    return q;
}
void narrow_failures(question& q, sql::connection& on, dictionary& words, const filter& of) {
    if (const auto results = word_numbers(on, words, maybe_one(of.result_type)))
        q.any_number("t.result", *results);
    if (const auto hosts = word_numbers(on, words, maybe_one(base::lower(of.mx))))
        q.any_number("t.mx", *hosts);
}

namespace {
bool asks_failures(const filter& of) {
    return !of.result_type.empty() || !of.mx.empty();
}

// Reports that the filter lets through; `r` is the report.
question reports_question(std::string_view select, const filter& of) {
    question q(select);
    q.text(" from report r where 1 = 1");
    std::vector<std::string> domains;
    for (const auto& d : of.domains)
        domains.push_back(base::lower(d));
    if (!domains.empty()) {
        q.text(" and r.id in (select a.report from about a where 1 = 1");
        q.any_text("a.domain", domains).days("a.day", of.from, of.to);
        if (of.what == filter::which::counted)
            q.text(" and a.counted = 1");
        q.text(")");
    }
    if (!of.reporters.empty())
        q.any_text("r.reporter", of.reporters);
    q.days("r.day", of.from, of.to);
    if (!of.result_type.empty() || !of.mx.empty()) {
        q.text(" and exists (select 1 from detail d where d.report = r.id");
        if (!of.result_type.empty())
            q.any_text("d.result_type", {of.result_type});
        if (!of.mx.empty())
            q.any_text("d.mx", {base::lower(of.mx)});
        q.text(")");
    }
    if (of.only_failures)
        q.text(" and r.failure > 0");
    return q;
}

} // namespace

result<std::vector<own_domain>> sql_store::domains() {
    return reading([&] {
        std::vector<own_domain> out;
        on_->query("select name, token, added_at from own_domain", {}, [&](const sql::row& r) {
            out.push_back({.name = r.string(0), .token = r.string(1), .added_at = r.at(2)});
        });
        std::ranges::sort(out, {}, &own_domain::name);
        return out;
    });
}

result<std::optional<std::string>> sql_store::fact(std::string_view name) {
    return reading([&] {
        std::optional<std::string> out;
        on_->query("select value from fact where name = $1", {storable(name)},
                   [&](const sql::row& r) { out = r.string(0); });
        return out;
    });
}

result<std::vector<std::pair<std::string, std::string>>> sql_store::facts(std::string_view prefix) {
    return reading([&] {
        std::vector<std::pair<std::string, std::string>> out;
        on_->query("select name, value from fact where substr(name, 1, length($1)) = $1", {storable(prefix)},
                   [&](const sql::row& r) { out.emplace_back(r.string(0), r.string(1)); });
        std::ranges::sort(out);
        return out;
    });
}

result<std::optional<report_number>> sql_store::find_test(std::string_view token) {
    return reading([&]() -> std::optional<report_number> {
        if (token.empty())
            return std::nullopt;
        return on_->number("select max(id) from report where test_token = $1 and test_token <> ''",
                           {storable(token)});
    });
}

result<std::vector<report_row>> sql_store::list(const filter& of, const page& which) {
    return reading([&] {
        auto q = reports_question("select r.id, r.reporter, r.organization, r.report_id, r.report_domain, "
                                  "r.period_start, r.period_end, "
                                  "r.received_at, r.way, r.trust, r.success, r.failure, r.warning_count, "
                                  "r.state, r.why, r.times_seen, "
                                  "case when exists (select 1 from policy_result p where p.report = r.id "
                                  "and p.domain <> r.report_domain) then 1 else 0 end",
                                  of);
        switch (of.what) {
        case filter::which::counted:
            q.text(" and r.state = 0");
            break;
        case filter::which::quarantined:
            q.text(" and r.state = 1");
            break;
        case filter::which::tests:
            q.text(" and r.state = 3");
            break;
        case filter::which::all:
            break;
        }
        q.text(" order by r.id desc limit ").bound(std::uint64_t{which.limit});
        q.text(" offset ").bound(std::uint64_t{which.offset});
        std::vector<report_row> out;
        q.ask(*on_, [&](const sql::row& r) {
            out.push_back(
                {.number = r.integer(0),
                 .reporter = r.string(1),
                 .organization = r.string(2),
                 .report_id = r.string(3),
                 .report_domain = r.string(4),
                 .start = r.maybe_at(5).value_or(base::utc_seconds{}),
                 .end = r.maybe_at(6).value_or(base::utc_seconds{}),
                 .received_at = r.at(7),
                 .way = model::parse_way_in(r.text(8)).value_or(model::way_in::file),
                 .trust = static_cast<model::trust>(r.integer(9)),
                 .success = r.count(10),
                 .failure = r.count(11),
                 .warnings = static_cast<std::size_t>(r.count(12)),
                 .state = std::string(to_string(static_cast<mailtight::store::state>(r.integer(13)))),
                 .why = r.string(14),
                 .times_seen = r.count(15),
                 .several = r.integer(16) != 0});
        });
        return out;
    });
}

result<std::vector<day_row>> sql_store::days(const filter& of) {
    return reading([&] {
        std::vector<day_row> out;
        const auto take = [&](const sql::row& r) {
            out.push_back({.domain = r.string(0),
                           .day = r.on(1),
                           .success = r.count(2),
                           .failure = r.count(3),
                           .sts_success = r.count(4),
                           .sts_failure = r.count(5),
                           .tlsa_success = r.count(6),
                           .tlsa_failure = r.count(7),
                           .none_success = r.count(8),
                           .none_failure = r.count(9),
                           .reporters = r.count(10),
                           .reports = r.count(11)});
        };
        if (asks_failures(
                of)) { // which sessions succeeded at an MX nobody reports: only the failures are known
            const auto type = [&](std::string_view name) { return words_.find(*on_, name).value_or(-1); };
            auto q =
                totals_question(*on_, words_,
                                "select o.name, t.day, t.type, cast(sum(t.count) as bigint), t.reporter, "
                                "max(t.reports)",
                                "failure_day", of);
            narrow_failures(q, *on_, words_, of);
            q.text(" group by o.name, t.day, t.type, t.reporter");
            const auto sts = type("sts"), tlsa = type("tlsa"), none = type("no-policy-found");
            std::map<std::pair<std::string, day>, std::pair<day_row, std::map<std::int64_t, std::uint64_t>>>
                rows;
            q.ask(*on_, [&](const sql::row& r) {
                auto& [row, reporters] = rows[{r.string(0), r.on(1)}];
                const auto count = r.count(3);
                row.failure += count;
                (r.integer(2) == sts    ? row.sts_failure
                 : r.integer(2) == tlsa ? row.tlsa_failure
                                        : row.none_failure) +=
                    r.integer(2) == sts || r.integer(2) == tlsa || r.integer(2) == none ? count : 0;
                auto& reports = reporters[r.integer(4)];
                reports = std::max(reports, r.count(5));
            });
            for (auto& [key, value] : rows) {
                auto& [row, reporters] = value;
                row.domain = key.first;
                row.day = key.second;
                row.reporters = reporters.size();
                for (const auto& [reporter, reports] : reporters)
                    row.reports += reports;
                out.push_back(row);
            }
            return out;
        }
        if (of.reporters.empty()) {
            totals_question(
                *on_, words_,
                "select o.name, t.day, t.success, t.failure, t.sts_success, t.sts_failure, "
                "t.tlsa_success, t.tlsa_failure, t.none_success, t.none_failure, t.reporters, t.reports",
                "domain_day", of)
                .ask(*on_, take);
        } else {
            auto q = totals_question(
                *on_, words_,
                "select o.name, t.day, cast(sum(t.success) as bigint), cast(sum(t.failure) as bigint), "
                "cast(sum(t.sts_success) as bigint), cast(sum(t.sts_failure) as bigint), "
                "cast(sum(t.tlsa_success) as bigint), cast(sum(t.tlsa_failure) as bigint), "
                "cast(sum(t.none_success) as bigint), cast(sum(t.none_failure) as bigint), count(*), "
                "cast(sum(t.reports) as bigint)",
                "reporter_day", of);
            q.text(" group by o.name, t.day").ask(*on_, take);
        }
        std::ranges::sort(out, {}, [](const day_row& r) { return std::tie(r.domain, r.day); });
        return out;
    });
}

// Each domain's days lie together, so that the newest of each is one step.
result<std::optional<day>> sql_store::newest_day(std::span<const std::string> domains) {
    return reading([&] {
        std::vector<std::string> names;
        for (const auto& each : domains)
            names.push_back(base::lower(each));
        question q("select (select max(t.day) from domain_day t where t.domain = o.word and t.reports > 0) "
                   "from own_domain o where 1 = 1");
        if (!names.empty())
            q.any_text("o.name", names);
        std::optional<day> newest;
        q.ask(*on_, [&](const sql::row& r) {
            if (!r.null(0))
                newest = std::max(newest.value_or(r.on(0)), r.on(0));
        });
        return newest;
    });
}

// One reporter's days lie together, so the sums of each are one short walk; grouped by the engine, all of
// them would be sorted first.
result<std::vector<reporter_row>> sql_store::reporters(const filter& of) {
    return reading([&] {
        const bool failing = asks_failures(of);
        question q("select o.name, s.reporter, s.organization, s.last_received, s.ends, (select ");
        q.text(failing ? "0 || ' ' || sum(t.count) || ' ' || max(t.reports) || ' 0 ' || min(t.day) || ' ' || "
                         "max(t.day) "
                         "from failure_day t"
                       : "sum(t.success) || ' ' || sum(t.failure) || ' ' || sum(t.reports) || ' ' || "
                         "sum(t.verified) "
                         "|| ' ' || min(t.day) || ' ' || max(t.day) from reporter_day t");
        q.text(" where t.domain = s.domain and t.reporter = s.reporter").days("t.day", of.from, of.to);
        if (failing)
            narrow_failures(q, *on_, words_, of);
        q.text(") from own_domain o cross join reporter_seen s where s.domain = o.word");
        narrow_who(q, *on_, words_, "s.reporter", of);
        std::vector<std::pair<std::int64_t, reporter_row>> found;
        q.ask(*on_, [&](const sql::row& r) {
            const auto sums = read_numbers(r.text(5));
            if (sums.size() != 6) // nothing in this period
                return;
            const auto count = [&](std::size_t i) {
                return static_cast<std::uint64_t>(std::max(sums[i], std::int64_t{}));
            };
            found.emplace_back(r.integer(1),
                               reporter_row{.domain = r.string(0),
                                            .organization = r.string(2),
                                            .success = count(0),
                                            .failure = count(1),
                                            .reports = count(2),
                                            .first = day(std::chrono::days(sums[4])),
                                            .last = day(std::chrono::days(sums[5])),
                                            .last_received = r.at(3),
                                            .usual_interval = usual_interval(read_numbers(r.text(4))),
                                            .verified = sums[3] > 0});
        });
        std::vector<reporter_row> out;
        out.reserve(found.size());
        for (auto& [reporter, row] : found) {
            row.reporter = words_.text(*on_, reporter);
            out.push_back(std::move(row));
        }
        std::ranges::sort(out, {}, [](const reporter_row& r) { return std::tie(r.domain, r.reporter); });
        return out;
    });
}

// Grouped by the engine, all rows would be sorted first; they come as they lie and are summed here.
result<std::vector<reporter_day_row>> sql_store::reporter_days(const filter& of) {
    return reading([&] {
        const bool failing = asks_failures(of);
        struct sums {
            std::string organization;
            std::pair<std::int64_t, std::int64_t> named{-2, 0}; ///< how far it is believed, and when
            std::map<day, reporter_day_row> days;
        };
        std::map<std::int64_t, sums> by_reporter;
        question q(failing ? "select s.reporter, t.day, 0, t.count, t.reports, 0"
                           : "select s.reporter, t.day, t.success, t.failure, t.reports, t.verified");
        q.text(" from own_domain o cross join reporter_seen s cross join ")
            .text(failing ? "failure_day" : "reporter_day")
            .text(" t where s.domain = o.word and t.domain = s.domain and t.reporter = s.reporter");
        narrow_who(q, *on_, words_, "s.reporter", of);
        q.days("t.day", of.from, of.to);
        if (failing)
            narrow_failures(q, *on_, words_, of);
        q.ask(*on_, [&](const sql::row& r) {
            auto& row = by_reporter[r.integer(0)].days[r.on(1)];
            row.success += r.count(2);
            row.failure += r.count(3);
            row.reports = failing ? std::max(row.reports, r.count(4)) : row.reports + r.count(4);
            row.verified = row.verified || r.integer(5) > 0;
        });
        question names("select s.reporter, s.organization, s.named_by, s.last_received from own_domain o "
                       "cross join reporter_seen s where s.domain = o.word");
        narrow_who(names, *on_, words_, "s.reporter", of);
        names.ask(*on_, [&](const sql::row& r) {
            const auto found = by_reporter.find(r.integer(0));
            const std::pair named(r.integer(2), r.integer(3));
            if (found == by_reporter.end() || named <= found->second.named)
                return;
            found->second.organization = r.string(1);
            found->second.named = named;
        });
        std::vector<reporter_day_row> out;
        for (auto& [reporter, sums] : by_reporter)
            for (auto& [on, row] : sums.days) {
                row.reporter = words_.text(*on_, reporter);
                row.organization = sums.organization;
                row.day = on;
                out.push_back(std::move(row));
            }
        std::ranges::sort(out, {}, [](const reporter_day_row& r) { return std::tie(r.reporter, r.day); });
        return out;
    });
}

result<std::vector<mx_row>> sql_store::reporters_by_mx(const filter& of) {
    return reading([&] {
        auto q = totals_question(
            *on_, words_, "select t.reporter, t.mx, cast(sum(t.count) as bigint), min(t.day), max(t.day)",
            "failure_day", of);
        narrow_failures(q, *on_, words_, of);
        std::vector<std::tuple<std::int64_t, std::int64_t, mx_row>> found;
        q.text(" group by t.reporter, t.mx").ask(*on_, [&](const sql::row& r) {
            found.emplace_back(r.integer(0), r.integer(1),
                               mx_row{.failure = r.count(2), .first = r.on(3), .last = r.on(4)});
        });
        std::vector<mx_row> out;
        for (auto& [reporter, mx, row] : found) {
            row.reporter = words_.text(*on_, reporter);
            row.mx = words_.text(*on_, mx);
            out.push_back(std::move(row));
        }
        std::ranges::sort(out, {}, [](const mx_row& r) { return std::tie(r.reporter, r.mx); });
        return out;
    });
}

result<std::vector<result_row>> sql_store::results(const filter& of) {
    return reading([&] {
        auto q = totals_question(*on_, words_,
                                 "select t.result, cast(sum(t.count) as bigint), count(distinct t.reporter), "
                                 "min(t.day), max(t.day)",
                                 "failure_day", of);
        narrow_failures(q, *on_, words_, of);
        std::vector<std::pair<std::int64_t, result_row>> found;
        q.text(" group by t.result").ask(*on_, [&](const sql::row& r) {
            found.emplace_back(
                r.integer(0),
                result_row{.count = r.count(1), .reporters = r.count(2), .first = r.on(3), .last = r.on(4)});
        });
        std::vector<result_row> out;
        for (auto& [result, row] : found) {
            row.result_type = words_.text(*on_, result);
            out.push_back(std::move(row));
        }
        std::ranges::sort(out, [](const result_row& a, const result_row& b) {
            return a.count != b.count ? a.count > b.count : a.result_type < b.result_type;
        });
        return out;
    });
}

result<std::vector<quarantine_row>> sql_store::quarantine(const filter& of) {
    return reading([&] {
        auto any = of;
        any.what = filter::which::quarantined;
        auto q = reports_question(
            "select r.why, r.domain, r.reporter, r.trust, count(*), "
            // What nobody believes may claim any number: no sum of it may overflow.
            "cast(sum(case when r.success < 1000000000000 then r.success else 1000000000000 end) as bigint), "
            "cast(sum(case when r.failure < 1000000000000 then r.failure else 1000000000000 end) as bigint), "
            "max(r.received_at)",
            any);
        std::vector<quarantine_row> out;
        q.text(" and r.state = 1 group by r.why, r.domain, r.reporter, r.trust")
            .ask(*on_, [&](const sql::row& r) {
                out.push_back({.why = r.string(0),
                               .domain = r.string(1),
                               .reporter = r.string(2),
                               .trust = static_cast<model::trust>(r.integer(3)),
                               .reports = r.count(4),
                               .success = r.count(5),
                               .failure = r.count(6),
                               .last = r.at(7)});
            });
        std::ranges::sort(
            out, {}, [](const quarantine_row& r) { return std::tie(r.why, r.domain, r.reporter, r.trust); });
        return out;
    });
}

result<sizes> sql_store::size() {
    return reading([&] {
        sizes out;
        on_->query("select count(*), cast(coalesce(sum(policies), 0) as bigint), "
                   "cast(coalesce(sum(details), 0) as bigint) from report",
                   {}, [&](const sql::row& r) {
                       out.reports = r.count(0);
                       out.policy_results = r.count(1);
                       out.details = r.count(2);
                   });
        out.schema = static_cast<std::uint64_t>(
            on_->number("select version from schema_part where name = 'reports'").value_or(0));
        out.bytes = on_->bytes_used();
        return out;
    });
}

} // namespace mailtight::store
