// SPDX-License-Identifier: Apache-2.0
// What the planner knows: the domain as it was seen from outside, what is remembered of it, and the evidence.
// All of it is told; the planner looks at nothing. Where something was not seen it says so, and the planner
// takes the careful side.
#pragma once

#include "base/time.h"
#include "model/enforce_evidence.h"
#include "model/looked_after.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace mailtight::plan {

/// A TXT record of ours (`_mta-sts`, `_smtp._tls`) as it stands in DNS.
struct record_seen {
    enum class what {
        unknown, ///< not looked at, or DNS did not answer
        absent,
        one,     ///< exactly one that counts
        invalid, ///< something of its kind that does not count: malformed, or several
    } state = what::unknown;
    std::string text; ///< of the one
    std::string id;   ///< `_mta-sts`
    std::vector<std::string> rua;
    std::uint32_t ttl = 0;          ///< of the records, or of their absence
    bool on_all_servers = true;     ///< every authoritative server says the same
    std::vector<std::string> chain; ///< CNAME targets
    std::size_t foreign = 0;        ///< other TXT records at the name
};

struct mx_seen {
    std::string host;
    std::optional<bool> passes; ///< all five criteria of the guides; nothing: could not be tested
    std::string why;            ///< the first that does not, or why it could not be tested
};

/// The domain as it is now, seen over the public path.
struct situation {
    base::utc_seconds looked_at{};
    record_seen sts, tlsrpt;
    bool policy_known = false;         ///< the policy host was asked, over every address
    std::optional<std::string> policy; ///< the body that senders get; nothing: none
    std::string policy_fault;          ///< why not, or where addresses disagree
    bool host_resolves = false;        ///< mta-sts.DOMAIN has an address
    struct host_record {
        std::string type, value;
        friend bool operator==(const host_record&, const host_record&) = default;
    };
    std::vector<host_record> host_records; ///< what stands at mta-sts.DOMAIN: a CNAME, or A and AAAA
    bool host_points_here = false;         ///< all of them are those that the configuration names
    std::uint32_t host_ttl = 0;
    std::optional<bool> certificate_valid; ///< over the public path
    bool mx_known = false;                 ///< DNS answered
    bool null_mx = false;
    std::vector<mx_seen> mx;
    std::uint32_t mx_ttl = 0;
    std::vector<std::string> suggested_mx; ///< patterns that fit the MX hosts of today (provider's form)
};

/// A step that was tried and did not succeed.
struct failed_try {
    std::string kind; ///< of the step, as to_string() says it
    base::utc_seconds at{};
    std::string why;
    friend bool operator==(const failed_try&, const failed_try&) = default;
};

/// What is remembered and configured.
struct remembered {
    std::vector<model::served_policy> served; ///< all that are known, oldest first
    bool past_known = false;                  ///< we looked after the domain since before it had a policy
    std::optional<base::utc_seconds> looked_since; ///< we have looked at the domain since then
    std::optional<model::publication> publication; ///< what our host serves
    std::optional<base::utc_seconds> record_since; ///< the `_mta-sts` record has its present id
    std::uint32_t record_ttl_before = 0;           ///< largest TTL of that record since the id before
    std::optional<base::utc_seconds> record_gone_since;
    std::vector<std::string> ids_used; ///< all ever seen or published
    /// MX hosts that were in DNS not long ago: name, last seen, TTL.
    struct old_mx {
        std::string host;
        base::utc_seconds last_seen{};
        std::uint32_t ttl = 0;
        std::optional<base::utc_seconds> first_missed; ///< the first look that no longer showed it
    };
    std::vector<old_mx> mx_before;
    std::optional<base::utc_seconds> testing_since, enforce_since;
    bool certificate_here = false; ///< ours is there and valid (hosting here)
    std::string policy_host;       ///< what mta-sts.DOMAIN is to point at, as configured or wanted
    std::vector<std::string> rua;  ///< to publish, as configured or wanted
    std::optional<failed_try> last_try;
};

} // namespace mailtight::plan
