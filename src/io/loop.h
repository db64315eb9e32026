// SPDX-License-Identifier: Apache-2.0
// The event loop, behind a wall: one thread, timers, coroutines. Everything that waits takes a deadline, so
// nothing needs to be cancelled from outside. Only post() may be called from another thread.
#pragma once

#include "io/task.h"

#include <chrono>
#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

namespace mailtight::io {

class loop {
public:
    using clock = std::chrono::steady_clock;
    using time_point = clock::time_point;

    loop();
    ~loop();
    loop(const loop&) = delete;
    loop& operator=(const loop&) = delete;

    /// Runs until every spawned task is done (or stop()). An exception out of a spawned task comes out of
    /// here.
    void run();
    void stop();
    bool stopped() const;
    time_point now() const;

    /// Starts a task that nobody awaits; the loop owns it.
    void spawn(task<> work);
    task<> sleep_until(time_point when);
    task<> sleep_for(clock::duration how_long) { return sleep_until(now() + how_long); }
    /// Runs `work` on the loop's thread soon; the only call allowed from other threads. Does not keep run()
    /// alive.
    void post(std::function<void()> work);
    /// post() for a thread that may outlive the loop: once that is gone, what is posted is dropped.
    class door {
    public:
        void post(std::function<void()> work);

    private:
        friend loop;
        std::mutex guard_;
        loop* to_ = nullptr;
    };
    std::shared_ptr<door> way_in() const { return door_; }
    /// Resumes a coroutine from the loop, not from the caller's stack.
    void resume_soon(std::coroutine_handle<> waiting);

    /// Runs the loop until this one task is done, and gives its value.
    template<class T>
    T block_on(task<T> work);

    /// For io/ alone.
    struct state;
    state& native() { return *state_; }

private:
    std::unique_ptr<state> state_;
    std::shared_ptr<door> door_;
};

/// A gate that opens once; waiters go on from the loop. Single-threaded.
class event {
public:
    explicit event(loop& on)
        : loop_(on) {}
    bool is_set() const { return set_; }
    void set();
    auto operator co_await() {
        struct awaiter {
            event& gate;
            bool await_ready() const noexcept { return gate.set_; }
            void await_suspend(std::coroutine_handle<> waiting) { gate.waiting_.push_back(waiting); }
            void await_resume() const noexcept {}
        };
        return awaiter{*this};
    }

private:
    loop& loop_;
    bool set_ = false;
    std::vector<std::coroutine_handle<>> waiting_;
};

/// A bounded number of permits; waiters are served in order. Single-threaded.
class semaphore {
public:
    semaphore(loop& on, std::size_t permits)
        : loop_(on)
        , free_(permits) {}
    /// Gives its permit back when it goes.
    class permit {
    public:
        permit() = default;
        explicit permit(semaphore* owner)
            : owner_(owner) {}
        permit(permit&& other) noexcept
            : owner_(std::exchange(other.owner_, nullptr)) {}
        permit& operator=(permit&& other) noexcept {
            std::swap(owner_, other.owner_);
            return *this;
        }
        ~permit() {
            if (owner_)
                owner_->release();
        }

    private:
        semaphore* owner_ = nullptr;
    };
    auto acquire() {
        struct awaiter {
            semaphore& gate;
            bool await_ready() const noexcept {
                if (gate.free_ == 0)
                    return false;
                --gate.free_;
                return true;
            }
            void await_suspend(std::coroutine_handle<> waiting) { gate.waiting_.push_back(waiting); }
            permit await_resume() const noexcept { return permit{&gate}; }
        };
        return awaiter{*this};
    }
    std::size_t available() const { return free_; }

private:
    void release();
    loop& loop_;
    std::size_t free_;
    std::deque<std::coroutine_handle<>> waiting_;
};

/// A task that already runs; get() waits for its value (once). What nobody gets is thrown away, its exception
/// too.
template<class T>
class started {
public:
    started() = default;
    explicit started(loop& on)
        : box_(std::make_shared<box>(on)) {}
    task<T> get();

    struct box {
        explicit box(loop& on)
            : done(on) {}
        event done;
        std::optional<T> value;
        std::exception_ptr error;
    };
    std::shared_ptr<box> box_;
};
/// Starts a task now, to be waited for later: how different things are done at once.
template<class T>
started<T> start(loop& on, task<T> work);

/// Runs all tasks at once and gives their values in order. An exception of one is thrown when all are done.
template<class T>
task<std::vector<T>> when_all(loop& on, std::vector<task<T>> work);

} // namespace mailtight::io

#include "io/loop_inline.h"
