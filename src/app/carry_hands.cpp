// SPDX-License-Identifier: Apache-2.0
#include "app/carry_hands.h"

#include "app/domain_access.h"
#include "app/policy_time.h"
#include "app/publish_part.h"
#include "app/report_domains.h"
#include "app/report_facts.h"
#include "findings/finding.h"
#include "publish/certificate_proof.h"

#include <fmt/format.h>

#include <algorithm>

namespace mailtight::app {

carry_hands::carry_hands(daemon_core& core, const publish_settings& say, io::worker& store_thread,
                         store::domain_store& kept)
    : core_(core)
    , say_(say)
    , store_thread_(store_thread)
    , kept_(kept)
    , hands_(publish_needs{.with = *core.with,
                           .set = core.set,
                           .say = say,
                           .store_thread = store_thread,
                           .policy_time = policy_time(),
                           .report_addresses = [this](const std::string& domain) -> std::vector<std::string> {
                               const auto found =
                                   std::ranges::find(core_.domains, domain, &store::own_domain::name);
                               return found == core_.domains.end() ? std::vector<std::string>{}
                                                                   : report_addresses(core_.set, *found);
                           },
                           .kept = &kept}) {}

publish::hands carry_hands::of_carrier(certificate_desk* desk) {
    auto made = hands_.all();
    made.look = [this](model::looked_after wish) -> io::task<publish::looked> {
        auto seen = co_await hands_.look(wish);
        co_await prove(wish, seen.seen);
        co_return std::move(seen.told);
    };
    made.get_certificate = [desk](store::due_work& work,
                                  std::string domain) -> io::task<publish::done_by_hand> {
        if (desk)
            co_return co_await desk->get(work, std::move(domain));
        co_return publish::done_by_hand{
            .ok = false,
            .words = fmt::format("no certificate for mta-sts.{} is in certificates.folder yet", domain),
            .again = std::chrono::seconds(60)};
    };
    made.configured = [this](const model::looked_after& wish, plan::remembered& past) {
        hands_.configured(wish, past);
        if (!core_.set.certificate_folder.empty() && core_.hosting)
            past.certificate_here = core_.hosting->host().choose("mta-sts." + wish.domain, false) != nullptr;
    };
    return made;
}

names_below_needs carry_hands::needs_below() {
    names_below_needs made{.loop = core_.loop(),
                           .dns = *core_.with->dns,
                           .clock = core_.with->clock,
                           .say = say_,
                           .find = {},
                           .reported = {},
                           .known = {},
                           .transfer = {}};
    made.find = [this](std::string domain) -> io::task<std::optional<model::looked_after>> {
        auto found = co_await ask<std::optional<model::looked_after>>(
            [domain](store::domain_store& from) { return from.find(domain); });
        co_return found ? std::move(*found) : std::nullopt;
    };
    made.known = [this] {
        std::vector<std::string> names;
        for (const auto& each : core_.domains)
            names.push_back(each.name);
        return names;
    };
    made.reported = [this]() -> io::task<std::optional<std::vector<std::string>>> {
        auto all = co_await ask<std::vector<std::string>>(all_names);
        if (!all)
            co_return std::nullopt;
        auto found = co_await core_.ask<std::vector<std::string>>(
            [all = std::move(*all), since = day_of(core_.now()) - names_in_reports_since](
                store::store& from) { return from.names_below(all, since, names_in_reports); });
        co_return found ? std::optional(std::move(*found)) : std::nullopt;
    };
    return made;
}

publish::watch_hands carry_hands::of_watcher() {
    below_ = std::make_unique<names_below>(needs_below());
    publish::watch_hands made;
    made.look = [this](std::string domain, bool full) -> io::task<std::optional<model::watched_state>> {
        if (!full) {
            auto seen = co_await hands_.glance(domain);
            if (seen.judged.verdict == advise::verdict::unreachable)
                co_return std::nullopt;
            co_return std::move(seen.told.state);
        }
        auto wish = co_await ask<std::optional<model::looked_after>>(
            [domain](store::domain_store& from) { return from.find(domain); });
        if (!wish || !*wish)
            co_return std::nullopt;
        auto seen = co_await hands_.look(**wish, true);
        co_await prove(**wish, seen.seen);
        if (seen.judged.verdict == advise::verdict::unreachable)
            co_return std::nullopt;
        co_return std::move(seen.told.state);
    };
    made.names_below = [this](std::string domain) -> io::task<std::vector<std::string>> {
        co_return co_await below_->of(std::move(domain));
    };
    made.unprotected = [this](std::string name) { return below_->unprotected(std::move(name)); };
    made.serious = [](std::string_view code) {
        const auto* entry = findings::find_code(code);
        return !entry || entry->in_enforce == findings::severity::error;
    };
    made.alarmed = [this] { core_.alarms->wake(); };
    return made;
}

io::task<> carry_hands::prove(model::looked_after wish, const model::observation& seen) {
    if (wish.host != model::hosting::here)
        co_return;
    co_await ask<void>(
        [name = "mta-sts." + wish.domain, &seen](store::domain_store& to) -> store::result<void> {
            auto kept = to.certificate(name);
            if (!kept)
                return std::unexpected(kept.error());
            if (*kept && !(*kept)->proven &&
                publish::judge_proof(seen.fetches, **kept).state == publish::certificate_proof::what::good)
                return to.prove_certificate(name, (*kept)->not_after);
            return {};
        });
}

} // namespace mailtight::app
