// SPDX-License-Identifier: Apache-2.0
// Every reason is looked at, so that a person sees all that is missing at once.
#include "insight/readiness.h"

#include "advise/words.h"
#include "base/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>

namespace mailtight::insight {

namespace {

using namespace std::chrono;
using advise::grouped;
using reason = readiness::reason;

constexpr auto testing_least = days(14);
constexpr std::size_t reporters_least = 2;

/// Failures that would not keep mail away in enforce: the policy is mended already, the host is gone, or the
/// sender asks for more than MTA-STS.
constexpr std::array<std::string_view, 3> harmless_rules{"mx-in-policy-since", "mx-former", "dane-required"};

bool explained(const failure_group& group) {
    return std::ranges::find(harmless_rules, group.diagnosis.rule) != harmless_rules.end();
}

reason days_in_testing(const readiness_facts& facts, base::utc_seconds now) {
    if (!facts.testing_since)
        return {false, "days-in-testing", "Since when the policy is in testing is not known.", false};
    const auto length = floor<days>(now - *facts.testing_since);
    const std::string since = advise::day_words(*facts.testing_since);
    if (length >= testing_least)
        return {true, "days-in-testing", fmt::format("In testing since {}: {} days.", since, length.count())};
    return {false, "days-in-testing",
            fmt::format("In testing since {}: {} of {} days. Look again on {}.", since,
                        std::max(length.count(), days::rep{0}), testing_least.count(),
                        advise::day_words(*facts.testing_since + testing_least))};
}

reason two_reporters(const readiness_facts& facts) {
    std::vector<std::string> verified, others, elsewhere;
    for (const auto& one : facts.reporters) {
        if (one.success + one.failure == 0)
            continue;
        const bool saw = std::ranges::find(facts.seen.reporters, one.reporter) != facts.seen.reporters.end();
        auto& to = !saw ? elsewhere : one.verified ? verified : others;
        const std::string name = one.organization.empty() ? one.reporter : one.organization;
        if (std::ranges::find(to, name) == to.end())
            to.push_back(name);
    }
    std::string also = others.empty() ? ""
                                      : fmt::format(" {}: reports came, none of them verified by DKIM.",
                                                    advise::list(others, 5));
    if (!elsewhere.empty())
        also += fmt::format(" {}: reports came, of no session under the MTA-STS policy.",
                            advise::list(elsewhere, 5));
    if (verified.size() >= reporters_least)
        return {true, "two-reporters",
                fmt::format("{} verified reporters: {}.", verified.size(), advise::list(verified, 5))};
    if (verified.size() == 1)
        return {
            false, "two-reporters",
            fmt::format("Only {} has sent verified reports; one more is wanted.{}", verified.front(), also)};
    return {false, "two-reporters",
            fmt::format("No verified reports in the last 30 days; those of {} reporters are wanted.{}",
                        reporters_least, also)};
}

std::string sessions_words(std::uint64_t count) {
    return fmt::format("{} {}", grouped(count), count == 1 ? "session" : "sessions");
}

reason sessions(const readiness_facts& facts) {
    if (facts.sessions == 0)
        return {false, "sessions", "Reports tell of no sessions in the last 14 days."};
    if (facts.seen.sessions == 0)
        return {false, "sessions",
                fmt::format("Reports tell of {} in the last 14 days, of none under the MTA-STS policy: their "
                            "senders saw no policy, or went by DANE.",
                            sessions_words(facts.sessions))};
    return {true, "sessions", fmt::format("{} in the last 14 days.", sessions_words(facts.seen.sessions))};
}

reason no_failures(const readiness_facts& facts) {
    if (facts.failed == 0 && facts.failures.empty() && facts.seen.undescribed == 0)
        return {true, "no-failures", "No failed session in the last 14 days."};
    std::vector<std::string> open;
    std::uint64_t told = 0;
    for (const auto& group : facts.failures) {
        told += group.count;
        if (!explained(group))
            open.push_back(fmt::format("{} ({}, {})", group.diagnosis.title,
                                       group.mx.empty() ? group.result_type : group.mx,
                                       advise::count(group.count, "session")));
    }
    // What one reporter describes too often does not describe what another leaves out.
    if (const auto silent = std::max(facts.failed - std::min(told, facts.failed), facts.seen.undescribed))
        open.push_back(advise::count(silent, "session") + " that no reporter describes");
    if (open.empty())
        return {true, "no-failures",
                fmt::format("{} failed sessions, all of them explained and past.", grouped(facts.failed))};
    return {false, "no-failures",
            fmt::format("Failed sessions in the last 14 days that enforce would turn into waiting mail: {}.",
                        advise::list(open, 4))};
}

/// True where every failure that was reported at this host is explained.
bool only_explained(const readiness_facts& facts, const std::string& host) {
    bool any = false;
    for (const auto& group : facts.failures)
        if (base::iequals(group.mx, host)) {
            any = true;
            if (!explained(group))
                return false;
        }
    return any;
}

reason mx_hosts(const readiness_facts& facts) {
    if (facts.mx_today.empty())
        return {false, "mx-hosts", "The MX hosts of today are not known.", false};
    std::vector<std::string> failing;
    for (const auto& host : facts.mx_today)
        if (!only_explained(facts, host) &&
            std::ranges::any_of(facts.mx_seen_failing,
                                [&](const std::string& seen) { return base::iequals(seen, host); }))
            failing.push_back(host);
    if (!failing.empty())
        return {false, "mx-hosts",
                fmt::format("Reports name {} among the failures.", advise::list(failing, 4))};
    return {
        true, "mx-hosts",
        fmt::format("No report names {} among the failures. (Reports name an MX host only where it fails.)",
                    advise::list(facts.mx_today, 4))};
}

reason check_green(const readiness_facts& facts) {
    if (!facts.check_green)
        return {false, "check-green", "The mail servers were not checked lately: run 'mailtight check'.",
                false};
    return *facts.check_green
               ? reason{true, "check-green",
                        "The last check found every mail server right and in the policy."}
               : reason{false, "check-green",
                        "The last check found faults: run 'mailtight check' and fix them first."};
}

} // namespace

under_policy under_policy_of(std::span<const store::reporter_day_row> days,
                             std::span<const store::failure_row> failures, store::day recent) {
    struct reporter {
        std::uint64_t failed = 0, described = 0;
        std::optional<store::day> last_without, since, last;
        bool saw = false;
    };
    std::map<std::string, reporter> all;
    under_policy made;
    for (const auto& row : days) { // in the order of days, each reporter's
        auto& one = all[row.reporter];
        const auto sessions = row.sts_success + row.sts_failure;
        if (sessions == 0) {
            if (row.none_success + row.none_failure > 0) {
                one.last_without = row.day;
                one.since.reset();
            }
            continue;
        }
        one.saw = true;
        one.since = one.since.value_or(row.day);
        one.last = row.day;
        if (row.day < recent)
            continue;
        made.sessions += sessions;
        one.failed += row.sts_failure;
    }
    for (const auto& row : failures)
        if (row.policy_type == "sts")
            all[row.reporter].described += row.count;
    bool broken = true;
    for (const auto& [name, one] : all) {
        made.undescribed += one.failed - std::min(one.described, one.failed);
        if (!one.saw)
            continue;
        made.reporters.push_back(name);
        if (!one.since || *one.last < recent)
            continue; // sees it no more, or did not say so lately
        if (one.last_without)
            made.again_since = std::min(made.again_since.value_or(*one.since), *one.since);
        else
            broken = false;
    }
    if (!broken)
        made.again_since.reset();
    return made;
}

bool speaks_against_enforce(const failure_group& group) {
    return group.policy_type == "sts" && group.diagnosis.ours && !explained(group) &&
           group.diagnosis.still_so.value_or(true);
}

readiness ready_to_enforce(const readiness_facts& facts, base::utc_seconds now) {
    readiness made;
    made.reasons = {days_in_testing(facts, now), two_reporters(facts), sessions(facts),
                    no_failures(facts),          mx_hosts(facts),      check_green(facts)};
    const auto missing =
        std::ranges::count_if(made.reasons, [](const reason& r) { return r.known && !r.met; });
    const auto unknown = std::ranges::count_if(made.reasons, [](const reason& r) { return !r.known; });
    if (missing > 0)
        made.ready = false;
    else if (unknown == 0)
        made.ready = true;

    const auto first = [&](auto which) {
        const auto at = std::ranges::find_if(made.reasons, which);
        return at == made.reasons.end() ? std::string() : at->text;
    };
    if (made.ready == true)
        made.sentence = "Ready for enforce: nothing that reports or the last check show speaks against it.";
    else if (made.ready == false)
        made.sentence = fmt::format("Not yet ready for enforce: {}{}",
                                    first([](const reason& r) { return r.known && !r.met; }),
                                    missing > 1 ? fmt::format(" And {} more.", missing - 1) : "");
    else
        made.sentence = "Whether it is ready for enforce cannot be said: " +
                        first([](const reason& r) { return !r.known; });
    return made;
}

} // namespace mailtight::insight
