// SPDX-License-Identifier: Apache-2.0
#include "publish/certificate_proof.h"

#include "base/text.h"

#include <fmt/format.h>

namespace mailtight::publish {

certificate_proof judge_proof(std::span<const model::fetch_fact> seen, const store::kept_certificate& fresh) {
    using what = certificate_proof::what;
    certificate_proof out;
    for (const auto& fetch : seen) {
        const auto& chain = fetch.tls.chain;
        if (chain.empty() || chain.front().not_after != fresh.not_after ||
            chain.front().not_before != fresh.not_before)
            continue;
        if (!fetch.tls.certificate_ok()) {
            const auto& why = fetch.tls.detail.empty() ? fetch.tls.reason : fetch.tls.detail;
            return {what::bad,
                    fmt::format("{}: {}", fetch.address.to_string(),
                                why.empty() ? "the handshake fails with it" : base::printable(why, 200))};
        }
        out.state = what::good;
    }
    return out;
}

} // namespace mailtight::publish
