// SPDX-License-Identifier: Apache-2.0
// What the store publishes, read on from where the last reading ended, with keys opened. Blocks on the store.
#pragma once

#include "base/crypto/sealed.h"
#include "base/time.h"
#include "model/looked_after.h"
#include "store/domains.h"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace mailtight::app {

inline constexpr std::string_view host_prefix = "mta-sts.";

/// A certificate with its key as it is.
struct opened_certificate {
    std::string name, chain, key;
    base::utc_seconds not_before{}, not_after{};
    base::utc_seconds renew_at{};
    std::string file; ///< of certificates.folder
    bool gone = false;
};

/// What the store has that the memory has not.
struct published_news {
    std::vector<model::publication> policies;
    std::vector<opened_certificate> certificates;
    std::vector<store::challenge_answer> answers;
    std::vector<std::string> troubles;
    bool more = false;
};

/// What the worker's thread holds.
struct news_reader {
    std::unique_ptr<store::domain_store> kept;
    std::int64_t policies = 0, certificates = 0;
};
store::result<published_news> read_news(news_reader& by, const std::string& where,
                                        const base::sealing_key* seal, base::utc_seconds now);

} // namespace mailtight::app
