// SPDX-License-Identifier: Apache-2.0
// The sender's face and its beat: look what is owed and what waits, then rest; tidy up once an hour. What is
// under way goes on without the sender, but writes nothing any more.
#include "deliver/sender.h"

#include "deliver/sender_state.h"

namespace mailtight::deliver {
namespace {
using namespace std::chrono_literals;
constexpr std::chrono::seconds tidy_every = 1h;
constexpr std::chrono::milliseconds nap{100}; ///< how long a stop waits for a beat that rests
} // namespace

sender::state::state(io::loop& on, ways_out given_ways, const base::clock& policy, const base::clock& real,
                     sender_options given, std::function<void(const sender_event&)> teller)
    : loop(on)
    , ways(std::move(given_ways))
    , policy_time(policy)
    , real_time(real)
    , options(std::move(given))
    , tell(std::move(teller))
    , side(options) {
    thread.emplace(on, "reports");
}

void sender::state::store_failed(const store::store_error& error) {
    counters.last_error = error.message;
    counters.last_error_at = policy_time.now();
    if (error.again() ? !std::exchange(away, true) : true)
        say(sender_event::kind::trouble, {}, {}, error.message);
}

void sender::state::say(sender_event::kind what, const std::string& domain, std::chrono::sys_days day,
                        std::string words, std::string uri) {
    if (tell)
        tell({.what = what, .domain = domain, .uri = std::move(uri), .words = std::move(words), .day = day});
}

io::task<> sender::state::beat(std::shared_ptr<state> self) {
    while (!self->stopping) {
        co_await take_back(self);
        self->look_soon();
        co_await tidy(self);
        const auto next = self->loop.now() + self->options.look_every;
        while (!self->stopping && self->loop.now() < next)
            co_await self->loop.sleep_until(std::min<io::loop::time_point>(next, self->loop.now() + nap));
    }
}

void sender::state::look_soon() {
    again = true;
    if (started && taken_back && !stopping && !std::exchange(looking, true))
        loop.spawn(look(shared_from_this()));
}

void sender::state::look_for_more() {
    if ((more_owed && filing_now <= filed_together / 2) ||
        (more_waiting && inside.size() <= options.at_once / 2) || (filing_now == 0 && inside.empty()))
        look_soon();
}

io::task<> sender::state::look(std::shared_ptr<state> self) {
    while (std::exchange(self->again, false) && !self->stopping) {
        co_await take_owed(self);
        if (!self->dry() && !self->stopping)
            static_cast<void>(co_await take_outbox(self));
    }
    self->looking = false;
}

/// Before anything is taken: a machine has one sender at work, so what is leased in its name was in the hands
/// of a process that ended, and need not wait for the lease.
io::task<> sender::state::take_back(std::shared_ptr<state> self) {
    if (self->taken_back)
        co_return;
    if (self->inside.empty() && self->others == 0) { // else a day is being sent: its leases are ours
        const auto done = co_await ask<void>(
            self, [of = self.get()](store::result_store& s) { return s.take_back(of->options.machine); });
        if (!done)
            co_return;
    }
    self->taken_back = true;
}

io::task<> sender::state::tidy(std::shared_ptr<state> self) {
    const auto now = self->policy_time.now();
    if (now >= self->tidy_at) {
        const auto before = std::chrono::floor<std::chrono::days>(now - self->options.keep);
        const auto more =
            co_await ask<bool>(self, [before](store::result_store& s) { return s.expire(before); });
        if (more && !*more)
            self->tidy_at = now + tidy_every;
    }
    using stored = store::result_store::figures;
    auto seen = co_await ask<stored>(self, [now](store::result_store& s) { return s.figures_of(now); });
    if (seen)
        self->counters.stored = *seen;
}

sender::sender(io::loop& on, ways_out out, const base::clock& policy_time, const base::clock& real_time,
               sender_options options, std::function<void(const sender_event&)> tell)
    : state_(std::make_shared<state>(on, std::move(out), policy_time, real_time, std::move(options),
                                     std::move(tell))) {}

sender::~sender() {
    state_->stopping = state_->closed = true;
    state_->tell = {};
    state_->thread->rest(); // what was handed over is written
    state_->thread.reset();
}

void sender::start() {
    if (!std::exchange(state_->started, true) && !state_->stopping)
        state_->loop.spawn(state::beat(state_));
}

void sender::stop() {
    state_->stopping = true;
}

bool sender::idle() const {
    return state_->inside.empty() && state_->filing_now == 0 && state_->others == 0 && !state_->looking;
}

io::task<store::result<sender::day_result>> sender::send_day(std::chrono::sys_days day) {
    return state::send_day(state_, day);
}

io::task<void> sender::bounced(std::string message) {
    return state::bounced(state_, std::move(message));
}

sender::figures sender::counted() const {
    return state_->counters;
}

} // namespace mailtight::deliver
