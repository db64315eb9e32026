// SPDX-License-Identifier: Apache-2.0
// What watching leaves behind: what a domain looked like when it changed, and who fetches its policy.
#pragma once

#include "base/time.h"

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace mailtight::model {

/// One look at a domain that differed from the one before it.
struct watched_state {
    std::string domain;
    base::utc_seconds first{}, last{}; ///< seen so from, to
    std::string verdict;               ///< as in `check --json`
    std::string record_id, policy_sha256, policy;
    std::vector<std::string> mx;       ///< hosts
    std::vector<std::string> findings; ///< "code subject", errors and warnings only, sorted
    bool full = true;                  ///< the full check; false: the cheap one (DNS and the file)
    friend bool operator==(const watched_state&, const watched_state&) = default;
};

/// Fetches of a policy by one network on one day.
struct policy_fetches {
    std::string domain;
    std::chrono::sys_days day{};
    std::string network; ///< an IPv4 /24 or an IPv6 /48
    std::string agent;   ///< first word of User-Agent, printable, at most 64 bytes
    std::string id;      ///< that belonged to the body which was given
    std::uint64_t count = 0;
    base::utc_seconds last{};
    friend bool operator==(const policy_fetches&, const policy_fetches&) = default;
};

} // namespace mailtight::model
