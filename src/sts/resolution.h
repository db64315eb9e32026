// SPDX-License-Identifier: Apache-2.0
// The life of one Policy Domain's policy at a sender (RFC 8461 §3.3, §5.1) as a state
// machine: facts and a clock go in, what to ask next and what holds now come out. Pure; knows no DNS, no
// HTTPS, no cache. Decisions A5, A11-A14.
#pragma once

#include "base/time.h"
#include "sts/policy.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace mailtight::sts {

/// Why no policy could be had although the record asks for one; the result types of RFC 8460 §4.3.2.1.
enum class policy_fault {
    fetch_error,    ///< `sts-policy-fetch-error`: not to be reached, any status but 200, too large, too slow
    webpki_invalid, ///< `sts-webpki-invalid`: the policy host's certificate
    invalid,        ///< `sts-policy-invalid`: fetched, and no valid policy
};
std::string_view to_string(policy_fault fault);

/// What a look at `_mta-sts` showed.
struct record_sighting {
    enum class kind {
        never,    ///< not looked yet
        error,    ///< DNS gave no answer
        none,     ///< no record (8461-3.1-o)
        multiple, ///< more than one (8461-3.1-o)
        invalid,  ///< one, with broken syntax (8461-3.1-p)
        valid,
    };
    kind what = kind::never;
    std::string id;        ///< valid
    std::uint32_t ttl = 0; ///< of the record; of an absence its negative TTL (RFC 2308)
    std::string detail;    ///< words of the error
};

/// What a fetch gave.
struct policy_sighting {
    std::optional<policy> value;
    std::string body; ///< as fetched, where value
    policy_fault fault = policy_fault::fetch_error;
    std::string detail; ///< for a person, where there is no value
    std::string reason; ///< the same in a word for reports: `http-status-404` (A33)
};

/// A policy with the id under which it was fetched.
struct held_policy {
    policy value;
    std::string id, body;
    base::utc_seconds fetched_at{};
    base::utc_seconds expires_at() const; ///< fetched_at + effective max_age (8461-3.2-h, A12)
};

struct failed_fetch {
    std::string id; ///< of the record then ("" : a refresh without a record)
    base::utc_seconds at{};
    policy_fault fault = policy_fault::fetch_error;
    std::string detail;
    /// The fetch before it failed too, for another id and within the pause: now every id pauses, else a
    /// record that changes to and fro would have no pause at all. Of this process only, never kept.
    bool every_id = false;
    std::string reason; ///< as in policy_sighting; of this process only, never kept
};

/// Everything that is remembered of a domain. A value; written through to the store.
struct resolution_state {
    std::optional<held_policy> held;
    std::optional<failed_fetch> failed; ///< the latest fetch, where it failed
    record_sighting record;             ///< the latest
    base::utc_seconds record_at{};      ///< when that was
    base::utc_seconds refresh_at{};     ///< when a fetch is due whatever the id (8461-3.3-q); epoch: not set
    base::utc_seconds failing_since{};  ///< refreshes fail since then; epoch: they don't
    std::uint32_t failures = 0;         ///< so many in a row
    /// The id of the record for which a fetch is under way ("" : a refresh without a record). The record may
    /// change before it ends: what comes then is the policy of this id. Of this process only, never kept.
    std::optional<std::string> fetching;
};

enum class ask { nothing, record, policy };

/// What to do for somebody who wants to know now.
struct next_look {
    ask what = ask::nothing;
    bool answer_waits = false; ///< nothing holds yet: the answer waits for it. Else: in the background
};
/// A use at this time. A held policy is checked against the record at most every min(TTL, 5 min) and no more
/// often than every minute, in the background; an absence is remembered for its TTL, 60 to 3600 s; an error
/// for 60 s.
next_look on_use(const resolution_state& state, base::utc_seconds now);
/// Whether the daily fetch is due. What follows through record_seen() and policy_seen() always sets another
/// time, or none.
next_look on_schedule(const resolution_state& state, base::utc_seconds now);
/// A delivery failed: the record and the policy, at once (8461-5-d), but no more often
/// than every `failure_look_every` for the record and every five minutes for the fetch of an unchanged id.
next_look on_failed_delivery(const resolution_state& state, base::utc_seconds now);
inline constexpr std::chrono::seconds failure_look_every{30};
/// A person asked: the record and the policy at once, in the pause after a failed fetch too, since who asks
/// has just mended something (the SHOULD of 8461-3.3-l is about machines); yet not faster than fingers.
next_look on_request(const resolution_state& state, base::utc_seconds now);
inline constexpr std::chrono::seconds request_look_every{3};
inline constexpr std::chrono::seconds fetch_pause{300}; ///< 8461-3.3-l
inline constexpr std::chrono::seconds record_look_at_most{300};
/// Beyond its max_age a policy still holds for the look-up that fetched it (A5), which may have to wait for
/// other answers this long.
inline constexpr std::chrono::seconds look_up_lasts{5};

/// Why a look was made: what follows on an unchanged id depends on it.
enum class occasion { use, schedule, failed_delivery, request };

/// Takes what the record showed; says whether the policy has to be fetched now.
/// A policy that has expired is dropped on the way.
ask record_seen(resolution_state& state, record_sighting seen, occasion why, base::utc_seconds now);
/// Takes what the fetch gave. `dice` is any random number: the time of the next refresh comes from it.
void policy_seen(resolution_state& state, policy_sighting seen, base::utc_seconds now, std::uint64_t dice);

/// What holds at this time.
struct standing {
    enum class kind {
        unknown,   ///< nothing was looked for yet, or it is too long ago
        no_policy, ///< none, known
        policy,    ///< *held, whatever its mode
    } what = kind::unknown;
    const held_policy* held = nullptr; ///< points into the state
    /// Nothing could be learnt of the record, and nothing is held (A14).
    bool dns_error = false;
    /// What went wrong at the latest look, for explanations and reports (8461-6-a, 6-b); nothing for mode
    /// none.
    std::optional<policy_fault> fault;
    std::string detail, reason; ///< reason: with a fault, in a word
};
standing standing_at(const resolution_state& state, base::utc_seconds now);

/// When the next background look at the record may happen on use; for explanations.
base::utc_seconds next_check(const resolution_state& state);
/// Whether an administrator should hear: refreshes of an enforce or testing policy keep failing (8461-3.3-r),
/// for at least a day or with less than half of its life left.
bool deserves_alarm(const resolution_state& state, base::utc_seconds now);
/// Nothing is worth keeping any more: no policy held, and all that is known has run out.
bool worthless(const resolution_state& state, base::utc_seconds now);

} // namespace mailtight::sts
