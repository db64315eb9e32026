// SPDX-License-Identifier: Apache-2.0
#include "app/planning.h"

#include "app/store_access.h"
#include "publish/certificate_folder.h"

#include <algorithm>

namespace mailtight::app {

io::task<std::expected<planned, std::string>> plan_for(planning_needs with, model::looked_after wish,
                                                       observe::progress_fn progress) {
    planned out;
    out.look = co_await with.hands.look(wish, false, std::move(progress));
    if (with.kept && wish.revision > 0) {
        using remembered = store::result<plan::remembered>;
        auto past = co_await with.store_thread.run<remembered>(
            [kept = with.kept, wish] { return publish::recall(*kept, wish); });
        if (!past)
            co_return std::unexpected(words(past.error()));
        out.past = std::move(*past);
    }
    out.evidence = co_await with.hands.evidence(wish.domain);
    with.hands.configured(wish, out.past);
    if (with.certificate_here)
        out.past.certificate_here = with.certificate_here(wish.domain);
    out.next = plan_again(wish, out, with.policy_time.now());
    co_return out;
}

plan::plan plan_again(const model::looked_after& wish, const planned& before, base::utc_seconds now) {
    return plan::make_plan(wish, before.look.told.seen, before.past, before.evidence, now);
}

bool certificate_in_folder(const settings& from, const std::string& domain) {
    if (from.certificate_folder.empty())
        return false;
    const auto kept = publish::certificate_folder(from.certificate_folder).look();
    return std::ranges::any_of(kept.fresh, [&domain](const auto& pair) {
        return std::ranges::find(pair.names, "mta-sts." + domain) != pair.names.end();
    });
}

} // namespace mailtight::app
