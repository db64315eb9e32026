// SPDX-License-Identifier: Apache-2.0
// io/request_server.h under TLS 1.2 and 1.3: many short connections, each with the certificate of its server
// name, chosen in the handshake from as many as there are. A name without a certificate is refused in the
// handshake (8461-7.1-e). No coroutine, no timer and no heap of buffers for each request. Lives on the loop's
// thread.
#pragma once

#include "io/certified_key.h"
#include "io/request_server.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace mailtight::io {

struct secure_server_options {
    std::size_t request_bytes = 16 * 1024;
    /// Both are quarters where three quarters of the places are taken.
    std::chrono::milliseconds handshake_time{10'000};
    std::chrono::milliseconds idle_time{30'000}; ///< also for taking an answer whole
    /// Off: a client that asks for small things once a day comes back after every ticket has expired, and
    /// making one costs a tenth of the handshake.
    bool session_tickets = false;
    listener_options listening{.connections = 20'000, .per_source = 2'000};
};

struct secure_peer {
    io::peer from;
    std::string_view server_name; ///< SNI, lower case
};
using make_secure_session =
    std::function<std::unique_ptr<request_session>(std::shared_ptr<request_link>, const secure_peer&)>;

/// Goes away outside of the calls of its sessions, and before the loop.
class secure_server {
public:
    secure_server(loop& on, secure_server_options options, choose_certificate choose,
                  make_secure_session session);
    ~secure_server();
    secure_server(const secure_server&) = delete;
    secure_server& operator=(const secure_server&) = delete;
    std::expected<void, std::string> listen(const listen_address& at);
    std::string address() const;
    void stop();
    std::size_t open_connections() const;
    std::uint64_t refused() const; ///< closed at once for a limit
    struct counters {
        std::uint64_t handshakes = 0, unknown_name = 0, failed = 0, acme = 0;
    };
    counters counted() const;
    struct state;

private:
    std::shared_ptr<state> state_;
};

} // namespace mailtight::io
