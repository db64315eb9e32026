// SPDX-License-Identifier: Apache-2.0
#include "io/dns_channel.h"

#include "base/limits.h"
#include "io/dns_socket.h"

#include <sys/random.h>

#include <array>
#include <cstring>

namespace mailtight::io {

namespace {

namespace asio = boost::asio;
using boost::system::error_code;

constexpr int datagrams_per_turn = 128;                  // then others get the loop
constexpr std::size_t questions_per_socket_max = 32'768; // half of the ids stay free

} // namespace

std::uint64_t random_bits() {
    thread_local std::array<std::uint64_t, 256> pool;
    thread_local std::size_t left = 0;
    if (left == 0) {
        const auto size = sizeof pool;
        std::size_t filled = 0;
        while (filled < size) {
            const auto got = getrandom(reinterpret_cast<char*>(pool.data()) + filled, size - filled, 0);
            if (got > 0)
                filled += static_cast<std::size_t>(got);
        }
        left = pool.size();
    }
    return pool[--left];
}

std::uint16_t random_id() {
    return static_cast<std::uint16_t>(random_bits());
}

void dns_waiter::notify(dns_event event) {
    events_.push_back(std::move(event));
    timer_.cancel();
}

std::optional<dns_event> dns_waiter::take() {
    if (events_.empty())
        return {};
    auto first = std::move(events_.front());
    events_.erase(events_.begin());
    return first;
}

bool answers_question(const wire::dns_message& message, const wire::dns_question& question) {
    if (!message.response || message.opcode != 0)
        return false;
    if (message.question)
        return *message.question == question;
    return message.rcode != wire::dns_rcode::no_error && message.rcode != wire::dns_rcode::nx_domain;
}

std::shared_ptr<dns_channel> dns_channel::open(loop& on, const endpoint& server) {
    std::shared_ptr<dns_channel> channel(new dns_channel(on));
    const auto to = to_asio<asio::ip::udp>(server);
    error_code error;
    channel->socket_.open(to.protocol(), error);
    if (!error)
        channel->socket_.connect(to, error);
    if (!error)
        channel->socket_.non_blocking(true, error);
    if (error)
        return {};
    channel->listen();
    return channel;
}

std::optional<dns_channel::sent> dns_channel::send(const wire::dns_question& question,
                                                   wire::dns_query_options options, dns_waiter& waiter,
                                                   std::size_t server) {
    if (waiting_.size() >= questions_per_socket_max)
        return {};
    do
        options.id = random_id();
    while (waiting_.contains(options.id));
    const auto bytes = wire::build_dns_query(question, options);
    if (!bytes)
        return {};
    constexpr std::size_t header = 12;
    const std::size_t opt = options.edns ? 11 : 0;
    waiting_.emplace(
        options.id,
        slot{&waiter, server, question,
             options.case_bits == 0 ? std::string() : bytes->substr(header, bytes->size() - header - opt)});
    ++carried_;
    error_code error;
    socket_.send(asio::buffer(*bytes), 0, error);
    if (error == asio::error::connection_refused) // the news of an earlier datagram, not of this one
        socket_.send(asio::buffer(*bytes), 0, error);
    if (error && error != asio::error::would_block) { // a full buffer is a lost datagram: the retry mends it
        waiting_.erase(options.id);
        waiter.notify({dns_event::kind::unreachable, server, {}, error.message()});
        return sent();
    }
    return sent(shared_from_this(), options.id);
}

void dns_channel::listen() {
    socket_.async_wait(asio::ip::udp::socket::wait_read, [self = weak_from_this()](const error_code& error) {
        const auto alive = self.lock();
        if (!alive || error)
            return;
        alive->drain();
        alive->listen();
    });
}

void dns_channel::drain() {
    // One buffer serves all sockets of the thread: a datagram is read whole before the next.
    thread_local std::array<char, base::limits::dns_message_bytes> buffer;
    for (int i = 0; i < datagrams_per_turn; ++i) {
        error_code error;
        const auto size = socket_.receive(asio::buffer(buffer), 0, error);
        if (error == asio::error::would_block)
            return;
        if (error)
            all_unreachable(error.message());
        else
            take({buffer.data(), size});
    }
}

void dns_channel::take(std::string_view datagram) {
    if (datagram.size() < 2)
        return;
    const auto id = static_cast<std::uint16_t>(static_cast<unsigned char>(datagram[0]) << 8 |
                                               static_cast<unsigned char>(datagram[1]));
    const auto found = waiting_.find(id);
    if (found == waiting_.end())
        return; // late, or a guess
    auto& slot = found->second;
    auto message = wire::parse_dns_message(datagram);
    dns_event event{dns_event::kind::answered, slot.server, {}, {}};
    if (!message) {
        event.what = dns_event::kind::malformed;
        event.detail = explain(message.error());
    } else if (!answers_question(*message, slot.question)) {
        slot.waiter->saw_foreign();
        return;
    } else if (!slot.question_bytes.empty() && message->question &&
               message->question_bytes != slot.question_bytes) {
        event.what = dns_event::kind::case_folded;
    } else {
        event.message = std::move(*message);
    }
    auto* waiter = slot.waiter;
    waiting_.erase(found);
    waiter->notify(std::move(event));
}

void dns_channel::all_unreachable(const std::string& why) {
    for (auto& [id, slot] : std::exchange(waiting_, {}))
        slot.waiter->notify({dns_event::kind::unreachable, slot.server, {}, why});
}

} // namespace mailtight::io
