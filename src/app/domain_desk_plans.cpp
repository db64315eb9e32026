// SPDX-License-Identifier: Apache-2.0
// Looks, plans, steps, records, readiness.
#include "app/dns_wish.h"
#include "app/domain_desk_state.h"
#include "app/policy_time.h"
#include "app/publish_marks.h"
#include "app/report_domains.h"
#include "app/store_access.h"
#include "base/text.h"

#include <fmt/format.h>

#include <algorithm>

namespace mailtight::app {

namespace {

using api::refusal;
using api::told;
using namespace std::chrono_literals;

constexpr auto look_lasts = 5min;
constexpr std::size_t looks_kept = 256, looks_at_once = 8;

/// A look in hand; however it ends, there is room for another.
class turn_to_look {
public:
    explicit turn_to_look(std::size_t& count)
        : count_(count) {
        ++count_;
    }
    ~turn_to_look() { --count_; }
    turn_to_look(const turn_to_look&) = delete;
    turn_to_look& operator=(const turn_to_look&) = delete;

private:
    std::size_t& count_;
};

const advise::dns_provider* provider_named(std::string_view name) {
    const auto all = advise::dns_providers();
    const auto found = std::ranges::find_if(
        all, [name](const advise::dns_provider& each) { return base::iequals(each.name, name); });
    return found == all.end() ? nullptr : &*found;
}

} // namespace

planning_needs daemon_domain_desk::needs() {
    planning_needs made{.hands = *hands_,
                        .store_thread = worker_,
                        .kept = kept_.get(),
                        .policy_time = policy_time(),
                        .certificate_here = {}};
    if (!core_.set.certificate_folder.empty())
        made.certificate_here = [this](const std::string& domain) {
            return core_.hosting ? core_.hosting->host().choose("mta-sts." + domain, false) != nullptr
                                 : certificate_in_folder(core_.set, domain);
        };
    return made;
}

io::task<told<planned>> daemon_domain_desk::plan_of(model::looked_after wish, bool fresh) {
    const auto found = looks_.find(wish.domain);
    if (!fresh && found != looks_.end() && policy_time().now() - found->second.at < look_lasts) {
        auto before = found->second.made;
        const auto at = found->second.at;
        // Nothing where a step was done since: what was seen then is no longer so.
        const auto recalled = co_await ask<std::optional<plan::remembered>>(
            [&wish, at](store::domain_store& from) -> store::result<std::optional<plan::remembered>> {
                const auto last = from.changes(wish.domain, 0, 1);
                if (!last)
                    return std::unexpected(last.error());
                if (!last->empty() && last->front().at >= at)
                    return std::nullopt;
                auto past = publish::recall(from, wish);
                if (!past)
                    return std::unexpected(past.error());
                return std::move(*past);
            });
        if (!recalled)
            co_return std::unexpected(store_away(recalled.error()));
        if (!*recalled) {
            looks_.erase(wish.domain);
            co_return co_await plan_of(std::move(wish), true);
        }
        const bool certificate = before.past.certificate_here;
        before.past = **recalled;
        before.past.certificate_here = before.past.certificate_here || certificate;
        hands_->configured(wish, before.past);
        before.next = plan_again(wish, before, policy_time().now());
        co_return before;
    }
    if (looking_ >= looks_at_once)
        co_return std::unexpected(
            refuse(refusal::kind::busy, "too many domains are being looked at; again in a moment"));
    const turn_to_look mine(looking_);
    const auto began = policy_time().now();
    auto made = co_await plan_for(needs(), wish);
    if (!made)
        co_return std::unexpected(refuse(refusal::kind::away, made.error()));
    if (looks_.size() >= looks_kept)
        looks_.erase(std::ranges::min_element(looks_, {}, [](const auto& each) { return each.second.at; }));
    looks_.insert_or_assign(wish.domain, looked{.made = *made, .at = began});
    co_return std::move(*made);
}

io::task<told<plan::plan>> daemon_domain_desk::plan(std::string domain, api::plan_question which,
                                                    api::caller by) {
    auto wish = co_await theirs(std::move(domain), by);
    if (!wish)
        co_return std::unexpected(wish.error());
    const auto before = *wish;
    if (which.tries()) {
        plan_request said;
        said.to = which.to;
        said.by = which.by;
        said.add_mx = which.add_mx;
        said.remove_mx = which.remove_mx;
        said.keep_mx = which.keep_mx;
        if (auto tried = try_on(said, *wish); !tried)
            co_return std::unexpected(refuse(tried.error()));
    }
    auto made = co_await plan_of(*wish, which.look);
    if (!made)
        co_return std::unexpected(made.error());
    if (*wish == before)
        co_await ask<void>([name = wish->domain, next = publish::next_of(made->next)](
                               store::domain_store& to) { return to.keep_next(name, next); });
    co_return std::move(made->next);
}

io::task<std::expected<publish::carried, std::string>> daemon_domain_desk::carry(std::string domain,
                                                                                 std::string who) {
    if (core_.carrying)
        co_return co_await core_.carrying->go(std::move(domain), std::move(who));
    co_return co_await own_->go(std::move(domain), true, std::move(who));
}

io::task<told<api::step_outcome>> daemon_domain_desk::step(std::string domain, api::step_request what,
                                                           api::caller by) {
    using enum refusal::kind;
    auto wish = co_await theirs(std::move(domain), by);
    if (!wish)
        co_return std::unexpected(wish.error());
    if (!what.said.empty() && what.said != report_way_mark && what.said != checked_mx_mark)
        co_return std::unexpected(refuse(
            wrong, fmt::format("said '{}': it takes {} (reports arrive) or {} (mail servers that cannot be "
                               "tested from here are in order)",
                               base::printable(what.said, 60), report_way_mark, checked_mx_mark)));
    if (!what.force.empty() && base::trim(what.force).empty())
        co_return std::unexpected(refuse(wrong, "force: it takes a reason, which is kept"));
    const auto now = policy_time().now();
    if (!what.act) {
        const std::string name(what.said.empty() ? forced_mark : std::string_view(what.said));
        const model::mark mark{.at = now,
                               .by = by.name,
                               .text = base::printable(what.said.empty() ? what.force : what.why, 300)};
        using saved = store::domain_store::saved;
        const bool enforces = what.said.empty() && wish->aim != model::aim::enforce;
        if (enforces) {
            wish->aim = model::aim::enforce;
            wish->changed_at = now;
        }
        const auto done = co_await ask<saved>([&wish, enforces, name, mark, why = what.force, who = by.name,
                                               now](store::domain_store& to) -> store::result<saved> {
            if (enforces)
                if (auto kept = to.save(*wish, who, why, now); !kept || *kept != saved::yes)
                    return kept;
            if (auto set = to.set_mark(wish->domain, name, mark); !set)
                return std::unexpected(set.error());
            if (auto due = to.plan_work("plan", wish->domain, store::person_asks); !due)
                return std::unexpected(due.error());
            return saved::yes;
        });
        if (!done)
            co_return std::unexpected(store_away(done.error()));
        if (*done != saved::yes)
            co_return std::unexpected(refuse(conflict, "somebody else changed the domain just now"));
        if (core_.carrying)
            core_.carrying->wake({wish->domain});
    }
    api::step_outcome out;
    if (what.act || !what.force.empty()) {
        auto done = co_await carry(wish->domain, by.name);
        if (!done)
            co_return std::unexpected(refuse(away, done.error()));
        if (done->busy && what.act)
            co_return std::unexpected(refuse(busy, fmt::format("{} is being worked on", wish->domain)));
        if (!done->busy) {
            out.did = std::move(done->did);
            out.failed = std::move(done->failed);
        }
    }
    auto kept = co_await theirs(wish->domain, by);
    if (!kept)
        co_return std::unexpected(kept.error());
    // What was done shows only in a new look; what was said does not need one.
    auto made = co_await plan_of(*kept, !out.did.empty());
    if (!made)
        co_return std::unexpected(made.error());
    co_await ask<void>([name = kept->domain, next = publish::next_of(made->next)](store::domain_store& to) {
        return to.keep_next(name, next);
    });
    out.next = std::move(made->next);
    co_return out;
}

io::task<advise::suggestion_options> daemon_domain_desk::wished(model::looked_after wish) {
    auto served = co_await ask<std::optional<model::publication>>(
        [domain = wish.domain](store::domain_store& from) { return from.published(domain); });
    std::vector<std::string> addresses;
    if (const auto found = std::ranges::find(core_.domains, wish.domain, &store::own_domain::name);
        found != core_.domains.end())
        addresses = report_addresses(core_.set, *found);
    co_return wished_records(wish, served ? *served : std::nullopt, say_, addresses);
}

io::task<told<api::dns_answer>> daemon_domain_desk::records(std::string domain, api::dns_question which,
                                                            api::caller by) {
    auto wish = co_await theirs(std::move(domain), by);
    if (!wish)
        co_return std::unexpected(wish.error());
    const auto* provider = which.provider.empty() ? nullptr : provider_named(which.provider);
    if (!which.provider.empty() && !provider)
        co_return std::unexpected(
            refuse(refusal::kind::wrong, fmt::format("provider '{}': there is none of that name",
                                                     base::printable(which.provider, 100))));
    auto seen = co_await plan_of(*wish, false);
    if (!seen)
        co_return std::unexpected(seen.error());
    if (model::is_dns_error(seen->look.seen.sts_txt.status) &&
        model::is_dns_error(seen->look.seen.mx_set.status))
        co_return std::unexpected(
            refuse(refusal::kind::away, fmt::format("DNS gives no answer for {}: {}", wish->domain,
                                                    base::printable(seen->look.seen.sts_txt.detail))));
    auto made = make_records(seen->look.seen, co_await wished(*wish));
    api::dns_answer out;
    out.guessed = provider == nullptr;
    if (provider)
        made.place.provider = provider;
    if (!made.nothing_left || which.all)
        out.text = advise::dns_document(which.all ? with_those_that_are_right(made.what) : made.what,
                                        made.place, which.format);
    out.records = std::move(made.what);
    out.place = std::move(made.place);
    co_return out;
}

io::task<told<model::enforce_evidence>> daemon_domain_desk::readiness(std::string domain, api::caller by) {
    auto wish = co_await theirs(std::move(domain), by);
    if (!wish)
        co_return std::unexpected(wish.error());
    const auto found = looks_.find(wish->domain);
    if (found != looks_.end() && policy_time().now() - found->second.at < look_lasts)
        co_return found->second.made.evidence;
    co_return co_await hands_->evidence(wish->domain);
}

} // namespace mailtight::app
