// SPDX-License-Identifier: Apache-2.0
// HTTP over listeners: one server an address, that routes by SNI and Host to named sites. Sites are added by
// the parts of the daemon (reports now; policy host, API and pages later).
#pragma once

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
    /// Asked when the head is there, before the body is read: a refusal now spares the upload.
    std::function<std::optional<wire::http_reply>(const http_exchange&)> admit;
};

struct http_server_options {
    std::chrono::milliseconds head_time{15'000}, body_time{120'000}, idle_time{60'000};
    std::size_t requests_per_connection = 1'000;
    std::vector<base::ip_network> trusted_proxies; ///< whose X-Forwarded-For / Forwarded is believed
    listener_options listening;
};

class http_server {
public:
    http_server(loop& on, http_server_options options, const base::clock& clock);
    ~http_server();
    void add_site(http_site site);
    /// `tls` null: plain HTTP.
    std::expected<void, std::string> listen(const listen_address& at, const tls_server* tls);
    std::vector<std::string> addresses() const; ///< bound, for status and tests
    void stop();                                ///< no new connections; requests under way are finished
    std::size_t open_connections() const;

private:
    struct state;
    std::shared_ptr<state> state_;
};

} // namespace mailtight::io
