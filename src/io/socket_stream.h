// SPDX-License-Identifier: Apache-2.0
// The stream over a socket, TCP or unix, for connect.cpp and listener.cpp: an operation waits for readiness
// and for its deadline at once, and goes on when both have ended, so that no handler outlives the coroutine
// that waits. For io/ alone.
#pragma once

#include "io/loop_state.h"
#include "io/stream.h"

#include <boost/asio/generic/stream_protocol.hpp>

#include <coroutine>

namespace mailtight::io {

using any_socket = boost::asio::generic::stream_protocol::socket;

/// Starts `begin(handler)` and waits for it or for the deadline.
template<class Begin>
struct socket_operation {
    any_socket& socket;
    boost::asio::steady_timer& timer;
    loop::time_point deadline;
    Begin begin;
    boost::system::error_code error{};
    bool timed_out = false;
    int pending = 2;
    std::coroutine_handle<> waiting{};

    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> coroutine) {
        waiting = coroutine;
        timer.expires_at(deadline);
        timer.async_wait([this](const boost::system::error_code& cancelled) {
            if (!cancelled) {
                timed_out = true;
                boost::system::error_code ignored;
                socket.cancel(ignored);
            }
            finish();
        });
        begin([this](const boost::system::error_code& result) {
            error = result;
            timer.cancel();
            finish();
        });
    }
    /// What ended it: ready (no error), or `timed_out`.
    boost::system::error_code await_resume() const {
        if (error && timed_out)
            return boost::asio::error::timed_out;
        return error;
    }
    void finish() {
        if (--pending == 0)
            waiting.resume();
    }
};
template<class Begin>
socket_operation(any_socket&, boost::asio::steady_timer&, loop::time_point, Begin) -> socket_operation<Begin>;

/// The socket is non-blocking.
class socket_stream final : public stream {
public:
    explicit socket_stream(loop& on);
    socket_stream(loop& on, any_socket connected);

    task<read_result> read_some(std::size_t limit, loop::time_point deadline) override;
    task<io_status> write_all(std::string bytes, loop::time_point deadline) override;
    void try_write(std::string_view bytes) override;
    void interrupt() override;
    void finish_writing() override;
    void close() override;

    any_socket socket;
    boost::asio::steady_timer timer;

private:
    loop& loop_;
    bool reading_ = false, interrupted_ = false;
};

} // namespace mailtight::io
