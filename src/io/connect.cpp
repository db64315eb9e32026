// SPDX-License-Identifier: Apache-2.0
// Entries: connect_tcp and connect_unix.
#include "io/dns_socket.h"
#include "io/socket_stream.h"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>

#include <utility>

namespace mailtight::io {

namespace {

namespace asio = boost::asio;
using tcp = asio::ip::tcp;
using boost::system::error_code;

model::connect_outcome outcome_of(const error_code& error) {
    if (error == asio::error::connection_refused ||
        error == boost::system::errc::no_such_file_or_directory) // a unix socket that nobody made
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

task<connect_result> reach(loop& on, asio::generic::stream_protocol::endpoint target,
                           loop::time_point deadline) {
    auto connection = std::make_unique<socket_stream>(on);
    auto& socket = connection->socket;
    error_code error;
    socket.open(target.protocol(), error);
    if (!error)
        socket.non_blocking(true, error);
    if (!error) {
        error =
            co_await socket_operation{socket, connection->timer, deadline, [&socket, &target](auto handler) {
                                          socket.async_connect(target, std::move(handler));
                                      }};
    }
    if (error)
        co_return connect_result{outcome_of(error), nullptr, error.message()};
    co_return connect_result{model::connect_outcome::connected, std::move(connection), {}};
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

    auto result = co_await reach(on, to_asio<tcp>(to), deadline);
    error_code ignored;
    if (result.connection)
        static_cast<socket_stream&>(*result.connection).socket.set_option(tcp::no_delay(true), ignored);
    co_return result;
}

task<connect_result> connect_unix(loop& on, std::string path, loop::time_point deadline) {
    sockaddr_un longest{};
    if (path.size() >= sizeof longest.sun_path)
        co_return connect_result{model::connect_outcome::failed, nullptr,
                                 "the path is too long for a socket"};
    co_return co_await reach(on, asio::local::stream_protocol::endpoint(path), deadline);
}

} // namespace mailtight::io
