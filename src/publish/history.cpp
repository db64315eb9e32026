// SPDX-License-Identifier: Apache-2.0
#include "publish/history.h"

#include "sts/record.h"

namespace mailtight::publish {
namespace {

constexpr std::size_t states_read = 64;
constexpr std::chrono::hours id_follows{24};

std::string id_of(const model::observation& seen) {
    const auto judged = sts::judge_rrset(seen.sts_txt.texts);
    return judged.judgement.value ? judged.judgement.value->id : std::string();
}

} // namespace

std::optional<base::utc_seconds> mode_since(std::span<const model::served_policy> log, sts::mode mode) {
    std::optional<base::utc_seconds> since;
    for (auto each = log.rbegin(); each != log.rend() && each->mode == mode; ++each) {
        if (!since && each->last_served)
            break; // the last one was withdrawn
        since = each->first_served;
    }
    return since;
}

void add_history(model::observation& into, std::span<const model::watched_state> states,
                 std::span<const model::served_policy> served,
                 const std::optional<model::publication>& published) {
    into.testing_since = mode_since(served, sts::mode::testing);
    const auto id = id_of(into);
    if (published && !published->body.empty() && published->id != id &&
        into.checked_at < published->since + id_follows)
        return;
    const model::watched_state* with = nullptr;
    for (const auto& each : states) {
        if (each.record_id.empty() || each.policy_sha256.empty())
            continue;
        const bool better = !with || (each.record_id == id) > (with->record_id == id) ||
                            ((each.record_id == id) == (with->record_id == id) &&
                             (each.record_id == id ? each.first < with->first : each.last > with->last));
        if (better)
            with = &each;
    }
    if (!with)
        return;
    into.last_id = with->record_id;
    into.last_policy_sha256 = with->policy_sha256;
}

store::result<void> add_history(model::observation& into, store::domain_store& kept) {
    const auto wish = kept.find(into.domain);
    if (!wish)
        return std::unexpected(wish.error());
    if (!*wish)
        return {};
    const auto states = kept.history(into.domain, states_read);
    if (!states)
        return std::unexpected(states.error());
    const auto served = kept.served(into.domain);
    if (!served)
        return std::unexpected(served.error());
    const auto published = kept.published(into.domain);
    if (!published)
        return std::unexpected(published.error());
    add_history(into, *states, *served, *published);
    return {};
}

} // namespace mailtight::publish
