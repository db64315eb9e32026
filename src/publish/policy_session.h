// SPDX-License-Identifier: Apache-2.0
// The policy host's connections: HTTP/1.x from bytes to bytes, over TLS (io/secure_server.h) or plain behind
// somebody's TLS (io/request_server.h); and the two small sites beside it, the answers to http-01 on port 80
// and the question whether a certificate may be had for a name. No socket here. Lives on the loop's thread;
// what is given lives as long as the sessions.
#pragma once

#include "base/ip.h"
#include "base/time.h"
#include "io/request_server.h"
#include "io/secure_server.h"
#include "publish/policy_host.h"
#include "wire/http_head.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace mailtight::publish {

struct policy_session_options {
    wire::http_head_limits limits;
    std::size_t requests_per_connection = 1'000;
    /// Behind a proxy: whose X-Forwarded-For tells who fetched. A unix socket's peer is one of them.
    std::vector<base::ip_network> trusted_proxies;
};

/// Makes the sessions, and counts what they answered.
class policy_sessions {
public:
    /// `fetches` may be null: nobody counts.
    policy_sessions(const policy_host& host, fetch_counter* fetches, const base::clock& clock,
                    policy_session_options options);
    ~policy_sessions();

    io::make_secure_session over_tls() const;
    /// Plain HTTP: the field Host decides.
    io::make_session behind_proxy() const;
    /// `/.well-known/acme-challenge/TOKEN` (RFC 8555 §8.3) and nothing else.
    io::make_session challenges() const;
    /// `GET /ask?domain=mta-sts.X`: 200 where a policy is served for X, else 404; from memory alone.
    io::make_session ask() const;

    struct counters {
        std::uint64_t given = 0;      ///< policies
        std::uint64_t not_found = 0;  ///< 404
        std::uint64_t refused = 0;    ///< every other refusal
        std::uint64_t challenges = 0; ///< answered
    };
    counters counted() const;
    struct state;

private:
    std::shared_ptr<state> state_;
};

} // namespace mailtight::publish
