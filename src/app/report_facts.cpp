// SPDX-License-Identifier: Apache-2.0
#include "app/report_facts.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <map>
#include <tuple>
#include <utility>

namespace mailtight::app {

namespace {

using std::chrono::days;

constexpr std::size_t named_at_most = 1000; ///< domains in one question; more: it is asked about all

store::filter about(const std::string& domain, store::day from, store::day to) {
    return {.domains = {domain}, .reporters = {}, .result_type = {}, .mx = {}, .from = from, .to = to};
}

bool says_mode(const store::policy_row& row, std::string_view mode) {
    return row.type == "sts" && std::ranges::any_of(row.strings, [&](const std::string& line) {
               return line.starts_with("mode:") && line.find(mode) != std::string::npos;
           });
}

template<class Row>
std::map<std::string, std::vector<Row>> by_domain(std::vector<Row> rows) {
    std::map<std::string, std::vector<Row>> parts;
    for (auto& row : rows)
        parts[row.domain].push_back(std::move(row));
    return parts;
}

} // namespace

store::day day_of(base::utc_seconds at) {
    return std::chrono::floor<days>(at);
}

namespace {

/// The groups of these rows, diagnosed by what else reporters say of their domains.
store::result<std::vector<insight::failure_group>> groups_of(store::store& from, const store::filter& of,
                                                             std::vector<store::failure_row> rows,
                                                             const known_domains_today& today) {
    if (rows.empty())
        return std::vector<insight::failure_group>();
    // Groups are made a domain: what one domain's reporters see says nothing of another's.
    auto failures = by_domain(std::move(rows));
    // Who else reports is asked without the narrowing to one failure, else nobody would be fine.
    store::filter wide = of;
    wide.result_type.clear();
    wide.mx.clear();
    wide.reporters.clear();
    if (failures.size() <= named_at_most) {
        wide.domains.clear();
        for (const auto& [domain, its] : failures)
            wide.domains.push_back(domain);
    }
    auto reporters = from.reporters(wide);
    if (!reporters)
        return std::unexpected(reporters.error());
    auto policies = from.policies(wide);
    if (!policies)
        return std::unexpected(policies.error());
    auto who = by_domain(std::move(*reporters));
    auto what = by_domain(std::move(*policies));
    std::vector<insight::failure_group> groups;
    for (const auto& [domain, its] : failures) {
        const auto known = today.find(domain);
        auto some = insight::group_failures(its, who[domain], what[domain],
                                            known == today.end() ? insight::known_today() : known->second);
        groups.insert(groups.end(), std::make_move_iterator(some.begin()),
                      std::make_move_iterator(some.end()));
    }
    std::ranges::sort(groups, [](const auto& a, const auto& b) {
        return std::tie(b.count, a.domain, a.result_type, a.mx) <
               std::tie(a.count, b.domain, b.result_type, b.mx);
    });
    return groups;
}

} // namespace

store::result<std::vector<insight::failure_group>> failure_groups(store::store& from, const store::filter& of,
                                                                  const known_domains_today& today) {
    auto rows = from.failures(of);
    if (!rows)
        return std::unexpected(rows.error());
    return groups_of(from, of, std::move(*rows), today);
}

store::result<worst_groups> worst_failure_groups(store::store& from, const store::filter& of,
                                                 std::size_t most, const known_domains_today& today) {
    auto worst = from.worst_failures(of, most);
    if (!worst)
        return std::unexpected(worst.error());
    auto groups = groups_of(from, of, std::move(worst->rows), today);
    if (!groups)
        return std::unexpected(groups.error());
    return worst_groups{.groups = std::move(*groups), .left_out = worst->left_out};
}

store::result<std::vector<insight::alarm_inputs>> alarm_inputs(store::store& from,
                                                               std::span<const std::string> domains,
                                                               store::day today,
                                                               std::span<const insight::alarm_state> told) {
    std::map<std::string, insight::alarm_inputs> all;
    store::filter of{
        .domains = {domains.begin(), domains.end()}, .reporters = {}, .result_type = {}, .mx = {}};
    of.to = today; // a reporter whose clock is ahead, or who says so, arrives no later for that
    auto reporters = from.reporters(of);
    if (!reporters)
        return std::unexpected(reporters.error());
    for (const auto& row : *reporters) {
        auto& facts = all[row.domain];
        facts.first_report = std::min(facts.first_report.value_or(row.first), row.first);
        facts.last_report = std::max(facts.last_report.value_or(row.last), row.last);
    }
    of.from = today - days(31);
    auto rows = from.days(of);
    if (!rows)
        return std::unexpected(rows.error());
    for (auto& row : *rows)
        all[row.domain].days.push_back(std::move(row));
    of.to = today - days(3);
    auto before = failure_groups(from, of);
    if (!before)
        return std::unexpected(before.error());
    for (auto& group : *before)
        all[group.domain].failures_before.push_back(std::move(group));
    of.from = today - days(2);
    of.to = today;
    auto now = failure_groups(from, of);
    if (!now)
        return std::unexpected(now.error());
    for (auto& group : *now)
        all[group.domain].failures.push_back(std::move(group));
    // The second part of a key is the domain.
    for (const auto& state : told) {
        const auto begin = state.key.find('/');
        if (!state.active || begin == std::string::npos)
            continue;
        const auto end = std::min(state.key.find('/', begin + 1), state.key.size());
        all[state.key.substr(begin + 1, end - begin - 1)].active.push_back(state.key);
    }
    std::vector<insight::alarm_inputs> out;
    for (const auto& domain : domains) {
        out.push_back(std::move(all[domain]));
        out.back().domain = domain;
    }
    return out;
}

store::result<std::vector<insight::reporter_trend>> trends(store::store& from, const store::filter& of,
                                                           store::day today) {
    // The store sums a period by reporter: one question a window, the longest names the reporters.
    std::map<std::pair<std::string, std::string>, std::array<insight::window_sums, 3>> sums;
    std::vector<store::reporter_row> who;
    for (std::size_t i = 0; i < insight::windows_of_days.size(); ++i) {
        store::filter window{.domains = of.domains, .reporters = of.reporters, .result_type = {}, .mx = {}};
        window.from = insight::begin_of_window(insight::windows_of_days[i], today);
        window.to = today;
        auto rows = from.reporters(window);
        if (!rows)
            return std::unexpected(rows.error());
        for (const auto& row : *rows)
            sums[{row.domain, row.reporter}][i] = {row.success, row.failure};
        who = std::move(*rows);
    }
    std::vector<insight::reporter_trend> all;
    for (const auto& row : who)
        all.push_back(insight::trend_of(
            row, std::span<const insight::window_sums, 3>(sums[{row.domain, row.reporter}]), today));
    return all;
}

store::result<std::optional<store::day>> newest_of(store::store& from, const store::filter& of) {
    if (of.reporters.empty())
        return from.newest_day(of.domains);
    auto rows =
        from.reporters({.domains = of.domains, .reporters = of.reporters, .result_type = {}, .mx = {}});
    if (!rows)
        return std::unexpected(rows.error());
    std::optional<store::day> newest;
    for (const auto& row : *rows)
        newest = std::max(newest.value_or(row.last), row.last);
    return newest;
}

store::result<insight::summary> summary_of(store::store& from, const store::filter& of, store::day today) {
    insight::summary all;
    auto take = [](auto rows, auto& into) -> std::optional<store::store_error> {
        if (!rows)
            return rows.error();
        into = std::move(*rows);
        return {};
    };
    auto kept_apart = of;
    kept_apart.what = store::filter::which::quarantined;
    for (auto& error :
         {take(from.days(of), all.days), take(from.reporters(of), all.reporters),
          take(from.reporters_by_mx(of), all.by_mx), take(from.results(of), all.results),
          take(from.quarantine(kept_apart), all.quarantine), take(trends(from, of, today), all.trends)})
        if (error)
            return std::unexpected(*error);
    all.from = of.from;
    all.to = of.to.value_or(today);
    if (!all.days.empty())
        return all;
    auto newest = newest_of(from, of);
    if (!newest)
        return std::unexpected(newest.error());
    all.newest = *newest;
    return all;
}

store::result<insight::silence_facts> silence_facts_of(store::store& from, const std::string& domain,
                                                       base::utc_seconds now) {
    insight::silence_facts facts;
    auto newest = from.newest_day({&domain, 1});
    if (!newest)
        return std::unexpected(newest.error());
    facts.last_report = *newest;
    auto of = about(domain, day_of(now) - days(30), day_of(now));
    auto rows = from.days(of);
    if (!rows)
        return std::unexpected(rows.error());
    for (const auto& row : *rows)
        facts.last_30_days_sessions += row.success + row.failure;
    of.what = store::filter::which::quarantined;
    auto apart = from.quarantine(of);
    if (!apart)
        return std::unexpected(apart.error());
    for (const auto& row : *apart)
        facts.quarantined += row.reports;
    auto seen = from.fact(std::string(record_prefix) + domain);
    if (!seen)
        return std::unexpected(seen.error());
    if (*seen)
        facts.record_since = base::parse_utc(**seen);
    return facts;
}

store::result<std::string> mode_in_reports(store::store& from, const std::string& domain) {
    auto policies = from.policies({.domains = {domain}, .reporters = {}, .result_type = {}, .mx = {}});
    if (!policies)
        return std::unexpected(policies.error());
    const store::policy_row* newest = nullptr;
    for (const auto& row : *policies) // of the day of a change, the one that came later
        if (row.type == "sts" &&
            (!newest || std::tie(row.last, row.first) > std::tie(newest->last, newest->first)))
            newest = &row;
    for (const std::string mode : {"enforce", "testing", "none"})
        if (newest && says_mode(*newest, mode))
            return mode;
    return std::string();
}

store::result<insight::readiness> readiness(store::store& from, const std::string& domain,
                                            base::utc_seconds now, const live_facts& live) {
    const auto today = day_of(now);
    insight::readiness_facts facts;
    facts.mx_today = live.today.mx;
    facts.check_green = live.check_green;
    auto reporters = from.reporters(about(domain, today - days(30), today));
    if (!reporters)
        return std::unexpected(reporters.error());
    facts.reporters = std::move(*reporters);
    const auto recent = about(domain, today - days(14), today);
    auto described = from.failures(recent);
    if (!described)
        return std::unexpected(described.error());
    auto by_day = from.reporter_days(about(domain, today - days(30), today));
    if (!by_day)
        return std::unexpected(by_day.error());
    facts.seen = insight::under_policy_of(*by_day, *described, *recent.from);
    auto failures = groups_of(from, recent, std::move(*described), {{domain, live.today}});
    if (!failures)
        return std::unexpected(failures.error());
    facts.failures = std::move(*failures);
    for (const auto& group : facts.failures)
        if (!group.mx.empty() &&
            std::ranges::find(facts.mx_seen_failing, group.mx) == facts.mx_seen_failing.end())
            facts.mx_seen_failing.push_back(group.mx);
    auto rows = from.days(recent);
    if (!rows)
        return std::unexpected(rows.error());
    for (const auto& row : *rows) {
        facts.sessions += row.success + row.failure;
        facts.failed += row.failure;
    }
    // How long it is in testing, as the reporters saw the policy: the first of them counts, but nothing
    // before the policy was away. A clock that is ahead says nothing.
    store::filter until{.domains = {domain}, .reporters = {}, .result_type = {}, .mx = {}};
    until.to = today;
    auto policies = from.policies(until);
    if (!policies)
        return std::unexpected(policies.error());
    auto begin = facts.seen.again_since;
    for (const auto& row : *policies) {
        if (says_mode(row, "testing")) {
            const base::utc_seconds first = row.first;
            facts.testing_since = std::min(facts.testing_since.value_or(first), first);
        } else if (says_mode(row, "none"))
            begin = std::max(begin.value_or(row.last), row.last);
    }
    if (facts.testing_since && begin)
        facts.testing_since = std::max<base::utc_seconds>(*facts.testing_since, *begin);
    return insight::ready_to_enforce(facts, now);
}

store::result<std::optional<model::report_evidence>> report_evidence(store::store& from,
                                                                     const insight::known_today& today,
                                                                     const std::string& domain,
                                                                     base::utc_seconds now) {
    auto ours = from.domains();
    if (!ours)
        return std::unexpected(ours.error());
    if (std::ranges::find(*ours, domain, &store::own_domain::name) == ours->end())
        return std::nullopt;
    const auto day = day_of(now);
    model::report_evidence made;
    auto rows = from.days(about(domain, day - days(14), day));
    if (!rows)
        return std::unexpected(rows.error());
    for (const auto& row : *rows) {
        made.sessions += row.success + row.failure;
        made.failed += row.failure;
    }
    auto groups = failure_groups(from, about(domain, day - days(14), day), {{domain, today}});
    if (!groups)
        return std::unexpected(groups.error());
    for (const auto& group : *groups)
        made.failures.push_back({group.result_type, group.mx, group.count, group.reporters,
                                 insight::speaks_against_enforce(group)});
    store::filter until{.domains = {domain}, .reporters = {}, .result_type = {}, .mx = {}};
    until.to = day;
    auto reporters = from.reporters(until);
    if (!reporters)
        return std::unexpected(reporters.error());
    for (const auto& row : *reporters)
        made.last_report = std::max(made.last_report.value_or(row.last), row.last);
    auto record = from.fact(std::string(record_prefix) + domain);
    if (!record)
        return std::unexpected(record.error());
    if (*record)
        made.record_since = base::parse_utc(**record);
    return made;
}

store::result<insight::letter> weekly_digest(store::store& from, base::utc_seconds now) {
    const auto today = day_of(now);
    auto ours = from.domains();
    if (!ours)
        return std::unexpected(ours.error());
    std::vector<insight::digest_domain> all;
    for (const auto& domain : *ours) {
        insight::digest_domain one;
        one.domain = domain.name;
        auto rows = from.days(about(domain.name, today - days(14), today - days(1)));
        if (!rows)
            return std::unexpected(rows.error());
        one.days = std::move(*rows);
        auto reporters = from.reporters(about(domain.name, today - days(7), today - days(1)));
        if (!reporters)
            return std::unexpected(reporters.error());
        one.reporters = std::move(*reporters);
        auto failures = failure_groups(from, about(domain.name, today - days(7), today - days(1)));
        if (!failures)
            return std::unexpected(failures.error());
        one.failures = std::move(*failures);
        auto mode = mode_in_reports(from, domain.name);
        if (!mode)
            return std::unexpected(mode.error());
        if (*mode != "enforce") { // there, nothing is to be decided
            auto ready = readiness(from, domain.name, now);
            if (!ready)
                return std::unexpected(ready.error());
            one.readiness = std::move(*ready);
        }
        all.push_back(std::move(one));
    }
    return insight::write_digest(all, today - days(7), today - days(1));
}

std::pair<std::string, std::string> mute_fact(const insight::mute& what) {
    std::string value = base::format_utc(what.until) + " " + what.why;
    if (!what.by.empty())
        value += "\t" + what.by;
    return {std::string(mute_prefix) + what.key, std::move(value)};
}

std::optional<insight::mute> parse_mute(std::string_view name, std::string_view value) {
    constexpr std::size_t time_size = 20;
    if (!name.starts_with(mute_prefix) || value.size() < time_size)
        return {};
    const auto until = base::parse_utc(value.substr(0, time_size));
    if (!until)
        return {};
    const auto words = value.substr(std::min(value.size(), time_size + 1));
    const auto tab = words.find('\t'); // a reason is printable text, without one
    return insight::mute{.key = std::string(name.substr(mute_prefix.size())),
                         .until = *until,
                         .why = std::string(words.substr(0, tab)),
                         .by = std::string(tab == words.npos ? "" : words.substr(tab + 1))};
}

store::result<std::vector<insight::mute>> mutes(store::store& from) {
    auto facts = from.facts(mute_prefix);
    if (!facts)
        return std::unexpected(facts.error());
    std::vector<insight::mute> all;
    for (const auto& [name, value] : *facts)
        if (auto mute = parse_mute(name, value))
            all.push_back(std::move(*mute));
    return all;
}

store::result<std::vector<insight::alarm_state>> alarm_states(store::store& from) {
    auto facts = from.facts(alarm_prefix);
    if (!facts)
        return std::unexpected(facts.error());
    std::vector<insight::alarm_state> all;
    for (const auto& [name, value] : *facts)
        if (auto state = insight::alarm_state::parse(value))
            all.push_back(std::move(*state));
    return all;
}

} // namespace mailtight::app
