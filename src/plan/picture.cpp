// SPDX-License-Identifier: Apache-2.0
#include "plan/picture.h"

#include "base/text.h"
#include "plan/held.h"
#include "sts/id.h"

#include <algorithm>

namespace mailtight::plan {
namespace {

/// What our own host serves is known without a look; of all others only the look tells, and where that
/// failed, the newest entry of the log.
void find_policy_in_force(picture& p) {
    const bool own = p.hosted_here() && p.past.publication && !p.past.publication->body.empty();
    if (own) {
        p.body = p.past.publication->body;
        p.ours = p.serving = true;
    } else if (p.seen.policy) {
        p.body = *p.seen.policy;
        p.serving = true;
    } else if (!p.seen.policy_known && !p.past.served.empty() && !p.past.served.back().last_served) {
        p.body = p.past.served.back().body;
        p.serving = true;
    }
    if (auto read = sts::parse_policy(p.body))
        p.in_force = std::move(*read);
}

void add_held(picture& p, const model::served_policy& entry) {
    held one{.entry = entry, .mx = {}, .ends = end_of_life(entry, p.now)};
    if (auto read = sts::parse_policy(entry.body))
        one.mx = std::move(read->mx);
    // Resolvers still lead some senders to the host that it was served by.
    if (!entry.ours)
        one.ends += std::chrono::seconds(p.seen.host_ttl);
    p.senders.push_back(std::move(one));
}

/// The log of what was served; and, whatever it says, what can be fetched at this moment.
void find_held(picture& p) {
    // The order of the log, not of its dates: a clock may have been set back. What is served now is the
    // newest.
    for (const bool open : {false, true})
        for (const auto& entry : p.past.served)
            if (entry.last_served.has_value() != open)
                add_held(p, entry);
    const auto served_now = [&](const std::string& body, bool ours, base::utc_seconds since) {
        const auto policy = sts::parse_policy(body);
        const bool logged = std::ranges::any_of(p.past.served, [&](const model::served_policy& one) {
            return !one.last_served && one.body == body;
        });
        if (policy && !logged)
            add_held(p, {.domain = p.wish.domain,
                         .body = body,
                         .mode = policy->mode,
                         .max_age = policy->effective_max_age(),
                         .ids = {},
                         .first_served = since,
                         .last_served = std::nullopt,
                         .ours = ours});
    };
    if (p.past.publication)
        served_now(p.past.publication->body, true, p.past.publication->since);
    if (p.seen.policy && (!p.past.publication || p.past.publication->body != *p.seen.policy))
        served_now(*p.seen.policy, false, p.now);
}

/// Ours is ready, but senders still get another one, and never got ours: the other one is what counts.
bool taking_over(const picture& p) {
    if (!p.ours || !p.seen.policy || *p.seen.policy == p.body || !p.record_stands() || id_in_step(p))
        return false;
    return std::ranges::none_of(p.past.served, [](const auto& one) { return one.ours && !one.ids.empty(); });
}

} // namespace

std::chrono::seconds picture::record_wait() const { // 8461-8.1-a
    return std::chrono::seconds(std::max({seen.sts.ttl, past.record_ttl_before, options.record_ttl})) +
           options.margin;
}

std::string picture::new_id() const {
    return sts::id_from_time(now, used_ids);
}

picture look(const model::looked_after& wish, const situation& seen, const remembered& past,
             const model::enforce_evidence& evidence, base::utc_seconds now, const plan_options& options) {
    picture p{.wish = wish,
              .seen = seen,
              .past = past,
              .evidence = evidence,
              .now = now,
              .options = options,
              .in_force = {},
              .body = {},
              .senders = {},
              .used_ids = {past.ids_used.begin(), past.ids_used.end()}};
    find_policy_in_force(p);
    find_held(p);
    p.standing = p.in_force;
    if (taking_over(p))
        if (auto read = sts::parse_policy(*seen.policy))
            p.standing = std::move(*read);
    if (!p.standing && !p.record_absent() && !p.senders.empty())
        if (auto read = sts::parse_policy(p.senders.back().entry.body))
            p.standing = std::move(*read);
    for (const auto& entry : past.served)
        p.used_ids.insert(entry.ids.begin(), entry.ids.end());
    if (past.publication)
        p.used_ids.insert(past.publication->id);
    p.used_ids.insert(seen.sts.id);
    return p;
}

// 8461-3.1-e. Where we serve, the id was made with the body and is the only one that fits. Elsewhere a person
// changes both: the id fits where it was never seen with another body, and changed after this body was there.
bool id_in_step(const picture& p) {
    if (!p.announced())
        return false;
    if (!p.wish.sts_target.empty() && !p.hosted_here())
        return std::ranges::find(p.seen.sts.chain, base::lower(p.wish.sts_target)) != p.seen.sts.chain.end();
    if (p.hosted_here())
        return p.ours && p.seen.sts.id == p.past.publication->id;
    const model::served_policy* present = nullptr;
    for (const auto& entry : p.past.served)
        if (!entry.last_served && entry.body == p.body)
            present = &entry;
    bool others = false;
    for (const auto& entry : p.past.served) {
        if (&entry == present)
            continue;
        others = true;
        if (std::ranges::find(entry.ids, p.seen.sts.id) != entry.ids.end())
            return false;
    }
    if (!others || !present)
        return !others;
    return p.past.record_since && *p.past.record_since > present->first_served;
}

bool known_as_ours(const picture& p, const std::string& body) {
    return (p.past.publication && p.past.publication->body == body) ||
           std::ranges::any_of(p.past.served, [&](const auto& one) { return one.ours && one.body == body; });
}

std::vector<mx_seen> mail_hosts(const picture& p) {
    if (p.seen.mx_known && p.seen.mx.empty() && !p.seen.null_mx)
        return {{.host = p.wish.domain, .passes = std::nullopt, .why = "it has no MX record"}};
    return p.seen.mx;
}

} // namespace mailtight::plan
