// SPDX-License-Identifier: Apache-2.0
#include "base/text.h"
#include "plan/held.h"
#include "plan/mx_move.h"
#include "plan/publication.h"
#include "plan/say.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace mailtight::plan {
namespace {

/// 8461-10.3-a: what others planted is answered by a newer policy of ours, whose id they never had.
void warn_of_foreign_policy(const picture& p, plan& out) {
    if (!p.hosted_here() || !p.seen.policy || known_as_ours(p, *p.seen.policy))
        return;
    const auto read = sts::parse_policy(*p.seen.policy);
    const auto until = latest_end(p, [&](const held& one) { return !one.entry.ours; });
    out.warnings.push_back(fmt::format(
        "At {} senders get a policy that was not published from here{}. Those that fetched it may hold "
        "it until {}. Ours replaces it under an id that was never used.",
        p.url(), read ? fmt::format(" ({})", say_policy(*read)) : "", say_day(until)));
}

void warn_of_unknown_past(const picture& p, plan& out) {
    const auto until = unknown_until(p.past, p.now, p.options);
    if (!until || *until <= p.now || p.wish.aim != model::aim::off)
        return;
    out.warnings.push_back(
        fmt::format("Nobody knows which policies this domain had before. The longest that one "
                    "can be held is {} s, so until {} some sender may still hold one.",
                    p.options.longest_unknown.count(), say_day(*until)));
}

void warn_of_weakening(const picture& p, plan& out) {
    const bool weaker = p.wish.paused || p.wish.aim == model::aim::testing;
    const auto until = enforced_until(p);
    if (p.wish.aim == model::aim::off || !weaker || until <= p.now)
        return;
    auto words = fmt::format("Senders that hold the enforce policy go on refusing until they see the new "
                             "id, most within a day, and {} at the latest.",
                             say_moment(until));
    const bool still = p.standing && p.standing->mode == sts::mode::enforce;
    if (still && !p.wish.paused) // testing is what a domain is added for where nobody names a mode
        words += fmt::format(" If enforce is to stay: mailtight domain set {} --mode enforce", p.wish.domain);
    out.warnings.push_back(std::move(words));
}

void warn_of_force(const picture& p, plan& out) {
    const auto mark = p.wish.marks.find("forced");
    if (mark == p.wish.marks.end() || p.wish.aim != model::aim::enforce)
        return;
    out.warnings.push_back(fmt::format("Enforce was forced by {} on {} without the evidence of reports: {}",
                                       mark->second.by, say_day(mark->second.at), mark->second.text));
}

/// What of the evidence says that enforce holds mail back. That few reports come, or came while it was in
/// testing, is a reason to wait with enforce and none to leave it.
std::string against_enforce(const model::enforce_evidence& evidence) {
    constexpr auto faults = std::to_array<std::string_view>({"no-failures", "mx-hosts", "check-green"});
    std::string words;
    for (const auto& reason : evidence.reasons)
        if (reason.known && !reason.met && std::ranges::find(faults, reason.code) != faults.end())
            words += " " + reason.text;
    return words;
}

void warn_of_evidence_against(const picture& p, plan& out) {
    const bool enforced = p.announced() && p.in_force->mode == sts::mode::enforce;
    if (!enforced || p.wish.aim != model::aim::enforce || p.wish.paused)
        return;
    if (const auto why = against_enforce(p.evidence); !why.empty())
        out.warnings.push_back(fmt::format(
            "The policy is in enforce, and TLS reports or checks show that it holds mail back. It "
            "stays in enforce until you step back to testing: mailtight domain set {} --pause.{}",
            p.wish.domain, why));
}

/// A wish for a host that nothing ever knew is a slip of the keyboard as a rule. One that is gone as wished
/// is known from the policies of before, or from the looks of before.
void warn_of_unknown_leaving(const picture& p, plan& out) {
    if (!p.seen.mx_known)
        return;
    const auto same = [](const std::string& one, const std::string& other) {
        return base::lower(one) == base::lower(other);
    };
    const auto named = [&](const std::vector<std::string>& lines, const std::string& host) {
        return std::ranges::any_of(lines, [&](const auto& line) { return same(line, host); });
    };
    for (const auto& host : p.wish.mx_removing) {
        const bool known =
            std::ranges::any_of(mail_hosts(p), [&](const mx_seen& one) { return same(one.host, host); }) ||
            std::ranges::any_of(p.past.mx_before, [&](const auto& one) { return same(one.host, host); }) ||
            std::ranges::any_of(p.senders, [&](const held& one) { return named(one.mx, host); }) ||
            (p.standing && named(p.standing->mx, host)) || named(p.wish.mx, host);
        if (!known)
            out.warnings.push_back(
                fmt::format("{0} is to go, but {1} has no MX record for it, and its policy "
                            "has no line mx: {0}. Nothing has to be done for it.",
                            host, p.wish.domain));
    }
}

} // namespace

void add_warnings(const picture& p, plan& out) {
    warn_of_foreign_policy(p, out);
    warn_of_unknown_past(p, out);
    warn_of_weakening(p, out);
    warn_of_force(p, out);
    warn_of_evidence_against(p, out);
    warn_of_unknown_leaving(p, out);
    if (!p.seen.mx_known)
        out.warnings.emplace_back(
            "DNS gave no answer for the MX records: nothing is taken out of the policy.");
    if (const auto until = shut_out_until(p))
        out.warnings.push_back(
            fmt::format("Senders may hold an enforce policy that admits none of today's MX hosts, "
                        "until {}. Put one of the MX hosts of before back for so long.",
                        say_moment(*until)));
    if (p.wish.max_age && p.wish.aim != model::aim::off && *p.wish.max_age < 86'400)
        out.warnings.emplace_back(
            "A max_age below 86400 (1 day) is less than the administrator guides allow.");
}

} // namespace mailtight::plan
