// SPDX-License-Identifier: Apache-2.0
// The state machine in three parts: what to ask (on_use(), on_schedule(), on_failed_delivery()), what an
// answer changes (record_seen(), policy_seen()), what holds (standing_at()). Asking always begins with the
// record, so that the id under which a policy is fetched is the one seen just before.
//
// Clocks: a time that lies in the future was taken by a clock that has been set back since. The questions
// measure distances in both directions; every answer pulls such times back to now, so that no policy lives
// longer than its max_age from the moment at which that was noticed.
#include "sts/resolution.h"

#include "base/limits.h"
#include "sts/id.h"

#include <algorithm>
#include <utility>

namespace mailtight::sts {
namespace {

using base::utc_seconds;
using std::chrono::seconds;
using seen_kind = record_sighting::kind;

constexpr seconds error_memory{60};
constexpr seconds memory_min{60};
constexpr seconds absence_max{3600};
constexpr seconds day{86'400};
constexpr seconds retry_first{600}, retry_at_most{6 * 3600};
constexpr utc_seconds not_set{};

bool within(utc_seconds at, utc_seconds now, seconds distance) {
    return (at > now ? at - now : now - at) < distance;
}

/// Counted from the fetch alone: an unchanged id or a look at the record never prolongs it (8461-3.2-h, A12).
bool unexpired(const std::optional<held_policy>& held, utc_seconds now) {
    return held && now <= held->expires_at();
}
bool holds(const std::optional<held_policy>& held, utc_seconds now) {
    return held && now <= std::max(held->expires_at(), held->fetched_at + look_up_lasts); // A5
}

bool absent(const record_sighting& record) { // 8461-3.1-o, 8461-3.1-p
    return record.what == seen_kind::none || record.what == seen_kind::multiple ||
           record.what == seen_kind::invalid;
}

/// How long what the record showed need not be looked at again.
seconds remembered(const record_sighting& record, bool beside_policy) {
    switch (record.what) {
    case seen_kind::never:
        return seconds(0);
    case seen_kind::error: // A14
        return error_memory;
    case seen_kind::none:
    case seen_kind::multiple:
    case seen_kind::invalid:
        return std::clamp(seconds(record.ttl), memory_min, beside_policy ? record_look_at_most : absence_max);
    case seen_kind::valid:
        return std::clamp(seconds(record.ttl), memory_min, record_look_at_most);
    }
    std::unreachable();
}
bool record_recent(const resolution_state& state, utc_seconds now) {
    return within(state.record_at, now, remembered(state.record, unexpired(state.held, now)));
}

/// After a failed fetch for the same id (8461-3.3-l); a fetch without a record pauses after any failure.
bool paused(const resolution_state& state, std::string_view id, utc_seconds now) {
    return state.failed && (id.empty() || state.failed->id == id || state.failed->every_id) &&
           within(state.failed->at, now, fetch_pause);
}
bool fetched_lately(const resolution_state& state, utc_seconds now) {
    return state.held && within(state.held->fetched_at, now, fetch_pause);
}
/// A fetch that never said how it ended, a process that stopped, stands in nobody's way for long.
bool under_way(const resolution_state& state, utc_seconds now) {
    return state.fetching && within(state.record_at, now, fetch_pause);
}
/// The record names a policy that is not the one held: ids have no order (8461-3.1-f).
bool names_another(const resolution_state& state, utc_seconds now) {
    return state.record.what == seen_kind::valid &&
           (!unexpired(state.held, now) || state.held->id != state.record.id);
}

void pull_back(utc_seconds& at, utc_seconds now) {
    at = std::min(at, now);
}
void pull_clocks_back(resolution_state& state, utc_seconds now) {
    if (state.held && state.held->fetched_at > now) {
        if (state.refresh_at != not_set)
            state.refresh_at = std::max(now, state.refresh_at - (state.held->fetched_at - now));
        state.held->fetched_at = now;
    }
    if (state.failed)
        pull_back(state.failed->at, now);
    pull_back(state.record_at, now);
    pull_back(state.failing_since, now);
}

void forget_refreshes(resolution_state& state) {
    state.refresh_at = state.failing_since = not_set;
    state.failures = 0;
}
void drop_expired(resolution_state& state, utc_seconds now) {
    if (unexpired(state.held, now))
        return;
    forget_refreshes(state);
    if (!holds(state.held, now))
        state.held.reset();
}

/// One moment after the end of its life: a policy that is not refreshed any more is dropped then.
utc_seconds drop_time(const held_policy& held) {
    return held.expires_at() + seconds(1);
}
bool given_up(const resolution_state& state) {
    return state.held->value.mode == mode::none && absent(state.record);
}

seconds between(seconds low, seconds high, std::uint64_t dice) {
    return low +
           seconds(static_cast<std::int64_t>(dice % static_cast<std::uint64_t>((high - low).count() + 1)));
}

/// A fetch once a day whatever the id, at a time that nobody can foresee (8461-3.3-q, 8461-10.2-b); where the
/// policy lives too short for that, before half of its life is over, yet not more often than the pause
/// (8461-3.3-k).
utc_seconds plan_refresh(const resolution_state& state, std::uint64_t dice) {
    const auto& held = *state.held;
    if (given_up(state))
        return drop_time(held);
    const seconds life = held.expires_at() - held.fetched_at;
    const seconds latest = std::min(day, life / 2);
    if (latest < fetch_pause)
        return not_set; // every use after its end fetches it anew
    return held.fetched_at + between(std::max(latest / 2, fetch_pause), latest, dice);
}
utc_seconds plan_retry(const resolution_state& state, utc_seconds now, std::uint64_t dice) {
    const seconds wait = std::min(retry_at_most, retry_first * (1 << std::min(state.failures, 10u)) / 2);
    return std::min(now + between(std::max(wait / 2, fetch_pause), wait, dice), drop_time(*state.held));
}

bool fetch_wanted(const resolution_state& state, occasion why, utc_seconds now) {
    const bool has_policy = unexpired(state.held, now);
    const bool valid = state.record.what == seen_kind::valid;
    if (!valid && (why == occasion::use || !has_policy || given_up(state)))
        return false; // discovery ends here (8461-3.1-o, 8461-3.1-p); what is held stays (8461-3.1-q)
    if (why == occasion::request)
        return true;
    if (paused(state, valid ? std::string_view(state.record.id) : "", now))
        return false;
    if (names_another(state, now))
        return true;
    switch (why) {
    case occasion::use: // the policy is the one that the record names: its life goes on as it was (A12)
        return false;
    case occasion::schedule:
        return true;
    case occasion::failed_delivery: // 8461-5-d, 8461-5.1-c: the policy may have changed without its id
        return !fetched_lately(state, now);
    case occasion::request:
        break; // above
    }
    std::unreachable();
}

std::string_view explain(seen_kind what) {
    switch (what) {
    case seen_kind::never:
    case seen_kind::valid:
        return "";
    case seen_kind::error:
        return "the record could not be looked up";
    case seen_kind::none:
        return "there is no record any more";
    case seen_kind::multiple:
        return "there is more than one record";
    case seen_kind::invalid:
        return "the record is not valid";
    }
    std::unreachable();
}

std::string_view word(seen_kind what) {
    switch (what) {
    case seen_kind::never:
    case seen_kind::valid:
        return "";
    case seen_kind::error:
        return "dns-error";
    case seen_kind::none:
        return "dns-no-record";
    case seen_kind::multiple:
        return "dns-several-records";
    case seen_kind::invalid:
        return "dns-record-invalid";
    }
    std::unreachable();
}

/// The latest fetch failed, and no later look made it meaningless: the id went back to the one that is held.
bool failure_counts(const resolution_state& state) {
    return state.failed && (state.failed->id.empty() || state.record.what != seen_kind::valid ||
                            state.failed->id == state.record.id);
}
void tell_fault(standing& out, const resolution_state& state) { // 8461-6-b; mode none: 8461-5-c
    if (out.held->value.mode == mode::none)
        return;
    if (failure_counts(state)) {
        out.fault = state.failed->fault;
        out.detail = state.failed->detail;
        out.reason = state.failed->reason;
    } else if (state.record.what != seen_kind::valid && state.record.what != seen_kind::never) {
        out.fault = policy_fault::fetch_error;
        out.detail = explain(state.record.what);
        out.reason = word(state.record.what);
        if (!state.record.detail.empty())
            out.detail += ": " + state.record.detail;
    }
}

} // namespace

std::string_view to_string(policy_fault fault) {
    switch (fault) {
    case policy_fault::fetch_error:
        return "sts-policy-fetch-error";
    case policy_fault::webpki_invalid:
        return "sts-webpki-invalid";
    case policy_fault::invalid:
        return "sts-policy-invalid";
    }
    std::unreachable();
}

utc_seconds held_policy::expires_at() const {
    return fetched_at + seconds(static_cast<std::int64_t>(value.effective_max_age()));
}

next_look on_use(const resolution_state& state, utc_seconds now) {
    const bool recent = record_recent(state, now);
    if (unexpired(state.held, now)) { // 8461-5.1-a: it is used; looks happen behind its back
        // A fetch that ended for an id that was no longer the record's: once more.
        const bool missed =
            names_another(state, now) && !under_way(state, now) && !paused(state, state.record.id, now);
        return {recent && !missed ? ask::nothing : ask::record, false};
    }
    const bool known =
        recent && (state.record.what != seen_kind::valid || paused(state, state.record.id, now));
    return known ? next_look{} : next_look{ask::record, true};
}

next_look on_schedule(const resolution_state& state, utc_seconds now) {
    if (!state.held || state.refresh_at == not_set || now < state.refresh_at)
        return {};
    return {ask::record, false};
}

next_look on_failed_delivery(const resolution_state& state, utc_seconds now) {
    const bool waits = !unexpired(state.held, now);
    if (state.record.what == seen_kind::never || !within(state.record_at, now, failure_look_every))
        return {ask::record, waits};
    // The record was seen a moment ago, by the very delivery that failed: the policy is still to be asked
    // for.
    if (under_way(state, now) || !fetch_wanted(state, occasion::failed_delivery, now))
        return {};
    // A policy of another id than the one held is fetched only right after a look: see policy_seen().
    return {names_another(state, now) ? ask::record : ask::policy, waits};
}

next_look on_request(const resolution_state& state, utc_seconds now) {
    if (state.record.what != seen_kind::never && within(state.record_at, now, request_look_every))
        return {};
    return {ask::record, !unexpired(state.held, now)};
}

ask record_seen(resolution_state& state, record_sighting seen, occasion why, utc_seconds now) {
    if (seen.what == seen_kind::never)
        seen.what = seen_kind::error;
    if (seen.what == seen_kind::valid && !valid_id(seen.id))
        seen.what = seen_kind::invalid;
    if (seen.what != seen_kind::valid)
        seen.id.clear();
    pull_clocks_back(state, now);
    drop_expired(state, now);
    const bool still = under_way(state, now);
    state.record = std::move(seen);
    state.record_at = now;

    if (fetch_wanted(state, why, now)) {
        if (!still) // else what comes is the policy of the id seen before
            state.fetching = state.record.id;
        return ask::policy;
    }
    if (why == occasion::schedule && state.held && state.refresh_at <= now && state.refresh_at != not_set)
        state.refresh_at = given_up(state) ? drop_time(*state.held) : now + fetch_pause;
    return ask::nothing;
}

void policy_seen(resolution_state& state, policy_sighting seen, utc_seconds now, std::uint64_t dice) {
    pull_clocks_back(state, now);
    // The id of the policy is that of the record for which the fetch was begun, not of one seen meanwhile. A
    // fetch without a look before it was begun for the id that is held.
    auto id = state.fetching ? *state.fetching : state.held ? state.held->id : state.record.id;
    state.fetching.reset();

    if (seen.value) {
        if (id.empty() && state.held)
            id = state.held->id; // no record to be seen: the policy's own id is all that is known of it
        if (id.empty()) {        // no record at all, so no discovery (8461-3.1-o)
            drop_expired(state, now);
            return;
        }
        state.held = held_policy{std::move(*seen.value), std::move(id), std::move(seen.body), now};
        state.failed.reset();
        forget_refreshes(state);
        state.refresh_at = plan_refresh(state, dice);
        return;
    }
    const bool every_id =
        state.failed && state.failed->id != id && within(state.failed->at, now, fetch_pause);
    state.failed = failed_fetch{std::move(id),          now,      seen.fault,
                                std::move(seen.detail), every_id, std::move(seen.reason)};
    drop_expired(state, now);
    if (!unexpired(state.held, now))
        return;
    // 8461-3.3-p: what is held goes on as it was; only the next attempt is planned (A13).
    state.failures = std::min(state.failures + 1, 1'000'000u);
    if (state.failing_since == not_set)
        state.failing_since = now;
    state.refresh_at = given_up(state) ? drop_time(*state.held) : plan_retry(state, now, dice);
}

standing standing_at(const resolution_state& state, utc_seconds now) {
    standing out;
    if (holds(state.held, now)) { // 8461-3.1-q, 8461-3.3-p
        out.what = standing::kind::policy;
        out.held = &*state.held;
        tell_fault(out, state);
        return out;
    }
    if (!record_recent(state, now))
        return out;
    if (state.record.what == seen_kind::valid) {
        if (!paused(state, state.record.id, now))
            return out;                       // to be fetched
        out.what = standing::kind::no_policy; // 8461-3.3-o
        out.fault = state.failed->fault;      // 8461-6-a
        out.detail = state.failed->detail;
        out.reason = state.failed->reason;
        return out;
    }
    out.what = standing::kind::no_policy;
    out.dns_error = state.record.what == seen_kind::error; // A14
    out.detail = state.record.detail;
    return out;
}

utc_seconds next_check(const resolution_state& state) {
    if (state.record.what == seen_kind::never)
        return not_set;
    return state.record_at + remembered(state.record, state.held.has_value());
}

bool deserves_alarm(const resolution_state& state, utc_seconds now) { // 8461-3.3-r
    if (!unexpired(state.held, now) || state.held->value.mode == mode::none || state.failing_since == not_set)
        return false;
    const auto life = state.held->expires_at() - state.held->fetched_at;
    const bool running_out = state.failures > 1 && now - state.held->fetched_at > life / 2;
    return running_out || now - state.failing_since >= day;
}

bool worthless(const resolution_state& state, utc_seconds now) {
    return !holds(state.held, now) && !under_way(state, now) && !record_recent(state, now) &&
           !(state.failed && within(state.failed->at, now, fetch_pause));
}

} // namespace mailtight::sts
