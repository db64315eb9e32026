// SPDX-License-Identifier: Apache-2.0
// Questions about reports themselves rather than their totals: lists, and what is kept apart.
#include "store/question.h"
#include "store/sql_store.h"

#include "base/text.h"

#include <algorithm>
#include <tuple>

namespace mailtight::store {
namespace {

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

} // namespace mailtight::store
