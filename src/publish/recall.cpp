// SPDX-License-Identifier: Apache-2.0
// What is remembered of a domain, put together from what the store keeps: the log of served policies, what
// our hosts serve, what looks saw and when.
#include "publish/carrier.h"
#include "publish/history.h"
#include "publish/seen_marks.h"

#include <algorithm>
#include <map>
#include <set>
#include <span>

namespace mailtight::publish {
namespace {

using base::utc_seconds;
constexpr std::size_t states_read = 128;
constexpr std::uint32_t unknown_ttl = 86'400; ///< of MX records that nobody timed

/// Hosts that were in DNS and are not in the newest state. When they went is known from the first look
/// without them: never too early.
std::vector<plan::remembered::old_mx> old_hosts(std::span<const model::watched_state> states,
                                                std::uint32_t ttl) {
    if (states.empty())
        return {};
    const auto& newest = *std::ranges::max_element(states, {}, &model::watched_state::last);
    const std::set<std::string> today(newest.mx.begin(), newest.mx.end());
    std::map<std::string, utc_seconds> last;
    for (const auto& state : states)
        for (const auto& host : state.mx)
            if (!today.contains(host))
                last[host] = std::max(last[host], state.last);
    std::vector<plan::remembered::old_mx> out;
    for (const auto& [host, with] : last) {
        auto gone = newest.last;
        for (const auto& state : states)
            if (state.last > with && std::ranges::find(state.mx, host) == state.mx.end())
                gone = std::min(gone, std::max(state.first, with));
        out.push_back({.host = host, .last_seen = with, .ttl = ttl, .first_missed = gone});
    }
    return out;
}

} // namespace

store::result<plan::remembered> recall(store::domain_store& kept, const model::looked_after& wish) {
    plan::remembered out;
    auto served = kept.served(wish.domain);
    if (!served)
        return std::unexpected(served.error());
    auto published = kept.published(wish.domain);
    if (!published)
        return std::unexpected(published.error());
    auto states = kept.history(wish.domain, states_read);
    if (!states)
        return std::unexpected(states.error());
    const auto certificate = kept.certificate("mta-sts." + wish.domain);
    if (!certificate)
        return std::unexpected(certificate.error());

    out.served = std::move(*served);
    if (!std::ranges::is_sorted(out.served, {}, &model::served_policy::first_served))
        std::ranges::sort(out.served, {}, &model::served_policy::first_served);
    out.publication = std::move(*published);
    out.certificate_here = certificate->has_value() && !(*certificate)->chain.empty();
    out.policy_host = wish.policy_host;
    out.rua = wish.rua;
    // Since the first look that is still known, not since the domain was added: nobody may have looked then.
    for (const auto& state : *states)
        out.looked_since = std::min(out.looked_since.value_or(state.first), state.first);
    for (const auto& each : out.served)
        out.looked_since = std::min(out.looked_since.value_or(each.first_served), each.first_served);
    out.past_known = wish.marks.contains(past_mark);
    out.testing_since = mode_since(out.served, sts::mode::testing);
    out.enforce_since = mode_since(out.served, sts::mode::enforce);

    std::set<std::string> ids; // 8461-3.1-e: never one of these again
    for (const auto& each : out.served)
        ids.insert(each.ids.begin(), each.ids.end());
    for (const auto& each : *states)
        ids.insert(each.record_id);
    if (out.publication)
        ids.insert(out.publication->id);
    if (const auto found = wish.marks.find(record_mark); found != wish.marks.end())
        if (const auto record = parse_record(found->second)) {
            const bool there = record->id != "-" && record->id != "?";
            (there ? out.record_since : out.record_gone_since) = record->since;
            if (!there && record->id == "?")
                out.record_gone_since.reset();
            out.record_ttl_before = record->ttl_before;
            if (there)
                ids.insert(record->id);
        }
    ids.erase("");
    out.ids_used.assign(ids.begin(), ids.end());

    std::uint32_t ttl = unknown_ttl;
    if (const auto found = wish.marks.find(mx_mark); found != wish.marks.end())
        if (const auto known = parse_lifetime(found->second))
            ttl = known->ttl;
    out.mx_before = old_hosts(*states, ttl);
    return out;
}

} // namespace mailtight::publish
