// SPDX-License-Identifier: Apache-2.0
#include "app/report_facts.h"

#include <algorithm>
#include <tuple>

namespace mailtight::app {

namespace {

using std::chrono::days;

store::filter about(const std::string& domain, store::day from, store::day to) {
    return {.domains = {domain}, .reporters = {}, .result_type = {}, .mx = {}, .from = from, .to = to};
}

bool says_mode(const store::policy_row& row, std::string_view mode) {
    return row.type == "sts" && std::ranges::any_of(row.strings, [&](const std::string& line) {
               return line.starts_with("mode:") && line.find(mode) != std::string::npos;
           });
}

} // namespace

store::day day_of(base::utc_seconds at) {
    return std::chrono::floor<days>(at);
}

store::result<std::vector<insight::failure_group>>
failure_groups(store::store& from, const store::filter& of, const std::vector<std::string>& mx_today,
               const std::optional<std::string>& policy_today) {
    auto rows = from.failures(of);
    if (!rows)
        return std::unexpected(rows.error());
    // Who else reports is asked without the narrowing to one failure, else nobody would be fine.
    store::filter wide = of;
    wide.result_type.clear();
    wide.mx.clear();
    wide.reporters.clear();
    auto reporters = from.reporters(wide);
    if (!reporters)
        return std::unexpected(reporters.error());
    auto policies = from.policies(wide);
    if (!policies)
        return std::unexpected(policies.error());
    // Groups are made a domain: what one domain's reporters see says nothing of another's.
    std::vector<insight::failure_group> groups;
    std::vector<std::string> domains;
    for (const auto& row : *rows)
        if (std::ranges::find(domains, row.domain) == domains.end())
            domains.push_back(row.domain);
    for (const auto& domain : domains) {
        auto mine = [&](const auto& all) {
            auto copy = all;
            std::erase_if(copy, [&](const auto& row) { return row.domain != domain; });
            return copy;
        };
        auto some =
            insight::group_failures(mine(*rows), mine(*reporters), mine(*policies), mx_today, policy_today);
        groups.insert(groups.end(), some.begin(), some.end());
    }
    std::ranges::sort(groups, [](const auto& a, const auto& b) {
        return std::tie(b.count, a.domain, a.result_type, a.mx) <
               std::tie(a.count, b.domain, b.result_type, b.mx);
    });
    return groups;
}

store::result<insight::alarm_inputs> alarm_inputs(store::store& from, const std::string& domain,
                                                  store::day today) {
    insight::alarm_inputs facts;
    facts.domain = domain;
    auto rows = from.days(about(domain, today - days(31), today));
    if (!rows)
        return std::unexpected(rows.error());
    facts.days = std::move(*rows);
    auto now = failure_groups(from, about(domain, today - days(2), today));
    if (!now)
        return std::unexpected(now.error());
    facts.failures = std::move(*now);
    auto before = failure_groups(from, about(domain, today - days(31), today - days(3)));
    if (!before)
        return std::unexpected(before.error());
    facts.failures_before = std::move(*before);
    auto reporters = from.reporters({.domains = {domain}, .reporters = {}, .result_type = {}, .mx = {}});
    if (!reporters)
        return std::unexpected(reporters.error());
    for (const auto& row : *reporters) {
        facts.first_report = std::min(facts.first_report.value_or(row.first), row.first);
        facts.last_report = std::max(facts.last_report.value_or(row.last), row.last);
    }
    return facts;
}

store::result<insight::readiness> readiness(store::store& from, const std::string& domain,
                                            base::utc_seconds now, const live_facts& live) {
    const auto today = day_of(now);
    insight::readiness_facts facts;
    facts.mx_today = live.mx_today;
    facts.check_green = live.check_green;
    auto reporters = from.reporters(about(domain, today - days(30), today));
    if (!reporters)
        return std::unexpected(reporters.error());
    facts.reporters = std::move(*reporters);
    auto failures =
        failure_groups(from, about(domain, today - days(14), today), live.mx_today, live.policy_today);
    if (!failures)
        return std::unexpected(failures.error());
    facts.failures = std::move(*failures);
    for (const auto& group : facts.failures)
        if (!group.mx.empty() &&
            std::ranges::find(facts.mx_seen_failing, group.mx) == facts.mx_seen_failing.end())
            facts.mx_seen_failing.push_back(group.mx);
    auto rows = from.days(about(domain, today - days(14), today));
    if (!rows)
        return std::unexpected(rows.error());
    for (const auto& row : *rows) {
        facts.sessions += row.success + row.failure;
        facts.failed += row.failure;
    }
    // How long it is in testing, as the reporters saw the policy: the first of them counts.
    auto policies = from.policies({.domains = {domain}, .reporters = {}, .result_type = {}, .mx = {}});
    if (!policies)
        return std::unexpected(policies.error());
    for (const auto& row : *policies)
        if (says_mode(row, "testing")) {
            const base::utc_seconds first = row.first;
            facts.testing_since = std::min(facts.testing_since.value_or(first), first);
        }
    return insight::ready_to_enforce(facts, now);
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
        auto ready = readiness(from, domain.name, now);
        if (!ready)
            return std::unexpected(ready.error());
        one.readiness = std::move(*ready);
        all.push_back(std::move(one));
    }
    return insight::write_digest(all, today - days(7), today - days(1));
}

std::pair<std::string, std::string> mute_fact(const insight::mute& what) {
    return {std::string(mute_prefix) + what.key, base::format_utc(what.until) + " " + what.why};
}

std::optional<insight::mute> parse_mute(std::string_view name, std::string_view value) {
    constexpr std::size_t time_size = 20;
    if (!name.starts_with(mute_prefix) || value.size() < time_size)
        return {};
    const auto until = base::parse_utc(value.substr(0, time_size));
    if (!until)
        return {};
    const auto why = value.substr(std::min(value.size(), time_size + 1));
    return insight::mute{std::string(name.substr(mute_prefix.size())), *until, std::string(why)};
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
