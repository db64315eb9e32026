// SPDX-License-Identifier: Apache-2.0
#include "insight/alarms.h"

#include "advise/words.h"
#include "base/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

namespace mailtight::insight {

namespace {

using namespace std::chrono;
using advise::grouped;

constexpr int looked_at_days = 2;
constexpr std::size_t kinds_told = 20; // of new failures of one domain: a report can name a million

/// Names come from reports: a key stays short, printable, and its parts apart.
std::string key_of(std::string_view kind, std::initializer_list<std::string_view> parts) {
    constexpr std::size_t part_bytes = 120;
    std::string key(kind);
    for (const auto part : parts) {
        std::string shown = base::printable(part, part_bytes);
        std::ranges::replace(shown, '/', '_');
        key += '/';
        key += shown.empty() ? "-" : shown;
    }
    return key;
}

std::string at(const std::string& mx) {
    return mx.empty() ? "" : " at " + base::printable(mx, 253);
}

/// Mail that waits weighs more than mail that comes; what one sender of several sees weighs less.
weight weight_of(const failure_group& group) {
    const bool one_of_several = group.reporters.size() == 1 && group.reporters_fine >= 2;
    if (group.held_back > 0)
        return one_of_several ? weight::warning : weight::error;
    return one_of_several ? weight::info : weight::warning;
}

/// The same failure for a person, whatever reason each sender gives.
using kind_of_failure = std::tuple<std::string, std::string>;
kind_of_failure kind_of(const failure_group& group) {
    return {group.result_type, group.mx};
}

/// How many of the failed sessions are of kinds that are new this week. A kind is new for a week, not only
/// until a report of it is three days old: reports come late, and a daemon that was away has told nothing.
std::uint64_t new_failures(const alarm_inputs& facts, day today, std::vector<alarm>& out) {
    std::uint64_t sessions = 0;
    std::set<kind_of_failure> old;
    for (const auto& group : facts.failures_before)
        if (group.first < today - days(7))
            old.insert(kind_of(group));
    const auto is_active = [&](const failure_group& group) {
        return std::ranges::find(facts.active, failure_alarm_key(facts.domain, group.result_type,
                                                                 group.mx)) != facts.active.end();
    };
    // What was told and goes on keeps its place, however many kinds a flood of reports makes up.
    std::set<kind_of_failure> going_on;
    for (const auto& group : facts.failures)
        if (group.diagnosis.ours && is_active(group))
            going_on.insert(kind_of(group));
    std::size_t room = kinds_told - std::min(kinds_told, going_on.size());
    std::set<kind_of_failure> told;
    for (const auto& group : facts.failures) {
        if (!old.contains(kind_of(group)))
            sessions += group.count;
        if (!group.diagnosis.ours || !told.insert(kind_of(group)).second)
            continue;
        if (!going_on.contains(kind_of(group))) {
            if (old.contains(kind_of(group)) || room == 0)
                continue;
            --room;
        }
        alarm made;
        made.key = failure_alarm_key(facts.domain, group.result_type, group.mx);
        made.kind = "new-failure";
        made.domain = facts.domain;
        made.weight = weight_of(group);
        made.title = group.diagnosis.title + at(group.mx);
        made.text =
            fmt::format("{} of {} since {}, reported by {}. {}", advise::count(group.count, "failed session"),
                        facts.domain, advise::day_words(group.first), advise::list(group.reporters, 4),
                        group.diagnosis.cause);
        if (!group.diagnosis.who.empty())
            made.text += " " + group.diagnosis.who;
        made.fix = group.diagnosis.fix;
        out.push_back(std::move(made));
    }
    return sessions;
}

struct sums {
    std::uint64_t success = 0, failure = 0;
};
sums last_days(const alarm_inputs& facts, day today) {
    sums total;
    for (const auto& row : facts.days)
        if (row.day >= today - days(looked_at_days) && row.day <= today) {
            total.success += row.success;
            total.failure += row.failure;
        }
    return total;
}

std::string usual_words(const baseline& usual) {
    constexpr std::uint64_t parts = 1'000'000;
    return advise::share_words(static_cast<std::uint64_t>(usual.usual_share * parts), parts);
}

/// The share over its threshold, or else three times what is usual: one alarm, not both. A rise that new
/// kinds of failure explain has been told with them.
void shares(const alarm_inputs& facts, const alarm_thresholds& thresholds, day today,
            std::uint64_t of_new_kinds, std::vector<alarm>& out) {
    const sums now = last_days(facts, today);
    const std::uint64_t all = now.success + now.failure;
    if (all < std::max<std::uint64_t>(thresholds.sessions_least, 1))
        return;
    const double share = static_cast<double>(now.failure) / static_cast<double>(all);
    const baseline usual = against_baseline(facts.days, today);
    const std::string counts =
        fmt::format("{} of {} sessions of {} failed in the last days ({})", grouped(now.failure),
                    grouped(all), facts.domain, advise::share_words(now.failure, all));
    alarm made;
    made.domain = facts.domain;
    made.fix = "mailtight report failures says what failed where, and what to do.";
    if (share >= thresholds.share) {
        made.key = key_of("failure-share", {facts.domain});
        made.kind = "failure-share";
        made.weight = share < 0.5 ? weight::warning : weight::error;
        made.title = fmt::format("{} of the sessions fail", advise::share_words(now.failure, all));
        made.text = fmt::format("{}; usual is {}.", counts, usual_words(usual));
    } else if (usual.above && of_new_kinds < now.failure / 2) {
        made.key = key_of("above-baseline", {facts.domain});
        made.kind = "above-baseline";
        made.weight = weight::warning;
        made.title = "More sessions fail than usual";
        made.text = fmt::format("{}; over the four weeks before, it was {}.", counts, usual_words(usual));
    } else
        return;
    out.push_back(std::move(made));
}

void many_reporters(const alarm_inputs& facts, const alarm_thresholds& thresholds, std::vector<alarm>& out) {
    std::map<std::string, std::set<std::string>> reporters;
    std::map<std::string, const failure_group*> worst;
    for (const auto& group : facts.failures) {
        if (group.mx.empty() || !group.diagnosis.ours)
            continue;
        reporters[group.mx].insert(group.reporters.begin(), group.reporters.end());
        auto& first = worst[group.mx];
        if (!first || group.count > first->count)
            first = &group;
    }
    for (const auto& [mx, names] : reporters) {
        if (names.size() < thresholds.many_reporters)
            continue;
        const auto& said = worst[mx]->diagnosis;
        alarm made;
        made.key = key_of("many-reporters", {facts.domain, mx});
        made.kind = "many-reporters";
        made.domain = facts.domain;
        made.weight = weight::error;
        made.title = fmt::format("{} reporters see failures{}", names.size(), at(mx));
        made.text = fmt::format("{} see it, so the fault is most likely on this side. {}: {}",
                                advise::list({names.begin(), names.end()}, 5), said.title, said.cause);
        made.fix = said.fix;
        out.push_back(std::move(made));
    }
}

void nothing_arriving(const alarm_inputs& facts, const alarm_thresholds& thresholds, day today,
                      std::vector<alarm>& out) {
    // A domain that never had a report has nothing that could have stopped; why_silent() answers for it.
    if (!facts.expects_reports || !facts.last_report ||
        today - *facts.last_report <= days(thresholds.silent_days))
        return;
    alarm made;
    made.key = key_of("nothing-arriving", {facts.domain});
    made.kind = "nothing-arriving";
    made.domain = facts.domain;
    made.title = fmt::format("No reports for {} days", (today - *facts.last_report).count());
    made.text = fmt::format("The last report about {} is of {}. Failures would go unseen.", facts.domain,
                            advise::day_words(*facts.last_report));
    made.fix =
        fmt::format("mailtight report test {} sends a report and follows it into the store.", facts.domain);
    out.push_back(std::move(made));
}

} // namespace

std::string failure_alarm_key(std::string_view domain, std::string_view result_type, std::string_view mx) {
    return key_of("new-failure", {domain, result_type, mx});
}

std::string failure_alarm_prefix(std::string_view domain, std::string_view result_type) {
    return (result_type.empty() ? key_of("new-failure", {domain})
                                : key_of("new-failure", {domain, result_type})) +
           "/";
}

std::vector<alarm> alarms_now(const alarm_inputs& facts, const alarm_thresholds& thresholds,
                              base::utc_seconds now) {
    const day today = floor<days>(now);
    std::vector<alarm> out;
    const std::uint64_t of_new_kinds = new_failures(facts, today, out);
    shares(facts, thresholds, today, of_new_kinds, out);
    many_reporters(facts, thresholds, out);
    nothing_arriving(facts, thresholds, today, out);
    return out;
}

} // namespace mailtight::insight
