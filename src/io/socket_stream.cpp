// SPDX-License-Identifier: Apache-2.0
// Reads go through one buffer of the thread, and happen before and after waiting: a silent connection holds
// no memory, and bytes that are there already cost no wait.
#include "io/socket_stream.h"

#include <boost/asio/buffer.hpp>

#include <algorithm>
#include <array>

namespace mailtight::io {

namespace {

namespace asio = boost::asio;
using boost::system::error_code;

io_status status_of(const error_code& error) {
    if (!error)
        return io_status::ok;
    if (error == asio::error::eof)
        return io_status::eof;
    if (error == asio::error::timed_out)
        return io_status::timeout;
    if (error == asio::error::connection_reset || error == asio::error::broken_pipe ||
        error == asio::error::connection_aborted)
        return io_status::reset;
    return io_status::failed;
}

auto ready(socket_stream& of, any_socket::wait_type what, loop::time_point deadline) {
    return socket_operation{of.socket, of.timer, deadline, [&socket = of.socket, what](auto handler) {
                                socket.async_wait(what, std::move(handler));
                            }};
}

} // namespace

socket_stream::socket_stream(loop& on)
    : socket(on.native().context)
    , timer(on.native().context)
    , loop_(on) {}

socket_stream::socket_stream(loop& on, any_socket connected)
    : socket(std::move(connected))
    , timer(on.native().context)
    , loop_(on) {}

task<read_result> socket_stream::read_some(std::size_t limit, loop::time_point deadline) {
    static thread_local std::array<char, 65'536> buffer;
    for (;;) {
        if (!socket.is_open() || limit == 0)
            co_return read_result{};
        if (loop_.now() >= deadline) // also where bytes never end to come
            co_return read_result{io_status::timeout, {}};
        error_code error;
        const auto got = socket.read_some(asio::buffer(buffer.data(), std::min(limit, buffer.size())), error);
        if (!error)
            co_return read_result{io_status::ok, std::string(buffer.data(), got)};
        if (error != asio::error::would_block)
            co_return read_result{status_of(error), {}};
        if (interrupted_)
            co_return read_result{io_status::timeout, {}};
        reading_ = true;
        error = co_await ready(*this, any_socket::wait_read, deadline);
        reading_ = false;
        if (error)
            co_return read_result{interrupted_ ? io_status::timeout : status_of(error), {}};
    }
}

task<io_status> socket_stream::write_all(std::string bytes, loop::time_point deadline) {
    std::string_view left = bytes;
    while (!left.empty()) {
        if (!socket.is_open())
            co_return io_status::failed;
        if (loop_.now() >= deadline)
            co_return io_status::timeout;
        error_code error;
        left.remove_prefix(socket.write_some(asio::buffer(left), error));
        if (error == asio::error::would_block)
            error = co_await ready(*this, any_socket::wait_write, deadline);
        if (error)
            co_return status_of(error);
    }
    co_return io_status::ok;
}

void socket_stream::try_write(std::string_view bytes) {
    error_code ignored;
    if (socket.is_open())
        socket.write_some(asio::buffer(bytes), ignored);
}

void socket_stream::interrupt() {
    interrupted_ = true;
    error_code ignored;
    if (reading_)
        socket.cancel(ignored);
}

void socket_stream::finish_writing() {
    error_code ignored;
    socket.shutdown(any_socket::shutdown_send, ignored);
}

void socket_stream::close() {
    error_code ignored;
    socket.shutdown(any_socket::shutdown_both, ignored);
    socket.close(ignored);
}

} // namespace mailtight::io
