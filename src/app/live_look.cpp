// SPDX-License-Identifier: Apache-2.0
#include "app/live_look.h"

#include "base/text.h"
#include "mail/domain_name.h"

#include <algorithm>

namespace mailtight::app {

namespace {

constexpr std::size_t domains_simultaneously = 20;

bool same_policy(const sts::policy& a, const sts::policy& b) {
    auto names = [](const sts::policy& of) {
        std::vector<std::string> all;
        for (const auto& name : of.mx)
            all.push_back(base::lower(name));
        std::ranges::sort(all);
        return all;
    };
    return a.mode == b.mode && a.max_age == b.max_age && names(a) == names(b);
}

} // namespace

std::vector<live_look> look_now(world& with, std::span<const std::string> domains) {
    std::vector<live_look> all(domains.size());
    io::semaphore gate(with.loop, domains_simultaneously);
    auto one = [&](std::size_t i) -> io::task<> {
        auto permit = co_await gate.acquire();
        all[i].seen = co_await with.observer->look(domains[i], mail::to_unicode(domains[i]));
        all[i].judged = advise::judge(all[i].seen);
    };
    for (std::size_t i = 0; i < domains.size(); ++i)
        with.loop.spawn(one(i));
    with.loop.run();
    return all;
}

insight::known_today known_from(const live_look& look) {
    const auto& [seen, judged] = look;
    insight::known_today today;
    today.looked_at = seen.checked_at;
    if (!judged.policy_text.empty())
        today.policy = judged.policy_text;
    for (const auto& record : seen.mx_set.records)
        today.mx.push_back(record.host);
    if (seen.implicit_mx)
        today.mx.push_back(seen.domain);
    for (const auto& found : judged.findings)
        today.findings.emplace_back(found.code, found.subject);
    for (const auto& host : judged.mx) {
        if (host.all_pass())
            today.mx_sound.push_back(host.host);
        if (host.in_policy.value_or(false))
            today.mx_in_policy.push_back(host.host);
        if (host.dane == "matches")
            today.mx_dane_sound.push_back(host.host);
    }
    today.policy_sound = judged.policy_file == advise::part_state::valid;
    return today;
}

store::result<insight::known_today> known_from(const live_look& look, store::store& from) {
    auto today = known_from(look);
    if (!look.judged.policy)
        return today;
    auto rows = from.policies({.domains = {look.seen.domain}, .reporters = {}, .result_type = {}, .mx = {}});
    if (!rows)
        return std::unexpected(rows.error());
    for (const auto& row : *rows) {
        if (row.type != "sts")
            continue;
        const auto then = sts::parse_policy(base::join(row.strings, "\r\n") + "\r\n");
        const base::utc_seconds first = row.first;
        if (then && same_policy(*then, *look.judged.policy))
            today.policy_since = std::min(today.policy_since.value_or(first), first);
    }
    return today;
}

} // namespace mailtight::app
