// SPDX-License-Identifier: Apache-2.0
// A batch is taken out of the counter and written until it is there; meanwhile the next one grows. Its number
// goes with it, so that a commit whose answer was lost is repeated without harm. A database that is away
// costs memory up to the counter's bounds, and one complaint.
#include "tally/collector_state.h"

#include <fmt/format.h>

#include <algorithm>
#include <exception>

namespace mailtight::tally {

namespace {

using namespace std::chrono_literals;
using store::store_error;
using mark_list = std::vector<std::pair<std::string, std::string>>;

constexpr std::chrono::milliseconds pause_max = 5s;
constexpr unsigned refused_max = 3;
constexpr std::chrono::milliseconds ring_step = 50ms;
constexpr std::chrono::milliseconds try_every_at_end = 250ms;

/// In short steps, so that it does not outlive for long the one who waited for it.
io::task<> ring(io::loop& on, std::shared_ptr<io::event> bell, std::chrono::milliseconds after) {
    const auto until = on.now() + after;
    while (!bell->is_set() && on.now() < until)
        co_await on.sleep_until(std::min(until, on.now() + ring_step));
    bell->set();
}

store_error out_of(const std::exception& error) { // no memory
    return {.what = store_error::kind::busy, .message = error.what()};
}

} // namespace

store::result<void> writing_side::ready() {
    if (store_)
        return {};
    auto opened = with_.open();
    if (!opened)
        return std::unexpected(opened.error());
    auto latest = (*opened)->latest_batch(with_.machine);
    if (!latest)
        return std::unexpected(latest.error());
    store_ = std::move(*opened);
    latest_ = *latest;
    return {};
}

store_error writing_side::failed(store_error error) {
    if (error.what != store_error::kind::busy && error.what != store_error::kind::wrong)
        store_.reset(); // opened again at the next try
    return error;
}

store::result<void> writing_side::write(batch& what) {
    try {
        if (auto open = ready(); !open)
            return open;
        if (what.from)
            what.results = std::exchange(what.from, nullptr)->take();
        const mark_list marks(what.marks.begin(), what.marks.end());
        for (;;) {
            const bool repeated = what.number != 0;
            if (!repeated)
                what.number = latest_ + 1;
            auto added = store_->add(
                {.machine = with_.machine, .number = what.number, .results = what.results, .marks = marks},
                with_.due_spread, with_.faults_kept);
            if (!added)
                return std::unexpected(failed(std::move(added.error())));
            latest_ = what.number;
            if (*added || repeated)
                break;
            // Somebody writes under the same name: this number was his.
            auto latest = store_->latest_batch(with_.machine);
            if (!latest)
                return std::unexpected(failed(std::move(latest.error())));
            latest_ = std::max(*latest, latest_);
            what.number = 0;
        }
        what.results = {};
        what.written = true;
        return {};
    } catch (const std::exception& error) {
        return std::unexpected(out_of(error));
    }
}

store::result<mark_list> writing_side::marks() {
    try {
        if (auto open = ready(); !open)
            return std::unexpected(open.error());
        auto kept = store_->marks(with_.machine);
        if (!kept)
            return std::unexpected(failed(std::move(kept.error())));
        return kept;
    } catch (const std::exception& error) {
        return std::unexpected(out_of(error));
    }
}

void collector::state::write_soon() {
    if (!stopped && !std::exchange(writing, true))
        loop.spawn(write(shared_from_this()));
    else if (counting->full())
        hurry();
}

void collector::state::hurry() {
    if (away || std::exchange(hurried, true))
        return;
    if (bell)
        bell->set();
}

io::task<> collector::state::write(std::shared_ptr<state> self) {
    for (;;) {
        if (!std::exchange(self->hurried, false)) {
            self->bell = std::make_shared<io::event>(self->loop);
            self->loop.spawn(ring(self->loop, self->bell, std::max(self->options.write_every, self->pause)));
            co_await *self->bell;
            self->bell.reset();
            self->hurried = false;
        }
        if (self->stopped)
            co_return;
        if (!self->anything_waits())
            break;
        self->fill_batch();
        const auto of = self->under_way;
        const auto done = co_await self->writing_thread->run<store::result<void>>(
            [raw = self.get(), of] { return raw->side.write(*of); });
        if (self->stopped)
            co_return; // whoever stopped it has looked after the rest
        self->settle(done);
    }
    self->writing = false;
}

void collector::state::fill_batch() {
    if (under_way)
        return;
    under_way = std::make_shared<batch>();
    under_way->sessions = counting->sessions();
    under_way->generation = generation++;
    under_way->marks = std::exchange(new_marks, {});
    folded_before += counting->folded();
    lost_before += counting->lost();
    under_way->from = std::exchange(counting, std::make_unique<counter>(options.counting));
}

void collector::state::settle(const store::result<void>& done) {
    if (done) {
        counts.written += under_way->sessions;
        counts.last_written = clock.now();
        note_success();
        answer({}, under_way->generation);
        under_way.reset();
        return;
    }
    note_failure(done.error());
    answer(done, generation);
    if (done.error().what != store_error::kind::wrong || !under_way || ++under_way->refused < refused_max)
        return;
    // A fault of ours that does not go away: what comes behind it must not be lost too.
    counts.lost += under_way->sessions;
    if (options.complain)
        options.complain(fmt::format("{} sessions are lost: the database refuses them: {}",
                                     under_way->sessions, done.error().message));
    under_way.reset();
}

void collector::state::note_success() {
    pause = 0ms;
    if (std::exchange(away, false) && options.complain)
        options.complain("the database is back: results that waited are written");
}

void collector::state::note_failure(const store_error& error) {
    counts.last_error = error.message;
    counts.last_error_at = clock.now();
    pause = std::min(pause_max, std::max(options.write_every, 2 * pause));
    if (!std::exchange(away, true) && options.complain)
        options.complain(
            fmt::format("results of deliveries cannot be written, they wait in memory: {}", error.message));
}

void collector::state::answer(const store::result<void>& what, std::uint64_t up_to) {
    std::erase_if(waiters, [&](const auto& each) {
        if (each->generation > up_to)
            return false;
        each->said = what;
        each->done.set();
        return true;
    });
}

io::task<store::result<void>> collector::state::flush(std::shared_ptr<state> self) {
    if (self->piles_joined < self->piles_taken) {
        const auto joined = std::make_shared<io::event>(self->loop);
        self->waiting_for_piles.emplace_back(self->piles_taken, joined);
        co_await *joined;
    }
    if (!self->anything_waits())
        co_return store::result<void>();
    if (self->away || self->stopped) // not before the next try that is planned
        co_return std::unexpected(
            store_error{.what = store_error::kind::unreachable, .message = self->counts.last_error});
    const bool more = !self->counting->empty() || !self->new_marks.empty();
    const auto mine =
        std::make_shared<waiter>(self->loop, more ? self->generation : self->under_way->generation);
    self->waiters.push_back(mine);
    self->hurry();
    self->write_soon();
    co_await mine->done;
    co_return mine->said;
}

io::task<store::result<void>> collector::state::drain(std::shared_ptr<state> self,
                                                      io::loop::time_point deadline) {
    auto done = co_await flush(self);
    while (!done && self->anything_waits() && !self->stopped && self->loop.now() < deadline) {
        if (self->bell) // no pause while the end waits
            self->bell->set();
        co_await self->loop.sleep_until(
            std::min<io::loop::time_point>(deadline, self->loop.now() + try_every_at_end));
        done = co_await flush(self);
    }
    co_return done;
}

io::task<store::result<mark_list>> collector::state::marks(std::shared_ptr<state> self) {
    if (self->stopped)
        co_return std::unexpected(
            store_error{.what = store_error::kind::unreachable, .message = "collecting has ended"});
    auto kept = co_await self->writing_thread->run<store::result<mark_list>>(
        [raw = self.get(), self] { return raw->side.marks(); });
    if (self->stopped)
        co_return kept;
    if (!kept) {
        self->note_failure(kept.error());
    } else if (self->away) { // what waits need not wait for its next try
        self->note_success();
        self->hurry();
    }
    co_return kept;
}

void collector::state::finish_writing() {
    if (bell)
        bell->set();
    writing_thread->rest();
    // A batch that was being written is there, or it is tried once more; then what came behind it.
    while (anything_waits()) {
        fill_batch();
        const auto done = under_way->written ? store::result<void>() : side.write(*under_way);
        settle(done);
        if (!done) {
            if (options.complain)
                options.complain(fmt::format("{} sessions are not written at the end",
                                             counting->sessions() + (under_way ? under_way->sessions : 0)));
            break;
        }
    }
    answer(std::unexpected(
               store_error{.what = store_error::kind::unreachable, .message = "collecting has ended"}),
           generation);
}

} // namespace mailtight::tally
