// SPDX-License-Identifier: Apache-2.0
// Takes the looks that are due, as many as may be under way, and hands what they saw to the store together.
#include "publish/watcher.h"

#include "publish/sub_domains.h"
#include "publish/watcher_state.h"

#include <algorithm>
#include <utility>

namespace mailtight::publish {
namespace {
using namespace std::chrono_literals;
constexpr std::chrono::milliseconds nap{100}; ///< how long a stop waits for a beat that rests
constexpr std::size_t names_asked = 200;      ///< below one domain, a day
} // namespace

watcher::state::state(io::loop& on, io::worker& store_thread, store::domain_store& kept_in, watch_hands given,
                      const base::clock& policy, const base::clock& real, watch_options wanted)
    : loop(on)
    , thread(store_thread)
    , kept(kept_in)
    , with(std::move(given))
    , policy_time(policy)
    , real_time(real)
    , options(std::move(wanted)) {}

io::task<> watcher::state::beat(std::shared_ptr<state> self) {
    while (!self->stopping) {
        co_await take(self, false);
        co_await take(self, true);
        co_await write_ready(self);
        co_await flush_fetches(self);
        const auto next = self->loop.now() + std::max<io::loop::clock::duration>(self->options.beat, 1ms);
        while (!self->stopping && self->loop.now() < next)
            co_await self->loop.sleep_until(std::min<io::loop::time_point>(next, self->loop.now() + nap));
    }
    co_await write_ready(self);
}

io::task<> watcher::state::take(std::shared_ptr<state> self, bool full) {
    const auto most = full ? self->options.full_at_once : self->options.cheap_at_once;
    auto& now_in_hand = self->in_hand[full ? 1 : 0];
    if (self->stopping || now_in_hand >= most)
        co_return;
    store::result<std::vector<store::due_work>> due;
    try {
        due = co_await self->thread.run<store::result<std::vector<store::due_work>>>(
            [of = self.get(), full, room = most - now_in_hand, now = self->policy_time.now()] {
                return of->kept.take_work(full ? "watch" : "glance", now, of->options.machine,
                                          of->options.lease, room);
            });
    } catch (const io::worker_gone&) {
        co_return;
    }
    if (!due) // the store says so elsewhere; it is asked again at the next beat
        co_return;
    now_in_hand += due->size();
    for (auto& each : *due)
        self->loop.spawn(look(self, std::move(each)));
}

io::task<> watcher::state::look(std::shared_ptr<state> self, store::due_work work) {
    watch_turn turn{.work = std::move(work)};
    const bool full = turn.full();
    turn.state = co_await self->with.look(turn.work.domain, full);
    if (full && turn.state && !self->closed)
        co_await look_below(self, turn.work.domain, *turn.state);
    if (self->closed)
        co_return;
    ++(!turn.state ? self->counts.failed : full ? self->counts.full : self->counts.cheap);
    self->ready.push_back(std::move(turn));
    if (self->ready.size() >= self->options.written_at_once)
        co_await write_ready(self);
}

io::task<> watcher::state::look_below(std::shared_ptr<state> self, std::string domain,
                                      model::watched_state& into) {
    if (!self->with.names_below || !self->with.unprotected)
        co_return;
    const auto names = sub_domains(domain, co_await self->with.names_below(domain), names_asked);
    for (const auto& each : names) {
        if (self->closed)
            co_return;
        if (const auto bare = co_await self->with.unprotected(each); bare && *bare)
            into.findings.push_back("subdomain.unprotected " + each);
    }
    std::ranges::sort(into.findings);
    const auto twice = std::ranges::unique(into.findings);
    into.findings.erase(twice.begin(), twice.end());
}

io::task<> watcher::state::write_ready(std::shared_ptr<state> self) {
    if (std::exchange(self->writing, true))
        co_return;
    while (!self->ready.empty() && !self->closed) {
        const auto some = std::min(self->ready.size(), self->options.written_at_once);
        const auto from = self->ready.end() - static_cast<std::ptrdiff_t>(some);
        auto turns = std::make_shared<std::vector<watch_turn>>(std::make_move_iterator(from),
                                                               std::make_move_iterator(self->ready.end()));
        self->ready.erase(from, self->ready.end());
        store::result<written> done;
        try {
            done = co_await self->thread.run<store::result<written>>(
                [of = self.get(), turns, now = self->policy_time.now(), real = self->real_time.now()] {
                    const write_rules rules{.full = of->options.full,
                                            .cheap = of->options.cheap,
                                            .retry = of->options.retry,
                                            .lease = of->options.lease,
                                            .serious = of->with.serious};
                    return write_looks(of->kept, *turns, of->memory, now, real, rules);
                });
        } catch (const io::worker_gone&) {
            break;
        }
        for (const auto& each : *turns)
            --self->in_hand[each.full() ? 1 : 0];
        if (!done)
            continue; // their leases run out, and they are looked at again
        self->counts.differed += done->differed;
        self->counts.alarms += done->alarms;
        if (done->news && self->with.alarmed && !self->closed)
            self->with.alarmed();
    }
    self->writing = false;
}

io::task<> watcher::state::flush_fetches(std::shared_ptr<state> self) {
    if (!self->with.fetches || self->closed || self->loop.now() < self->fetches_at)
        co_return;
    self->fetches_at = self->loop.now() + self->options.flush_fetches;
    if (self->unwritten.empty())
        self->unwritten = self->with.fetches();
    if (self->unwritten.empty())
        co_return;
    const auto batch = std::make_shared<std::vector<model::policy_fetches>>(std::move(self->unwritten));
    self->unwritten.clear();
    store::result<void> done;
    try {
        done = co_await self->thread.run<store::result<void>>(
            [of = self.get(), batch] { return of->kept.count_fetches(*batch); });
    } catch (const io::worker_gone&) {
        co_return;
    }
    if (!done && done.error().again())
        self->unwritten = std::move(*batch); // next time
}

watcher::watcher(io::loop& on, io::worker& store_thread, store::domain_store& kept, watch_hands with,
                 const base::clock& policy_time, const base::clock& real_time, watch_options options)
    : state_(std::make_shared<state>(on, store_thread, kept, std::move(with), policy_time, real_time,
                                     std::move(options))) {}

watcher::~watcher() {
    state_->stopping = state_->closed = true;
}

void watcher::start() {
    if (!std::exchange(state_->started, true) && !state_->stopping)
        state_->loop.spawn(state::beat(state_));
}

void watcher::stop() {
    state_->stopping = true;
}

bool watcher::idle() const {
    return state_->in_hand[0] + state_->in_hand[1] == 0 && !state_->writing;
}

watcher::counters watcher::counted() const {
    return state_->counts;
}

} // namespace mailtight::publish
