// SPDX-License-Identifier: Apache-2.0
// The inside of the keeper, for keeper*.cpp alone. The loop's thread owns everything here but `side`, which
// belongs to the keeper's thread. keeper_writing.cpp holds what writes, keeper_machines.cpp what concerns
// other machines.
#pragma once

#include "resolve/keeper.h"

#include <exception>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <unordered_map>
#include <utility>

namespace mailtight::resolve {

/// The side of the keeper's thread: the store, opened again after it failed.
class keeper_side {
public:
    keeper_side(std::unique_ptr<store::policy_store> opened, store::open_options from)
        : store_(std::move(opened))
        , from_(std::move(from)) {}

    template<class T>
    store::result<T> run(const std::function<store::result<T>(store::policy_store&)>& job) {
        try {
            if (!store_) {
                auto opened = store::open_policies(from_);
                if (!opened)
                    return std::unexpected(opened.error());
                store_ = std::move(*opened);
            }
            auto done = job(*store_);
            using enum store::store_error::kind;
            if (!done && done.error().what != busy && done.error().what != wrong && !from_.where.empty())
                store_.reset();
            return done;
        } catch (const std::exception& error) { // no memory
            return std::unexpected(
                store::store_error{.what = store::store_error::kind::busy, .message = error.what()});
        }
    }
    /// At the very end, when the thread is gone.
    void sync() {
        if (store_)
            static_cast<void>(store_->sync());
    }

private:
    std::unique_ptr<store::policy_store> store_;
    store::open_options from_;
};

struct keeper::state : std::enable_shared_from_this<keeper::state> {
    using time_point = io::loop::time_point;
    /// Somebody who waits, at most until `deadline`.
    struct waiter {
        waiter(io::loop& on, time_point until)
            : done(on)
            , deadline(until) {}
        io::event done;
        time_point deadline;
        bool kept = false;
    };
    /// The latest state of a domain that is not durable yet.
    struct unwritten {
        std::optional<model::kept_policy> value; ///< nothing: the domain is forgotten
        std::uint64_t version = 0;
        std::vector<std::pair<std::uint64_t, std::shared_ptr<waiter>>> waiting; ///< for which version
    };
    /// By what a row of ours is recognised when it is read back.
    struct print {
        base::utc_seconds fetched_at{}, record_at{}, failed_at{};
        friend bool operator==(const print&, const print&) = default;
    };

    state(io::loop& on, const base::clock& time, std::unique_ptr<store::policy_store> opened,
          keeper_options given);

    // ---- the database and its absence ----
    /// Runs a job on the keeper's thread. `hurries`: one that takes longer than `patience` says that the
    /// database does not answer.
    template<class T>
    static io::task<store::result<T>> ask(std::shared_ptr<state> self,
                                          std::function<store::result<T>(store::policy_store&)> job,
                                          bool hurries = true);
    /// The same, but nothing at the deadline or as soon as the database is found to be away; goes on then.
    template<class T>
    static io::task<std::optional<store::result<T>>>
    ask_until(std::shared_ptr<state> self, std::function<store::result<T>(store::policy_store&)> job,
              time_point deadline);
    /// Not known to be away, and answering.
    bool usable() const;
    bool may_try() const { return loop.now() >= try_again_at; }
    void failed(const store::store_error& error);
    void succeeded();
    store::store_error unusable_error() const;
    io::task<> wait(std::shared_ptr<waiter> on);
    static io::task<> tick(std::shared_ptr<state> self);

    // ---- keeper_writing.cpp ----
    static io::task<bool> put(std::shared_ptr<state> self, model::kept_policy value, time_point deadline);
    bool take_in(std::string domain, std::optional<model::kept_policy> value, std::shared_ptr<waiter> who);
    void start_writing();
    static io::task<> write(std::shared_ptr<state> self);
    static io::task<> sync_soon(std::shared_ptr<state> self);
    static io::task<> drain(std::shared_ptr<state> self, time_point deadline);
    struct turn;
    turn next_turn() const;
    void settle(const turn& done, const std::vector<std::size_t>& refused, const std::string& why);

    // ---- keeper_machines.cpp ----
    static io::task<store::result<void>> load(std::shared_ptr<state> self,
                                              std::function<void(model::kept_policy)> take);
    static io::task<std::optional<model::kept_policy>> ask_others(std::shared_ptr<state> self,
                                                                  std::string domain,
                                                                  sts::resolution_state ours,
                                                                  time_point deadline);
    static io::task<> watch(std::shared_ptr<state> self, std::function<void(model::kept_policy)> changed,
                            std::function<void(std::string)> removed, std::function<void()> exceptions);
    bool is_ours(const model::kept_policy& row);
    void remember(const std::string& domain, std::optional<print> written);

    io::loop& loop;
    const base::clock& clock;
    keeper_options options;
    bool keeps = false;  ///< there is a database
    bool shared = false; ///< with other machines
    bool stopping = false;

    std::multiset<time_point> running; ///< when the jobs that hurry were handed over
    time_point try_again_at{};
    std::chrono::milliseconds pause{0}; ///< between tries; 0: the database is there
    bool told = false;                  ///< of this outage
    std::list<std::shared_ptr<waiter>> waiters;
    bool ticking = false;

    std::unordered_map<std::string, unwritten> pending;
    std::set<std::string> leased, to_release;
    std::uint64_t versions = 0;
    bool writing = false, draining = false, unsynced = false, syncing = false, full = false;

    std::int64_t mark = 0, exceptions_seen = -1;
    bool watching = false;
    std::unordered_map<std::string, std::optional<print>> own; ///< written by us, not read back yet

    figures counters;
    keeper_side side;
    std::optional<io::worker> thread; ///< last: it ends before what it uses
};

inline constexpr std::chrono::milliseconds patience{1'000};

template<class T>
io::task<store::result<T>> keeper::state::ask(std::shared_ptr<state> self,
                                              std::function<store::result<T>(store::policy_store&)> job,
                                              bool hurries) {
    if (!self->keeps || self->stopping)
        co_return std::unexpected(self->unusable_error());
    auto ticket = self->running.end();
    if (hurries)
        ticket = self->running.insert(self->loop.now());
    auto done = co_await self->thread->run<store::result<T>>(
        [of = self.get(), job = std::move(job)] { return of->side.run<T>(job); });
    if (hurries)
        self->running.erase(ticket);
    if (done)
        self->succeeded();
    else
        self->failed(done.error());
    co_return done;
}

template<class T>
io::task<std::optional<store::result<T>>>
keeper::state::ask_until(std::shared_ptr<state> self,
                         std::function<store::result<T>(store::policy_store&)> job, time_point deadline) {
    struct box {
        std::optional<store::result<T>> value;
    };
    auto into = std::make_shared<box>();
    auto gate = std::make_shared<waiter>(self->loop, deadline);
    self->loop.spawn([](std::shared_ptr<state> of, std::function<store::result<T>(store::policy_store&)> work,
                        std::shared_ptr<box> result, std::shared_ptr<waiter> told_to) -> io::task<> {
        auto got = co_await ask<T>(of, std::move(work));
        result->value.emplace(std::move(got));
        told_to->done.set();
    }(self, std::move(job), into, gate));
    co_await self->wait(gate);
    co_return std::move(into->value);
}

} // namespace mailtight::resolve
