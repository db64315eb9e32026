// SPDX-License-Identifier: Apache-2.0
// What a TLS handshake showed. One vocabulary of failures for the policy host, the MX hosts and, later, the
// client's results.
#pragma once

#include "base/crypto/certificate.h"

#include <string>
#include <string_view>
#include <vector>

namespace mailtight::model {

/// Why a certificate would be refused. Several can be true at once.
enum class cert_fault {
    expired,          ///< the leaf
    not_yet_valid,    ///< the leaf
    name_mismatch,    ///< no dNSName SAN names the host
    cn_only,          ///< no dNSName SAN at all, the CN would match (always together with name_mismatch)
    self_signed,      ///< the leaf signs itself
    chain_incomplete, ///< the issuer of the last certificate sent is neither sent nor a known root, and an
                      ///< intermediate is missing
    untrusted,        ///< the chain ends in a root that is not trusted, or a known issuer is bad (expired
                      ///< intermediate, constraints, …)
    weak,             ///< refused for a key or a signature below the security level
};
std::string_view to_string(cert_fault fault);

/// How a handshake ended, before any judgement of the certificate.
enum class handshake_outcome {
    not_tried,
    completed,
    protocol_too_old, ///< the server speaks only TLS before 1.2
    alert,            ///< the server sent a fatal alert; detail names it
    no_shared_cipher,
    closed, ///< the connection ended in the middle
    timeout,
    not_tls, ///< bytes that are no TLS
    failed,  ///< anything else; detail holds the library's text
};
std::string_view to_string(handshake_outcome outcome);

struct tls_fact {
    handshake_outcome outcome = handshake_outcome::not_tried;
    std::string version; ///< "TLSv1.3"; for protocol_too_old the best the server offers
    std::string cipher;
    std::vector<base::certificate> chain; ///< as sent, leaf first; parsed ones only
    bool trusted = false;                 ///< chain leads to a trusted root and is in date (names apart)
    std::vector<cert_fault> faults;       ///< empty where the certificate passes for the host
    std::string reason;                   ///< X509_V_ERR_… or alert name, "" where all is well
    std::string detail;                   ///< for people
    bool completed() const { return outcome == handshake_outcome::completed; }
    bool certificate_ok() const { return completed() && faults.empty(); }
    bool has(cert_fault fault) const;
};

} // namespace mailtight::model
