// SPDX-License-Identifier: Apache-2.0
// A thread beside the loop for calls that block (the store, libcurl): work goes there, the result comes back
// to the coroutine on the loop. Jobs of one worker run in order.
#pragma once

#include "io/loop.h"

#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <variant>

namespace mailtight::io {

/// Thrown to who waits for a job that was dropped before it began.
class worker_gone : public std::runtime_error {
public:
    worker_gone()
        : std::runtime_error("the worker ended before the job began") {}
};

/// Made, asked and destroyed on the loop's thread. One that belongs to a task which the loop leaves behind
/// at its end is never destroyed: its thread finishes the job that runs, and then waits for ever.
class worker {
public:
    worker(loop& on, std::string name);
    /// Waits for the job that runs; jobs not begun are dropped, and who waits for them gets worker_gone.
    ~worker();
    worker(const worker&) = delete;
    worker& operator=(const worker&) = delete;
    /// Runs `job` on the thread; resumes on the loop with its value, or its exception. The job, with what it
    /// holds, is destroyed on the thread. Who awaits is a task of the loop, so run() goes on meanwhile.
    template<class T>
    task<T> run(std::function<T()> job);
    std::size_t waiting() const;
    /// Blocks until every job that was handed over is done; who waits for them goes on later, from the loop.
    void rest();

private:
    /// One piece of work: begun, or told that it never will be.
    struct job {
        std::function<void()> begin, drop;
    };
    void post(job work);
    struct state;
    std::shared_ptr<state> state_;
    loop& loop_;
};

template<class T>
task<T> worker::run(std::function<T()> work) {
    using value = std::conditional_t<std::is_void_v<T>, std::monostate, T>;
    struct box {
        explicit box(loop& on)
            : done(on) {}
        event done;
        std::optional<value> result;
        std::exception_ptr error;
    };
    auto shared = std::make_shared<box>(loop_);
    post({.begin =
              [work = std::move(work), shared, on = loop_.way_in()]() mutable {
                  try {
                      if constexpr (std::is_void_v<T>) {
                          work();
                          shared->result.emplace();
                      } else {
                          shared->result.emplace(work());
                      }
                  } catch (...) {
                      shared->error = std::current_exception();
                  }
                  work = nullptr; // what it holds goes before its caller goes on
                  on->post([held = std::move(shared)] { held->done.set(); });
              },
          .drop =
              [shared] {
                  shared->error = std::make_exception_ptr(worker_gone());
                  shared->done.set();
              }});
    co_await shared->done;
    if (shared->error)
        std::rethrow_exception(shared->error);
    if constexpr (!std::is_void_v<T>)
        co_return std::move(*shared->result);
}

} // namespace mailtight::io
