// SPDX-License-Identifier: Apache-2.0
// The carrier's face, its beat and its leases: take what is due, keep what is in hand, give back what is
// done. What is under way goes on without the carrier, but does nothing any more.
#include "publish/carrier.h"

#include "publish/carrier_state.h"

namespace mailtight::publish {
namespace {
using namespace std::chrono_literals;
constexpr std::chrono::milliseconds nap{100}; ///< how long a stop waits for a beat that rests
} // namespace

carrier::state::state(io::loop& on, io::worker& store_thread, store::domain_store& kept_in, hands given,
                      const base::clock& time, carrier_options wanted, heard teller)
    : loop(on)
    , thread(store_thread)
    , kept(kept_in)
    , with(std::move(given))
    , policy_time(time)
    , options(std::move(wanted))
    , tell(std::move(teller)) {
    if (!with.think)
        with.think = [](const auto&... all) { return plan::make_plan(all...); };
}

io::task<> carrier::state::beat(std::shared_ptr<state> self) {
    while (!self->stopping) {
        co_await renew(self);
        co_await take_due(self);
        const auto next = self->loop.now() + std::max<io::loop::clock::duration>(self->options.beat, 1ms);
        const auto room = [&] { return self->more && self->inside.size() < self->options.at_once; };
        while (!self->stopping && self->loop.now() < next && !room())
            co_await self->loop.sleep_until(std::min<io::loop::time_point>(next, self->loop.now() + nap));
    }
}

io::task<> carrier::state::take_due(std::shared_ptr<state> self) {
    if (self->stopping || self->inside.size() >= self->options.at_once)
        co_return;
    const auto room = self->options.at_once - self->inside.size();
    const auto order = self->newest ? store::work_order::newest_first : store::work_order::oldest_first;
    self->newest = !self->newest;
    auto due = co_await ask<std::vector<store::due_work>>(
        self, [of = &self->options, now = self->policy_time.now(), room, order](store::domain_store& from) {
            return from.take_work("plan", now, of->machine, of->lease, room, order);
        });
    self->away = !due;
    self->more = due && due->size() == room;
    if (!due)
        co_return;
    for (auto& each : *due) {
        if (const auto found = self->inside.find(each.domain); found != self->inside.end()) {
            // A person's word is asking for it at this moment, or we were too slow to keep it, and what is
            // under way has to end first. Either way it is given back at once.
            found->second->lost = found->second->held;
            static_cast<void>(co_await ask<bool>(
                self, [each](store::domain_store& to) { return to.done_work(each, each.due_at); }));
            continue;
        }
        auto mine = std::make_shared<holding>();
        mine->held = true;
        mine->notes = memo::parse(each.state);
        mine->renewed = self->loop.now();
        mine->work = std::move(each);
        self->inside.emplace(mine->work.domain, mine);
        self->loop.spawn(carry(self, std::move(mine)));
    }
}

/// What takes long keeps its lease.
io::task<> carrier::state::renew(std::shared_ptr<state> self) {
    std::vector<std::shared_ptr<holding>> old;
    for (const auto& [domain, mine] : self->inside)
        if (mine->held && !mine->lost && self->loop.now() - mine->renewed > self->options.lease / 3)
            old.push_back(mine);
    for (auto& each : old)
        static_cast<void>(co_await hold(self, each));
}

io::task<bool> carrier::state::hold(std::shared_ptr<state> self, std::shared_ptr<holding> mine) {
    if (self->closed || mine->lost)
        co_return false;
    mine->work.state = mine->notes.to_text();
    const auto begun = self->loop.now();
    const auto kept =
        co_await ask<bool>(self, [of = &self->options, work = mine->work, now = self->policy_time.now()](
                                     store::domain_store& to) { return to.keep_work(work, now, of->lease); });
    if (kept)
        mine->renewed = begun;
    mine->lost = mine->lost || (kept && !*kept);
    co_return kept && *kept && !self->closed;
}

io::task<> carrier::state::finish(std::shared_ptr<state> self, std::shared_ptr<holding> mine,
                                  std::optional<base::utc_seconds> again) {
    if (mine->lost)
        co_return;
    mine->work.state = mine->notes.to_text();
    // Where this cannot be written the lease runs out, and it is looked at again.
    static_cast<void>(co_await ask<bool>(
        self, [work = mine->work, next = mine->next, again](store::domain_store& to) -> store::result<bool> {
            if (next) // for the table of all domains alone: the work ends all the same
                static_cast<void>(to.keep_next(work.domain, *next));
            return to.done_work(work, again);
        }));
}

io::task<> carrier::state::carry(std::shared_ptr<state> self, std::shared_ptr<holding> mine) {
    const auto again = co_await turn(self, mine);
    co_await finish(self, mine, again);
    self->inside.erase(mine->work.domain);
}

carrier::carrier(io::loop& on, io::worker& store_thread, store::domain_store& kept, hands with,
                 const base::clock& policy_time, carrier_options options, heard tell)
    : state_(std::make_shared<state>(on, store_thread, kept, std::move(with), policy_time, std::move(options),
                                     std::move(tell))) {}

carrier::~carrier() {
    state_->stopping = state_->closed = true;
    state_->tell = {};
}

void carrier::start() {
    if (!std::exchange(state_->started, true) && !state_->stopping)
        state_->loop.spawn(state::beat(state_));
}

void carrier::stop() {
    state_->stopping = true;
}

bool carrier::idle() const {
    return state_->inside.empty();
}

io::task<carried> carrier::go(std::string domain, bool act, std::string who) {
    return act ? state::do_once(state_, std::move(domain), std::move(who))
               : state::look_once(state_, std::move(domain));
}

void carrier::wake(const std::string& domain) {
    state_->loop.spawn([](std::shared_ptr<state> self, std::string name) -> io::task<> {
        static_cast<void>(
            co_await state::ask<void>(self, [name, now = self->policy_time.now()](store::domain_store& to) {
                return to.plan_work("plan", name, now);
            }));
    }(state_, domain));
}

carrier::counters carrier::counted() const {
    auto out = state_->counts;
    out.waiting = state_->inside.size();
    return out;
}

} // namespace mailtight::publish
