// SPDX-License-Identifier: Apache-2.0
// From the thread that empties a unix datagram socket to the loop: datagrams are gathered in a buffer on that
// thread, which is handed over about ten times a second, or when it is full. Where the loop does not keep up,
// the thread waits, so that memory is bounded and the kernel's queue says no for us. Made, asked and closed
// on the loop.
#pragma once

#include "io/datagram_drain.h"

#include <condition_variable>
#include <deque>
#include <expected>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mailtight::app {

/// Buffer: `bool add(std::string_view)`, false where it is full, and `bool empty()`.
template<class Buffer>
class drained_input {
public:
    /// `take` gets a full buffer on the loop, and gives back an empty one to be filled: one that has its
    /// memory already, where there is one. The error is for a person.
    static std::expected<std::unique_ptr<drained_input>, std::string>
    open(io::loop& on, io::drain_options options, std::function<Buffer(Buffer)> take) {
        std::unique_ptr<drained_input> made(new drained_input);
        made->state_ = std::make_shared<state>();
        made->state_->door = on.way_in();
        made->state_->every = options.hand_over;
        made->state_->take = std::move(take);
        auto opened = io::datagram_drain::open(
            std::move(options), [of = made->state_](std::string_view bytes) { state::add(of, bytes); },
            [of = made->state_] { state::beat(of); });
        if (!opened)
            return std::unexpected(opened.error());
        made->drain_ = std::move(*opened);
        return made;
    }
    ~drained_input() { close(); }
    /// Takes what the kernel still holds, and hands all of it over before it returns.
    void close() {
        if (!drain_)
            return;
        {
            const std::lock_guard held(state_->guard);
            state_->closing = true;
        }
        state_->room.notify_all();
        last_ = drain_->counted();
        place_ = drain_->path();
        drain_.reset();
        {
            const std::lock_guard held(state_->guard);
            state_->move_over();
        }
        state::hand_over(state_);
        state_->take = nullptr; // what was posted and has not run comes to nothing
    }
    io::datagram_drain::figures counted() const { return drain_ ? drain_->counted() : last_; }
    const std::string& path() const { return drain_ ? drain_->path() : place_; }

private:
    drained_input() = default;

    struct state {
        static constexpr std::size_t buffers_most = 3; ///< that wait for the loop

        std::mutex guard;
        std::condition_variable room;
        Buffer filling;
        std::deque<Buffer> ready;
        std::vector<Buffer> spares; ///< empty ones; no more than can be on their way
        bool posted = false, closing = false;
        std::chrono::steady_clock::time_point handed{};
        std::chrono::milliseconds every{100};
        std::shared_ptr<io::loop::door> door;
        std::function<Buffer(Buffer)> take; ///< the loop's

        void move_over() {
            if (!filling.empty()) {
                ready.push_back(std::move(filling));
                if (spares.empty()) {
                    filling = Buffer();
                } else {
                    filling = std::move(spares.back());
                    spares.pop_back();
                }
            }
            handed = std::chrono::steady_clock::now();
        }
        static void post(const std::shared_ptr<state>& of) {
            if (of->closing || of->ready.empty() || std::exchange(of->posted, true))
                return;
            of->door->post([of] { hand_over(of); });
        }
        static void add(const std::shared_ptr<state>& of, std::string_view bytes) {
            std::unique_lock held(of->guard);
            if (of->filling.add(bytes))
                return;
            of->move_over();
            post(of);
            of->room.wait(held, [&of] { return of->closing || of->ready.size() < buffers_most; });
            of->filling.add(bytes); // alone it fits, or never
        }
        static void beat(const std::shared_ptr<state>& of) {
            const std::lock_guard held(of->guard);
            // Half of it: the last beat, after that much silence, must never be left out.
            if (of->filling.empty() || std::chrono::steady_clock::now() - of->handed < of->every / 2)
                return;
            of->move_over();
            post(of);
        }
        static void hand_over(const std::shared_ptr<state>& of) {
            std::deque<Buffer> got;
            {
                const std::lock_guard held(of->guard);
                of->posted = false;
                got.swap(of->ready);
            }
            of->room.notify_all();
            for (auto& each : got) {
                if (!of->take)
                    return;
                auto empty = of->take(std::move(each));
                const std::lock_guard held(of->guard);
                if (of->spares.size() < buffers_most)
                    of->spares.push_back(std::move(empty));
            }
        }
    };

    std::shared_ptr<state> state_;
    std::unique_ptr<io::datagram_drain> drain_;
    io::datagram_drain::figures last_;
    std::string place_;
};

} // namespace mailtight::app
