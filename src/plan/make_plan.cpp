// SPDX-License-Identifier: Apache-2.0
// The single entry: look, choose the way, sum up.
#include "plan/publication.h"
#include "plan/say.h"

#include <fmt/format.h>

#include <algorithm>

namespace mailtight::plan {
namespace {

using namespace std::chrono;

constexpr auto least_testing = days(14); // before which no evidence speaks for enforce

std::string where_it_is(const picture& p) {
    if (!p.in_force)
        return p.record_stands() ? "a record without a policy" : "nothing published";
    if (!p.announced())
        return fmt::format("{}, not announced", say_policy(*p.in_force));
    const auto since = p.in_force->mode == sts::mode::enforce   ? p.past.enforce_since
                       : p.in_force->mode == sts::mode::testing ? p.past.testing_since
                                                                : std::nullopt;
    return say_policy(*p.in_force) + (since ? ", since " + say_day(*since) : "");
}

std::string where_it_goes(const picture& p) {
    switch (p.wish.aim) {
    case model::aim::off:
        return "off";
    case model::aim::testing:
        return "testing";
    case model::aim::enforce:
        break;
    }
    return p.wish.paused ? "testing (paused)" : "enforce";
}

/// When a step that waits is worth another look.
std::optional<base::utc_seconds> look_again(const picture& p, const step& one) {
    if (one.not_before && *one.not_before > p.now)
        return one.not_before;
    if (one.kind == step_kind::evidence) {
        const auto tomorrow = p.now + days(1);
        return p.past.testing_since
                   ? std::max<base::utc_seconds>(tomorrow, *p.past.testing_since + least_testing)
                   : tomorrow;
    }
    return std::nullopt;
}

/// What carrying out met, at the step that it was.
void add_last_try(const picture& p, plan& out) {
    const auto& tried = p.past.last_try;
    if (!tried)
        return;
    const auto found = std::ranges::find_if(out.steps, [&](const step& one) {
        return to_string(one.kind) == tried->kind && one.state != step_state::done &&
               one.state != step_state::later;
    });
    if (found != out.steps.end())
        found->last_try = tried;
}

void sum_up(const picture& p, plan& out) {
    out.finished = out.next() == nullptr;
    for (const auto& one : out.steps)
        if (one.state == step_state::waiting)
            if (const auto at = look_again(p, one))
                out.come_back = std::min(out.come_back.value_or(*at), *at);
    const bool idle =
        std::ranges::none_of(out.steps, [](const step& one) { return one.state == step_state::now; });
    if (idle && out.come_back)
        out.steps.push_back({.kind = step_kind::come_back,
                             .state = step_state::waiting,
                             .by = step_actor::person,
                             .title = "Come back on " + say_moment(*out.come_back),
                             .why = "Nothing is to be done until then.",
                             .not_before = out.come_back});
}

} // namespace

plan make_plan(const model::looked_after& wish, const situation& seen, const remembered& past,
               const model::enforce_evidence& evidence, base::utc_seconds now, const plan_options& options) {
    const auto p = look(wish, seen, past, evidence, now, options);
    plan out{
        .domain = wish.domain, .from = where_it_is(p), .to = where_it_goes(p), .steps = {}, .warnings = {}};
    step_list list(p);
    if (wish.aim == model::aim::off)
        plan_removal(p, list, out);
    else
        plan_publication(p, list, out);
    out.steps = list.take();
    add_last_try(p, out);
    sum_up(p, out);
    return out;
}

} // namespace mailtight::plan
