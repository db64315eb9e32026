// SPDX-License-Identifier: Apache-2.0
// What a session counts as in a report: from what a probe or a client saw to the result types of RFC 8460
// §4.3. Pure.
#pragma once

#include "model/probe_facts.h"
#include "tlsrpt/result_type.h"

#include <optional>

namespace mailtight::model {

/// Of several faults the one that must be mended first counts: trust, then dates, then names. Nothing where
/// the handshake was not tried, or the certificate passes.
std::optional<tlsrpt::result_type> failure_of(const tls_fact& tls);

/// How a conversation with an MX address ended, judged as a policy that is enforced would.
struct session_result {
    bool counts = false; ///< false: it says nothing about TLS (8460-4.3.4-a)
    std::optional<tlsrpt::result_type> failure;
};
session_result result_of(const smtp_fact& talk);

} // namespace mailtight::model
