// SPDX-License-Identifier: Apache-2.0
#include "plan/held.h"
#include "plan/mx_move.h"
#include "plan/publication.h"
#include "plan/say.h"

#include <fmt/format.h>

#include <algorithm>

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

void warn_of_evidence_against(const picture& p, plan& out) {
    const bool enforced = p.announced() && p.in_force->mode == sts::mode::enforce;
    if (enforced && p.wish.aim == model::aim::enforce && !p.wish.paused && p.evidence.ready == false)
        out.warnings.push_back(fmt::format(
            "The policy is in enforce, and TLS reports or checks show that it holds mail back. It "
            "stays in enforce until you step back to testing: mailtight domain set {} --pause. {}",
            p.wish.domain, p.evidence.sentence));
}

} // namespace

void add_warnings(const picture& p, plan& out) {
    warn_of_foreign_policy(p, out);
    warn_of_unknown_past(p, out);
    warn_of_weakening(p, out);
    warn_of_force(p, out);
    warn_of_evidence_against(p, out);
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
