// SPDX-License-Identifier: Apache-2.0
// Reading: everything at the start, and afterwards what others wrote, both in the order of the changes, so
// that nothing lies between them. And asking before a fetch: who gets the lease fetches, the others wait for
// the row that comes of it.
#include "resolve/keeper_state.h"

#include "base/limits.h"

#include <algorithm>
#include <atomic>

namespace mailtight::resolve {
namespace {
using namespace std::chrono_literals;
constexpr std::size_t load_rows = 4'000, watch_rows = 2'000, remembered_max = 200'000;
constexpr auto lease_length = base::limits::policy_fetch_time + 15s;
constexpr std::chrono::milliseconds first_look{50}, longest_look{400};

base::utc_seconds fetched_at(const sts::resolution_state& state) {
    return state.held ? state.held->fetched_at : base::utc_seconds{};
}

// Somebody's fetch does for ours where it is newer than what we have, and of the id that we have seen. A
// failure of theirs says nothing of us: it may be their network.
bool serves(const sts::resolution_state& theirs, const sts::resolution_state& ours) {
    if (!theirs.held || fetched_at(theirs) <= fetched_at(ours))
        return false;
    return ours.record.what != sts::record_sighting::kind::valid || theirs.held->id == ours.record.id;
}

struct asked {
    bool granted = false;
    std::optional<model::kept_policy> theirs;
};
} // namespace

io::task<store::result<void>> keeper::state::load(std::shared_ptr<state> self,
                                                  std::function<void(model::kept_policy)> take) {
    if (!self->keeps)
        co_return store::result<void>();
    using changes = store::policy_store::changes;
    const auto read = [&](std::int64_t from) {
        return ask<changes>(self, [from](store::policy_store& s) { return s.since(from, load_rows); }, false);
    };
    auto page = co_await read(0);
    for (;;) {
        if (!page)
            co_return std::unexpected(page.error());
        const bool more = page->rows.size() + page->removed.size() >= load_rows;
        io::started<store::result<changes>> next;
        if (more) { // the thread reads on while the loop takes
            next = io::start(self->loop, read(page->mark));
            co_await self->loop.sleep_for(0ms);
        }
        for (auto& row : page->rows)
            take(std::move(row));
        self->mark = page->mark;
        self->exceptions_seen = page->exceptions;
        if (!more)
            co_return store::result<void>();
        page = co_await next.get();
    }
}

io::task<std::optional<model::kept_policy>> keeper::state::ask_others(std::shared_ptr<state> self,
                                                                      std::string domain,
                                                                      sts::resolution_state ours,
                                                                      time_point deadline) {
    for (auto nap = std::chrono::milliseconds(first_look);;
         nap = std::min<std::chrono::milliseconds>(nap * 2, longest_look)) {
        if (!self->shared || !self->usable() || self->loop.now() >= deadline)
            co_return std::nullopt;
        auto left = std::make_shared<std::atomic<bool>>(false); // nobody waits for the answer any more
        auto answer = co_await ask_until<asked>(
            self,
            [domain, left, who = self->options.machine,
             now = self->clock.now()](store::policy_store& s) -> store::result<asked> {
                asked out;
                const auto granted = s.lease(domain, who, lease_length, now);
                if (!granted)
                    return std::unexpected(granted.error());
                out.granted = *granted;
                auto theirs = s.get(domain);
                if (out.granted && (!theirs || *left))
                    static_cast<void>(s.release(domain, who));
                if (!theirs)
                    return std::unexpected(theirs.error());
                out.theirs = std::move(*theirs);
                return out;
            },
            deadline);
        if (!answer) { // too late: what is granted is given back
            left->store(true);
            self->leased.insert(domain);
            co_return std::nullopt;
        }
        if (!*answer)
            co_return std::nullopt;
        auto& got = **answer;
        if (got.granted)
            self->leased.insert(domain);
        if (got.theirs && serves(got.theirs->state, ours)) {
            if (got.granted && self->leased.erase(domain) > 0) {
                self->to_release.insert(domain);
                self->start_writing();
            }
            ++self->counters.taken_over;
            co_return std::move(got.theirs);
        }
        if (got.granted || self->loop.now() + nap >= deadline)
            co_return std::nullopt;
        co_await self->loop.sleep_for(nap);
    }
}

bool keeper::state::is_ours(const model::kept_policy& row) {
    const auto found = own.find(row.domain);
    if (found == own.end())
        return false;
    const auto& s = row.state;
    const bool same = found->second == print{.fetched_at = fetched_at(s),
                                             .record_at = s.record_at,
                                             .failed_at = s.failed ? s.failed->at : base::utc_seconds{}};
    own.erase(found);
    return same;
}

void keeper::state::remember(const std::string& domain, std::optional<print> written) {
    if (!watching)
        return;
    if (own.size() >= remembered_max) // they are told once too often, no more
        own.clear();
    own.insert_or_assign(domain, written);
}

io::task<> keeper::state::watch(std::shared_ptr<state> self, std::function<void(model::kept_policy)> changed,
                                std::function<void(std::string)> removed, std::function<void()> exceptions) {
    using changes = store::policy_store::changes;
    while (!self->stopping) {
        co_await self->loop.sleep_for(self->options.look_every);
        for (bool more = true; more && !self->stopping && self->may_try();) {
            auto got = co_await ask<changes>(
                self, [from = self->mark](store::policy_store& s) { return s.since(from, watch_rows); });
            if (!got || self->stopping)
                break;
            more = got->rows.size() + got->removed.size() >= watch_rows;
            self->mark = got->mark;
            for (auto& row : got->rows) {
                // What waits here is written soon, and merged there.
                if (self->is_ours(row))
                    continue;
                ++self->counters.taken_over;
                changed(std::move(row));
            }
            for (auto& domain : got->removed) {
                if (const auto found = self->own.find(domain); found != self->own.end() && !found->second) {
                    self->own.erase(found);
                    continue;
                }
                ++self->counters.taken_over;
                removed(std::move(domain));
            }
            if (std::exchange(self->exceptions_seen, got->exceptions) != got->exceptions && exceptions)
                exceptions();
        }
    }
}

} // namespace mailtight::resolve
