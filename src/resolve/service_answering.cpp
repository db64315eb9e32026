// SPDX-License-Identifier: Apache-2.0
// Answers: from memory where everything is known, else after the looks that are missing or at the end of the
// budget, whichever comes first. A place's `current` is the answer given to everybody; whatever replaces it
// marks it superseded, so that nobody repeats it.
#include "resolve/service_state.h"

#include <algorithm>

namespace mailtight::resolve {

namespace {

using namespace std::chrono_literals;

constexpr auto settled = 24h; ///< an answer that nothing limits is made anew once a day

} // namespace

void look::join(const std::shared_ptr<asker>& who) {
    askers.push_back(who);
    awaited = true;
    ++who->left;
}

void look::end() {
    over = true;
    for (const auto& who : std::exchange(askers, {}))
        if (--who->left == 0)
            who->done.set();
}

/// One hash look-up where nothing is due.
shared_decision service::state::known(std::string_view key) {
    const auto now = clock.now();
    const auto found = places.find(key);
    if (found == places.end())
        return first_seen(key, now);
    const auto& at = found->second;
    const bool valid = at->current && now < at->valid_until;
    // A live answer is live once.
    if ((!valid || at->current->source == decision_source::live) && !renew(*at, now, false) && !valid)
        return nullptr;
    if (now >= at->attend_at)
        attend(at, now);
    at->used = true;
    ++counts.hits;
    count(*at->current, {});
    return at->current;
}

/// Keys that have no policy, and exempted domains, are answered although nothing is known of them.
shared_decision service::state::first_seen(std::string_view key, base::utc_seconds now) {
    const auto hop = mail::parse_next_hop(key);
    if (!hop.can_have_policy()) {
        decision_input from;
        from.hop = hop;
        auto given = std::make_shared<const tls_decision>(resolve::decide(from, options.deciding, now));
        ++counts.hits;
        count(*given, {});
        return given;
    }
    const auto* exception = exception_of(hop.domain, now);
    if (!exception || exception->what != model::policy_override::kind::exempt)
        return nullptr;
    const auto at = place_of(key, hop);
    if (!renew(*at, now, false))
        return nullptr;
    ++counts.hits;
    count(*at->current, {});
    return at->current;
}

io::task<shared_decision> service::state::decide(std::shared_ptr<state> self, std::string key) {
    if (auto given = self->known(key))
        co_return given;
    ++self->counts.misses;
    const auto begun = self->loop.now();
    const auto at = self->place_of(key, mail::parse_next_hop(key));
    if (self->waiting < self->options.looks && !self->stopping) {
        const auto who = std::make_shared<asker>(self->loop, begun + self->options.budget);
        self->begin_looks(at, who);
        if (who->left > 0) {
            self->await_deadline(who);
            ++self->waiting;
            co_await who->done;
            --self->waiting;
            if (who->left > 0)
                ++self->counts.over_budget;
        }
    }
    const auto now = self->clock.now();
    auto given = self->answer_now(*at, now);
    if (now >= at->attend_at)
        self->attend(at, now);
    self->count(*given, self->loop.now() - begun);
    co_return given;
}

/// Makes the current answer where nothing is missing for it.
bool service::state::renew(place& at, base::utc_seconds now, bool live) {
    using kind = model::policy_override::kind;
    const auto* exception = exception_of(at.hop.domain, now);
    const auto kept = policies.get(at.hop.domain);
    if (!exception || exception->what != kind::exempt) {
        const auto next = sts::on_use(kept ? kept->state : sts::resolution_state{}, now);
        const bool pinned = exception && exception->what == kind::pin;
        if (!at.where || now >= at.where->good_until || (next.answer_waits && !pinned))
            return false;
    }
    build(at, kept ? &kept->state : nullptr, now, live);
    return true;
}

void service::state::build(place& at, const sts::resolution_state* policy, base::utc_seconds now, bool live) {
    decision_input from;
    from.hop = at.hop;
    from.state = policy;
    from.exception = exception_of(at.hop.domain, now);
    from.from_cache = !live;
    destination silent;
    if (at.where && now < at.where->good_until) {
        from.where = &*at.where;
    } else if (at.mx_silent) {
        silent.what = destination::kind::mx_failed;
        silent.detail = "no answer for the MX look-up in time";
        silent.looked_at = now;
        silent.good_until = now + 5s;
        from.where = &silent;
    }
    auto made = std::make_shared<tls_decision>(resolve::decide(from, options.deciding, now));
    // A policy that is held holds on while its record is looked at again; everything else ends when it says.
    auto valid = made->good_until;
    if (made->policy && made->what != decision::unknown && from.where) {
        valid = std::min(now + settled, from.where->good_until);
        if (made->expires_at != base::utc_seconds{})
            valid = std::min(valid, made->expires_at);
        if (made->exception && made->exception->until)
            valid = std::min(valid, *made->exception->until);
    }
    at.valid_until = valid;
    at.attend_at = {};
    replace(at, std::move(made));
}

void service::state::replace(place& at, shared_decision by) {
    if (at.current)
        at.current->superseded = true;
    at.current = std::move(by);
}

/// What is known by now, be it little; never empty.
shared_decision service::state::answer_now(place& at, base::utc_seconds now) {
    if (!at.current || now >= at.valid_until) {
        if (!renew(at, now, true)) {
            const auto kept = policies.get(at.hop.domain);
            build(at, kept ? &kept->state : nullptr, now, true);
        }
    }
    return at.current;
}

void service::state::count(const tls_decision& given, io::loop::clock::duration took) {
    static constexpr std::array<std::chrono::milliseconds, 7> bounds{1ms, 5ms, 20ms, 100ms, 500ms, 2s, 5s};
    const auto slot = std::ranges::upper_bound(bounds, took) - bounds.begin();
    ++counts.answers;
    ++counts.decisions[static_cast<std::size_t>(given.what)];
    ++counts.latency[static_cast<std::size_t>(slot)];
    counts.took += std::chrono::duration_cast<std::chrono::microseconds>(took);
}

void service::state::await_deadline(const std::shared_ptr<asker>& who) {
    deadlines.push_back(who); // all have the same budget: the first in line ends first
    if (!std::exchange(keeping_time, true))
        loop.spawn(keep_time(shared_from_this()));
}

io::task<> service::state::keep_time(std::shared_ptr<state> self) {
    static constexpr auto step = 50ms; // so that it ends soon after the last asker went
    auto& line = self->deadlines;
    while (!line.empty()) {
        const auto first = line.front();
        if (first->done.is_set() || self->stopping || self->loop.now() >= first->deadline) {
            first->done.set();
            line.pop_front();
            continue;
        }
        co_await self->loop.sleep_until(std::min(first->deadline, self->loop.now() + step));
    }
    self->keeping_time = false;
}

} // namespace mailtight::resolve
