// SPDX-License-Identifier: Apache-2.0
// What keeps the memory true without anybody waiting: what is due on a use (attend), and the beat that
// refreshes policies daily, keeps the prefetch list, and lets go of what nobody uses.
#include "resolve/service_state.h"

#include <algorithm>

namespace mailtight::resolve {

namespace {

using namespace std::chrono_literals;
using base::utc_seconds;

constexpr auto use_told_every = 1h;
constexpr auto exceptions_read_every = 30s;
constexpr auto prefetch_looked_every = 1h;
constexpr std::size_t swept_a_beat = 500; ///< a million in half an hour
constexpr auto set_back_from = 10s; ///< less is how clocks are corrected, and costs a TTL no more than that

/// From here on a use looks again ahead of the end.
utc_seconds last_fifth(utc_seconds from, utc_seconds until) {
    return until - (until - from) / 5;
}

} // namespace

/// Starts what is due in the background for a place that is used, and says when to come back.
void service::state::attend(const std::shared_ptr<place>& at, utc_seconds now) {
    const auto& domain = at->hop.domain;
    utc_seconds next = now + 1h;
    const auto later = [&](utc_seconds when) { next = std::min(next, when); };
    const auto kept = policies.get(domain);
    const bool exempt = at->current && at->current->exception &&
                        at->current->exception->what == model::policy_override::kind::exempt;
    if (kept && at->current && !exempt) {
        auto due = sts::on_use(kept->state, now);
        auto check = sts::next_check(kept->state);
        if (!kept->state.held) { // an absence: before answers would have to wait for it
            check = last_fifth(kept->state.record_at, check);
            if (now >= check && due.what == sts::ask::nothing)
                due.what = sts::ask::record;
        }
        if (due.what != sts::ask::nothing)
            look_for_policy(domain, sts::occasion::use, due.what);
        later(check);
        attend_probe(domain, *at->current, now);
    }
    if (at->where && !exempt) {
        const auto ahead = last_fifth(at->where->looked_at, at->where->good_until);
        if (now >= ahead)
            look_at_hosts(at);
        later(ahead);
    }
    if (now - at->use_told >= use_told_every) {
        policies.used(domain, now);
        at->use_told = now;
    }
    later(at->use_told + use_told_every);
    at->attend_at = std::max(next, now + 1s);
}

/// A policy in testing: what would enforce have done? (8461-5-b)
void service::state::attend_probe(const std::string& domain, const tls_decision& current, utc_seconds now) {
    if (!probe || !current.policy || current.policy->value.mode != sts::mode::testing)
        return;
    if (probed.size() > options.destinations)
        std::erase_if(probed, [&](const auto& each) { return now - each.second >= options.probe_every; });
    auto& last = probed[domain];
    if (last != utc_seconds{} && now - last < options.probe_every)
        return;
    last = now;
    loop.spawn(run_probe(shared_from_this(), domain, *current.policy));
}

io::task<> service::state::run_probe(std::shared_ptr<state> self, std::string domain,
                                     sts::held_policy policy) {
    const auto permit = co_await self->probe_gate.acquire();
    if (self->stopping)
        co_return;
    ++self->counts.probes;
    std::vector<model::testing_verdict> found;
    try {
        found = co_await self->probe(domain, std::move(policy));
    } catch (const std::exception&) { // no verdict, then; the next use tries again in an hour
        co_return;
    }
    if (!found.empty())
        co_await self->keep.put_verdicts(std::move(found));
}

io::task<> service::state::care(std::shared_ptr<state> self) {
    const double beats = std::chrono::duration<double>(self->options.care_every).count();
    double owed = 0;
    auto before_now = self->clock.now();
    while (!self->stopping) {
        const auto now = self->clock.now();
        if (before_now - now >= set_back_from)
            self->clock_set_back(before_now - now, now);
        before_now = now;
        owed = std::min(owed + beats * static_cast<double>(self->options.refreshes_a_second),
                        std::max(1.0, static_cast<double>(self->options.refreshes_a_second)));
        const auto before = self->refreshing;
        self->refresh_due(static_cast<std::size_t>(owed));
        self->refresh_prefetched(static_cast<std::size_t>(owed) -
                                 std::min(static_cast<std::size_t>(owed), self->refreshing - before));
        owed -= std::min(owed, static_cast<double>(self->refreshing - before));
        self->sweep();
        if (now - self->exceptions_read >= exceptions_read_every && !self->reading_exceptions) {
            self->exceptions_read = now;
            self->loop.spawn(read_exceptions(self));
        }
        std::uniform_real_distribution<double> jitter(0.75, 1.25);
        co_await self->loop.sleep_for(std::chrono::duration_cast<io::loop::clock::duration>(
            self->options.care_every * jitter(self->dice)));
    }
}

/// What was remembered by the clock as it was would outlive its TTL by hours: answers are made anew, facts of
/// hosts keep the time that they had left. Policies are seen to by sts::resolution, on their next use.
void service::state::clock_set_back(std::chrono::seconds by, utc_seconds now) {
    for (const auto& at : clock_hand) {
        replace(*at, nullptr);
        at->valid_until = at->attend_at = {};
        at->use_told = std::min(at->use_told, now);
        if (at->where) {
            at->where->looked_at -= by;
            at->where->good_until -= by;
        }
    }
    std::erase_if(probed, [now](const auto& each) { return each.second > now; });
    prefetch_again = exceptions_read = {};
}

io::task<> service::state::refresh_one(std::shared_ptr<state> self, std::string domain, sts::occasion why,
                                       sts::ask what) {
    const auto who = std::make_shared<asker>(self->loop, self->loop.now());
    const auto mine = self->look_for_policy(domain, why, what);
    mine->askers.push_back(who); // nobody's answer waits: it is not awaited
    ++who->left;
    co_await who->done;
    --self->refreshing;
}

// 8461-3.3-q, 8461-10.2-b: the policy itself, daily, whatever the id says.
void service::state::refresh_due(std::size_t at_most) {
    const auto now = clock.now();
    at_most = std::min(at_most, options.fetches - std::min(options.fetches, refreshing));
    // Those under way are still due: they stand first in the list.
    for (const auto& domain : policies.due(now, at_most + refreshing + looking.size())) {
        auto kept = policies.get(domain);
        if (!kept || looking.contains(domain))
            continue;
        if (sts::worthless(kept->state, now)) {
            forget(domain);
            keep.remove(domain);
            continue;
        }
        if (kept->used_at + options.unused_after <= now && !prefetched.contains(domain)) {
            // Nobody wants it: it stays as long as it holds, and is looked at no more.
            kept->state.refresh_at =
                kept->state.held ? std::max(kept->state.held->expires_at(), now) + 1s : now + 24h;
            policies.put(*kept);
            continue;
        }
        const auto next = sts::on_schedule(kept->state, now);
        if (next.what == sts::ask::nothing)
            continue;
        if (at_most == 0 || refreshing >= options.fetches)
            return;
        --at_most;
        ++refreshing;
        loop.spawn(refresh_one(shared_from_this(), domain, sts::occasion::schedule, next.what));
    }
}

/// An absence that has run out goes; policies that end are due, and seen to there. The database is left
/// alone: another machine may know better since.
void service::state::sweep() {
    const auto now = clock.now();
    std::vector<std::string> gone;
    const auto judge = [&](const model::kept_policy& kept) {
        if (sts::worthless(kept.state, now) && !looking.contains(kept.domain))
            gone.push_back(kept.domain);
    };
    swept = policies.some(swept, swept_a_beat, judge, policy_table::which::without_policy).value_or(0);
    for (const auto& domain : gone)
        policies.erase(domain);
}

/// The list is looked at as if somebody used each of its domains.
void service::state::refresh_prefetched(std::size_t at_most) {
    const auto now = clock.now();
    if (to_prefetch.empty() && now >= prefetch_again) {
        to_prefetch.assign(prefetched.begin(), prefetched.end());
        prefetch_again = now + prefetch_looked_every;
    }
    for (; at_most > 0 && !to_prefetch.empty() && refreshing < options.fetches; --at_most) {
        const auto domain = std::move(to_prefetch.front());
        to_prefetch.pop_front();
        const auto next = sts::on_use(remembered(domain).state, now);
        if (next.what == sts::ask::nothing || looking.contains(domain))
            continue;
        ++refreshing;
        loop.spawn(refresh_one(shared_from_this(), domain, sts::occasion::use, next.what));
    }
}

} // namespace mailtight::resolve
