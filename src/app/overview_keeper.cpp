// SPDX-License-Identifier: Apache-2.0
#include "app/overview_keeper.h"

#include <utility>

namespace mailtight::app {

namespace {

using namespace std::chrono_literals;

constexpr auto beat = 1s, idle_beat = 10s;
constexpr auto good_for = 2s;        ///< what is older is read anew before it is shown
constexpr auto good_meanwhile = 30s; ///< while everything is read
constexpr auto asked_lately = 5min, idle_reading = 10min;
constexpr auto patience = 20s; ///< of the first who ask

} // namespace

struct overview_keeper::state {
    state(io::loop& on, const base::clock& clock, overview_sources sources)
        : loop(on)
        , days(clock)
        , from(std::move(sources))
        , thread(on, "overview") {}

    using rows_result = store::result<std::shared_ptr<const api::overview_rows>>;

    /// On the thread.
    struct thread_side {
        std::unique_ptr<store::domain_store> domains;
        std::unique_ptr<store::store> reports;
        api::overview_memory memory;

        rows_result refresh(const overview_sources& open, std::chrono::sys_days today, bool whole_may) {
            if (!domains) {
                auto opened = open.domains();
                if (!opened)
                    return std::unexpected(opened.error());
                domains = std::move(*opened);
            }
            if (!reports && open.reports) {
                auto opened = open.reports();
                if (!opened)
                    return std::unexpected(opened.error());
                reports = std::move(*opened);
            }
            auto made = memory.refresh(*domains, reports.get(), today, whole_may);
            if (!made) {
                domains.reset();
                reports.reset();
            }
            return made;
        }
    };

    static io::task<> read(std::shared_ptr<state> self, bool whole_may) {
        self->reading = true;
        const auto begun = self->loop.now();
        const auto today = std::chrono::floor<std::chrono::days>(self->days.now());
        try {
            self->last = co_await self->thread.run<rows_result>(
                [side = self->side, &sources = self->from, today, whole_may] {
                    return side->refresh(sources, today, whole_may);
                });
        } catch (const io::worker_gone&) {
            co_return;
        }
        self->reading = false;
        self->read_at = begun;
        ++self->readings;
    }

    static io::task<> keep(std::shared_ptr<state> self) {
        while (!self->closed) {
            const auto now = self->loop.now();
            const bool asked = now - self->asked_at < asked_lately;
            if (!self->reading && (asked || now - self->read_at >= idle_reading || self->readings == 0))
                co_await read(self, true);
            co_await self->loop.sleep_for(asked || self->readings == 0 ? beat : idle_beat);
        }
    }

    io::loop& loop;
    const base::clock& days;
    overview_sources from;
    std::shared_ptr<thread_side> side = std::make_shared<thread_side>();
    rows_result last{nullptr};
    bool reading = false, closed = false;
    std::uint64_t readings = 0;
    io::loop::time_point read_at{}, asked_at{};
    io::worker thread;
};

overview_keeper::overview_keeper(io::loop& on, const base::clock& days, overview_sources from)
    : state_(std::make_shared<state>(on, days, std::move(from))) {
    on.spawn(state::keep(state_));
}

// Who waits on the loop when the program ends is never gone on with and keeps the state for good: the
// connections are closed here, so that the last one of SQLite's leaves one file behind with everything in it.
overview_keeper::~overview_keeper() {
    state_->closed = true;
    state_->thread.rest();
    state_->side->reports.reset();
    state_->side->domains.reset();
}

io::task<store::result<std::shared_ptr<const api::overview_rows>>> overview_keeper::rows() {
    const auto self = state_;
    const auto asked = self->loop.now();
    self->asked_at = asked;
    const auto good = [&self](auto age) {
        return self->readings > 0 && self->last && *self->last && self->loop.now() - self->read_at <= age;
    };
    while (!good(good_for) && !(self->reading && good(good_meanwhile))) {
        if (!self->reading) {
            co_await state::read(self, false);
            break; // as good as it is now, or why not
        }
        if (self->loop.now() - asked > patience)
            co_return std::unexpected(
                store::store_error{.what = store::store_error::kind::busy,
                                   .message = "the table of all domains is still being read"});
        co_await self->loop.sleep_for(5ms);
    }
    co_return self->last;
}

} // namespace mailtight::app
