// SPDX-License-Identifier: Apache-2.0
// A lazily started coroutine: `task<T>` runs when it is awaited, and gives its value or its exception to the
// one who awaits. Owned by its holder; lives on the thread of its loop. No event loop in here, so a protocol
// file compiles fast.
#pragma once

#include <coroutine>
#include <exception>
#include <optional>
#include <utility>

namespace mailtight::io {

template<class T = void>
class task;

namespace detail {

struct final_awaiter {
    bool await_ready() noexcept { return false; }
    template<class Promise>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> self) noexcept {
        auto next = self.promise().continuation;
        return next ? next : std::noop_coroutine();
    }
    void await_resume() noexcept {}
};

struct promise_base {
    std::coroutine_handle<> continuation;
    std::exception_ptr error;
    std::suspend_always initial_suspend() noexcept { return {}; }
    final_awaiter final_suspend() noexcept { return {}; }
    void unhandled_exception() noexcept { error = std::current_exception(); }
};

template<class T>
struct promise : promise_base {
    std::optional<T> value;
    task<T> get_return_object() noexcept;
    template<class U>
    void return_value(U&& result) {
        value.emplace(std::forward<U>(result));
    }
    T take() {
        if (error)
            std::rethrow_exception(error);
        return std::move(*value);
    }
};

template<>
struct promise<void> : promise_base {
    task<void> get_return_object() noexcept;
    void return_void() noexcept {}
    void take() const {
        if (error)
            std::rethrow_exception(error);
    }
};

} // namespace detail

template<class T>
class [[nodiscard]] task {
public:
    using promise_type = detail::promise<T>;
    using handle = std::coroutine_handle<promise_type>;

    task() noexcept = default;
    explicit task(handle coroutine) noexcept
        : coroutine_(coroutine) {}
    task(task&& other) noexcept
        : coroutine_(std::exchange(other.coroutine_, {})) {}
    task& operator=(task&& other) noexcept {
        if (this != &other) {
            if (coroutine_)
                coroutine_.destroy();
            coroutine_ = std::exchange(other.coroutine_, {});
        }
        return *this;
    }
    task(const task&) = delete;
    task& operator=(const task&) = delete;
    ~task() {
        if (coroutine_)
            coroutine_.destroy();
    }

    struct awaiter {
        handle coroutine;
        bool await_ready() const noexcept { return false; }
        std::coroutine_handle<> await_suspend(std::coroutine_handle<> waiting) noexcept {
            coroutine.promise().continuation = waiting;
            return coroutine;
        }
        T await_resume() { return coroutine.promise().take(); }
    };
    awaiter operator co_await() && noexcept { return awaiter{coroutine_}; }

private:
    handle coroutine_;
};

template<class T>
task<T> detail::promise<T>::get_return_object() noexcept {
    return task<T>{std::coroutine_handle<promise<T>>::from_promise(*this)};
}
inline task<void> detail::promise<void>::get_return_object() noexcept {
    return task<void>{std::coroutine_handle<promise<void>>::from_promise(*this)};
}

} // namespace mailtight::io
