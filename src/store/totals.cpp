// SPDX-License-Identifier: Apache-2.0
// apply() gathers, write() writes.
#include "store/totals.h"

#include <algorithm>
#include <charconv>
#include <unordered_set>

namespace mailtight::store {
namespace {

constexpr std::uint64_t sessions_max = 1'000'000'000'000;
constexpr std::size_t ends_kept = 16;

std::int64_t bounded(std::uint64_t count) {
    return static_cast<std::int64_t>(std::min(count, sessions_max));
}

// Both at most `sessions_max` before they are added, so that a million of them stay within it too.
std::uint64_t bounded_sum(std::uint64_t a, std::uint64_t b) {
    return std::min(std::min(a, sessions_max) + std::min(b, sessions_max), sessions_max);
}

// The policies that count for one domain, with counts that can be summed.
tlsrpt::session_count sessions_of(const tlsrpt::report& report, const judgement& by, std::int64_t owner) {
    const bool all = std::ranges::all_of(by.owners, [&](auto o) { return o == owner; }) &&
                     std::ranges::all_of(report.policies, [](const auto& p) {
                         return p.success <= sessions_max && p.failure <= sessions_max;
                     });
    if (all)
        return tlsrpt::headline(report);
    tlsrpt::report part;
    for (std::size_t i = 0; i < report.policies.size(); ++i) {
        const auto& p = report.policies[i];
        if (by.owners[i] == owner)
            part.policies.push_back({.type = p.type,
                                     .domain = p.domain,
                                     .mx_patterns = p.mx_patterns,
                                     .success = std::min(p.success, sessions_max),
                                     .failure = std::min(p.failure, sessions_max)});
    }
    return tlsrpt::headline(part);
}

std::size_t first_sum_of(const tlsrpt::policy_result& p) {
    const auto type = p.known_type();
    if (type == tlsrpt::policy_type::sts)
        return 2;
    if (type == tlsrpt::policy_type::tlsa)
        return 4;
    return type == tlsrpt::policy_type::no_policy_found ? 6 : 0; // others are in the headline alone
}

} // namespace

void totals::apply(const counted_report& what, std::int64_t sign) {
    std::set<std::int64_t> owners;
    if (what.judgement->report_owner != 0)
        owners.insert(what.judgement->report_owner);
    for (const auto owner : what.judgement->owners)
        if (owner != 0)
            owners.insert(owner);
    for (const auto owner : owners)
        apply_owner(what, owner, sign);
}

void totals::apply_owner(const counted_report& what, std::int64_t owner, std::int64_t sign) {
    const auto& received = *what.report;
    const auto& report = received.report;
    const auto on_day = std::chrono::floor<std::chrono::days>(*report.start).time_since_epoch().count();
    const auto reporter = words_.enter(on_, what.reporter);

    auto& sum = days_[{owner, reporter, on_day}];
    sum.reports += sign;
    sum.verified += received.trust == model::trust::verified ? sign : 0;
    const auto sessions = sessions_of(report, *what.judgement, owner);
    sum.counts[0] += sign * bounded(sessions.success);
    sum.counts[1] += sign * bounded(sessions.failure);

    // A report with the same policy or failure twice is one report, and what it says of it is bounded as a
    // whole: a hundred thousand policies are no hundred thousand times as many sessions.
    std::array<std::uint64_t, std::tuple_size_v<decltype(sum.counts)>> by_type{};
    std::map<policy_key, tlsrpt::session_count> policies_met;
    std::map<failure_key, std::uint64_t> failures_met;
    for (std::size_t i = 0; i < report.policies.size(); ++i) {
        const auto& p = report.policies[i];
        if (what.judgement->owners[i] != owner)
            continue;
        if (const auto first = first_sum_of(p); first != 0) {
            by_type[first] = bounded_sum(by_type[first], p.success);
            by_type[first + 1] = bounded_sum(by_type[first + 1], p.failure);
        }
        const auto type = words_.enter(on_, p.type);
        auto& of_policy = policies_met[{owner, on_day, reporter, type, what.texts[i]}];
        of_policy = {bounded_sum(of_policy.success, p.success), bounded_sum(of_policy.failure, p.failure)};
        for (std::size_t j = 0; j < p.details.size(); ++j) {
            const auto& d = p.details[j];
            const failure_key key{owner,
                                  on_day,
                                  reporter,
                                  type,
                                  words_.enter(on_, d.result_type),
                                  words_.enter(on_, d.reason_code),
                                  words_.enter(on_, d.receiving_mx)};
            const auto [met, first_of_its_kind] = failures_met.try_emplace(key, 0);
            met->second = bounded_sum(met->second, d.count);
            auto& of_failure = failures_[key];
            if (sign < 0)
                of_failure.taken = true;
            else if (first_of_its_kind && what.number >= of_failure.example_report) {
                of_failure.example_report = what.number;
                of_failure.example_policy = static_cast<std::int64_t>(i);
                of_failure.example_detail = static_cast<std::int64_t>(j);
                of_failure.text = what.texts[i];
            }
        }
    }
    for (std::size_t i = 0; i < by_type.size(); ++i)
        sum.counts[i] += sign * bounded(by_type[i]);
    for (const auto& [key, met] : policies_met) {
        auto& of_policy = policies_[key];
        of_policy.reports += sign;
        of_policy.success += sign * bounded(met.success);
        of_policy.failure += sign * bounded(met.failure);
    }
    for (const auto& [key, met] : failures_met) {
        auto& of_failure = failures_[key];
        of_failure.reports += sign;
        of_failure.count += sign * bounded(met);
    }

    auto& who = seen_[{owner, reporter}];
    if (sign < 0) {
        who.again = true;
        return;
    }
    const auto received_at = received.received_at.time_since_epoch().count();
    if (const auto trust = static_cast<std::int64_t>(received.trust); renames(trust, received_at, who)) {
        who.named_by = trust;
        who.organization = report.organization_name;
    }
    who.last_received = std::max(who.last_received, received_at);
    if (report.end)
        who.ends.insert(report.end->time_since_epoch().count());
}

void totals::write() {
    write_days();
    write_policies();
    write_failures();
    write_seen();
    spans_.write(on_);
    whole_.write(on_);
    days_.clear();
    policies_.clear();
    failures_.clear();
    seen_.clear();
}

void totals::write_days() {
    std::vector<sql::values> rows;
    std::vector<std::pair<day_key, const day_sum*>> keys;
    for (const auto& [key, sum] : days_) {
        sql::values row{key.domain, key.reporter, key.day, sum.reports, sum.verified};
        for (const auto count : sum.counts)
            row.emplace_back(count);
        rows.push_back(std::move(row));
        keys.emplace_back(key, &sum);
    }
    std::map<std::pair<std::int64_t, std::int64_t>, std::pair<day_sum, std::int64_t>> of_domains;
    std::vector<std::int64_t> left(rows.size(), 0);
    static const auto add_of_reporter =
        insert_or_add("reporter_day", "domain, reporter, day",
                      {"reports", "verified", "success", "failure", "sts_success", "sts_failure",
                       "tlsa_success", "tlsa_failure", "none_success", "none_failure"},
                      "values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)") +
        " returning reports";
    on_.query_each(add_of_reporter, rows, [&](std::size_t i, const sql::row& r) { left[i] = r.integer(0); });
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const auto& [key, sum] = keys[i];
        auto& [domain_sum, reporters] = of_domains[{key.domain, key.day}];
        domain_sum.add(*sum);
        whole_.add_day(key.day, key.reporter, *sum);
        const auto before = left[i] - sum->reports;
        reporters += (left[i] > 0 ? 1 : 0) - (before > 0 ? 1 : 0);
        if (left[i] <= 0)
            on_.run("delete from reporter_day where domain = $1 and reporter = $2 and day = $3",
                    {key.domain, key.reporter, key.day});
    }
    static const auto add_of_domain =
        insert_or_add("domain_day", "domain, day",
                      {"reports", "reporters", "success", "failure", "sts_success", "sts_failure",
                       "tlsa_success", "tlsa_failure", "none_success", "none_failure"},
                      "values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)");
    for (const auto& [key, change] : of_domains) {
        const auto& [sum, reporters] = change;
        sql::values row{key.first, key.second, sum.reports, reporters};
        for (const auto count : sum.counts)
            row.emplace_back(count);
        on_.run(add_of_domain, row);
        spans_.add_day(key.first, key.second, sum.reports, sum.counts[0], sum.counts[1]);
        if (sum.reports <= 0) // a report may have come and gone in one transaction
            on_.run("delete from domain_day where domain = $1 and day = $2 and reports <= 0",
                    {key.first, key.second});
    }
}

void totals::write_policies() {
    static const auto add =
        insert_or_add("policy_day", "domain, day, reporter, type, text", {"reports", "success", "failure"},
                      "values ($1, $2, $3, $4, $5, $6, $7, $8)");
    for (const auto& [key, sum] : policies_) {
        on_.run(add, {key.domain, key.day, key.reporter, key.type, key.text, sum.reports, sum.success,
                      sum.failure});
        if (sum.reports <= 0)
            on_.run("delete from policy_day where domain = $1 and day = $2 and reporter = $3 and type = $4 "
                    "and text = $5 and reports <= 0",
                    {key.domain, key.day, key.reporter, key.type, key.text});
    }
}

void totals::write_failures() {
    for (const auto& [key, sum] : failures_) {
        spans_.add_failure(key.day, {key.domain, key.type, key.result, key.reason, key.mx}, sum.reports,
                           sum.count);
        whole_.add_failure({key.day, key.reporter, key.type, key.result, key.mx}, sum.reports, sum.count);
        on_.run("insert into failure_day (domain, day, reporter, type, result, reason, mx, reports, count, "
                "example_report, example_policy, example_detail, text) "
                "values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) "
                "on conflict (domain, day, reporter, type, result, reason, mx) "
                "do update set reports = failure_day.reports + excluded.reports, "
                "count = failure_day.count + excluded.count, "
                "example_policy = case when excluded.example_report > failure_day.example_report "
                "then excluded.example_policy else failure_day.example_policy end, "
                "example_detail = case when excluded.example_report > failure_day.example_report "
                "then excluded.example_detail else failure_day.example_detail end, "
                "text = case when excluded.example_report > failure_day.example_report "
                "then excluded.text else failure_day.text end, "
                "example_report = case when excluded.example_report > failure_day.example_report "
                "then excluded.example_report else failure_day.example_report end",
                {key.domain, key.day, key.reporter, key.type, key.result, key.reason, key.mx, sum.reports,
                 sum.count, sum.example_report, sum.example_policy, sum.example_detail, sum.text});
        if (sum.reports <= 0)
            on_.run("delete from failure_day where domain = $1 and day = $2 and reporter = $3 and type = $4 "
                    "and result = $5 and reason = $6 and mx = $7 and reports <= 0",
                    {key.domain, key.day, key.reporter, key.type, key.result, key.reason, key.mx});
        if (sum.taken)
            find_example(key);
    }
}

// The last report that counts and has such a detail on that day. Rare: only where a report was taken back.
void totals::find_example(const failure_key& key) {
    sql::values row{key.domain, key.day, key.reporter, key.type, key.result, key.reason, key.mx, 0, 0, 0, 0};
    on_.query("select d.report, d.policy, d.n, p.text from about a "
              "join report r on r.id = a.report "
              "join policy_result p on p.report = r.id "
              "join detail d on d.report = p.report and d.policy = p.n "
              "where a.domain = $1 and a.day = $2 and a.counted = 1 and r.reporter = $3 and p.owner = $4 "
              "and p.type = $5 and d.result_type = $6 and d.reason = $7 and d.mx = $8 "
              "order by d.report desc, d.policy, d.n limit 1",
              {words_.text(on_, key.domain), key.day, words_.text(on_, key.reporter), key.domain,
               words_.text(on_, key.type), words_.text(on_, key.result), words_.text(on_, key.reason),
               words_.text(on_, key.mx)},
              [&](const sql::row& r) {
                  for (int i = 0; i < 4; ++i)
                      row[7 + static_cast<std::size_t>(i)] = r.integer(i);
              });
    on_.run(
        "update failure_day set example_report = $8, example_policy = $9, example_detail = $10, text = $11 "
        "where domain = $1 and day = $2 and reporter = $3 and type = $4 and result = $5 and reason = $6 "
        "and mx = $7",
        row);
}

void totals::write_seen() {
    for (auto& [key, who] : seen_) {
        const auto [domain, reporter] = key;
        if (who.again) {
            whole_.look_again(reporter);
            look_again(domain, reporter, who);
            if (who.ends.empty() && who.last_received == 0) {
                on_.run("delete from reporter_seen where domain = $1 and reporter = $2 and not exists "
                        "(select 1 from reporter_day d where d.domain = $1 and d.reporter = $2)",
                        {domain, reporter});
                continue;
            }
        }
        on_.run("insert into reporter_seen (domain, reporter, organization, last_received, ends, "
                "named_by) values ($1, $2, '', -9223372036854775807, '', -1) on conflict (domain, reporter) "
                "do nothing",
                {domain, reporter});
        seen now{.last_received = std::numeric_limits<std::int64_t>::min()};
        if (!who.again)
            on_.query(on_.dialect("select organization, last_received, ends, named_by from reporter_seen "
                                  "where domain = $1 and reporter = $2 {for_update}"),
                      {domain, reporter}, [&](const sql::row& r) {
                          now.organization = r.string(0);
                          now.last_received = r.integer(1);
                          for (const auto end : read_numbers(r.text(2)))
                              now.ends.insert(end);
                          now.named_by = r.integer(3);
                      });
        if (renames(who.named_by, who.last_received, now)) {
            now.organization = who.organization;
            now.named_by = who.named_by;
        }
        now.last_received = std::max(now.last_received, who.last_received);
        now.ends.insert(who.ends.begin(), who.ends.end());
        whole_.add_name(reporter,
                        {.believed = now.named_by, .at = now.last_received, .text = now.organization});
        on_.run("update reporter_seen set organization = $3, last_received = $4, ends = $5, named_by = $6 "
                "where domain = $1 and reporter = $2",
                {domain, reporter, now.organization, now.last_received, write_ends(now.ends), now.named_by});
    }
}

void totals::look_again(std::int64_t domain, std::int64_t reporter, seen& into) {
    into = {.again = true};
    on_.query("select r.received_at, r.period_end from about a join report r on r.id = a.report "
              "where a.domain = $1 and a.counted = 1 and r.reporter = $2 order by a.day desc limit 64",
              {words_.text(on_, domain), words_.text(on_, reporter)}, [&](const sql::row& r) {
                  into.last_received = std::max(into.last_received, r.integer(0));
                  if (!r.null(1))
                      into.ends.insert(r.integer(1));
              });
    on_.query("select r.organization, r.trust from about a join report r on r.id = a.report "
              "where a.domain = $1 and a.counted = 1 and r.reporter = $2 "
              "order by r.trust desc, r.received_at desc, r.id desc limit 1",
              {words_.text(on_, domain), words_.text(on_, reporter)}, [&](const sql::row& r) {
                  into.organization = r.string(0);
                  into.named_by = r.integer(1);
              });
}

std::string write_ends(const std::set<std::int64_t>& ends) {
    std::string out;
    std::size_t kept = 0;
    for (auto at = ends.rbegin(); at != ends.rend() && kept < ends_kept; ++at, ++kept)
        out += (out.empty() ? "" : " ") + std::to_string(*at);
    return out;
}

std::vector<std::int64_t> read_numbers(std::string_view column) {
    std::vector<std::int64_t> out;
    const char* at = column.data();
    const char* const end = at + column.size();
    while (at < end) {
        std::int64_t number = 0;
        const auto [stopped, problem] = std::from_chars(at, end, number);
        if (problem != std::errc())
            break;
        out.push_back(number);
        at = stopped < end ? stopped + 1 : end;
    }
    return out;
}

std::chrono::seconds usual_interval(const std::vector<std::int64_t>& ends) {
    if (ends.size() < 3)
        return std::chrono::seconds(0);
    std::vector<std::int64_t> distances;
    for (std::size_t i = 1; i < ends.size(); ++i)
        distances.push_back(ends[i - 1] - ends[i]);
    const auto middle = distances.begin() + static_cast<std::ptrdiff_t>(distances.size() / 2);
    std::ranges::nth_element(distances, middle);
    return std::chrono::seconds(*middle);
}

} // namespace mailtight::store
