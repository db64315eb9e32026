// SPDX-License-Identifier: Apache-2.0
// A thread beside the loop for calls that block (the store, libcurl): work goes there, the result comes back
// to the coroutine on the loop. Jobs of one worker run in order.
#pragma once

#include "io/loop.h"

#include <functional>
#include <memory>
#include <string>

namespace mailtight::io {

class worker {
public:
    worker(loop& on, std::string name);
    /// Waits for the job that runs; jobs not begun are dropped.
    ~worker();
    /// Runs `job` on the thread; resumes on the loop with its value, or its exception.
    template<class T>
    task<T> run(std::function<T()> job);
    std::size_t waiting() const;

private:
    void post(std::function<void()> job);
    struct state;
    std::shared_ptr<state> state_;
    loop& loop_;
};

template<class T>
task<T> worker::run(std::function<T()> job) {
    struct box {
        explicit box(loop& on)
            : done(on) {}
        event done;
        std::optional<T> value;
        std::exception_ptr error;
    };
    auto shared = std::make_shared<box>(loop_);
    post([job = std::move(job), shared, &on = loop_] {
        try {
            shared->value.emplace(job());
        } catch (...) {
            shared->error = std::current_exception();
        }
        on.post([shared] { shared->done.set(); });
    });
    co_await shared->done;
    if (shared->error)
        std::rethrow_exception(shared->error);
    co_return std::move(*shared->value);
}

} // namespace mailtight::io
