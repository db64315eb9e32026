// SPDX-License-Identifier: Apache-2.0
// One entry: connect_tcp. Sockets under Asio: an operation waits for readiness and for its deadline at once,
// and goes on when both have ended, so that no handler outlives the coroutine that waits. Reads happen after
// readiness, so a silent connection holds no buffer.
#include "io/loop_state.h"
#include "io/stream.h"

#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <algorithm>
#include <array>
#include <utility>

namespace mailtight::io {

namespace {

namespace asio = boost::asio;
using tcp = asio::ip::tcp;
using boost::system::error_code;

/// Starts `begin(handler)` and waits for it or for the deadline.
template<class Begin>
struct operation {
    tcp::socket& socket;
    asio::steady_timer& timer;
    loop::time_point deadline;
    Begin begin;
    error_code error{};
    bool timed_out = false;
    int pending = 2;
    std::coroutine_handle<> waiting{};

    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> coroutine) {
        waiting = coroutine;
        timer.expires_at(deadline);
        timer.async_wait([this](const error_code& cancelled) {
            if (!cancelled) {
                timed_out = true;
                error_code ignored;
                socket.cancel(ignored);
            }
            finish();
        });
        begin([this](const error_code& result) {
            error = result;
            timer.cancel();
            finish();
        });
    }
    /// What ended it: ready (no error), or `timed_out`.
    error_code await_resume() const {
        if (error && timed_out)
            return asio::error::timed_out;
        return error;
    }
    void finish() {
        if (--pending == 0)
            waiting.resume();
    }
};
template<class Begin>
operation(tcp::socket&, asio::steady_timer&, loop::time_point, Begin) -> operation<Begin>;

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

class tcp_stream final : public stream {
    /// Waits until the socket can be read or written.
    auto ready(tcp::socket::wait_type what, loop::time_point deadline) {
        return operation{socket, timer, deadline,
                         [this, what](auto handler) { socket.async_wait(what, std::move(handler)); }};
    }

public:
    explicit tcp_stream(loop& on)
        : socket(on.native().context)
        , timer(on.native().context)
        , loop_(on) {}

    task<read_result> read_some(std::size_t limit, loop::time_point deadline) override {
        for (;;) {
            if (!socket.is_open() || limit == 0)
                co_return read_result{};
            if (loop_.now() >= deadline)
                co_return read_result{io_status::timeout, {}};
            if (const auto error = co_await ready(tcp::socket::wait_read, deadline))
                co_return read_result{status_of(error), {}};
            read_result result{io_status::ok, std::string(std::min(limit, max_read), '\0')};
            error_code error;
            const auto got = socket.read_some(asio::buffer(result.bytes), error);
            if (error == asio::error::would_block)
                continue;
            result.bytes.resize(got);
            if (error)
                co_return read_result{status_of(error), {}};
            co_return result;
        }
    }

    task<io_status> write_all(std::string bytes, loop::time_point deadline) override {
        std::string_view left = bytes;
        while (!left.empty()) {
            if (!socket.is_open())
                co_return io_status::failed;
            if (loop_.now() >= deadline)
                co_return io_status::timeout;
            error_code error;
            left.remove_prefix(socket.write_some(asio::buffer(left), error));
            if (error == asio::error::would_block)
                error = co_await ready(tcp::socket::wait_write, deadline);
            if (error)
                co_return status_of(error);
        }
        co_return io_status::ok;
    }

    void try_write(std::string_view bytes) override {
        error_code ignored;
        if (socket.is_open())
            socket.write_some(asio::buffer(bytes), ignored);
    }

    void close() override {
        error_code ignored;
        socket.shutdown(tcp::socket::shutdown_both, ignored);
        socket.close(ignored);
    }

    tcp::socket socket;
    asio::steady_timer timer;

private:
    static constexpr std::size_t max_read = 65'536;

    loop& loop_;
};

asio::ip::address to_asio(const base::ip_address& address) {
    const auto bytes = address.bytes();
    if (address.is_v4()) {
        asio::ip::address_v4::bytes_type v4{};
        std::ranges::copy(bytes, v4.begin());
        return asio::ip::address_v4(v4);
    }
    asio::ip::address_v6::bytes_type v6{};
    std::ranges::copy(bytes, v6.begin());
    return asio::ip::address_v6(v6);
}

model::connect_outcome outcome_of(const error_code& error) {
    if (error == asio::error::connection_refused)
        return model::connect_outcome::refused;
    if (error == asio::error::timed_out)
        return model::connect_outcome::timeout;
    if (error == asio::error::network_unreachable || error == asio::error::host_unreachable ||
        error == boost::system::errc::address_not_available ||
        error == boost::system::errc::address_family_not_supported ||
        error == boost::system::errc::permission_denied ||
        error == boost::system::errc::operation_not_permitted)
        return model::connect_outcome::unreachable;
    return model::connect_outcome::failed;
}

} // namespace

task<connect_result> connect_tcp(loop& on, endpoint to, const base::address_guard& guard,
                                 loop::time_point deadline, bool exempt) {
    // The address that is judged here is the one that is connected to: no name comes after this.
    if (!exempt) {
        if (auto reason = guard.refuses(to.address))
            co_return connect_result{model::connect_outcome::blocked, nullptr, *reason};
    }
    if (on.now() >= deadline)
        co_return connect_result{model::connect_outcome::timeout, nullptr, "no time was left to connect"};

    auto connection = std::make_unique<tcp_stream>(on);
    const tcp::endpoint target(to_asio(to.address), to.port);
    error_code error;
    connection->socket.open(target.protocol(), error);
    if (!error)
        connection->socket.non_blocking(true, error);
    if (!error) {
        auto& socket = connection->socket;
        error = co_await operation{socket, connection->timer, deadline, [&socket, target](auto handler) {
                                       socket.async_connect(target, std::move(handler));
                                   }};
    }
    if (error)
        co_return connect_result{outcome_of(error), nullptr, error.message()};
    error_code ignored;
    connection->socket.set_option(tcp::no_delay(true), ignored);
    co_return connect_result{model::connect_outcome::connected, std::move(connection), {}};
}

} // namespace mailtight::io
