// SPDX-License-Identifier: Apache-2.0
#include "dane/path.h"

#include "base/crypto/signature.h"
#include "base/encode.h"
#include "base/limits.h"

#include <algorithm>

namespace mailtight::dane {

bool data_matches(const tlsa& record, const base::certificate& cert) {
    const std::string& selected = record.selector == 0 ? cert.der : cert.spki_der;
    switch (record.matching) {
    case 0:
        return record.data == selected;
    case 1:
        return record.data == base::sha256(selected);
    case 2:
        return record.data == base::sha512(selected);
    default:
        return false;
    }
}

bool valid_at(const base::certificate& cert, base::utc_seconds at) {
    return cert.not_before <= at && at <= cert.not_after;
}

signed_chain::signed_chain(std::span<const base::certificate> chain, std::optional<base::utc_seconds> at)
    : chain_(chain.first(std::min(chain.size(), base::limits::certificates_per_chain)))
    , at_(at) {
    if (chain_.empty())
        return;
    reached_.push_back(0);
    for (std::size_t next = 0; next < reached_.size(); ++next) {
        const base::certificate& below = chain_[reached_[next]];
        for (std::size_t i = 1; i < chain_.size(); ++i) {
            const base::certificate& above = chain_[i];
            if (above.is_ca && above.subject == below.issuer && !std::ranges::count(reached_, i) &&
                (!at_ || valid_at(above, *at_)) && base::signed_by(below, above.spki_der))
                reached_.push_back(i);
        }
    }
}

bool signed_chain::anchored_by(const tlsa& record) const {
    for (std::size_t i : reached_)
        if (i != 0 && data_matches(record, chain_[i])) // 7672-3.1.2-a: sent with the chain
            return true;
    if (record.matching != 0)
        return false;
    if (record.selector == 1)
        return std::ranges::any_of(reached_,
                                   [&](std::size_t i) { return base::signed_by(chain_[i], record.data); });
    const auto anchor = base::parse_certificate(record.data);
    if (!anchor || !anchor->is_ca || (at_ && !valid_at(*anchor, *at_)))
        return false;
    return std::ranges::any_of(reached_, [&](std::size_t i) {
        return anchor->subject == chain_[i].issuer && base::signed_by(chain_[i], anchor->spki_der);
    });
}

} // namespace mailtight::dane
