// SPDX-License-Identifier: Apache-2.0
// Questions: each is one walk over the totals of our domains, narrowed by bound values. Here those whose
// answer goes by domain.
#include "store/sql_store.h"

#include "base/text.h"
#include "store/narrowing.h"
#include "store/spans.h"

#include <algorithm>
#include <map>
#include <tuple>
#include <unordered_map>

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

} // namespace

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
question totals_question(sql::connection& on, dictionary& words, std::string_view select,
                         std::string_view table, const filter& of) {
    question q(select);
    q.text(" from own_domain o cross join ").text(table).text(" t where t.domain = o.word");
    narrow_who(q, on, words, "t.reporter", of);
    q.days("t.day", of.from, of.to);
    return q;
}
question whole_question(sql::connection& on, dictionary& words, std::string_view select,
                        std::string_view table, const filter& of) {
    if (!of.domains.empty())
        return totals_question(on, words, select, table, of);
    question q(select);
    q.text(" from all_").text(table).text(" t where 1 = 1");
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
bool asks_failures(const filter& of) {
    return !of.result_type.empty() || !of.mx.empty();
}

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

// Each domain's days lie together, so that the newest of each is one step; of all, the whole knows.
result<std::optional<day>> sql_store::newest_day(std::span<const std::string> domains) {
    return reading([&]() -> std::optional<day> {
        if (domains.empty()) {
            const auto number = on_->number("select max(day) from all_reporter_day where reports > 0");
            return number ? std::optional(day(std::chrono::days(*number))) : std::nullopt;
        }
        std::vector<std::string> names;
        for (const auto& each : domains)
            names.push_back(base::lower(each));
        question q("select (select max(t.day) from domain_day t where t.domain = o.word and t.reports > 0) "
                   "from own_domain o where 1 = 1");
        q.any_text("o.name", names);
        std::optional<day> newest;
        q.ask(*on_, [&](const sql::row& r) {
            if (!r.null(0))
                newest = std::max(newest.value_or(r.on(0)), r.on(0));
        });
        return newest;
    });
}

result<std::vector<domain_row>> sql_store::worst_domains(const filter& of, std::size_t most) {
    if (of.domains.empty() && of.reporters.empty())
        return reading([&] { return worst_of_all(of, most); });
    return reading([&] {
        const bool failing = asks_failures(of);
        auto q = totals_question(*on_, words_,
                                 failing ? "select o.name, 0, cast(sum(t.count) as bigint)"
                                         : "select o.name, cast(sum(t.success) as bigint), "
                                           "cast(sum(t.failure) as bigint)",
                                 failing                ? "failure_day"
                                 : of.reporters.empty() ? "domain_day"
                                                        : "reporter_day",
                                 of);
        if (failing)
            narrow_failures(q, *on_, words_, of);
        std::vector<domain_row> out;
        q.text(" group by o.name order by 3 desc, 2 desc, 1 limit ").bound(std::uint64_t{most});
        q.ask(*on_, [&](const sql::row& r) {
            out.push_back({.domain = r.string(0), .success = r.count(1), .failure = r.count(2)});
        });
        return out;
    });
}

std::vector<domain_row> sql_store::worst_of_all(const filter& of, std::size_t most) {
    struct sums {
        std::uint64_t success = 0, failure = 0;
    };
    std::unordered_map<std::int64_t, sums> by_word;
    const auto runs = spans_of(of.from, of.to);
    if (asks_failures(of))
        span_question(*on_, "t.domain", {"count"}, "failure_span", runs, [&](question& q) {
            narrow_failures(q, *on_, words_, of);
        }).ask(*on_, [&](const sql::row& r) { by_word[r.integer(0)].failure += r.count(1); });
    else
        span_question(*on_, "t.domain", {"success", "failure"}, "domain_span", runs)
            .ask(*on_, [&](const sql::row& r) {
                auto& sum = by_word[r.integer(0)];
                sum.success += r.count(1);
                sum.failure += r.count(2);
            });
    learn_rules();
    std::vector<std::pair<sums, const std::string*>> order;
    for (const auto& [name, word] : rules_.own)
        if (const auto found = by_word.find(word); found != by_word.end())
            order.emplace_back(found->second, &name);
    const auto end = order.begin() + static_cast<std::ptrdiff_t>(std::min(most, order.size()));
    std::ranges::partial_sort(order, end, [](const auto& a, const auto& b) {
        return std::tie(b.first.failure, b.first.success, *a.second) <
               std::tie(a.first.failure, a.first.success, *b.second);
    });
    std::vector<domain_row> out;
    for (auto at = order.begin(); at != end; ++at)
        out.push_back({.domain = *at->second, .success = at->first.success, .failure = at->first.failure});
    return out;
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
