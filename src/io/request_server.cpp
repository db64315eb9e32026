// SPDX-License-Identifier: Apache-2.0
// Entry: request_server. What happens on the loop comes in turns: what came to a connection, then sessions
// that asked to be looked at again, then the end of what was closed.
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

/// Keeps the loop running as long as the server has clients.
task<> until_gone(std::shared_ptr<event> gone) {
    co_await *gone;
}

} // namespace

request_server::state::state(loop& on, request_server_options wanted, make_session session)
    : on(on)
    , options(std::move(wanted))
    , session(std::move(session))
    , sweeper(on.native().context)
    , input(std::max<std::size_t>(options.request_bytes, 1)) {}

request_server::state::~state() {
    for (const auto& one : closed)
        one->forget_session(); // the session holds the link, which is its connection
}

void request_server::state::welcome(descriptor socket, const peer& who, acceptor::place place) {
    if (stopping)
        return;
    if (who.address)
        keep_alive(socket.get());
    auto made = std::make_shared<request_connection>(*this, std::move(socket), std::move(place));
    made->index = all.size();
    all.push_back(made);
    try {
        made->start(who);
    } catch (const std::exception& error) {
        complain(fmt::format("a session could not begin: {}", error.what()));
        made->close();
    }
}

void request_server::state::leave(request_connection& who) {
    const auto index = who.index;
    closed.push_back(std::move(all[index]));
    if (index + 1 != all.size()) {
        all[index] = std::move(all.back());
        all[index]->index = index;
    }
    all.pop_back();
    want_turn();
}

void request_server::state::want_turn() {
    if (in_turn || std::exchange(turn_is_due, true))
        return;
    boost::asio::post(on.native().context, [weak = self] {
        const auto held = weak.lock();
        if (!held)
            return;
        held->turn_is_due = false;
        held->begin_turn();
        held->clear_up();
    });
}

void request_server::state::clear_up() {
    for (const auto& one : std::exchange(again, {})) {
        one->queued = false;
        one->look();
    }
    // Sessions may say a last word while they go; what comes of it is the next turn's.
    for (const auto& one : std::exchange(closed, {}))
        one->forget_session();
    in_turn = false;
    if (!again.empty() || !closed.empty())
        want_turn();
    if (stopping && all.empty() && gone)
        gone->set();
}

void request_server::state::want_sweep() {
    if (std::exchange(sweeping, true))
        return;
    sweeper.expires_after(std::max<std::chrono::milliseconds>(options.stuck_time / 4, 5ms));
    sweeper.async_wait([weak = self](const boost::system::error_code& error) {
        const auto held = weak.lock();
        if (!error && held)
            held->sweep();
    });
}

void request_server::state::sweep() {
    sweeping = false;
    const auto now = on.now();
    for (std::size_t i = all.size(); i-- > 0;) // one that goes is replaced by the last, which was looked at
        all[i]->sweep(now);
    if (slow > 0)
        want_sweep();
}

void request_server::state::complain(std::string_view what) const {
    if (options.listening.complain)
        options.listening.complain(what);
}

void request_server::state::close_all() {
    stopping = true;
    acceptors.clear();
    while (!all.empty())
        all.back()->close();
    if (!in_turn) {
        begin_turn();
        clear_up();
    }
}

request_server::request_server(loop& on, request_server_options options, make_session session)
    : state_(std::make_shared<state>(on, std::move(options), std::move(session))) {
    state_->self = state_;
}

request_server::~request_server() {
    state_->close_all();
}

std::expected<void, std::string> request_server::listen(const listen_address& at) {
    auto opened =
        acceptor::open(state_->on, at, state_->options.listening,
                       [weak = state_->self](descriptor socket, const peer& who, acceptor::place place) {
                           if (const auto held = weak.lock())
                               held->welcome(std::move(socket), who, std::move(place));
                       });
    if (!opened)
        return std::unexpected(std::move(opened.error()));
    if (!state_->addresses.empty())
        state_->addresses += ", ";
    state_->addresses += at.tcp ? (*opened)->bound().to_string() : at.to_string();
    state_->acceptors.push_back(std::move(*opened));
    if (!state_->gone) {
        state_->gone = std::make_shared<event>(state_->on);
        state_->on.spawn(until_gone(state_->gone));
    }
    return {};
}

std::string request_server::address() const {
    return state_->addresses;
}

void request_server::stop() {
    state_->stopping = true;
    for (const auto& one : state_->acceptors)
        one->stop();
    for (const auto& one : state_->all)
        one->read_on();
    state_->want_turn();
}

std::size_t request_server::open_connections() const {
    return state_->all.size();
}

std::uint64_t request_server::refused() const {
    std::uint64_t sum = 0;
    for (const auto& one : state_->acceptors)
        sum += one->refused();
    return sum;
}

} // namespace mailtight::io
