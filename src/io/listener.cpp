// SPDX-License-Identifier: Apache-2.0
// Entry: listen. Each connection is a task of its own that keeps its place until its end, whatever its
// handler does.
#include "io/acceptor.h"
#include "io/socket_stream.h"

#include <fmt/format.h>

namespace mailtight::io {

namespace {

/// What a listener and its connections share.
struct service {
    loop& on;
    listener::handler handle;
    std::function<void(std::string_view)> complain;
};

task<> serve(std::shared_ptr<const service> with, acceptor::place, std::unique_ptr<stream> connection,
             peer who) {
    const std::string name = who.to_string();
    std::string fault;
    try {
        co_await with->handle(std::move(connection), std::move(who));
        co_return;
    } catch (const std::exception& error) { // one connection's fault never ends the others
        fault = fmt::format(": {}", error.what());
    } catch (...) {
    }
    if (with->complain)
        with->complain(fmt::format("the connection of {} ended by an exception{}", name, fault));
}

void take(const std::shared_ptr<const service>& with, descriptor accepted, peer who, acceptor::place place) {
    const int family = !who.address ? AF_UNIX : who.address->address.is_v4() ? AF_INET : AF_INET6;
    any_socket socket(with->on.native().context);
    boost::system::error_code error;
    socket.assign(boost::asio::generic::stream_protocol(family, 0), accepted.get(), error);
    if (error)
        return;
    accepted.release();
    socket.non_blocking(true, error);
    with->on.spawn(serve(with, std::move(place), std::make_unique<socket_stream>(with->on, std::move(socket)),
                         std::move(who)));
}

class socket_listener final : public listener {
public:
    explicit socket_listener(std::unique_ptr<acceptor> from)
        : from_(std::move(from)) {}
    void stop() override { from_->stop(); }
    std::size_t open_connections() const override { return from_->open_connections(); }
    endpoint bound() const override { return from_->bound(); }
    std::uint64_t refused() const override { return from_->refused(); }

private:
    std::unique_ptr<acceptor> from_;
};

} // namespace

std::expected<std::unique_ptr<listener>, std::string>
listen(loop& on, const listen_address& at, const listener_options& options, listener::handler handle) {
    auto with = std::make_shared<const service>(service{on, std::move(handle), options.complain});
    auto opened =
        acceptor::open(on, at, options, [with](descriptor accepted, peer who, acceptor::place place) {
            take(with, std::move(accepted), std::move(who), std::move(place));
        });
    if (!opened)
        return std::unexpected(std::move(opened.error()));
    return std::make_unique<socket_listener>(std::move(*opened));
}

} // namespace mailtight::io
