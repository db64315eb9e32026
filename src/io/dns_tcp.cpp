// SPDX-License-Identifier: Apache-2.0
// The deadline closes the socket, which ends whatever operation is under way.
#include "io/dns_tcp.h"

#include "io/dns_socket.h"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>

#include <array>

namespace mailtight::io {

namespace {

namespace asio = boost::asio;
using boost::system::error_code;

struct session {
    explicit session(loop& on)
        : socket(on.native().context)
        , timer(on.native().context) {}
    asio::ip::tcp::socket socket;
    asio::steady_timer timer;
    bool expired = false;
};

dns_event failed(const session& with, const error_code& error, std::size_t server) {
    if (with.expired)
        return {dns_event::kind::timeout, server, {}, "no answer over TCP in time"};
    return {dns_event::kind::unreachable, server, {}, "TCP: " + error.message()};
}

dns_event read_answer(std::string_view bytes, const wire::dns_question& question, std::uint16_t id,
                      std::size_t server) {
    auto message = wire::parse_dns_message(bytes);
    if (!message)
        return {dns_event::kind::malformed, server, {}, std::string(explain(message.error()))};
    if (message->id != id || !answers_question(*message, question))
        return {dns_event::kind::malformed, server, {}, "the answer over TCP is to another question"};
    if (message->truncated)
        return {dns_event::kind::malformed, server, {}, "truncated even over TCP"};
    return {dns_event::kind::answered, server, std::move(*message), {}};
}

} // namespace

task<dns_event> ask_over_tcp(loop& on, endpoint to, wire::dns_question question,
                             wire::dns_query_options options, std::size_t server, loop::time_point deadline) {
    options.id = random_id();
    const auto query = wire::build_dns_query(question, options);
    if (!query)
        co_return dns_event{dns_event::kind::malformed, server, {}, "the name cannot be asked"};
    const auto with = std::make_shared<session>(on);
    struct closing { // on every way out; the timer's handler keeps the session until it has run
        session& with;
        ~closing() {
            with.timer.cancel();
            error_code ignored;
            with.socket.close(ignored);
        }
    } const closer{*with};
    with->timer.expires_at(deadline);
    with->timer.async_wait([with](const error_code& error) {
        if (error)
            return;
        with->expired = true;
        error_code ignored;
        with->socket.close(ignored);
    });

    const auto peer = to_asio<asio::ip::tcp>(to);
    auto error = co_await completion{[&](auto done) { with->socket.async_connect(peer, std::move(done)); }};
    if (error)
        co_return failed(*with, error, server);
    std::string out;
    out += static_cast<char>(query->size() >> 8);
    out += static_cast<char>(query->size() & 0xff);
    out += *query;
    error = co_await completion{
        [&](auto done) { asio::async_write(with->socket, asio::buffer(out), std::move(done)); }};
    if (error)
        co_return failed(*with, error, server);
    std::array<unsigned char, 2> prefix{};
    error = co_await completion{
        [&](auto done) { asio::async_read(with->socket, asio::buffer(prefix), std::move(done)); }};
    if (error)
        co_return failed(*with, error, server);
    std::string in(static_cast<std::size_t>(prefix[0] << 8 | prefix[1]), '\0');
    error = co_await completion{
        [&](auto done) { asio::async_read(with->socket, asio::buffer(in), std::move(done)); }};
    if (error)
        co_return failed(*with, error, server);
    co_return read_answer(in, question, options.id, server);
}

} // namespace mailtight::io
