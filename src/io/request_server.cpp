// SPDX-License-Identifier: Apache-2.0
// Entry: request_server.
#include "io/request_connection.h"

#include <fmt/format.h>

#include <algorithm>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

namespace mailtight::io {

namespace {

using namespace std::chrono_literals;

/// A client whose machine went away is noticed by the kernel; no other clock looks at an idle one.
void keep_alive(int socket) {
    const auto set = [socket](int level, int option, int value) {
        ::setsockopt(socket, level, option, &value, sizeof value);
    };
    set(SOL_SOCKET, SO_KEEPALIVE, 1);
    set(IPPROTO_TCP, TCP_KEEPIDLE, 300);
    set(IPPROTO_TCP, TCP_KEEPINTVL, 60);
    set(IPPROTO_TCP, TCP_KEEPCNT, 5);
}

} // namespace

request_server::state::state(loop& on, request_server_options wanted, make_session session)
    : connection_books(on, wanted.listening)
    , options(std::move(wanted))
    , session(std::move(session))
    , input(std::max<std::size_t>(options.request_bytes, 1)) {}

void request_server::state::welcome(descriptor socket, const peer& who, acceptor::place place) {
    if (who.address)
        keep_alive(socket.get());
    const auto made = std::make_shared<request_connection>(*this, std::move(socket), std::move(place));
    enter(made);
    try {
        made->start(who);
    } catch (const std::exception& error) {
        complain(fmt::format("a session could not begin: {}", error.what()));
        made->close();
    }
}

std::chrono::milliseconds request_server::state::sweep_after() const {
    return std::max<std::chrono::milliseconds>(options.stuck_time / 4, 5ms);
}

void request_server::state::sweep(request_connection& one, loop::time_point now) {
    one.sweep(now);
}

request_server::request_server(loop& on, request_server_options options, make_session session)
    : state_(std::make_shared<state>(on, std::move(options), std::move(session))) {
    state_->know(state_);
}

request_server::~request_server() {
    state_->close_all();
}

std::expected<void, std::string> request_server::listen(const listen_address& at) {
    return state_->listen(at);
}

std::string request_server::address() const {
    return state_->addresses();
}

void request_server::stop() {
    state_->stop();
}

std::size_t request_server::open_connections() const {
    return state_->all.size();
}

std::uint64_t request_server::refused() const {
    return state_->refused();
}

} // namespace mailtight::io
