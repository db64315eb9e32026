// SPDX-License-Identifier: Apache-2.0
#include "app/verdict_memory.h"

#include <algorithm>

namespace mailtight::app {

namespace {

constexpr std::chrono::seconds lasts{3'600};  ///< a verdict (tally::verdict_lasts)
constexpr std::chrono::seconds ask_every{60}; ///< the database, for one domain
constexpr std::size_t domains_most = 20'000;

} // namespace

struct verdict_memory::state {
    io::loop& loop;
    const base::clock& clock;
    resolve::keeper& keep;
    struct entry {
        std::vector<model::testing_verdict> found;
        base::utc_seconds asked_at{};
    };
    std::map<std::string, entry, std::less<>> domains;

    entry& of(std::string_view domain) {
        if (const auto there = domains.find(domain); there != domains.end())
            return there->second;
        if (domains.size() >= domains_most)
            make_room();
        return domains[std::string(domain)];
    }
    void make_room() {
        std::erase_if(domains, [now = clock.now()](const auto& each) {
            return now - each.second.asked_at > ask_every &&
                   std::ranges::all_of(each.second.found,
                                       [now](const auto& one) { return now - one.at > lasts; });
        });
        if (domains.size() <= domains_most / 2)
            return;
        // Every other one, so that not each domain that comes walks them all; they are asked for again.
        for (auto at = domains.begin(); at != domains.end();) {
            at = domains.erase(at);
            if (at != domains.end())
                ++at;
        }
    }
    void add(std::string_view domain, const std::vector<model::testing_verdict>& more) {
        auto& into = of(domain).found;
        for (const auto& one : more) {
            std::erase_if(into, [&one](const auto& old) {
                return old.mx_host == one.mx_host && old.address == one.address && old.at <= one.at;
            });
            const bool newer = std::ranges::any_of(into, [&one](const auto& old) {
                return old.mx_host == one.mx_host && old.address == one.address;
            });
            if (!newer)
                into.push_back(one);
        }
    }
};

namespace {

template<class State>
io::task<> ask_for(std::shared_ptr<State> to, std::string domain) {
    const auto kept = co_await to->keep.verdicts(domain);
    if (kept)
        to->add(domain, *kept);
}

template<class State>
io::task<std::vector<model::testing_verdict>> note(std::shared_ptr<State> to, resolve::probe_fn probe,
                                                   std::string domain, sts::held_policy policy) {
    const std::string about = domain;
    auto found = co_await probe(std::move(domain), std::move(policy));
    to->add(about, found);
    co_return found;
}

} // namespace

verdict_memory::verdict_memory(io::loop& on, const base::clock& clock, resolve::keeper& keep)
    : state_(std::make_shared<state>(state{.loop = on, .clock = clock, .keep = keep, .domains = {}})) {}
verdict_memory::~verdict_memory() = default;

resolve::probe_fn verdict_memory::noting(resolve::probe_fn probe) {
    if (!probe)
        return {};
    return [held = state_, probe = std::move(probe)](std::string domain, sts::held_policy policy) {
        return note(held, probe, std::move(domain), std::move(policy));
    };
}

std::vector<model::testing_verdict> verdict_memory::of(std::string_view domain) {
    auto& entry = state_->of(domain);
    const auto now = state_->clock.now();
    std::erase_if(entry.found, [now](const auto& one) { return now - one.at > lasts; });
    if (entry.found.empty() && now - entry.asked_at >= ask_every) {
        entry.asked_at = now;
        state_->loop.spawn(ask_for(state_, std::string(domain)));
    }
    return entry.found;
}

} // namespace mailtight::app
