// SPDX-License-Identifier: Apache-2.0
#include "app/report_period.h"

#include "app/report_facts.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <tuple>
#include <utility>

namespace mailtight::app {

namespace {

constexpr std::size_t domains_shown = 100;
constexpr auto silent_after = std::chrono::days(3); ///< a day is told of on the next, and senders may be late

/// Each reporter of a day once, however many of the domains it writes about.
std::vector<store::day_row> by_day(std::span<const store::reporter_day_row> who) {
    std::map<store::day, store::day_row> sums;
    for (const auto& row : who) {
        auto& sum = sums[row.day];
        sum.day = row.day;
        sum.success += row.success;
        sum.failure += row.failure;
        sum.sts_success += row.sts_success;
        sum.sts_failure += row.sts_failure;
        sum.tlsa_success += row.tlsa_success;
        sum.tlsa_failure += row.tlsa_failure;
        sum.none_success += row.none_success;
        sum.none_failure += row.none_failure;
        sum.reports += row.reports;
        ++sum.reporters;
    }
    std::vector<store::day_row> out;
    for (auto& [day, sum] : sums)
        out.push_back(std::move(sum));
    return out;
}

std::vector<store::reporter_row> by_reporter(std::span<const store::reporter_day_row> rows) {
    std::map<std::string, store::reporter_row> sums;
    for (const auto& row : rows) {
        auto [at, fresh] = sums.try_emplace(row.reporter);
        auto& sum = at->second;
        sum.reporter = row.reporter;
        sum.organization = row.organization;
        sum.success += row.success;
        sum.failure += row.failure;
        sum.reports += row.reports;
        sum.verified = sum.verified || row.verified;
        sum.first = fresh ? row.day : std::min(sum.first, row.day);
        sum.last = std::max(sum.last, row.day);
    }
    std::vector<store::reporter_row> out;
    for (auto& [name, sum] : sums)
        out.push_back(std::move(sum));
    return out;
}

store::result<insight::summary> several(store::store& from, const store::filter& of,
                                        std::span<const store::reporter_day_row> who) {
    insight::summary all;
    all.days = by_day(who);
    all.reporters = by_reporter(who);
    auto kept_apart = of;
    kept_apart.what = store::filter::which::quarantined;
    auto take = [](auto rows, auto& into) -> std::optional<store::store_error> {
        if (!rows)
            return rows.error();
        into = std::move(*rows);
        return {};
    };
    for (const auto& error : {take(from.reporters_by_mx(of), all.by_mx), take(from.results(of), all.results),
                              take(from.quarantine(kept_apart), all.quarantine)})
        if (error)
            return std::unexpected(*error);
    all.from = of.from;
    all.to = of.to;
    return all;
}

/// Why nothing came, of each of these that is silent just now.
store::result<std::vector<api::silent_domain>>
silence_of(store::store& from, std::span<const std::string> domains, base::utc_seconds now) {
    std::vector<api::silent_domain> all;
    for (const auto& domain : domains) {
        const auto newest = from.newest_day({&domain, 1});
        if (!newest)
            return std::unexpected(newest.error());
        if (*newest && base::utc_seconds(**newest) + silent_after >= now)
            continue;
        const auto facts = silence_facts_of(from, domain, now);
        if (!facts)
            return std::unexpected(facts.error());
        all.push_back({.domain = domain, .causes = insight::why_silent(*facts, now)});
    }
    return all;
}

} // namespace

std::vector<store::reporter_day_row> lines_of(std::span<const store::reporter_day_row> rows,
                                              std::size_t most) {
    std::map<std::string, std::uint64_t> sessions;
    for (const auto& row : rows)
        sessions[row.reporter] += row.success + row.failure;
    std::vector<std::pair<std::uint64_t, std::string>> order;
    for (const auto& [reporter, count] : sessions)
        order.emplace_back(count, reporter);
    std::ranges::sort(order, [](const auto& a, const auto& b) {
        return a.first != b.first ? a.first > b.first : a.second < b.second;
    });
    std::set<std::string> named;
    for (std::size_t i = 0; i < std::min(most, order.size()); ++i)
        named.insert(order[i].second);
    std::map<std::pair<store::day, std::string>, store::reporter_day_row> out;
    for (const auto& row : rows) {
        const auto name = named.contains(row.reporter) ? row.reporter : std::string();
        auto& sum = out[{row.day, name}];
        sum.reporter = name;
        sum.day = row.day;
        sum.success += row.success;
        sum.failure += row.failure;
    }
    std::vector<store::reporter_day_row> all;
    for (auto& [key, row] : out)
        all.push_back(std::move(row));
    return all;
}

store::result<api::report_period> report_period_of(store::store& from, const store::filter& of,
                                                   base::utc_seconds now) {
    api::report_period made;
    auto who = from.reporter_days(of);
    if (!who)
        return std::unexpected(who.error());
    made.by_reporter = lines_of(*who, reporter_lines);
    auto sums = of.domains.size() == 1 ? summary_of(from, of, day_of(now)) : several(from, of, *who);
    if (!sums)
        return std::unexpected(sums.error());
    made.sums = std::move(*sums);
    auto worst = from.worst_domains(of, domains_shown);
    if (!worst)
        return std::unexpected(worst.error());
    made.domains = std::move(*worst);
    if (!made.sums.days.empty())
        made.sums.newest = made.sums.days.back().day;
    else if (auto newest = newest_of(from, of); newest)
        made.sums.newest = *newest;
    else
        return std::unexpected(newest.error());

    auto ours = from.domains();
    if (!ours)
        return std::unexpected(ours.error());
    std::vector<std::string> in_question;
    for (const auto& each : *ours)
        if (of.domains.empty() || std::ranges::binary_search(of.domains, each.name))
            in_question.push_back(each.name);
    if (in_question.size() > domains_in_detail)
        return made;
    auto silence = silence_of(from, in_question, now);
    if (!silence)
        return std::unexpected(silence.error());
    made.silence = std::move(*silence);
    return made;
}

} // namespace mailtight::app
