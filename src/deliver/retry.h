// SPDX-License-Identifier: Apache-2.0
// What follows from a try to deliver (RFC 8460 §5.4, §5.5; A41): sent, refused for good, or again, and when.
// Pure: the answer of the other side goes in, the next state comes out.
#pragma once

#include "model/outgoing.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace mailtight::deliver {

struct retry_rules {
    std::chrono::seconds first{300}; ///< doubled with each try (8460-5.5-b)
    std::chrono::seconds longest{14'400};
    std::chrono::seconds in_all{86'400}; ///< from the first try (8460-5.5-a)
};

/// How a try ended, whichever way it went.
struct try_outcome {
    enum class kind {
        accepted,
        later,   ///< 4xx of SMTP; 408, 429, 5xx of HTTP; network
        refused, ///< 5xx of SMTP; other 4xx and every 3xx of HTTP
        blocked, ///< the guard: every address is private
    } what = kind::later;
    std::string words;                               ///< printable, bounded
    std::optional<std::chrono::seconds> retry_after; ///< HTTP
    bool over_v6 = false;                            ///< the answer came over IPv6
    bool certificate_ignored = false;                ///< 8460-3-e: noted in the words
};
try_outcome of_http(int status, const std::string& retry_after, const std::string& words,
                    base::utc_seconds now);
/// `stage` as in wire::smtp_client_outcome: a 5xx before MAIL speaks of the connection (a blocked address, a
/// password of ours), not of the report, and is tried again. `for_good`: without a code, and yet not
/// temporary.
try_outcome of_smtp(int code, const std::string& enhanced, const std::string& words, const std::string& stage,
                    bool for_good = false);

/// The delivery after this try. A refusal over IPv6 is tried again over IPv4 before it counts: reputation,
/// PTR and SPF are often missing there. `dice` spreads the retries.
model::outgoing_delivery after(model::outgoing_delivery before, const try_outcome& seen,
                               const retry_rules& rules, base::utc_seconds now, std::uint64_t dice);

} // namespace mailtight::deliver
