// SPDX-License-Identifier: Apache-2.0
// A server for small requests over connections that live long and mostly wait: thousands of idle clients cost
// a descriptor and a few hundred bytes each, and a request that can be answered at once costs one read and
// one write, nothing else (no timer, no coroutine, no allocation). The protocol is a session of the caller's,
// bytes in and bytes out. Lives on the loop's thread.
#pragma once

#include "io/server.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace mailtight::io {

/// The way back to a client, for answers that come later. Stays valid as long as somebody holds it; once the
/// connection is gone, what is sent is dropped.
class request_link {
public:
    virtual ~request_link() = default;
    virtual void send(std::string_view bytes) = 0;
    /// A session that was full reads on: received() is called again with what waits.
    virtual void read_on() = 0;
    /// Closes when everything is sent; nothing more is read, and nothing more can be sent.
    virtual void finish() = 0;
    virtual bool open() const = 0;
};

/// One connection's protocol.
class request_session {
public:
    virtual ~request_session() = default;
    /// The bytes that wait, from the first that was not consumed. Returns how many were consumed; the rest is
    /// kept and comes again with what follows (at most `request_bytes` of it, else the client is closed).
    /// Replies are appended to `out`; a session that has much to say may stop after a part of it, and is
    /// called again when the client has taken that. Never throws.
    virtual std::size_t received(std::string_view bytes, std::string& out) = 0;
    /// The client closed its side; what is asked is still answered.
    virtual void ended() {}
    /// Nothing is owed to the client.
    virtual bool idle() const = 0;
};
using make_session =
    std::function<std::unique_ptr<request_session>(std::shared_ptr<request_link>, const peer&)>;

struct request_server_options {
    std::size_t request_bytes = 16 * 1024;  ///< kept of an incomplete request
    std::size_t unsent_bytes = 1024 * 1024; ///< not read by the client yet: beyond it nothing more is read
    /// A client that takes nothing for so long while something waits for it is closed. An idle one never is.
    std::chrono::milliseconds stuck_time{120'000};
    listener_options listening{.connections = 20'000, .per_source = 20'000};
};

/// Goes away outside of the calls of its sessions, and before the loop.
class request_server {
public:
    request_server(loop& on, request_server_options options, make_session session);
    ~request_server();
    request_server(const request_server&) = delete;
    request_server& operator=(const request_server&) = delete;
    /// As listen() of io/server.h; may be called for several addresses, whose limits are their own.
    std::expected<void, std::string> listen(const listen_address& at);
    std::string address() const; ///< bound, for status and tests; several: "A, B"
    /// No new connections; idle clients are closed, the others once they have their answers.
    void stop();
    std::size_t open_connections() const;
    std::uint64_t refused() const;
    struct state;

private:
    std::shared_ptr<state> state_;
};

} // namespace mailtight::io
