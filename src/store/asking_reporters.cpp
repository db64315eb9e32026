// SPDX-License-Identifier: Apache-2.0
// Questions whose answer goes by reporter, or by kind of failure, over all domains asked about.
#include "store/sql_store.h"

#include "store/narrowing.h"

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

namespace mailtight::store {

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
        std::map<std::pair<std::int64_t, day>, reporter_day_row> sums;
        if (asks_failures(of)) { // which sessions succeeded there nobody reports
            auto q = totals_question(*on_, words_, "select t.reporter, t.day, t.type, t.count, t.reports",
                                     "failure_day", of);
            narrow_failures(q, *on_, words_, of);
            const auto type = [&](std::string_view name) { return words_.find(*on_, name).value_or(-1); };
            const auto sts = type("sts"), tlsa = type("tlsa"), none = type("no-policy-found");
            q.ask(*on_, [&](const sql::row& r) {
                auto& row = sums[{r.integer(0), r.on(1)}];
                row.failure += r.count(3);
                row.sts_failure += r.integer(2) == sts ? r.count(3) : 0;
                row.tlsa_failure += r.integer(2) == tlsa ? r.count(3) : 0;
                row.none_failure += r.integer(2) == none ? r.count(3) : 0;
                row.reports = std::max(row.reports, r.count(4));
            });
        } else {
            question q("select t.reporter, t.day, t.success, t.failure, t.sts_success, t.sts_failure, "
                       "t.tlsa_success, t.tlsa_failure, t.none_success, t.none_failure, t.reports, "
                       "t.verified from ");
            // Of some domains: by way of their reporters, whose days lie together.
            q.text(of.domains.empty()
                       ? "all_reporter_day t where 1 = 1"
                       : "own_domain o cross join reporter_seen s cross join reporter_day t "
                         "where s.domain = o.word and t.domain = s.domain and t.reporter = s.reporter");
            narrow_who(q, *on_, words_, "t.reporter", of);
            q.days("t.day", of.from, of.to).ask(*on_, [&](const sql::row& r) {
                auto& row = sums[{r.integer(0), r.on(1)}];
                row.success += r.count(2);
                row.failure += r.count(3);
                row.sts_success += r.count(4);
                row.sts_failure += r.count(5);
                row.tlsa_success += r.count(6);
                row.tlsa_failure += r.count(7);
                row.none_success += r.count(8);
                row.none_failure += r.count(9);
                row.reports += r.count(10);
                row.verified = row.verified || r.integer(11) > 0;
            });
        }
        const auto names = organizations(of);
        std::vector<reporter_day_row> out;
        for (auto& [key, row] : sums) {
            row.reporter = words_.text(*on_, key.first);
            const auto name = names.find(key.first);
            row.organization = name == names.end() ? std::string() : name->second;
            row.day = key.second;
            out.push_back(std::move(row));
        }
        std::ranges::sort(out, {}, [](const reporter_day_row& r) { return std::tie(r.reporter, r.day); });
        return out;
    });
}

std::map<std::int64_t, std::string> sql_store::organizations(const filter& of) {
    question q("select s.reporter, s.organization, s.named_by, s.last_received from ");
    q.text(of.domains.empty() ? "reporter_name s where 1 = 1"
                              : "own_domain o cross join reporter_seen s where s.domain = o.word");
    narrow_who(q, *on_, words_, "s.reporter", of);
    std::map<std::int64_t, reporter_name> best;
    q.ask(*on_, [&](const sql::row& r) {
        best[r.integer(0)].take({.believed = r.integer(2), .at = r.integer(3), .text = r.string(1)});
    });
    std::map<std::int64_t, std::string> out;
    for (auto& [reporter, name] : best)
        out[reporter] = std::move(name.text);
    return out;
}

result<std::vector<mx_row>> sql_store::reporters_by_mx(const filter& of) {
    return reading([&] {
        auto q = whole_question(
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
        auto q = whole_question(*on_, words_,
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

} // namespace mailtight::store
