// SPDX-License-Identifier: Apache-2.0
// How many questions may be with the servers at once: few at first, one more for each answer until a datagram
// is lost, then a quarter fewer and slowly up again, as TCP does. A thousand at once would overrun the socket
// buffer of a resolver on this very machine (some 270 datagrams by default), and a question lost in every try
// would be told as a timeout. A slow answer is no sign of loss, since dead domains are slow. The loop's
// thread only.
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
        if (answered && size_ < most_ && (!lost_once_ || ++answers_ >= size_)) {
            ++size_;
            answers_ = 0;
        }
        while (inside_ < size_ && !waiting_.empty()) {
            ++inside_; // the place is taken before its owner runs
            loop_.resume_soon(waiting_.front());
            waiting_.pop_front();
        }
    }
    /// A datagram was surely lost. What is lost within the same fifth of a second counts once.
    void lost() {
        const auto now = loop_.now();
        if (lost_once_ && now < counts_again_)
            return;
        lost_once_ = true;
        counts_again_ = now + std::chrono::milliseconds(200);
        size_ = std::min(size_, std::max(floor, size_ - size_ / 4));
    }
    std::size_t size() const { return size_; }
    static constexpr std::size_t floor = 200; ///< fits the buffer of one socket

private:
    loop& loop_;
    std::size_t size_, most_, inside_ = 0;
    bool lost_once_ = false;
    std::size_t answers_ = 0; ///< since the window last grew
    loop::time_point counts_again_;
    std::deque<std::coroutine_handle<>> waiting_;
};

} // namespace mailtight::io
