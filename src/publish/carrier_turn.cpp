// SPDX-License-Identifier: Apache-2.0
// One domain's turn: look, plan, do the first thing that may be done, and again, until there is nothing left
// to do now. Then when to come back: soon where something failed or is not seen yet, when the plan says so,
// and ever more seldom where a person is asked.
#include "publish/carrier_state.h"

#include <fmt/format.h>

#include <algorithm>

namespace mailtight::publish {
namespace {

using namespace std::chrono_literals;
using base::utc_seconds;

constexpr std::chrono::milliseconds nap{100}; ///< between two tries to get a domain that is in hand
constexpr std::size_t most_steps = 32;        ///< in one turn: a first publication has nine
constexpr std::chrono::seconds first_pause = 30s, longest_pause = 6h;
constexpr std::chrono::seconds person_soon = 10min, person_late = 24h;
/// A domain that is where it should be is watched; this is for what watching cannot see.
constexpr std::chrono::seconds at_rest = std::chrono::days(7);

bool may_be_done(const plan::step& each) {
    return each.state == plan::step_state::now && each.by == plan::step_actor::us && each.blocked.empty();
}

const plan::step* first_action(const plan::plan& what) {
    const auto found = std::ranges::find_if(
        what.steps, [](const plan::step& each) { return may_be_done(each) && is_action(each.kind); });
    return found == what.steps.end() ? nullptr : &*found;
}

/// What we are to see for ourselves and have not yet: a record on every server, a mail server that passes,
/// our own policy, which the host takes up a moment after it was written. That is no reason to ask a person.
const plan::step* not_seen_yet(const plan::plan& what, bool hosted_here) {
    using enum plan::step_kind;
    const auto found = std::ranges::find_if(what.steps, [hosted_here](const plan::step& each) {
        if (each.kind == verify_policy && hosted_here)
            return each.state == plan::step_state::now && each.by == plan::step_actor::us;
        return may_be_done(each) && (each.kind == verify_record || each.kind == check_mx);
    });
    return found == what.steps.end() ? nullptr : &*found;
}

/// What a person is asked for: something to do, to mend, or to allow.
std::optional<memo::asked> question(const thought& known, utc_seconds now) {
    for (const auto& each : known.plan.steps) {
        if (each.state != plan::step_state::now && each.blocked.empty())
            continue;
        if (each.state == plan::step_state::done)
            continue;
        std::string text = each.why, fix = each.how;
        const bool ours = each.by == plan::step_actor::us;
        if (!each.blocked.empty()) {
            text = each.blocked;
        } else if (ours) {
            const auto refused = is_action(each.kind)
                                     ? refused_because(known.wish, known.seen.seen, known.past, each)
                                     : std::string();
            if (refused.empty())
                continue;
            text = fmt::format("{} {}.", each.why, refused);
            fix = fmt::format("mailtight plan {} --do", known.wish.domain);
        }
        return memo::asked{.kind = std::string(plan::to_string(each.kind)),
                           .title = each.title,
                           .text = std::move(text),
                           .fix = std::move(fix),
                           .since = now};
    }
    return std::nullopt;
}

/// The same question keeps the time at which it was first asked.
void ask_person(memo& notes, std::optional<memo::asked> now) {
    if (now && notes.asks && notes.asks->kind == now->kind)
        now->since = notes.asks->since;
    notes.asks = std::move(now);
}

/// For the plan to say, as long as it is still to do.
void note_outcome(holding& mine, const plan::step& what, const effect& done, utc_seconds now) {
    mine.notes.tried.reset();
    if (!done.failed.empty())
        mine.notes.tried = {.kind = std::string(plan::to_string(what.kind)), .at = now, .why = done.failed};
}

} // namespace

std::optional<model::next_step> next_of(const plan::plan& of) {
    const auto* step = of.next();
    if (of.finished || !step || step->kind == plan::step_kind::come_back)
        return std::nullopt;
    return model::next_step{.kind = std::string(plan::to_string(step->kind)),
                            .title = step->title,
                            .state = std::string(plan::to_string(step->state)),
                            .by = step->by == plan::step_actor::us ? "us" : "person",
                            .not_before = step->not_before};
}

std::string signature(const plan::step& of) {
    std::string out(plan::to_string(of.kind));
    for (const auto* part : {&of.policy, &of.host})
        out += "\n" + *part;
    for (const auto& each : of.records)
        out += fmt::format("\n{} {}", each.name, each.type);
    return out;
}

io::task<store::result<std::optional<thought>>> carrier::state::think(std::shared_ptr<state> self,
                                                                      std::string domain, bool keep) {
    using wanted = std::optional<model::looked_after>;
    auto wish = co_await ask<wanted>(self, [domain](store::domain_store& from) { return from.find(domain); });
    if (!wish)
        co_return std::unexpected(wish.error());
    if (!*wish)
        co_return std::nullopt;
    thought out;
    out.wish = std::move(**wish);
    ++self->counts.looks;
    out.seen = co_await self->with.look(out.wish);
    const auto now = self->policy_time.now();
    auto got = co_await ask<std::optional<std::pair<model::looked_after, plan::remembered>>>(
        self,
        [&machine = self->options.machine, &known = out, keep, now](store::domain_store& in)
            -> store::result<std::optional<std::pair<model::looked_after, plan::remembered>>> {
            if (keep)
                if (const auto done = remember(in, known.wish, known.seen, machine, now); !done)
                    return std::unexpected(done.error());
            auto fresh = in.find(known.wish.domain); // with what a person said meanwhile
            if (!fresh)
                return std::unexpected(fresh.error());
            if (!*fresh)
                return std::nullopt;
            auto past = recall(in, **fresh);
            if (!past)
                return std::unexpected(past.error());
            return std::pair(std::move(**fresh), std::move(*past));
        });
    if (!got)
        co_return std::unexpected(got.error());
    if (!*got)
        co_return std::nullopt;
    out.wish = std::move((*got)->first);
    out.past = std::move((*got)->second);
    if (self->with.configured)
        self->with.configured(out.wish, out.past);
    if (out.wish.aim == model::aim::enforce && self->with.evidence)
        out.evidence = co_await self->with.evidence(out.wish.domain);
    out.plan = self->with.think(out.wish, out.seen.seen, out.past, out.evidence, now, self->options.planning);
    co_return out;
}

io::task<std::optional<utc_seconds>> carrier::state::turn(std::shared_ptr<state> self,
                                                          std::shared_ptr<holding> mine) {
    const auto domain = mine->work.domain;
    std::string before; // what was done last: seen to be still to do, it is not done again at once
    for (std::size_t steps = 0; steps < most_steps && !self->stopping; ++steps) {
        const auto thinks = co_await think(self, domain, true);
        if (self->closed || mine->lost)
            co_return std::nullopt;
        if (!thinks) {
            co_return self->back_off(*mine, thinks.error().message, std::nullopt);
        }
        if (!*thinks) { // no longer looked after
            mine->notes = {};
            co_return std::nullopt;
        }
        const auto known = std::make_shared<const thought>(std::move(**thinks));
        mine->next = next_of(known->plan);
        const auto now = self->policy_time.now();
        const auto* next = first_action(known->plan);
        const bool undone = next && mine->notes.doing && mine->notes.doing->signature == signature(*next);
        if (mine->notes.doing && !undone) { // done before a crash or the loss of the lease, and not logged
            const auto logged =
                co_await ask<void>(self, [begun = *mine->notes.doing, domain, now](store::domain_store& to) {
                    return to.log_change(
                        {.at = now,
                         .domain = domain,
                         .who = begun.who,
                         .what = begun.what,
                         .to = begun.to,
                         .why = begun.why + " (noted later: it was interrupted after it was done)"});
                });
            if (!logged)
                co_return self->back_off(*mine, logged.error().message, std::nullopt);
        }
        mine->notes.doing.reset();
        ask_person(mine->notes, question(*known, now));
        const bool allowed =
            next && refused_because(known->wish, known->seen.seen, known->past, *next).empty();
        if (!allowed) {
            carried told{.plan = known->plan};
            const auto* unseen = not_seen_yet(known->plan, known->wish.host == model::hosting::here);
            if (unseen)
                told.failed = fmt::format("not yet: {}", unseen->title);
            if (self->tell)
                self->tell(domain, told);
            if (unseen)
                co_return std::min(self->back_off(*mine, told.failed, std::nullopt),
                                   self->come_back(known->plan, *mine));
            mine->work.tries = 0;
            mine->work.last_error.clear();
            mine->notes.tried.reset();
            co_return self->come_back(known->plan, *mine);
        }
        effect done;
        if (auto is = signature(*next); is == before) {
            done.failed = fmt::format("done, and not seen yet: {}", next->title);
        } else {
            before = std::move(is);
            done = co_await perform(self, mine, known, *next, self->options.machine);
        }
        if (self->closed || mine->lost)
            co_return std::nullopt;
        if (self->tell)
            self->tell(domain, {.plan = known->plan, .did = done.did, .failed = done.failed});
        note_outcome(*mine, *next, done, now);
        if (!done.failed.empty())
            co_return self->back_off(*mine, done.failed, done.again);
        mine->work.tries = 0;
        mine->work.last_error.clear();
    }
    co_return self->policy_time.now(); // more to do, after the others
}

/// When there is nothing to do now.
utc_seconds carrier::state::come_back(const plan::plan& what, holding& mine) const {
    const auto now = policy_time.now();
    auto again = what.finished ? now + at_rest : now + options.look_again;
    if (const auto& asks = mine.notes.asks)
        again = now + std::clamp<std::chrono::seconds>((now - asks->since) / 2, person_soon, person_late);
    if (what.come_back)
        again = what.finished || mine.notes.asks ? std::min(again, *what.come_back) : *what.come_back;
    return std::max(again, now + 1s);
}

utc_seconds carrier::state::back_off(holding& mine, std::string why,
                                     std::optional<std::chrono::seconds> least) {
    ++counts.failures;
    const auto times = std::min<std::uint32_t>(mine.work.tries++, 16);
    mine.work.last_error = std::move(why);
    const auto pause = std::min<std::chrono::seconds>(first_pause * (1U << times), longest_pause);
    return policy_time.now() + std::max(pause, least.value_or(0s));
}

std::optional<plan::step> carrier::state::first_for_a_person(const thought& known) const {
    auto wish = known.wish;
    wish.leave = model::leave::all;
    const auto theirs =
        with.think(wish, known.seen.seen, known.past, known.evidence, policy_time.now(), options.planning);
    const auto* next = first_action(theirs);
    return next ? std::optional(*next) : std::nullopt;
}

io::task<carried> carrier::state::look_once(std::shared_ptr<state> self, std::string domain) {
    auto thinks = co_await think(self, domain, false);
    if (!thinks)
        co_return carried{.failed = thinks.error().message};
    if (!*thinks)
        co_return carried{.failed = fmt::format("{} is not looked after", domain)};
    co_return carried{.plan = std::move((*thinks)->plan)};
}

io::task<store::result<std::shared_ptr<holding>>> carrier::state::seize(std::shared_ptr<state> self,
                                                                        std::string domain) {
    if (self->inside.contains(domain))
        co_return nullptr;
    auto mine = std::make_shared<holding>();
    mine->work.kind = "plan";
    mine->work.domain = domain;
    self->inside.emplace(domain, mine);
    const auto taken =
        co_await ask<bool>(self,
                           [of = &self->options, mine, domain,
                            now = self->policy_time.now()](store::domain_store& from) -> store::result<bool> {
                               const auto held = from.take_lease("plan/" + domain, of->machine, of->lease);
                               if (!held)
                                   return std::unexpected(held.error());
                               if (!*held)
                                   return false;
                               auto there = from.work("plan", domain);
                               if (!there)
                                   return std::unexpected(there.error());
                               if (*there)
                                   mine->work = std::move(**there);
                               mine->work.fence = (*held)->fence;
                               mine->work.due_at = now;
                               return true;
                           });
    if (taken && *taken)
        co_return mine;
    self->inside.erase(domain);
    if (!taken)
        co_return std::unexpected(taken.error());
    co_return nullptr;
}

io::task<carried> carrier::state::do_once(std::shared_ptr<state> self, std::string domain, std::string who) {
    const auto until = self->loop.now() + self->options.patience;
    auto got = co_await seize(self, domain);
    while (got && !*got && !self->stopping && self->loop.now() < until) {
        co_await self->loop.sleep_for(nap);
        got = co_await seize(self, domain);
    }
    carried out;
    if (!got || !*got) {
        out.busy = got.has_value();
        out.failed = got ? fmt::format("{} is being worked on", domain) : got.error().message;
        co_return out;
    }
    const auto mine = *got;
    mine->held = true;
    mine->notes = memo::parse(mine->work.state);
    mine->renewed = self->loop.now();
    auto thinks = co_await think(self, domain, true);
    if (!thinks || !*thinks) {
        out.failed = thinks ? fmt::format("{} is not looked after", domain) : thinks.error().message;
    } else {
        const auto known = std::make_shared<const thought>(std::move(**thinks));
        out.plan = known->plan;
        mine->next = next_of(known->plan);
        if (const auto next = self->first_for_a_person(*known)) {
            auto done = co_await perform(self, mine, known, *next, who);
            note_outcome(*mine, *next, done, self->policy_time.now());
            out.did = std::move(done.did);
            out.failed = std::move(done.failed);
        }
    }
    // What follows is planned anew, by whoever may.
    co_await finish(self, mine, self->policy_time.now());
    self->inside.erase(domain);
    co_return out;
}

} // namespace mailtight::publish
