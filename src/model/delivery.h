// SPDX-License-Identifier: Apache-2.0
// What a sender knows of its own deliveries: the session as a mail server tells it, the policies that a
// destination had, and the result that is counted for the reports (RFC 8460 §4).
#pragma once

#include "base/ip.h"
#include "base/time.h"
#include "model/sending.h"
#include "tlsrpt/result_type.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace mailtight::model {

/// A policy as a report names it (RFC 8460 §4.4): two that are equal are one entry of a report.
struct applied_policy {
    tlsrpt::policy_type type = tlsrpt::policy_type::no_policy_found;
    std::string domain;                   ///< A-labels, lower case; tlsa: the TLSA base domain (A22)
    std::vector<std::string> strings;     ///< the lines of the policy, or one TLSA record each (A25)
    std::vector<std::string> mx_patterns; ///< sts (A24)
    auto operator<=>(const applied_policy&) const = default;
};

/// One thing that was wrong with a session, all that a report can say of it.
struct session_fault {
    tlsrpt::result_type type = tlsrpt::result_type::validation_failure;
    std::string sending_mta_ip, receiving_mx, receiving_mx_helo, receiving_ip, additional_information,
        reason_code;
    auto operator<=>(const session_fault&) const = default;
};

/// A session judged by one policy.
struct policy_outcome {
    applied_policy policy;
    bool failed = false;
    std::vector<session_fault> faults; ///< may be there although the session did not fail
    friend bool operator==(const policy_outcome&, const policy_outcome&) = default;
};

/// One connection to an MX host, or an attempt that no connection came of, with its results: what is counted.
struct delivery_result {
    std::string domain; ///< the recipient's domain, A-labels, lower case
    std::vector<policy_outcome> outcomes;
    std::string record_seen; ///< the TLSRPT record as the mail server saw it; "" : it did not say
    friend bool operator==(const delivery_result&, const delivery_result&) = default;
};

/// How far a session came with TLS, as a mail server tells it.
enum class tls_reached {
    not_offered, ///< the server has no STARTTLS
    refused,     ///< STARTTLS was answered with 4xx or 5xx
    failed,      ///< the handshake ended in an error, or the certificate was refused
    encrypted,   ///< and the certificate was not judged, or did not pass and did not have to
    trusted,     ///< the chain is trusted, the name was not compared
    verified,    ///< all that the policy asks of the certificate
    not_tried,   ///< no connection: the policy itself stood in the way
};

/// A session as a mail server's log or event tells it: facts, without the policy.
struct session_seen {
    std::string domain; ///< of the recipient, as written there
    std::string mx_host;
    std::optional<base::ip_address> address, sending_address;
    std::string helo;
    tls_reached tls = tls_reached::encrypted;
    std::optional<tlsrpt::result_type> failure; ///< where the source names it, or its words allow it
    std::string reason;                         ///< short: a reply code, an X509_V_ERR name
    friend bool operator==(const session_seen&, const session_seen&) = default;
};

/// What was known of a destination when it was delivered to: what a decision says, as reports need it.
struct policy_facts {
    struct dane_host {
        std::string host, base;           ///< MX host, TLSA base domain
        std::vector<std::string> records; ///< `usage selector matching HEX`
        bool usable = true;               ///< false: every record is unusable
    };
    std::string domain;
    std::string mode;                  ///< `enforce`, `testing`; "" : no policy holds (mode none too)
    std::optional<applied_policy> sts; ///< with either mode
    std::string policy_id;             ///< of it
    std::vector<dane_host> dane;       ///< where DANE decides for this destination
    /// The latest look for the policy failed so (A33, A34); where `sts` is there too, that is an older one.
    std::optional<tlsrpt::result_type> fault;
    std::string fault_reason;              ///< `http-status-404`, `dns-nxdomain`, `tcp-timeout`, …
    std::vector<std::string> mx_hosts;     ///< in DNS; empty: not known
    std::vector<testing_verdict> verdicts; ///< of probes, of a policy in testing, at most an hour old
};

} // namespace mailtight::model
