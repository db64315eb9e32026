// SPDX-License-Identifier: Apache-2.0
// HTTP over listeners: one server an address, that routes by SNI and Host to named sites. Sites are added by
// the parts of the daemon (reports now; policy host, API and pages later). Lives on the loop's thread; the
// TLS certificates and the clock outlive it. A handler's exception becomes a 500 without its text, which goes
// to listening.complain. A stream of events is a request under way until its handler is done, which learns
// from the stream that the client left or that the server stops.
#pragma once

#include "io/event_stream.h"
#include "io/server.h"
#include "wire/http_request.h"

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace mailtight::io {

struct http_exchange {
    wire::http_request request;
    io::peer peer;
    std::string
        client; ///< the address that counts for limits: the peer's, or that of a trusted proxy's field
    bool tls = false;
    std::string server_name; ///< SNI
};

/// One site: some hosts (empty: every host) and the paths below a prefix.
struct http_site {
    std::string name;               ///< "reports", for logs
    std::vector<std::string> hosts; ///< lower case; `*.example.com` for one label
    std::string prefix = "/";       ///< "/tlsrpt/"
    std::size_t body_bytes = 64 * 1024;
    std::function<task<wire::http_reply>(http_exchange)> handle;
    /// Asked instead of handle() where it is set and the client accepts text/event-stream: gives a refusal
    /// to answer with, or writes events and nothing when it is done; the connection is closed then.
    std::function<task<std::optional<wire::http_reply>>(http_exchange, event_stream&)> stream;
    /// Asked when the head is there, before the body is read: a refusal now spares the upload.
    std::function<std::optional<wire::http_reply>(const http_exchange&)> admit;
};

struct http_server_options {
    std::chrono::milliseconds head_time{15'000}, body_time{120'000}, idle_time{60'000};
    std::chrono::milliseconds event_time{20'000}; ///< for a client to take one event
    std::size_t requests_per_connection = 1'000;
    std::vector<base::ip_network> trusted_proxies; ///< whose X-Forwarded-For / Forwarded is believed
    /// What the trusted proxies write. Only one is believed: the other may have come through from the client.
    enum class proxy_field { x_forwarded_for, forwarded } proxies_write = proxy_field::x_forwarded_for;
    listener_options listening;
    /// In every reply that has none of the name, and of those over TLS.
    std::vector<std::pair<std::string, std::string>> fields, tls_fields;
    /// Told every reply that was sent, for logs and figures. May be empty.
    std::function<void(const http_exchange&, const wire::http_reply&, std::chrono::microseconds took)> served;
};

class http_server {
public:
    http_server(loop& on, http_server_options options, const base::clock& clock);
    ~http_server();
    /// The longest prefix that fits answers; of equal ones the very host, then a wildcard, then every host.
    /// A name in SNI that is not the name in Host gives 421 (RFC 9110 §15.5.20).
    void add_site(http_site site);
    /// `tls` null: plain HTTP. The error is for a person.
    std::expected<void, std::string> listen(const listen_address& at, const tls_server* tls);
    std::vector<std::string> addresses() const; ///< bound, for status and tests
    /// No new connections; idle ones are closed; requests under way are answered, then their connections
    /// closed.
    void stop();
    /// Waits until every connection is gone, at most until then; false where some are left.
    task<bool> drain(loop::time_point deadline);
    std::size_t open_connections() const;
    struct state;

private:
    std::shared_ptr<state> state_;
};

} // namespace mailtight::io
