// SPDX-License-Identifier: Apache-2.0
// How many questions may be with the servers at once: few at first, one more for each answer, up to a bound.
// A thousand at once would overrun the socket buffer of a resolver on this very machine (some 270 datagrams
// by default), and each lost one costs a second. Never shrinks: a slow answer is no sign of loss, since dead
// domains are slow. The loop's thread only.
#pragma once

#include "io/loop.h"

#include <algorithm>

namespace mailtight::io {

class dns_window {
public:
    dns_window(loop& on, std::size_t begin, std::size_t most)
        : loop_(on)
        , size_(std::min(begin, most))
        , most_(most) {}

    auto enter() {
        struct awaiter {
            dns_window& self;
            bool await_ready() const noexcept {
                if (self.inside_ >= self.size_)
                    return false;
                ++self.inside_;
                return true;
            }
            void await_suspend(std::coroutine_handle<> waiting) { self.waiting_.push_back(waiting); }
            void await_resume() const noexcept {}
        };
        return awaiter{*this};
    }
    /// `answered`: something came back, whatever it said.
    void leave(bool answered) {
        --inside_;
        if (answered && size_ < most_)
            ++size_;
        while (inside_ < size_ && !waiting_.empty()) {
            ++inside_; // the place is taken before its owner runs
            loop_.resume_soon(waiting_.front());
            waiting_.pop_front();
        }
    }
    std::size_t size() const { return size_; }

private:
    loop& loop_;
    std::size_t size_, most_, inside_ = 0;
    std::deque<std::coroutine_handle<>> waiting_;
};

} // namespace mailtight::io
