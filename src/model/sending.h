// SPDX-License-Identifier: Apache-2.0
// What a sender keeps of other people's domains: policies between look-ups, exceptions that the operator
// made, and what probes found of policies in testing.
#pragma once

#include "base/ip.h"
#include "base/time.h"
#include "sts/resolution.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mailtight::model {

/// A Policy Domain and all that is remembered of its policy.
struct kept_policy {
    std::string domain; ///< A-labels, lower case
    sts::resolution_state state;
    base::utc_seconds used_at{}; ///< the last time that somebody asked, about (kept with a slack of an hour)
};

/// An exception of the operator's for one domain.
struct policy_override {
    enum class kind {
        exempt,  ///< no policy, whatever the domain publishes; DANE too
        pin,     ///< enforce with these MX patterns, whatever the domain publishes
        testing, ///< the domain's policy, not enforced
        require, ///< no delivery without an enforce policy or DANE: TEMP where there is neither
    };
    std::string domain;
    kind what = kind::exempt;
    std::vector<std::string> mx; ///< pin
    std::string why, by;
    base::utc_seconds since{};
    std::optional<base::utc_seconds> until; ///< from then on it has no effect
    bool holds(base::utc_seconds now) const { return !until || now < *until; }
};
std::string_view to_string(policy_override::kind what);
std::optional<policy_override::kind> parse_override(std::string_view word);

/// What a probe of an MX address found, of a domain whose policy is in testing: what enforce would have done.
struct testing_verdict {
    std::string domain, policy_id, mx_host;
    base::ip_address address;
    base::utc_seconds at{};
    std::string result; ///< "" : would have been delivered; else a result type of RFC 8460 §4.3, or
                        ///< "mx-not-in-policy" (validation-failure in a report)
    std::string reason; ///< for a person
};

} // namespace mailtight::model
