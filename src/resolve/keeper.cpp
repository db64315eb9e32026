// SPDX-License-Identifier: Apache-2.0
// The keeper's face, and its circuit breaker: a database that failed is left alone for a growing while, one
// that does not answer within `patience` counts as away; nobody waits for either.
#include "resolve/keeper.h"

#include "resolve/keeper_state.h"

#include <fmt/format.h>

#include <algorithm>

namespace mailtight::resolve {
namespace {
using namespace std::chrono_literals;
constexpr std::chrono::milliseconds first_pause{250}, longest_pause{30'000};
constexpr auto tick_length = 20ms;
constexpr std::chrono::hours verdicts_kept{35 * 24};
} // namespace

keeper::state::state(io::loop& on, const base::clock& time, std::unique_ptr<store::policy_store> opened,
                     keeper_options given)
    : loop(on)
    , clock(time)
    , options(std::move(given))
    , keeps(opened || !options.database.where.empty())
    , shared(store::is_postgres(options.database.where))
    , side(std::move(opened), options.database) {
    if (keeps)
        thread.emplace(on, "policies");
}

bool keeper::state::usable() const {
    return keeps && !stopping && pause == 0ms &&
           (running.empty() || loop.now() - *running.begin() < patience);
}

void keeper::state::failed(const store::store_error& error) {
    counters.last_error = error.message;
    counters.last_error_at = clock.now();
    if (!error.again() && error.what == store::store_error::kind::wrong)
        return; // the database is there
    pause = pause == 0ms ? first_pause : std::min(pause * 2, longest_pause);
    try_again_at = loop.now() + pause;
    if (!std::exchange(told, true) && options.complain)
        options.complain(fmt::format("policies cannot be written for now, answers go on: {}", error.message));
}

void keeper::state::succeeded() {
    pause = 0ms;
    try_again_at = {};
    counters.last_success = clock.now();
    if (std::exchange(told, false) && options.complain)
        options.complain(fmt::format("the database is back; {} policies wait to be written", pending.size()));
}

store::store_error keeper::state::unusable_error() const {
    return {.what = store::store_error::kind::unreachable,
            .message = !keeps                        ? "no database is configured"
                       : stopping                    ? "stopping"
                       : counters.last_error.empty() ? "the database does not answer"
                                                     : counters.last_error};
}

io::task<> keeper::state::wait(std::shared_ptr<waiter> on) {
    if (!on->done.is_set()) {
        waiters.push_back(on);
        if (!std::exchange(ticking, true))
            loop.spawn(tick(shared_from_this()));
    }
    co_await on->done;
}

// One timer for all who wait; runs only while somebody does.
io::task<> keeper::state::tick(std::shared_ptr<state> self) {
    for (;;) {
        const auto now = self->loop.now();
        const bool give_up = !self->usable();
        auto next = now + tick_length;
        std::erase_if(self->waiters, [&](const std::shared_ptr<waiter>& each) {
            if (!each->done.is_set() && (give_up || each->deadline <= now))
                each->done.set();
            next = std::min(next, each->deadline);
            return each->done.is_set();
        });
        if (self->waiters.empty())
            break;
        co_await self->loop.sleep_until(next);
    }
    self->ticking = false;
}

keeper::keeper(io::loop& on, const base::clock& clock, std::unique_ptr<store::policy_store> opened,
               keeper_options options)
    : state_(std::make_shared<state>(on, clock, std::move(opened), std::move(options))) {}

keeper::~keeper() {
    state_->stopping = true;
    for (const auto& each : std::exchange(state_->waiters, {}))
        each->done.set();
    if (state_->thread) {
        state_->thread->rest(); // what was handed over is written
        state_->thread.reset();
        state_->side.sync();
    }
}

io::task<store::result<void>> keeper::load(std::function<void(model::kept_policy)> take) {
    return state::load(state_, std::move(take));
}
io::task<bool> keeper::put(model::kept_policy value, io::loop::time_point deadline) {
    return state::put(state_, std::move(value), deadline);
}
void keeper::remove(std::string domain) {
    if (state_->keeps && state_->take_in(std::move(domain), std::nullopt, nullptr))
        state_->start_writing();
}
io::task<std::optional<model::kept_policy>>
keeper::ask_others(std::string domain, const sts::resolution_state& ours, io::loop::time_point deadline) {
    return state::ask_others(state_, std::move(domain), ours, deadline);
}
void keeper::fetched(std::string domain) {
    if (state_->leased.erase(domain) == 0)
        return;
    state_->to_release.insert(std::move(domain));
    state_->start_writing();
}
void keeper::watch(std::function<void(model::kept_policy)> changed, std::function<void(std::string)> removed,
                   std::function<void()> exceptions) {
    if (state_->keeps && !std::exchange(state_->watching, true))
        state_->loop.spawn(
            state::watch(state_, std::move(changed), std::move(removed), std::move(exceptions)));
}
io::task<store::result<std::vector<model::policy_override>>> keeper::overrides() {
    using out = std::vector<model::policy_override>;
    if (!state_->keeps)
        return [](out none) -> io::task<store::result<out>> { co_return std::move(none); }({});
    return state::ask<out>(state_, [](store::policy_store& s) { return s.overrides(); });
}
io::task<store::result<void>> keeper::set_override(model::policy_override value) {
    return state::ask<void>(
        state_, [value = std::move(value)](store::policy_store& s) { return s.set_override(value); });
}
io::task<store::result<bool>> keeper::remove_override(std::string domain) {
    return state::ask<bool>(
        state_, [domain = std::move(domain)](store::policy_store& s) { return s.remove_override(domain); });
}
io::task<store::result<void>> keeper::put_verdicts(std::vector<model::testing_verdict> found) {
    return state::ask<void>(state_, [found = std::move(found), keep = state_->clock.now() - verdicts_kept](
                                        store::policy_store& s) { return s.put_verdicts(found, keep); });
}
io::task<store::result<std::vector<model::testing_verdict>>> keeper::verdicts(std::string domain) {
    using out = std::vector<model::testing_verdict>;
    if (!state_->keeps)
        return [](out none) -> io::task<store::result<out>> { co_return std::move(none); }({});
    return state::ask<out>(
        state_, [domain = std::move(domain)](store::policy_store& s) { return s.verdicts(domain); });
}
io::task<> keeper::drain(io::loop::time_point deadline) {
    return state::drain(state_, deadline);
}
keeper::figures keeper::counted() const {
    auto out = state_->counters;
    out.unwritten = state_->pending.size();
    return out;
}

} // namespace mailtight::resolve
