// SPDX-License-Identifier: Apache-2.0
// TLSA records for SMTP (RFC 6698, 7671, 7672): read, judge usable, match against a chain. Pure; takes any
// bytes.
#pragma once

#include "base/crypto/certificate.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace mailtight::dane {

struct tlsa {
    std::uint8_t usage = 0;
    std::uint8_t selector = 0;
    std::uint8_t matching = 0;
    std::string data; ///< raw bytes
    /// `3 1 1 HEX`, upper-case hex, single spaces (A25).
    std::string to_string() const;
    friend bool operator==(const tlsa&, const tlsa&) = default;
};

/// Why a record cannot be used for SMTP (RFC 7672 §3.1.3, RFC 6698 §4.1), or usable.
enum class usability {
    usable,
    pkix_usage,
    unknown_usage,
    unknown_selector,
    unknown_matching,
    wrong_length,
    malformed
};
usability judge(const tlsa& record);
std::string_view explain(usability reason);

/// Why a record should not be published for SMTP although it parses, or nothing: usages 0 and 1 (RFC 7672
/// §3.1.3), whole certificates or keys in place of digests (RFC 7671 §10.1).
std::optional<std::string_view> discouraged_because(const tlsa& record);

/// The records left for authentication: the usable ones after digest agility (RFC 7671 §9).
std::vector<tlsa> effective(std::span<const tlsa> rrset);

/// What a DANE sender would find when it holds the usable records of the RRset against the chain that the
/// server sent.
struct verdict {
    enum class outcome { matches, no_match, all_unusable, empty } result = outcome::empty;
    std::size_t matched_record = 0;     ///< index in the RRset, where result is matches
    std::vector<std::size_t> unmatched; ///< usable records of the RRset that match nothing in the chain:
                                        ///< usage 3 not the leaf, usage 2 no authority above it
    std::string reason;                 ///< for people
    /// (usage, selector, matching) combinations present of which no record matches the chain (RFC 7671 §8).
    std::vector<std::string> unmatched_combinations;
};
/// `chain`: as sent, leaf first. `names`: the reference identifiers for usage 2 (RFC 7672 §3.2.2), TLSA base
/// domain first. `now` bounds the validity for usage 2 only; usage 3 ignores names and dates (RFC 7672
/// §3.1.1). Signatures from the leaf up to the trust anchor are checked; at most
/// limits::certificates_per_chain certificates are looked at.
verdict match(std::span<const tlsa> rrset, std::span<const base::certificate> chain,
              std::span<const std::string> names, base::utc_seconds now);

} // namespace mailtight::dane
