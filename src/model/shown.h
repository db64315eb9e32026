// SPDX-License-Identifier: Apache-2.0
// What the table of all domains shows of one: what its last full look came to, and what its last plan says is
// next. Kept beside the domain, so that the table asks no network and plans nothing.
#pragma once

#include "base/time.h"

#include <cstdint>
#include <optional>
#include <string>

namespace mailtight::model {

/// As in `check --json`: "valid", "invalid", "missing", "not-tested".
struct shown_parts {
    std::string sts_record, policy_file, tlsrpt_record, mail_servers;
    friend bool operator==(const shown_parts&, const shown_parts&) = default;
};

/// The first step of a plan that is not done, in the words of `plan --json`.
struct next_step {
    std::string kind, title;
    std::string state; ///< "now", "waiting", "later"
    std::string by;    ///< "us", "person"
    std::optional<base::utc_seconds> not_before;
    friend bool operator==(const next_step&, const next_step&) = default;
};

struct shown {
    std::string domain;
    base::utc_seconds looked_at{}; ///< the epoch: nobody looked yet, and only `next` is known
    std::string verdict;           ///< as in `check --json`
    std::string mode;              ///< of the policy that is served; "" : none
    shown_parts parts;
    std::uint64_t errors = 0, warnings = 0;
    std::string changed; ///< what differed when something last did; "" : nothing yet
    base::utc_seconds changed_at{};
    std::optional<next_step> next;
    std::int64_t change = 0; ///< grows with every write, over all domains
    friend bool operator==(const shown&, const shown&) = default;
};

/// The document of `check --json`, as the last full look made it.
struct kept_look {
    base::utc_seconds at{};
    std::string document;
    friend bool operator==(const kept_look&, const kept_look&) = default;
};

} // namespace mailtight::model
