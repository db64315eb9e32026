// SPDX-License-Identifier: Apache-2.0
#include "model/tls_result.h"

#include <algorithm>

namespace mailtight::model {

using tlsrpt::result_type;

std::optional<result_type> failure_of(const tls_fact& tls) {
    if (tls.outcome == handshake_outcome::not_tried)
        return std::nullopt;
    if (!tls.completed())
        return result_type::validation_failure; // 8460-4.3.1-e, 8460-4.3.3-a
    const auto breaks_trust = [](cert_fault fault) {
        switch (fault) {
        case cert_fault::not_yet_valid:
        case cert_fault::self_signed:
        case cert_fault::chain_incomplete:
        case cert_fault::untrusted:
        case cert_fault::weak:
            return true;
        case cert_fault::expired:
        case cert_fault::name_mismatch:
        case cert_fault::cn_only:
            return false;
        }
        return true;
    };
    if (std::ranges::any_of(tls.faults, breaks_trust))
        return result_type::certificate_not_trusted; // 8460-4.3.1-d
    if (tls.has(cert_fault::expired))
        return result_type::certificate_expired; // 8460-4.3.1-c
    if (!tls.faults.empty())
        return result_type::certificate_host_mismatch; // 8460-4.3.1-b
    return std::nullopt;
}

session_result result_of(const smtp_fact& talk) {
    switch (talk.outcome) {
    case smtp_outcome::tls:
        return {true, failure_of(talk.tls)};
    case smtp_outcome::no_starttls:
    case smtp_outcome::starttls_refused: // 8460-4.3.1-a
        return {true, result_type::starttls_not_supported};
    case smtp_outcome::injected:
    case smtp_outcome::handshake_failed:
        return {true, result_type::validation_failure}; // 8460-4.3.1-e
    case smtp_outcome::not_tried:
    case smtp_outcome::blocked:
    case smtp_outcome::connect_failed:
    case smtp_outcome::banner_timeout:
    case smtp_outcome::banner_refused:
    case smtp_outcome::protocol_error:
    case smtp_outcome::timeout:
    case smtp_outcome::closed: // 8460-4.3.4-a: it never came to TLS
        return {};
    }
    return {};
}

} // namespace mailtight::model
