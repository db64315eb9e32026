// SPDX-License-Identifier: Apache-2.0
// What changes the memory besides our own looks: other machines, imports, purges; and how a change reaches
// the answers that were given.
#include "resolve/service_state.h"

#include <tuple>

namespace mailtight::resolve {

namespace {

auto age_key(const sts::resolution_state& of) {
    return std::tuple(of.held ? of.held->fetched_at : base::utc_seconds{}, of.record_at);
}

} // namespace

bool newer(const sts::resolution_state& a, const sts::resolution_state& than) {
    return age_key(a) > age_key(than);
}

model::kept_policy service::state::remembered(const std::string& domain) const {
    auto kept = policies.get(domain);
    return kept ? std::move(*kept)
                : model::kept_policy{.domain = domain, .state = {}, .used_at = clock.now()};
}

/// Every answer about the domain is made anew from what is known now.
void service::state::settle(const std::string& domain, bool live) {
    const auto of = places_of.find(domain);
    if (of == places_of.end())
        return;
    for (const auto& at : of->second)
        settle_place(*at, live);
}

void service::state::settle_place(place& at, bool live) {
    if (!renew(at, clock.now(), live))
        replace(at, nullptr);
}

/// In the background; the keeper has it from now on.
void service::state::write(model::kept_policy value) {
    loop.spawn([](std::shared_ptr<state> self, model::kept_policy kept) -> io::task<> {
        co_await self->keep.put(std::move(kept), self->loop.now());
    }(shared_from_this(), std::move(value)));
}

/// What another machine, or a command, wrote.
void service::state::take_over(model::kept_policy theirs) {
    const auto ours = policies.get(theirs.domain);
    if (ours && !newer(theirs.state, ours->state))
        return;
    if (ours)
        theirs.used_at = std::max(theirs.used_at, ours->used_at);
    policies.put(theirs);
    judge_alarm(theirs.domain, theirs.state, clock.now());
    settle(theirs.domain, false);
}

void service::state::forget(const std::string& domain) {
    policies.erase(domain);
    probed.erase(domain);
    if (alarmed.erase(domain) > 0)
        say({.what = service_event::kind::alarm_over, .domain = domain, .detail = "forgotten", .fault = {}});
    const auto of = places_of.find(domain);
    if (of == places_of.end())
        return;
    for (const auto& at : of->second) {
        at->where.reset();
        replace(*at, nullptr);
    }
}

io::task<std::size_t> service::state::purge(std::shared_ptr<state> self, std::string domain) {
    std::vector<std::string> gone;
    if (domain.empty()) {
        self->policies.each([&gone](const model::kept_policy& kept) {
            gone.push_back(kept.domain);
            return true;
        });
    } else {
        const auto hop = mail::parse_next_hop(domain);
        if (hop.can_have_policy() && self->policies.get(hop.domain))
            gone.push_back(hop.domain);
        self->forget(hop.domain);
    }
    for (const auto& each : gone) {
        self->forget(each);
        self->keep.remove(each);
    }
    if (domain.empty())
        for (const auto& [name, of] : self->places_of)
            for (const auto& at : of) {
                at->where.reset();
                self->replace(*at, nullptr);
            }
    co_return gone.size();
}

io::task<std::size_t> service::state::adopt(std::shared_ptr<state> self,
                                            std::vector<model::kept_policy> policies) {
    std::size_t taken = 0;
    std::vector<io::started<bool>> writing;
    const auto now = self->clock.now();
    for (auto& each : policies) {
        const auto hop = mail::parse_next_hop(each.domain);
        if (hop.what != mail::next_hop::kind::domain || !each.state.held ||
            each.state.held->expires_at() <= now || each.state.held->fetched_at > now)
            continue;
        each.domain = hop.domain;
        const auto ours = self->policies.get(each.domain);
        if (ours && !newer(each.state, ours->state))
            continue;
        if (each.used_at == base::utc_seconds{})
            each.used_at = now;
        ++taken;
        writing.push_back(
            io::start(self->loop, self->keep.put(each, self->loop.now() + self->options.budget)));
        self->take_over(std::move(each));
    }
    for (auto& each : writing)
        co_await each.get();
    co_return taken;
}

/// Once a domain, and its end once (8461-3.3-r, 8461-10.2-c; never for mode none: 8461-10.2-d).
void service::state::judge_alarm(const std::string& domain, const sts::resolution_state& now_is,
                                 base::utc_seconds now) {
    using kind = service_event::kind;
    if (sts::deserves_alarm(now_is, now)) {
        if (!alarmed.insert(domain).second)
            return;
        ++counts.alarms;
        say({.what = kind::alarm,
             .domain = domain,
             .detail = now_is.failed ? now_is.failed->detail : now_is.record.detail,
             .fault = now_is.failed ? std::optional(now_is.failed->fault) : std::nullopt});
    } else if (alarmed.erase(domain) > 0) {
        say({.what = kind::alarm_over, .domain = domain, .detail = {}, .fault = {}});
    }
}

void service::state::say(service_event what) const {
    if (tell)
        tell(what);
}

} // namespace mailtight::resolve
