// SPDX-License-Identifier: Apache-2.0
#include "publish/carrier_state.h"
#include "publish/seen_marks.h"

#include <fmt/format.h>

namespace mailtight::publish {
namespace {

using store::result;

template<class T>
std::optional<T> marked(const model::looked_after& wish, std::string_view name,
                        std::optional<T> (*parse)(const model::mark&)) {
    const auto found = wish.marks.find(name);
    return found == wish.marks.end() ? std::nullopt : parse(found->second);
}

/// 8461-8.3-a: every policy that could be fetched, whoever served it.
result<void> remember_policy(store::domain_store& kept, const std::string& domain,
                             const plan::situation& seen, base::utc_seconds now) {
    if (!seen.policy_known)
        return {};
    if (!seen.policy)
        return kept.seen_gone(domain, now);
    const auto ours = kept.published(domain);
    if (!ours)
        return std::unexpected(ours.error());
    return kept.seen_served(domain, *seen.policy, seen.sts.id, *ours && (*ours)->body == *seen.policy, now);
}

/// Nothing was there when we first looked: what senders may hold is what we know.
result<void> remember_past(store::domain_store& kept, const model::looked_after& wish,
                           const plan::situation& seen, const model::mark& mark) {
    const bool nothing = seen.policy_known && !seen.policy &&
                         seen.sts.state == plan::record_seen::what::absent && !wish.marks.contains(past_mark);
    if (!nothing)
        return {};
    const auto before = kept.history(wish.domain, 1);
    if (!before)
        return std::unexpected(before.error());
    const auto served = kept.served(wish.domain);
    if (!served)
        return std::unexpected(served.error());
    if (!before->empty() || !served->empty())
        return {};
    return kept.set_mark(wish.domain, past_mark, mark);
}

} // namespace

store::result<void> remember(store::domain_store& kept, const model::looked_after& wish, const looked& seen,
                             std::string_view machine, base::utc_seconds now) {
    model::mark mark{.at = now, .by = std::string(machine), .text = "no policy, no record"};
    if (auto done = remember_past(kept, wish, seen.seen, mark); !done)
        return done;
    if (auto done = remember_policy(kept, wish.domain, seen.seen, now); !done)
        return done;
    const auto before = marked(wish, record_mark, &parse_record);
    if (const auto after = after_look(before, seen.seen.sts, now); after && after != before) {
        mark.at = after->since;
        mark.text = to_text(*after);
        if (auto done = kept.set_mark(wish.domain, record_mark, mark); !done)
            return done;
    }
    if (seen.seen.mx_known) {
        const auto known = marked(wish, mx_mark, &parse_lifetime);
        if (const auto fresh = after_look(known, seen.seen.mx_ttl, now); fresh != known) {
            mark.at = fresh.at;
            mark.text = fmt::format("{}", fresh.ttl);
            if (auto done = kept.set_mark(wish.domain, mx_mark, mark); !done)
                return done;
        }
    }
    if (seen.state.domain.empty())
        return {};
    if (const auto done = kept.watched(seen.state); !done)
        return std::unexpected(done.error());
    return {};
}

} // namespace mailtight::publish
