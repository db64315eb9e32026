// SPDX-License-Identifier: Apache-2.0
// What one line of Postfix's SMTP client says (3.4 and later), as a value. Wording that comes from the other
// side stands behind Postfix's own, so that everything is recognised by how it begins. Pure; takes any bytes;
// views into the line. Private to the log reader.
#pragma once

#include "tlsrpt/result_type.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace mailtight::tally::postfix {

/// `mx1.b.example[192.0.2.1]:25`; port 0 where none stands there.
struct peer {
    std::string_view host, address;
    std::uint16_t port = 0;
};
std::optional<peer> parse_peer(std::string_view text);

/// Why a host was given up, or a recipient not served.
struct verdict {
    enum class kind {
        other,        ///< says nothing of TLS: no connection, no greeting, a problem of our own
        not_offered,  ///< TLS was demanded and there is no STARTTLS
        refused,      ///< STARTTLS was answered with 4xx or 5xx
        handshake,    ///< it broke
        not_trusted,  ///< the certificate
        not_verified, ///< its name, or its trust: the words do not tell
        conversed,    ///< it was talked about mail: TLS, if there was any, was good enough
    } what = kind::other;
    std::optional<peer> with; ///< where the words name the host
    std::string reason;       ///< of refused and handshake
};
verdict parse_verdict(std::string_view words);

/// `Trusted TLS connection established to …`
struct tls_summary {
    peer with;
    std::string_view word; ///< Anonymous, Untrusted, Trusted, Verified
    bool reused = false;   ///< of a connection that was made before
};
/// `… certificate verification failed for …: …`
struct verify_failed {
    peer with;
    tlsrpt::result_type type = tlsrpt::result_type::certificate_not_trusted;
    std::string reason;
};
/// `SSL_connect error to …: …`
struct connect_error {
    peer with;
    std::string reason;
};
/// `warning: TLS library problem: …`, which follows it
struct library_problem {
    std::string reason;
};
/// `warning: connect to private/tlsproxy service: …`: ours, not the other side's
struct no_proxy {};
/// `Host offered STARTTLS: […]`: it was not used
struct unused_offer {
    std::string_view host;
};
/// `TLSRPT: status=…`, from 3.10 on
struct told_result {
    std::string_view domain;
    peer with;
    std::optional<tlsrpt::result_type> failure;
    std::string reason;
};
/// `4YxKd81WTJz2xQ: to=<…>, relay=…, …, status=… (…)`
struct delivery {
    std::string_view queue_id, domain; ///< of the recipient
    std::optional<peer> relay;
    unsigned use = 1;            ///< conn_use
    std::string_view waited;     ///< before the queue manager took it: the first of `delays`
    std::chrono::seconds took{}; ///< from the first connection to the end, rounded up
    verdict how;
};
/// `4YxKd81WTJz2xQ: …`: this host did not take it, the next one is tried
struct host_skipped {
    std::string_view queue_id;
    verdict why;
};

using said = std::variant<std::monostate, tls_summary, verify_failed, connect_error, library_problem,
                          no_proxy, unused_offer, told_result, delivery, host_skipped>;
said parse(std::string_view text);

} // namespace mailtight::tally::postfix
