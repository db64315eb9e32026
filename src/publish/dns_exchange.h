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
    /// The next ask() connects anew.
    void hang_up();
    const update_server& server() const { return to_; }

private:
    struct received {
        std::string bytes;
        std::string fault;
        bool sent = false, closed_at_once = false;
    };
    io::task<received> talk(const std::string& bytes, io::loop::time_point deadline);
    io::task<std::string> read_message(io::loop::time_point deadline, received& into);

    io::loop& loop_;
    const update_server& to_;
    const base::clock& clock_;
    std::chrono::milliseconds timeout_;
    std::unique_ptr<io::stream> stream_;
    std::string unread_;
};

/// From the kernel (RFC 5452 §9.2).
std::uint16_t random_message_id();

} // namespace mailtight::publish
