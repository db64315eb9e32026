// SPDX-License-Identifier: Apache-2.0
// Entry: acceptor::open. One task waits for connections and hands them over; it lives until stop().
#include "io/acceptor.h"
#include "io/listen_socket.h"
#include "io/loop_state.h"

#include <boost/asio/posix/stream_descriptor.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <unordered_map>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

namespace mailtight::io {

namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using namespace std::chrono_literals;

constexpr auto first_pause = 50ms, longest_pause = 2'000ms;

/// One IPv4 address, or one IPv6 /64: what one customer of a provider has.
std::string source_of(const base::ip_address& address) {
    return std::string(address.bytes().substr(0, address.is_v4() ? 4 : 8));
}

} // namespace

/// What acceptor, task and places share; goes with the last of them.
struct acceptor::hub {
    hub(loop& on, listen_socket opened, listener_options wanted, welcome with)
        : socket(std::move(opened))
        , waiter(on.native().context, socket.socket.release())
        , retry(on.native().context)
        , options(std::move(wanted))
        , take(std::move(with)) {}

    listen_socket socket;
    asio::posix::stream_descriptor waiter;
    asio::steady_timer retry;
    listener_options options;
    welcome take;
    bool stopped = false;
    std::size_t open = 0;
    std::uint64_t refused = 0;
    std::unordered_map<std::string, std::size_t> sources;

    void complain(std::string_view what) const {
        if (options.complain)
            options.complain(what);
    }
    void stop() {
        if (std::exchange(stopped, true))
            return;
        error_code ignored;
        socket.remove_file();
        waiter.close(ignored);
        retry.cancel();
    }
    bool limited(const peer& who) const {
        return who.address && std::ranges::none_of(options.unlimited, [&](const auto& network) {
                   return network.contains(who.address->address);
               });
    }
};

acceptor::place::place(std::shared_ptr<hub> in, const peer& who)
    : in_(std::move(in)) {
    ++in_->open;
    if (in_->limited(who)) {
        source_ = source_of(who.address->address);
        ++in_->sources[source_];
    }
}

acceptor::place::~place() {
    if (!in_)
        return;
    --in_->open;
    const auto found = in_->sources.find(source_);
    if (found != in_->sources.end() && --found->second == 0)
        in_->sources.erase(found);
}

namespace {

void admit(const std::shared_ptr<acceptor::hub>& to, descriptor accepted) {
    auto who = peer_of(accepted.get());
    // Gone before we looked, or one too many: closed without a word, which costs the least.
    if (!who.address && !who.user)
        return;
    if (to->open >= to->options.connections) {
        ++to->refused;
        return;
    }
    if (to->limited(who)) {
        const auto found = to->sources.find(source_of(who.address->address));
        if (found != to->sources.end() && found->second >= to->options.per_source) {
            ++to->refused;
            return;
        }
    }
    if (who.address) {
        const int yes = 1;
        ::setsockopt(accepted.get(), IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    }
    acceptor::place taken(to, who);
    to->take(std::move(accepted), std::move(who), std::move(taken));
}

/// Errors of one connection, not of the listener (accept(2)).
bool passes(int error) {
    constexpr auto of_one =
        std::to_array({ECONNABORTED, EINTR, EPROTO, EPERM, ENETDOWN, ENOPROTOOPT, EHOSTDOWN, ENONET,
                       EHOSTUNREACH, EOPNOTSUPP, ENETUNREACH, ETIMEDOUT});
    return std::ranges::find(of_one, error) != of_one.end();
}

template<class Start>
struct waiting_for {
    Start start;
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> waiting) {
        start([waiting](const error_code&) { waiting.resume(); });
    }
    void await_resume() const noexcept {}
};
template<class Start>
waiting_for(Start) -> waiting_for<Start>;

task<> accept_all(std::shared_ptr<acceptor::hub> from) {
    constexpr int at_once = 64; // then the others on the loop have their turn
    auto pause = std::chrono::milliseconds(first_pause);
    while (!from->stopped) {
        co_await waiting_for{[&](auto done) {
            from->waiter.async_wait(asio::posix::stream_descriptor::wait_read, std::move(done));
        }};
        for (int i = 0; i < at_once && !from->stopped; ++i) {
            descriptor accepted{
                ::accept4(from->waiter.native_handle(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK)};
            if (accepted) {
                pause = first_pause;
                admit(from, std::move(accepted));
                continue;
            }
            const int error = errno;
            if (error == EAGAIN)
                break;
            if (passes(error))
                continue;
            // No descriptors or no memory: connections wait in the kernel's queue until some are free.
            from->complain(fmt::format("cannot accept connections, trying again in {} ms: {}", pause.count(),
                                       std::strerror(error)));
            from->retry.expires_after(pause);
            co_await waiting_for{[&](auto done) { from->retry.async_wait(std::move(done)); }};
            pause = std::min(pause * 2, std::chrono::milliseconds(longest_pause));
        }
    }
}

} // namespace

std::expected<std::unique_ptr<acceptor>, std::string>
acceptor::open(loop& on, const listen_address& at, const listener_options& options, welcome with) {
    auto opened = open_listen_socket(at, options.backlog);
    if (!opened)
        return std::unexpected(std::move(opened.error()));
    auto shared = std::make_shared<hub>(on, std::move(*opened), options, std::move(with));
    on.spawn(accept_all(shared));
    return std::make_unique<acceptor>(std::move(shared));
}

acceptor::~acceptor() {
    hub_->stop();
}

void acceptor::stop() {
    hub_->stop();
}

std::size_t acceptor::open_connections() const {
    return hub_->open;
}

endpoint acceptor::bound() const {
    return hub_->socket.bound;
}

std::uint64_t acceptor::refused() const {
    return hub_->refused;
}

} // namespace mailtight::io
