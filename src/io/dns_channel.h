// SPDX-License-Identifier: Apache-2.0
// UDP questions and their answers: a connected socket that carries many questions at once, and the one who
// waits for the first usable answer. An answer counts when source (the socket is connected), id and question
// match; anything else is dropped and counted. Owned by the forwarder; the loop's thread only.
#pragma once

#include "io/loop_state.h"
#include "io/resolver.h"
#include "wire/dns_message.h"

#include <boost/asio/ip/udp.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace mailtight::io {

/// Unpredictable bits for ids (RFC 5452 §9.2), from the kernel.
std::uint16_t random_id();
std::uint64_t random_bits();

/// What came for a question that was sent.
struct dns_event {
    enum class kind {
        answered,
        malformed,
        case_folded, ///< right but for the letters' case that was asked to come back
        unreachable,
        timeout,
    } what = kind::timeout;
    std::size_t server = 0; ///< as given to dns_channel::send
    std::optional<wire::dns_message> message;
    std::string detail;
};

/// Collects the events of one question, over however many sockets it was sent.
class dns_waiter {
public:
    explicit dns_waiter(loop& on)
        : timer_(on.native().context) {}
    dns_waiter(const dns_waiter&) = delete;
    dns_waiter& operator=(const dns_waiter&) = delete;

    void notify(dns_event event);
    /// An answer to another question came under our id.
    void saw_foreign() { ++foreign_; }
    unsigned foreign() const { return foreign_; }
    /// The next event, or nothing at `when`.
    std::optional<dns_event> take();
    auto until(loop::time_point when) {
        struct awaiter {
            dns_waiter& self;
            loop::time_point when;
            bool await_ready() const noexcept { return !self.events_.empty(); }
            void await_suspend(std::coroutine_handle<> waiting) {
                self.timer_.expires_at(when);
                self.timer_.async_wait([waiting](const boost::system::error_code&) { waiting.resume(); });
            }
            std::optional<dns_event> await_resume() const { return self.take(); }
        };
        return awaiter{*this, when};
    }

private:
    boost::asio::steady_timer timer_;
    std::vector<dns_event> events_;
    unsigned foreign_ = 0;
};

class dns_channel : public std::enable_shared_from_this<dns_channel> {
public:
    /// A socket with a port of the kernel's random choice; nothing where the address cannot be reached.
    static std::shared_ptr<dns_channel> open(loop& on, const endpoint& server);

    /// Takes the question back when it goes.
    class sent {
    public:
        sent() = default;
        sent(std::shared_ptr<dns_channel> channel, std::uint16_t id)
            : channel_(std::move(channel))
            , id_(id) {}
        sent(sent&&) noexcept = default;
        sent& operator=(sent&& other) noexcept {
            std::swap(channel_, other.channel_);
            std::swap(id_, other.id_);
            return *this;
        }
        ~sent() {
            if (channel_)
                channel_->waiting_.erase(id_);
        }

    private:
        std::shared_ptr<dns_channel> channel_;
        std::uint16_t id_ = 0;
    };
    /// Sends under an id that is free on this socket; answers go to `waiter`, which outlives what is
    /// returned. Nothing where the name is none or the socket is full.
    std::optional<sent> send(const wire::dns_question& question, wire::dns_query_options options,
                             dns_waiter& waiter, std::size_t server);
    /// For retiring a socket: how many questions it has carried, and whether any waits.
    std::uint64_t carried() const { return carried_; }
    bool idle() const { return waiting_.empty(); }

private:
    struct slot {
        dns_waiter* waiter;
        std::size_t server;
        wire::dns_question question;
        std::string question_bytes; ///< where the letters' case must come back; else empty
    };
    explicit dns_channel(loop& on)
        : socket_(on.native().context) {}
    void listen();
    void drain();
    void take(std::string_view datagram);
    void all_unreachable(const std::string& why);

    boost::asio::ip::udp::socket socket_;
    std::unordered_map<std::uint16_t, slot> waiting_;
    std::uint64_t carried_ = 0;
};

/// True where the message answers this question: a response to a standard query with the same question (a
/// refusal may leave it out).
bool answers_question(const wire::dns_message& message, const wire::dns_question& question);

} // namespace mailtight::io
