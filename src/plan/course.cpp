// SPDX-License-Identifier: Apache-2.0
#include "plan/course.h"

#include "plan/say.h"
#include "sts/match.h"

#include <fmt/format.h>

#include <algorithm>

namespace mailtight::plan {
namespace {

constexpr std::uint64_t week = 604'800, two_weeks = 1'209'600, longest = 31'557'600;

/// In testing one to two weeks (8461-10.2-a, the administrator guides); what is within that stays as it is.
std::uint64_t testing_age(const picture& p) {
    if (p.wish.max_age)
        return std::clamp(*p.wish.max_age, week, two_weeks);
    const bool fine = p.standing && p.standing->mode == sts::mode::testing && p.standing->max_age >= week &&
                      p.standing->max_age <= two_weeks;
    return fine ? p.standing->max_age : p.options.testing_max_age;
}

/// The ladder of enforce, its last rung the one that is wished for (8461-10.2-a).
std::vector<std::uint64_t> ladder(const picture& p) {
    auto rungs = p.options.ladder;
    if (p.wish.max_age) {
        const auto last = std::min(*p.wish.max_age, longest);
        std::erase_if(rungs, [&](std::uint64_t one) { return one >= last; });
        rungs.push_back(last);
    }
    if (rungs.empty())
        rungs.push_back(week);
    std::ranges::sort(rungs);
    return rungs;
}

/// Since when the policies in a row are in enforce and remembered at least as long as the one of today.
std::optional<base::utc_seconds> on_rung_since(const picture& p, std::uint64_t max_age) {
    std::optional<base::utc_seconds> since;
    for (const held& one : p.senders)
        if (one.enforces() && one.entry.max_age >= max_age)
            since = since.value_or(one.entry.first_served);
        else
            since.reset();
    return since;
}

void climb(const picture& p, const mx_choice& mx, course& out) {
    const auto rungs = ladder(p);
    out.max_age = p.standing->max_age;
    if (p.wish.max_age && out.max_age > std::min(*p.wish.max_age, longest)) {
        out.max_age = std::min(*p.wish.max_age, longest);
        return;
    }
    if (p.wish.host == model::hosting::delegated)
        return; // the provider's own choice
    std::ranges::copy_if(rungs, std::back_inserter(out.rungs),
                         [&](std::uint64_t one) { return one > out.max_age; });
    if (out.rungs.empty())
        return;
    out.next_rung_at = on_rung_since(p, out.max_age).value_or(p.now) + p.options.ladder_step;
    if (p.now < *out.next_rung_at || mx.moving() || !record_settled(p) || !judge_mx(p, mx).passes)
        return;
    out.max_age = out.rungs.front();
    out.rungs.erase(out.rungs.begin());
    out.next_rung_at = p.now + p.options.ladder_step;
}

} // namespace

bool record_settled(const picture& p) {
    return id_in_step(p) && p.seen.sts.on_all_servers;
}

mx_verdict judge_mx(const picture& p, const mx_choice& mx) {
    if (!p.seen.mx_known)
        return {.why = "DNS gave no answer for the MX records."};
    if (p.seen.null_mx)
        return {.why = "The domain says that it takes no mail (null MX)."};
    mx_verdict out{.passes = true};
    std::size_t usable = 0;
    const auto fault = [&](const std::string& host, const std::string& why, bool untested) {
        out.untested = untested && (out.failing.empty() || out.untested);
        if (out.failing.empty())
            out.why = fmt::format("{}: {}.", host, why.empty() ? "does not pass" : why);
        out.failing.push_back(host);
        out.passes = false;
    };
    for (const auto& one : mail_hosts(p)) {
        if (!sts::admitted_by(mx.patterns, one.host)) {
            fault(one.host, "the list of MX hosts does not admit it", false);
            continue;
        }
        usable += one.passes.value_or(true) ? 1 : 0;
        if (!one.passes.value_or(p.told("checked-mx")))
            fault(one.host, one.passes ? one.why : "not tested, " + one.why, !one.passes);
    }
    // A person may know better than a test about one host, but where none passes, all mail would be refused.
    if (p.told("forced") && usable > 0)
        out.passes = true;
    return out;
}

std::string how_to_pass(const picture& p, const mx_verdict& verdict) {
    auto how = fmt::format("Run: mailtight check {}\nIt names each fault and how to fix it.", p.wish.domain);
    if (verdict.untested)
        how +=
            fmt::format("\nWhere port 25 cannot be reached from here, run it on a machine that can; if the "
                        "mail servers are in order there, say so: mailtight plan {} --said checked-mx",
                        p.wish.domain);
    return how;
}

course choose_course(const picture& p, const mx_choice& mx) {
    course out{.max_age = testing_age(p)};
    out.enforce_wished = p.wish.aim == model::aim::enforce && !p.wish.paused;
    out.may_enforce = p.evidence.ready.value_or(false) || p.told("forced");
    if (!out.enforce_wished)
        return out;
    // A record that is gone or not to be seen today takes nothing back either.
    const bool known_to_senders = p.ours || !p.record_absent() ||
                                  (p.serving && !p.senders.empty() && !p.senders.back().entry.ids.empty());
    if (p.standing && p.standing->mode == sts::mode::enforce && known_to_senders) {
        out.mode = sts::mode::enforce; // never back to testing by itself
        climb(p, mx, out);
        return out;
    }
    out.rungs = ladder(p);
    const bool tested = p.in_force && p.in_force->mode == sts::mode::testing && record_settled(p);
    if (!tested || !out.may_enforce || mx.moving() || !judge_mx(p, mx).passes)
        return out;
    out.mode = sts::mode::enforce;
    out.max_age = p.wish.host == model::hosting::delegated ? p.in_force->max_age : out.rungs.front();
    out.rungs.erase(out.rungs.begin());
    return out;
}

} // namespace mailtight::plan
