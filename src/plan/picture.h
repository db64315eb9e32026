// SPDX-License-Identifier: Apache-2.0
// What make_plan() was told, and the facts that every part of it asks for: which policy is in force, whether
// it is announced, what senders may hold. Views into the arguments of make_plan(); the room's own.
#pragma once

#include "plan/plan.h"
#include "sts/policy.h"

#include <optional>
#include <set>
#include <string>
#include <vector>

namespace mailtight::plan {

/// A policy that a sender may hold, with its patterns.
struct held {
    model::served_policy entry;
    std::vector<std::string> mx;
    base::utc_seconds ends{}; ///< at most so long (8461-8.3-a)
    bool admits(const std::string& host) const;
    bool enforces() const { return entry.mode == sts::mode::enforce; }
};

struct picture {
    const model::looked_after& wish;
    const situation& seen;
    const remembered& past;
    const model::enforce_evidence& evidence;
    base::utc_seconds now;
    const plan_options& options;

    /// The policy that senders get, or that our host gives them as soon as they can reach it.
    std::optional<sts::policy> in_force;
    std::string body; ///< its bytes
    /// The same; or what senders still get where ours was never announced; or, where a record stands and its
    /// policy cannot be had any more, the last one that could: an outage takes nothing back.
    std::optional<sts::policy> standing;
    bool ours = false;         ///< it is what our host serves
    bool serving = false;      ///< something is served, be it no policy at all
    std::vector<held> senders; ///< oldest first; what is served now ends its life from now
    std::set<std::string> used_ids;

    bool record_absent() const { return seen.sts.state == record_seen::what::absent; }
    bool record_unknown() const { return seen.sts.state == record_seen::what::unknown; }
    bool record_stands() const {
        return seen.sts.state == record_seen::what::one || seen.sts.state == record_seen::what::invalid;
    }
    /// A record counts and a policy goes with it.
    bool announced() const { return in_force && seen.sts.state == record_seen::what::one; }
    /// Our software gives the answer at mta-sts.DOMAIN.
    bool hosted_here() const {
        return wish.host == model::hosting::here || wish.host == model::hosting::proxied;
    }
    bool told(std::string_view mark) const { return wish.marks.contains(mark); }
    std::string host_name() const { return "mta-sts." + wish.domain; }
    std::string record_name() const { return "_mta-sts." + wish.domain; }
    std::string url() const { return "https://" + host_name() + "/.well-known/mta-sts.txt"; }
    /// Resolvers may say what the record was before, this long.
    std::chrono::seconds record_wait() const;
    std::string new_id() const;
};

picture look(const model::looked_after& wish, const situation& seen, const remembered& past,
             const model::enforce_evidence& evidence, base::utc_seconds now, const plan_options& options);

/// The id of the record belongs to the policy in force, and to no other (8461-3.1-e).
bool id_in_step(const picture& p);

/// The body is one that our host serves or served.
bool known_as_ours(const picture& p, const std::string& body);

/// MX hosts in DNS: the domain itself where it has no MX record (RFC 5321 §5.1).
std::vector<mx_seen> mail_hosts(const picture& p);

} // namespace mailtight::plan
