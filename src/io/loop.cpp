// SPDX-License-Identifier: Apache-2.0
// The loop over Boost.Asio: a task that nobody awaits lives in a detached frame that counts itself in and
// out.
#include "io/loop_state.h"

#include <exception>

namespace mailtight::io {

namespace {

/// The frame of a spawned task: starts at once from the loop, destroys itself at its end.
struct detached {
    struct promise_type {
        detached get_return_object() noexcept {
            return {std::coroutine_handle<promise_type>::from_promise(*this)};
        }
        std::suspend_always initial_suspend() noexcept { return {}; }
        std::suspend_never final_suspend() noexcept { return {}; }
        void return_void() noexcept {}
        void unhandled_exception() noexcept { std::terminate(); } // drive() catches everything
    };
    std::coroutine_handle<promise_type> coroutine;
};

/// Takes its frame out of the loop's books at its end.
struct entry {
    loop::state& owner;
    void* frame;
    ~entry() { owner.frames.erase(frame); }
};

/// The handle of the coroutine that asks.
struct own_frame {
    void* frame = nullptr;
    bool await_ready() const noexcept { return false; }
    bool await_suspend(std::coroutine_handle<> self) noexcept {
        frame = self.address();
        return false;
    }
    void* await_resume() const noexcept { return frame; }
};

detached drive(loop::state& owner, task<> work) {
    const entry booked{owner, co_await own_frame{}};
    try {
        co_await std::move(work);
    } catch (...) {
        if (!owner.error)
            owner.error = std::current_exception();
        owner.context.stop();
    }
    if (--owner.live == 0)
        owner.context.stop();
}

/// Frames of tasks that outlived their loop (a stop in the middle): never resumed, and never destroyed
/// either, since what their locals refer to may be gone already. Reachable, so that a leak checker knows it
/// is meant. Loops of several threads share it.
struct left_behind {
    std::mutex guard;
    std::unordered_set<void*> frames;
    static left_behind& all() {
        static auto& one = *new left_behind;
        return one;
    }
};

} // namespace

loop::loop()
    : state_(std::make_unique<state>())
    , door_(std::make_shared<door>()) {
    door_->to_ = this;
}

loop::~loop() {
    {
        const std::lock_guard held(door_->guard_);
        door_->to_ = nullptr;
    }
    auto& left = left_behind::all();
    const std::lock_guard held(left.guard);
    left.frames.merge(state_->frames);
}

void loop::run() {
    state_->stopped = false;
    auto keep = boost::asio::make_work_guard(state_->context);
    if (state_->live > 0) {
        state_->context.restart();
        state_->context.run();
    }
    if (state_->error)
        std::rethrow_exception(std::exchange(state_->error, nullptr));
}

void loop::stop() {
    state_->stopped = true;
    state_->context.stop();
}

bool loop::stopped() const {
    return state_->stopped;
}

loop::time_point loop::now() const {
    return clock::now();
}

void loop::spawn(task<> work) {
    ++state_->live;
    auto frame = drive(*state_, std::move(work));
    state_->frames.insert(frame.coroutine.address());
    resume_soon(frame.coroutine);
}

task<> loop::sleep_until(time_point when) {
    boost::asio::steady_timer timer(state_->context, when);
    struct awaiter {
        boost::asio::steady_timer& timer;
        bool await_ready() const noexcept { return false; }
        void await_suspend(std::coroutine_handle<> waiting) {
            timer.async_wait([waiting](const boost::system::error_code&) { waiting.resume(); });
        }
        void await_resume() const noexcept {}
    };
    co_await awaiter{timer};
}

void loop::post(std::function<void()> work) {
    boost::asio::post(state_->context, std::move(work));
}

void loop::door::post(std::function<void()> work) {
    const std::lock_guard held(guard_);
    if (to_)
        to_->post(std::move(work));
}

void loop::resume_soon(std::coroutine_handle<> waiting) {
    boost::asio::post(state_->context, [waiting] { waiting.resume(); });
}

void event::set() {
    if (set_)
        return;
    set_ = true;
    for (auto waiting : std::exchange(waiting_, {}))
        loop_.resume_soon(waiting);
}

void semaphore::release() {
    if (waiting_.empty()) {
        ++free_;
        return;
    }
    // The permit goes straight to the first in line.
    auto next = waiting_.front();
    waiting_.pop_front();
    loop_.resume_soon(next);
}

} // namespace mailtight::io
