// SPDX-License-Identifier: Apache-2.0
#include "app/domain_book.h"

#include "publish/carrier.h"
#include "publish/watcher.h"

#include <fmt/format.h>

#include <chrono>
#include <utility>
#include <vector>

namespace mailtight::app {

namespace {

using store::result;

constexpr auto lease_time = std::chrono::seconds(60);
constexpr auto machines_hear_within = std::chrono::seconds(5);

} // namespace

result<std::string> why_it_stays(store::domain_store& kept, const model::looked_after& domain,
                                 base::utc_seconds now) {
    auto past = publish::recall(kept, domain);
    if (!past)
        return std::unexpected(past.error());
    const bool serves = past->publication && !past->publication->body.empty();
    if (past->served.empty() && !serves)
        return std::string();
    const auto until = plan::bound_until(*past, now);
    if (serves && until <= now)
        return std::string("its policy of mode none is still served");
    if (serves)
        return fmt::format("its policy is still served, and senders may hold it until {}",
                           base::format_date(until));
    if (until > now)
        return fmt::format("senders may hold its policy until {}", base::format_date(until));
    return std::string();
}

result<given_up> give_up(store::domain_store& kept, const std::string& domain, bool force,
                         std::string_view who, std::string_view why, const std::string& machine,
                         base::utc_seconds now) {
    const auto found = kept.find(domain);
    if (!found)
        return std::unexpected(found.error());
    if (!*found)
        return given_up{.what = given_up::fate::absent, .words = {}};
    auto held = why_it_stays(kept, **found, now);
    if (!held)
        return std::unexpected(held.error());
    if (!held->empty() && !force)
        return given_up{.what = given_up::fate::held, .words = std::move(*held)};
    const auto lease = kept.take_lease("plan/" + domain, machine, lease_time);
    if (!lease)
        return std::unexpected(lease.error());
    if (!*lease)
        return given_up{.what = given_up::fate::busy, .words = {}};
    const auto published = kept.published(domain);
    if (!published)
        return std::unexpected(published.error());
    if (*published && !(*published)->body.empty()) {
        const auto withdrawn = kept.publish({.domain = domain, .body = "", .id = "", .since = now}, **lease,
                                            who, machines_hear_within);
        if (!withdrawn)
            return std::unexpected(withdrawn.error());
    }
    const auto removed = kept.remove(domain, who, why, now);
    static_cast<void>(kept.release_lease(**lease));
    if (!removed)
        return std::unexpected(removed.error());
    return given_up{};
}

result<void> make_due(const settings& from, store::domain_store& kept, std::span<const std::string> domains,
                      base::utc_seconds now) {
    std::vector<std::pair<std::string, base::utc_seconds>> at;
    for (const auto& domain : domains)
        at.emplace_back(domain, domains.size() == 1 ? store::person_asks : now);
    if (auto planned = kept.plan_all("plan", at); !planned)
        return planned;
    const auto whole = [](std::chrono::milliseconds length) {
        return std::chrono::duration_cast<std::chrono::seconds>(length);
    };
    const publish::watch_options often{.full = whole(from.watch_full), .cheap = whole(from.watch_cheap)};
    return publish::begin_watching(kept, {domains.begin(), domains.end()}, now, often);
}

} // namespace mailtight::app
