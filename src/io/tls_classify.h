// SPDX-License-Identifier: Apache-2.0
// The one classifier of TLS failures: what OpenSSL found, in the vocabulary of model/tls_facts.h. Used by the
// policy fetch, the SMTP probe and whoever else shakes hands. Pure; io/ alone.
#pragma once

#include "model/tls_facts.h"

#include <string>
#include <string_view>
#include <vector>

namespace mailtight::io {

/// One complaint of the chain verification.
struct verify_error {
    int code = 0;                 ///< X509_V_ERR_…
    int depth = 0;                ///< 0: the leaf
    base::certificate about = {}; ///< the certificate complained of, where the depth is not 0
};

/// Fills faults, trusted, reason and detail of a completed handshake from what the verification found and
/// from the names of `fact.chain`.
void classify_certificate(model::tls_fact& fact, const std::vector<verify_error>& errors,
                          std::string_view host);

/// What a handshake that failed left behind.
struct handshake_failure {
    unsigned long error = 0; ///< the first of OpenSSL's error queue; 0 where there is none
    bool timed_out = false;
    bool closed = false;    ///< the peer closed or reset the connection
    bool looks_tls = true;  ///< what came so far looks like TLS records (or nothing came)
    std::string connection; ///< what the connection said, where it broke otherwise
};
/// Fills outcome, reason and detail.
void classify_failure(model::tls_fact& fact, const handshake_failure& failure);

/// `X509_V_ERR_CERT_HAS_EXPIRED` for its number; "X509_V_ERR_12345" for one that has no name here.
std::string verify_error_name(int code);
/// `handshake_failure` for 40: names of RFC 8446 §6 and RFC 5246 §7.2.
std::string alert_name(int alert);

} // namespace mailtight::io
