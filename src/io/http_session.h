// SPDX-License-Identifier: Apache-2.0
// Many HTTPS requests to a few servers over connections that stay: a handshake for each request would be most
// of the work. HTTP/1.1, one request at a time a connection, a bounded number of connections; more requests
// wait. Outlives every task that it gave; lives on the loop.
#pragma once

#include "io/http_client.h"

#include <chrono>
#include <cstddef>
#include <memory>

namespace mailtight::io {

struct http_session_options {
    std::size_t connections = 8;              ///< under way at once, and kept
    std::chrono::milliseconds rest{30'000};   ///< a connection that was not used for so long is closed
    std::chrono::milliseconds certain{1'000}; ///< one that rested longer is not used for what is sent once
};

class http_session {
public:
    http_session(loop& on, resolver& dns, const tls_client& tls, const base::address_guard& guard,
                 const base::clock& clock, http_session_options options);
    ~http_session();
    /// As http_request(). Where a connection that stayed was closed meanwhile, `repeatable` requests are sent
    /// again on a new one; another is sent once, since the server may have done what was asked.
    task<http_answer> ask(http_call call, bool repeatable);
    /// Closes what rests.
    void close();
    struct counters {
        std::uint64_t requests = 0, handshakes = 0, repeated = 0;
    };
    counters counted() const;
    struct state;

private:
    std::unique_ptr<state> state_;
};

} // namespace mailtight::io
