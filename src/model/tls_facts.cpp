// SPDX-License-Identifier: Apache-2.0
// Names of the TLS outcomes and faults.
#include "model/tls_facts.h"

#include <algorithm>

namespace mailtight::model {

std::string_view to_string(cert_fault fault) {
    switch (fault) {
    case cert_fault::expired:
        return "expired";
    case cert_fault::not_yet_valid:
        return "not-yet-valid";
    case cert_fault::name_mismatch:
        return "name-mismatch";
    case cert_fault::cn_only:
        return "cn-only";
    case cert_fault::self_signed:
        return "self-signed";
    case cert_fault::chain_incomplete:
        return "chain-incomplete";
    case cert_fault::untrusted:
        return "untrusted";
    case cert_fault::weak:
        return "weak";
    }
    return "unknown";
}

std::string_view to_string(handshake_outcome outcome) {
    switch (outcome) {
    case handshake_outcome::not_tried:
        return "not-tried";
    case handshake_outcome::completed:
        return "completed";
    case handshake_outcome::protocol_too_old:
        return "protocol-too-old";
    case handshake_outcome::alert:
        return "alert";
    case handshake_outcome::no_shared_cipher:
        return "no-shared-cipher";
    case handshake_outcome::closed:
        return "closed";
    case handshake_outcome::timeout:
        return "timeout";
    case handshake_outcome::not_tls:
        return "not-tls";
    case handshake_outcome::failed:
        return "failed";
    }
    return "unknown";
}

bool tls_fact::has(cert_fault fault) const {
    return std::ranges::find(faults, fault) != faults.end();
}

} // namespace mailtight::model
