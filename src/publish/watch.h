// SPDX-License-Identifier: Apache-2.0
// Watching: a full check a day and a cheap one an hour for every domain, spread evenly; what changed is kept,
// and what changed for the worse is told, once. The differences and the damping are pure.
#pragma once

#include "model/looked_after.h"
#include "model/watched.h"

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mailtight::publish {

enum class change_kind {
    mx_without_policy, ///< an MX host that the policy does not admit
    id_without_policy, ///< the id changed, the body did not
    policy_without_id, ///< the body changed, the id did not
    foreign_policy,    ///< a policy that we did not publish
    policy_gone,       ///< it cannot be fetched any more
    record_gone,
    certificate_expiring,   ///< of the policy host, under a third of its life and not renewed
    certificate_not_loaded, ///< renewed here, but the old one is still served
    addresses_disagree,
    servers_disagree,
    new_finding, ///< an error of check that was not there
    verdict_worse,
    sub_domain_unprotected, ///< a name with MX below ours and without a policy
    needs_person,           ///< a step of the plan waits for somebody for long
    step_fails,             ///< a step of the plan fails again and again
};
std::string_view to_string(change_kind k);

struct watch_alarm {
    std::string key; ///< "watch/example.com/mx-without-policy/mx9": the same thing has the same key
    change_kind what = change_kind::new_finding;
    std::string domain, subject, title, text, fix;
    bool error = false;
};

struct watch_memory {
    std::string domain;
    std::vector<model::watched_state> states;      ///< newest first
    std::optional<model::publication> publication; ///< what we serve
    std::vector<model::served_policy> served;
    bool hosted_here = false;
    bool leaving = false;                ///< it is to be switched off
    bool certificate_not_loaded = false; ///< a new one is kept for long, and not seen over the public path
    /// Whether a code of check is an error; empty: each is.
    std::function<bool(std::string_view code)> serious;
};
/// What is wrong now, compared with before. A fault that comes and goes (`flaps` changes within a day) is
/// told once and kept until it has been steady for as long. What may be our own network, or a change under
/// way, is told when the next look sees it too.
std::vector<watch_alarm> alarms_of(const watch_memory& memory, base::utc_seconds now, unsigned flaps = 3);
/// Until when alarms_of() may say something else without a new look that differs: it has to be asked again
/// at each look till then.
base::utc_seconds unsettled_until(const watch_memory& memory);

/// When a domain is looked at next: evenly over the interval, the same for every machine, moved by a hash of
/// the name.
base::utc_seconds next_look(std::string_view domain, base::utc_seconds now, std::chrono::seconds interval);

} // namespace mailtight::publish
