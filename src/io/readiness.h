// SPDX-License-Identifier: Apache-2.0
// Waits for many sockets at once: an epoll of its own inside the loop's. One wake-up of the loop serves all
// that are ready, and a socket stays registered from its first byte to its last, so that waiting for the next
// request costs nothing. For io/ alone; on the loop.
#pragma once

#include "io/loop_state.h"

#include <boost/asio/posix/stream_descriptor.hpp>

#include <cstdint>
#include <functional>
#include <memory>

namespace mailtight::io {

class readiness {
public:
    /// Told of its socket's events (epoll_ctl(2)), level-triggered. Lives until the end of the turn in which
    /// it is removed: an event of it may be waiting there.
    class waiter {
    public:
        virtual void ready(std::uint32_t events) = 0;

    protected:
        ~waiter() = default;
    };
    explicit readiness(loop& on);
    readiness(const readiness&) = delete;
    readiness& operator=(const readiness&) = delete;

    bool add(int socket, std::uint32_t events, waiter& tell);
    void change(int socket, std::uint32_t events, waiter& tell);
    void remove(int socket);
    /// Calls begin(), the waiters and end() in each turn, as long as `owner` lives.
    template<class Owner>
    void start(const std::shared_ptr<Owner>& owner) {
        sockets_.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                            [this, weak = std::weak_ptr(owner)](const boost::system::error_code& error) {
                                const auto held = weak.lock();
                                if (error || !held)
                                    return;
                                held->begin_turn();
                                tell();
                                held->end_turn();
                                start(held);
                            });
    }

private:
    void tell();
    boost::asio::posix::stream_descriptor sockets_;
};

} // namespace mailtight::io
