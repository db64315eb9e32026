// SPDX-License-Identifier: Apache-2.0
// The templates of io/loop.h.
#pragma once

#include "io/loop.h"

#include <optional>
#include <stdexcept>

namespace mailtight::io {

namespace detail {

template<class T>
task<> run_into(task<T> work, std::optional<T>& into, std::exception_ptr& error, std::size_t& left,
                event& done) {
    try {
        into.emplace(co_await std::move(work));
    } catch (...) {
        error = std::current_exception();
    }
    if (--left == 0)
        done.set();
}

template<class T>
task<> run_boxed(task<T> work, std::shared_ptr<typename started<T>::box> into) {
    try {
        into->value.emplace(co_await std::move(work));
    } catch (...) {
        into->error = std::current_exception();
    }
    into->done.set();
}

template<class T>
task<> store_result(task<T> work, std::optional<T>& into, loop& on) {
    into.emplace(co_await std::move(work));
    on.stop();
}
inline task<> store_done(task<> work, bool& into, loop& on) {
    co_await std::move(work);
    into = true;
    on.stop();
}

} // namespace detail

template<class T>
task<T> started<T>::get() {
    auto box = box_; // outlives this object, should it be moved from meanwhile
    co_await box->done;
    if (box->error)
        std::rethrow_exception(box->error);
    co_return std::move(*box->value);
}

template<class T>
started<T> start(loop& on, task<T> work) {
    started<T> handle(on);
    on.spawn(detail::run_boxed<T>(std::move(work), handle.box_));
    return handle;
}

template<class T>
task<std::vector<T>> when_all(loop& on, std::vector<task<T>> work) {
    std::vector<std::optional<T>> values(work.size());
    std::exception_ptr error;
    std::size_t left = work.size();
    event done(on);
    if (left == 0)
        done.set();
    for (std::size_t i = 0; i < work.size(); ++i)
        on.spawn(detail::run_into(std::move(work[i]), values[i], error, left, done));
    co_await done;
    if (error)
        std::rethrow_exception(error);
    std::vector<T> result;
    result.reserve(values.size());
    for (auto& value : values)
        result.push_back(std::move(*value));
    co_return result;
}

template<class T>
T loop::block_on(task<T> work) {
    if constexpr (std::is_void_v<T>) {
        bool done = false;
        spawn(detail::store_done(std::move(work), done, *this));
        run();
        if (!done)
            throw std::runtime_error("the loop was stopped before the task was done");
    } else {
        std::optional<T> value;
        spawn(detail::store_result(std::move(work), value, *this));
        run();
        if (!value)
            throw std::runtime_error("the loop was stopped before the task was done");
        return std::move(*value);
    }
}

} // namespace mailtight::io
