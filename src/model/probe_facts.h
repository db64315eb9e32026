// SPDX-License-Identifier: Apache-2.0
// What the probers saw: one policy fetch from one address, one SMTP conversation with one address.
#pragma once

#include "base/ip.h"
#include "model/tls_facts.h"

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace mailtight::model {

/// One stage of a conversation and how long it took.
struct stage_time {
    std::string stage; ///< "connect", "tls", "request", "banner", "ehlo", "starttls", "handshake", …
    std::chrono::milliseconds took{0};
};

/// How a TCP connection ended.
enum class connect_outcome {
    not_tried,
    connected,
    blocked /* by the address guard */,
    refused,
    timeout,
    unreachable,
    failed
};
std::string_view to_string(connect_outcome outcome);

/// How a policy fetch ended (RFC 8461 §3.3).
enum class fetch_outcome {
    not_tried,
    fetched,        ///< 200, text/plain or not (see content_type), body complete and within the limit
    blocked,        ///< the address is not global and not allowed
    connect_failed, ///< see connect
    tls_failed,     ///< handshake, or a certificate that does not pass
    timeout,        ///< connected, but not complete within the time limit
    redirect,       ///< 3xx: never followed; location says where to
    http_status,    ///< any other status than 200
    too_large,      ///< more than 65536 bytes
    http_invalid,   ///< no HTTP, a lying length, a head beyond the limit, an encoding nobody asked for
};
std::string_view to_string(fetch_outcome outcome);

struct fetch_fact {
    base::ip_address address;
    std::string agent; ///< User-Agent that was sent
    fetch_outcome outcome = fetch_outcome::not_tried;
    connect_outcome connect = connect_outcome::not_tried;
    tls_fact tls;
    int status = 0;
    std::string location;
    std::string content_type;
    std::string content_encoding;
    /// The body where one came with status 200, even when the certificate or the content type is wrong (for
    /// the diagnosis only).
    std::string body;
    std::chrono::milliseconds took{0};
    std::vector<stage_time> stages;
    std::string detail;
    /// The media type is text/plain; parameters do not matter, a missing header does (8461-3.2-b, 8461-3.2-c,
    /// A9).
    bool is_plain_text() const;
};

/// How an SMTP probe ended.
enum class smtp_outcome {
    not_tried,
    tls,              ///< STARTTLS led to a completed handshake; tls holds the certificate's faults
    blocked,          ///< the address is not global and not allowed
    connect_failed,   ///< see connect
    banner_timeout,   ///< connected, no greeting in time
    banner_refused,   ///< greeted with 4xx or 5xx
    no_starttls,      ///< EHLO does not offer it
    starttls_refused, ///< offered, then refused with 4xx or 5xx
    injected,         ///< plaintext bytes after the 220 of STARTTLS
    handshake_failed, ///< see tls
    protocol_error,   ///< not SMTP, a reply over the limits, NULs
    timeout,          ///< silent later than the greeting
    closed,           ///< hung up before STARTTLS
};
std::string_view to_string(smtp_outcome outcome);

struct smtp_fact {
    std::string host; ///< the MX host (SNI and reference name)
    base::ip_address address;
    smtp_outcome outcome = smtp_outcome::not_tried;
    connect_outcome connect = connect_outcome::not_tried;
    std::string banner;
    std::vector<std::string> capabilities; ///< EHLO lines after the first, of the plaintext EHLO
    int reply_code = 0;                    ///< of the refusal
    std::string reply_text;
    tls_fact tls; ///< handshake with SNI = host
    bool tried_without_sni = false;
    tls_fact without_sni;             ///< a second conversation, where tried
    bool starttls_inside_tls = false; ///< offered again after the handshake (3207-4.2-b)
    bool quit_answered = false;
    std::chrono::milliseconds took{0};
    std::vector<stage_time> stages;
    std::string detail;
    bool offers_tls() const { return outcome == smtp_outcome::tls; }
};

} // namespace mailtight::model
