// SPDX-License-Identifier: Apache-2.0
// The room's own: which certificates of a chain stand above its leaf, by name and signature. The order in
// which a server sent them does not matter, and what does not belong is left aside.
#pragma once

#include "dane/tlsa.h"

namespace mailtight::dane {

/// The certificates that can be reached from the leaf.
class signed_chain {
public:
    /// With `at`, only certificates that are valid then take part (the leaf always does).
    signed_chain(std::span<const base::certificate> chain, std::optional<base::utc_seconds> at);

    /// Indexes in the chain, the leaf (0) first, each before those above it.
    std::span<const std::size_t> reached() const { return reached_; }
    /// Whether the record names an authority above the leaf: one that was sent, or (whole data only) one that
    /// stands in the record itself (RFC 7671 §5.2, RFC 7672 §3.1.2).
    bool anchored_by(const tlsa& record) const;

private:
    std::span<const base::certificate> chain_;
    std::optional<base::utc_seconds> at_;
    std::vector<std::size_t> reached_;
};

/// RFC 6698 §2.1: does the data of the record match this certificate.
bool data_matches(const tlsa& record, const base::certificate& cert);
bool valid_at(const base::certificate& cert, base::utc_seconds at);

} // namespace mailtight::dane
