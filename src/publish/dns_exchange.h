// SPDX-License-Identifier: Apache-2.0
// A conversation with the server that takes updates: one connection over TCP, each message signed, each reply
// verified. On the loop's thread.
#pragma once

#include "io/stream.h"
#include "publish/dns_push.h"
#include "wire/dns_update.h"

#include <expected>
#include <memory>
#include <string>
#include <string_view>

namespace mailtight::publish {

/// Why there is no reply that can be believed.
struct exchange_fault {
    enum class kind {
        not_reached, ///< nothing was sent
        lost,        ///< sent; what the server did is unknown
        refused,     ///< it says that it did nothing, because of the signature
    } what = kind::not_reached;
    std::string words;
};

class dns_exchange {
public:
    dns_exchange(io::loop& on, const update_server& to, const base::clock& real_time,
                 std::chrono::milliseconds timeout);
    ~dns_exchange();
    /// `message` is unsigned and has an id of its own. A reply without signature to a signed message is
    /// believed only where it says no.
    io::task<std::expected<wire::dns_update_reply, exchange_fault>> ask(std::string message);
    /// For a reply of many messages (RFC 5936): sends the question on a connection of its own, signed. The
    /// value is the MAC of its signature, "" without key. next_message() then gives message after message as
    /// it came; verifying them is the caller's.
    io::task<std::expected<std::string, exchange_fault>> send(std::string message);
    io::task<std::expected<std::string, exchange_fault>> next_message();
    /// The next ask() connects anew.
    void hang_up();
    const update_server& server() const { return to_; }

private:
    struct received {
        std::string bytes;
        std::string fault;
        bool sent = false, closed_at_once = false;
    };
    struct signed_question {
        std::string bytes, mac;
    };
    io::task<received> talk(const std::string& bytes, io::loop::time_point deadline);
    io::task<> write_message(const std::string& bytes, io::loop::time_point deadline, received& into);
    signed_question sign(std::string message) const;
    io::task<std::string> read_message(io::loop::time_point deadline, received& into);

    io::loop& loop_;
    const update_server& to_;
    const base::clock& clock_;
    std::chrono::milliseconds timeout_;
    std::unique_ptr<io::stream> stream_;
    std::string unread_;
};

/// The hash of RFC 8945, as wire wants it.
std::string keyed(std::string_view algorithm, std::string_view key, std::string_view bytes);

/// From the kernel (RFC 5452 §9.2).
std::uint16_t random_message_id();

} // namespace mailtight::publish
