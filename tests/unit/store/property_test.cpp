// SPDX-License-Identifier: Apache-2.0
// Whatever comes in whatever order (reports, copies, corrections, forgeries, domains that come and go, the
// rule for unverified ones), the totals are what a naive count over the reports that stand gives. In both
// engines.
#include "store/postgres/engine.h"
#include "store/sqlite/engine.h"
#include "support/reports.h"
#include "unit/store/engines.h"
#include "unit/store/span_rows.h"

#include <rapidcheck/gtest.h>

#include <map>
#include <set>
#include <tuple>

namespace mailtight::store {
namespace {

const std::vector<std::string> all_domains{"a.example", "b.example", "c.example"};
const std::vector<std::string> all_reporters{"google.com", "yahoo.com"};
const std::vector<std::string> all_results{"certificate-expired", "validation-failure"};

template<class T>
T one_of(const std::vector<T>& from) {
    return *rc::gen::elementOf(from);
}
int up_to(int n) { // 0 .. n
    return *rc::gen::inRange(0, n + 1);
}

// Small worlds, so that the same keys meet often.
model::received_report any_report() {
    auto r = tests::report("id" + std::to_string(up_to(2)), one_of(all_domains),
                           one_of(std::vector<unsigned>{3, 4, 4, 17}), 0, 0, one_of(all_reporters));
    r.trust = static_cast<model::trust>(up_to(3));
    r.report.policies.clear();
    for (int i = up_to(2); i >= 0; --i) {
        auto p = tests::policy(one_of(std::vector<std::string>{"sts", "tlsa", "no-policy-found", "x-new"}),
                               one_of(all_domains), static_cast<std::uint64_t>(up_to(3)),
                               static_cast<std::uint64_t>(up_to(3)));
        for (int j = up_to(2); j > 0; --j)
            p.details.push_back(tests::detail(one_of(all_results), static_cast<std::uint64_t>(up_to(2))));
        r.report.policies.push_back(std::move(p));
    }
    if (up_to(3) == 0)
        r.report_domain.clear();
    r.received_at += std::chrono::seconds(up_to(1000));
    return r;
}

using day_sums = std::array<std::uint64_t, 10>; // success, failure, of sts, tlsa, none; reporters, reports
struct truth {
    std::map<std::pair<std::string, day>, day_sums> days;
    std::map<std::tuple<std::string, std::string, std::string, std::string>, std::uint64_t> failures;
    std::map<std::tuple<std::string, std::string>,
             std::tuple<std::uint64_t, std::uint64_t, std::uint64_t, bool>>
        reporters;
    std::map<std::tuple<std::string, std::string, std::vector<std::string>>,
             std::pair<std::uint64_t, std::uint64_t>>
        policies;
    bool operator==(const truth&) const = default;
};

// Counts the reports that stand, one by one, knowing nothing of totals.
truth counted_naively(store& s, const std::set<std::string>& own) {
    truth out;
    std::map<std::pair<std::string, day>, std::set<std::string>> reporters;
    const auto rows = s.list({}, {.limit = 100'000});
    RC_ASSERT(rows.has_value());
    for (const auto& row : *rows) {
        const auto shown = s.show(row.number);
        RC_ASSERT((shown.has_value() && shown->has_value()));
        const auto& r = (*shown)->report;
        const auto on_day = std::chrono::floor<std::chrono::days>(*r.report.start);
        std::map<std::string, tlsrpt::report> parts;
        if (own.contains(r.report_domain))
            parts[r.report_domain] = r.report;
        else
            for (const auto& p : r.report.policies)
                if (own.contains(p.domain))
                    parts[p.domain].policies.push_back(p);
        RC_ASSERT(!parts.empty());
        for (const auto& [domain, part] : parts) {
            auto& sums = out.days[{domain, on_day}];
            const auto sessions = tlsrpt::headline(part);
            sums[0] += sessions.success;
            sums[1] += sessions.failure;
            for (const auto& p : part.policies) {
                const std::size_t at = p.type == "sts"               ? 2
                                       : p.type == "tlsa"            ? 4
                                       : p.type == "no-policy-found" ? 6
                                                                     : 0;
                if (at > 0) {
                    sums[at] += p.success;
                    sums[at + 1] += p.failure;
                }
                auto& policy = out.policies[{domain, p.type, p.strings}];
                policy.first += p.success;
                policy.second += p.failure;
                for (const auto& d : p.details)
                    out.failures[{domain, row.reporter, p.type, d.result_type}] += d.count;
            }
            reporters[{domain, on_day}].insert(row.reporter);
            sums[9] += 1;
            auto& [success, failure, reports, verified] = out.reporters[{domain, row.reporter}];
            success += sessions.success;
            failure += sessions.failure;
            reports += 1;
            verified = verified || r.trust == model::trust::verified;
        }
    }
    for (const auto& [key, names] : reporters)
        out.days[key][8] = names.size();
    return out;
}

truth as_the_store_says(store& s) {
    truth out;
    const auto days = s.days({});
    const auto failures = s.failures({});
    const auto reporters = s.reporters({});
    const auto policies = s.policies({});
    RC_ASSERT(days && failures && reporters && policies);
    for (const auto& r : *days)
        out.days[{r.domain, r.day}] = {r.success,      r.failure,      r.sts_success,  r.sts_failure,
                                       r.tlsa_success, r.tlsa_failure, r.none_success, r.none_failure,
                                       r.reporters,    r.reports};
    for (const auto& r : *failures) {
        out.failures[{r.domain, r.reporter, r.policy_type, r.result_type}] += r.count;
        const auto example = s.show(r.last_report);
        RC_ASSERT((example && *example && (*example)->row.state == "counted"));
    }
    for (const auto& r : *reporters)
        out.reporters[{r.domain, r.reporter}] = {r.success, r.failure, r.reports, r.verified};
    for (const auto& r : *policies)
        out.policies[{r.domain, r.type, r.strings}] = {r.success, r.failure};
    return out;
}

/// What is said of all domains at once comes from sums of its own: it has to be what is said where each is
/// named, which adds up the domains' totals.
void the_whole_is_its_parts(store& s, const std::set<std::string>& own) {
    filter named;
    named.domains.assign(own.begin(), own.end());
    if (own.empty())
        named.domains = {"nobody.example"};
    const auto days = [&](const filter& of) {
        std::map<std::pair<std::string, day>, std::array<std::uint64_t, 10>> out;
        const auto rows = s.reporter_days(of);
        RC_ASSERT(rows.has_value());
        for (const auto& r : *rows)
            out[{r.reporter + "/" + r.organization, r.day}] = {
                r.success,      r.failure,      r.sts_success,  r.sts_failure, r.tlsa_success,
                r.tlsa_failure, r.none_success, r.none_failure, r.reports,     r.verified};
        return out;
    };
    RC_ASSERT(days({}) == days(named));
    const auto hosts = [&](const filter& of) {
        std::map<std::pair<std::string, std::string>, std::tuple<std::uint64_t, day, day>> out;
        const auto rows = s.reporters_by_mx(of);
        RC_ASSERT(rows.has_value());
        for (const auto& r : *rows)
            out[{r.reporter, r.mx}] = {r.failure, r.first, r.last};
        return out;
    };
    RC_ASSERT(hosts({}) == hosts(named));
    const auto results = [&](const filter& of) {
        std::map<std::string, std::tuple<std::uint64_t, std::uint64_t, day, day>> out;
        const auto rows = s.results(of);
        RC_ASSERT(rows.has_value());
        for (const auto& r : *rows)
            out[r.result_type] = {r.count, r.reporters, r.first, r.last};
        return out;
    };
    RC_ASSERT(results({}) == results(named));
    auto one = filter{.result_type = all_results.front()}, one_named = named;
    one_named.result_type = all_results.front();
    RC_ASSERT(results(one) == results(one_named));
    RC_ASSERT(hosts(one) == hosts(one_named));
}

/// The same of what comes from sums over several days: in any period, by any failure.
void the_spans_are_their_parts(store& s, const std::set<std::string>& own) {
    filter all;
    const auto first = std::chrono::floor<std::chrono::days>(tests::day_in_may(1));
    if (up_to(3) > 0)
        all.from = first + std::chrono::days(up_to(5));
    if (up_to(3) > 0)
        all.to = all.from.value_or(first) + std::chrono::days(up_to(20));
    if (up_to(3) == 0)
        all.result_type = all_results.front();
    auto named = all;
    named.domains.assign(own.begin(), own.end());
    if (own.empty())
        named.domains = {"nobody.example"};
    const auto domains = [&](const filter& of, std::size_t most) {
        std::vector<std::tuple<std::string, std::uint64_t, std::uint64_t>> out;
        const auto rows = s.worst_domains(of, most);
        RC_ASSERT(rows.has_value());
        for (const auto& r : *rows)
            out.emplace_back(r.domain, r.success, r.failure);
        return out;
    };
    for (const std::size_t most : {1, 2, 100})
        RC_ASSERT(domains(all, most) == domains(named, most));
    const auto kinds = [&](const filter& of, std::size_t most) {
        std::map<std::array<std::string, 6>, std::tuple<std::uint64_t, day, day>> out;
        const auto worst = s.worst_failures(of, most);
        RC_ASSERT(worst.has_value());
        for (const auto& r : worst->rows)
            out[{r.domain, r.reporter, r.policy_type, r.result_type, r.reason_code, r.mx}] = {
                r.count, r.first, r.last};
        return std::pair(out, worst->left_out);
    };
    for (const std::size_t most : {1, 3, 100})
        RC_ASSERT(kinds(all, most) == kinds(named, most));
    RC_ASSERT(kinds(all, 100).second == 0);
    RC_ASSERT(s.newest_day({}).value() == s.newest_day(named.domains).value());
}

/// `purging`: reports expire as well. Totals outlive them, so that nothing is left to count one by one, but
/// every sum is still what it is made of.
void any_sequence_gives_the_naive_totals(engine of, bool purging) {
    const database db(of);
    const auto s = db.open();
    const auto on = of == engine::sqlite ? sqlite::connect({.where = db.where()})
                                         : postgres::connect({.where = db.where()});
    std::set<std::string> own;
    bool all_stand = true;
    for (int step = 4 + up_to(8); step > 0; --step) {
        switch (up_to(purging ? 8 : 7)) {
        case 0: {
            const auto name = one_of(all_domains);
            RC_ASSERT(s->add_domains(std::vector{name}, tests::day_in_may(1)).has_value());
            own.insert(name);
            break;
        }
        case 1: {
            const auto name = one_of(all_domains);
            RC_ASSERT(s->remove_domain(name).has_value());
            own.erase(name);
            break;
        }
        case 2:
            RC_ASSERT(s->count_unverified(up_to(1) == 1).has_value());
            break;
        case 8:
            RC_ASSERT(
                s->expire(tests::day_in_may(10), tests::day_in_may(static_cast<unsigned>(3 + up_to(20))))
                    .has_value());
            all_stand = false;
            break;
        default: {
            std::vector<model::received_report> some;
            for (int i = up_to(5); i >= 0; --i)
                some.push_back(any_report());
            if (up_to(1) == 1)
                some.push_back(some.front()); // a copy
            const auto out = s->add(some);
            RC_ASSERT(out.has_value());
            RC_ASSERT(out->size() == some.size());
        }
        }
        if (all_stand) {
            const auto expected = counted_naively(*s, own);
            const auto said = as_the_store_says(*s);
            RC_ASSERT(said.days == expected.days);
            RC_ASSERT(said.failures == expected.failures);
            RC_ASSERT(said.reporters == expected.reporters);
            RC_ASSERT(said.policies == expected.policies);
        }
        the_whole_is_its_parts(*s, own);
        the_spans_are_their_parts(*s, own);
        RC_ASSERT(domain_spans_are_their_days(*on));
        RC_ASSERT(failure_spans_are_their_days(*on));
    }
    // At most one of each key stands.
    std::set<std::tuple<std::string, std::string, base::utc_seconds>> met;
    for (const auto& row : *s->list({}, {}))
        if (const auto shown = *s->show(row.number)) {
            std::set<std::string> domains;
            for (const auto& p : shown->report.report.policies)
                domains.insert(p.domain);
            std::string all;
            for (const auto& d : domains)
                all += d + " ";
            RC_ASSERT(met.emplace(row.reporter, row.report_id + " " + all, row.start).second);
        }
}

RC_GTEST_PROP(store_property, sqlite_totals_are_what_a_naive_count_gives, ()) {
    any_sequence_gives_the_naive_totals(engine::sqlite, false);
}
RC_GTEST_PROP(store_property, sqlite_sums_are_their_parts_whatever_expires, ()) {
    any_sequence_gives_the_naive_totals(engine::sqlite, true);
}
RC_GTEST_PROP(store_property, postgres_totals_are_what_a_naive_count_gives, ()) {
    if (*rc::gen::inRange(0, 4) != 0) // a quarter of the runs: each makes a database
        return;
    any_sequence_gives_the_naive_totals(engine::postgres, false);
}
RC_GTEST_PROP(store_property, postgres_sums_are_their_parts_whatever_expires, ()) {
    if (*rc::gen::inRange(0, 10) != 0) // SQLite has shown the rules; this is the dialect
        return;
    any_sequence_gives_the_naive_totals(engine::postgres, true);
}

} // namespace
} // namespace mailtight::store
