// SPDX-License-Identifier: Apache-2.0
// From wherever the domain is to testing or enforce: what the policy of today lacks is published at once, and
// what may only come later follows as steps that wait.
#include "plan/publication.h"

#include "plan/change_steps.h"
#include "plan/course.h"
#include "plan/held.h"
#include "plan/mx_move.h"
#include "plan/say.h"
#include "plan/setup_steps.h"

#include <fmt/format.h>

#include <algorithm>

namespace mailtight::plan {
namespace {

using so = step_list::so;

void add_evidence(const picture& p, step_list& list, const course& way) {
    step one{.kind = step_kind::evidence,
             .title = "Reports and checks speak for enforce",
             .why = p.evidence.sentence};
    if (p.told("forced")) {
        one.why = fmt::format("Forced on {} by {}: {}", say_day(p.wish.marks.at("forced").at),
                              p.wish.marks.at("forced").by, p.wish.marks.at("forced").text);
    } else if (!way.may_enforce) {
        for (const auto& reason : p.evidence.reasons)
            if (!reason.met)
                one.blocked += (one.blocked.empty() ? "" : " ") + reason.text;
        if (one.why.empty())
            one.why = "In testing, senders deliver in any case and report what enforce would have refused.";
    }
    list.add(std::move(one), way.may_enforce ? so::done : so::waits);
}

std::string body_with(const change& now, sts::mode mode, std::uint64_t max_age) {
    auto next = now.policy;
    next.mode = mode;
    next.max_age = max_age;
    return sts::format_policy(next).value_or("");
}

/// Enforce, and then each rung of the ladder: what is to come, with its dates as far as they are known.
void add_raises(const picture& p, step_list& list, const course& way, const mx_choice& mx,
                const change& now) {
    if (!way.enforce_wished)
        return;
    const auto verdict = judge_mx(p, mx);
    const bool in_enforce = way.mode == sts::mode::enforce;
    if (!in_enforce) {
        add_evidence(p, list, way);
        if (!verdict.passes && p.announced()) // else the first publication has this step
            list.add({.kind = step_kind::check_mx,
                      .by = step_actor::person,
                      .title = "Every MX host passes",
                      .why = "In enforce, senders deliver no mail to an MX host that does not.",
                      .how = how_to_pass(p, verdict),
                      .host = verdict.failing.empty() ? "" : verdict.failing.front(),
                      .blocked = verdict.why},
                     p.seen.mx_known ? so::ready : so::waits);
    }
    auto due = way.next_rung_at;
    bool first = !in_enforce, explained = false;
    for (const auto rung : way.rungs) {
        step one{.kind = step_kind::serve_policy,
                 .by = list.who_serves(),
                 .title = fmt::format("{} max_age {} ({})", first ? "Go to enforce:" : "Raise to", rung,
                                      say_length(rung)),
                 .policy = body_with(now, sts::mode::enforce, rung)};
        if (first) {
            one.by = list.who_decides(one.by);
            one.why = "A short max_age first: a mistake would not bind senders for long.";
        } else {
            if (!explained) // 8461-10.2-a
                one.why = "The longer senders remember the policy, the harder it is to hide it from them.";
            explained = true;
            one.not_before = due;
            one.until_words = "the max_age before has proven itself";
        }
        if (!verdict.passes)
            one.blocked = verdict.why;
        list.add(std::move(one), so::waits);
        if (due)
            *due += p.options.ladder_step;
        first = false;
    }
}

/// In enforce, a fault of an MX host means mail refused: now, or when its neighbours fail.
void add_mending(const picture& p, step_list& list, const mx_choice& mx) {
    if (!p.in_force || p.in_force->mode != sts::mode::enforce || !p.announced())
        return;
    for (const auto& one : mail_hosts(p)) {
        if (one.passes.value_or(true))
            continue;
        // What was seen is long, and stands below the fault.
        const auto fault = one.why.substr(0, one.why.find(": "));
        const auto seen = fault.size() < one.why.size() ? " Seen: " + one.why.substr(fault.size() + 2) : "";
        list.add({.kind = step_kind::mend,
                  .by = step_actor::person,
                  .title = fmt::format("Fix {}: {}", one.host, fault),
                  .why = "Senders that hold the enforce policy deliver no mail to it." + seen,
                  .how = fmt::format(
                      "Run: mailtight check {}\n"
                      "If that takes longer: mailtight domain set {} --pause\n"
                      "It goes back to testing, and most senders follow within a day. One that never looks "
                      "at the id may refuse until {}.",
                      p.wish.domain, p.wish.domain, say_moment(enforced_until(p))),
                  .host = one.host},
                 so::ready, true);
    }
    for (const auto& host : mx.unlisted)
        list.add({.kind = step_kind::mend,
                  .by = step_actor::person,
                  .title = fmt::format("Decide about {}: it is an MX host, but not in your list", host),
                  .why = "Senders that hold the enforce policy deliver no mail to it.",
                  .how = "Add it to the list of MX hosts, or remove its MX record.",
                  .host = host},
                 so::ready, true);
}

bool nothing_there(const picture& p) {
    return !p.serving && !p.record_stands();
}

} // namespace

void plan_publication(const picture& p, step_list& list, plan& out) {
    const auto mx = choose_mx(p);
    add_warnings(p, out);
    if (p.seen.null_mx && nothing_there(p)) {
        out.warnings.push_back(
            fmt::format("{} says that it takes no mail (null MX): it needs no policy. Nothing "
                        "is published.",
                        p.wish.domain));
        return;
    }
    if (p.seen.null_mx)
        list.add({.kind = step_kind::mend,
                  .by = step_actor::person,
                  .title = "Decide: the domain says that it takes no mail (null MX)",
                  .why = "The policy stays as it is until you decide; DNS alone is no reason to withdraw it.",
                  .how = "If that is meant, switch MTA-STS off for this domain. If not, fix the MX records."},
                 so::ready, true);
    const bool established = p.announced();
    const auto way = choose_course(p, mx);
    const auto now = want(p, {way.mode, way.max_age, mx.patterns, {}}, mx);
    add_report_steps(p, list, established);
    add_host_steps(p, list, established);
    add_change_steps(p, list, now, mx);
    add_mending(p, list, mx);
    add_move_steps(p, list, mx, false);
    add_shrink_step(list, mx);
    add_raises(p, list, way, mx, now);
}

} // namespace mailtight::plan
