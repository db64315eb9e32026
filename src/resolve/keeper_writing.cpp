// SPDX-License-Identifier: Apache-2.0
// Group commit: while one group is on its way to the disk, what comes in makes the next. Of a domain only the
// latest state waits, so an outage costs memory by the number of domains, not of changes.
#include "resolve/keeper_state.h"

#include <fmt/format.h>

#include <algorithm>

namespace mailtight::resolve {
namespace {
using namespace std::chrono_literals;
constexpr std::size_t group_max = 2'000; // rows a transaction: some tens of milliseconds
constexpr std::chrono::milliseconds sync_after{1'000}, while_away{100};

struct written {
    std::vector<std::size_t> refused; ///< of the group's policies
    std::string why;
};
} // namespace

/// One group on its way.
struct keeper::state::turn {
    std::vector<model::kept_policy> policies;
    std::vector<std::string> removed, released;
    std::vector<std::uint64_t> versions; ///< of the policies, then of the removed
    std::string who;                     ///< gives the leases back
    bool empty() const { return policies.empty() && removed.empty() && released.empty(); }
};

io::task<bool> keeper::state::put(std::shared_ptr<state> self, model::kept_policy value,
                                  time_point deadline) {
    if (!self->keeps || self->stopping)
        co_return false;
    std::shared_ptr<waiter> who;
    if (self->usable() && deadline > self->loop.now())
        who = std::make_shared<waiter>(self->loop, deadline);
    auto domain = value.domain;
    if (!self->take_in(std::move(domain), std::move(value), who))
        co_return false;
    self->start_writing();
    if (!who)
        co_return false;
    co_await self->wait(who);
    co_return who->kept;
}

/// False where too much waits already.
bool keeper::state::take_in(std::string domain, std::optional<model::kept_policy> value,
                            std::shared_ptr<waiter> who) {
    if (stopping)
        return false;
    if (pending.size() >= options.unwritten && !pending.contains(domain)) {
        if (!std::exchange(full, true) && options.complain)
            options.complain(
                fmt::format("{} policies wait for the database; further ones are not kept until it "
                            "is back",
                            pending.size()));
        return false;
    }
    auto& entry = pending[std::move(domain)];
    entry.value = std::move(value);
    entry.version = ++versions;
    if (who)
        entry.waiting.emplace_back(entry.version, std::move(who));
    return true;
}

void keeper::state::start_writing() {
    if (!stopping && !std::exchange(writing, true))
        loop.spawn(write(shared_from_this()));
}

keeper::state::turn keeper::state::next_turn() const {
    turn out;
    out.who = options.machine;
    std::vector<std::uint64_t> of_removed;
    for (const auto& [domain, entry] : pending) {
        if (out.policies.size() + out.removed.size() >= group_max)
            break;
        if (entry.value) {
            out.policies.push_back(*entry.value);
            out.versions.push_back(entry.version);
        } else {
            out.removed.push_back(domain);
            of_removed.push_back(entry.version);
        }
    }
    out.versions.insert(out.versions.end(), of_removed.begin(), of_removed.end());
    // A lease goes when what it was taken for is written: with this group or before.
    const bool all = out.policies.size() + out.removed.size() == pending.size();
    for (const auto& domain : to_release)
        if (all || !pending.contains(domain))
            out.released.push_back(domain);
    return out;
}

io::task<> keeper::state::write(std::shared_ptr<state> self) {
    while (!self->stopping) {
        auto group = std::make_shared<turn>(self->next_turn());
        if (group->empty())
            break;
        if (!self->may_try() && !self->draining) {
            co_await self->loop.sleep_until(std::min(self->try_again_at, self->loop.now() + while_away));
            continue;
        }
        auto done = co_await ask<written>(self, [group](store::policy_store& to) -> store::result<written> {
            written out;
            auto put = to.put(group->policies);
            if (!put && put.error().again())
                return std::unexpected(put.error());
            if (!put) { // one that the engine refuses must not hold back the others
                for (std::size_t i = 0; i < group->policies.size(); ++i) {
                    put = to.put(std::span(group->policies).subspan(i, 1));
                    if (!put && put.error().again())
                        return std::unexpected(put.error());
                    if (!put) {
                        out.refused.push_back(i);
                        out.why = put.error().message;
                    }
                }
            }
            if (const auto gone = to.remove(group->removed); !gone)
                return std::unexpected(gone.error());
            for (const auto& domain : group->released)
                if (const auto back = to.release(domain, group->who); !back)
                    return std::unexpected(back.error());
            return out;
        });
        if (done)
            self->settle(*group, done->refused, done->why);
        else if (!self->stopping)
            co_await self->loop.sleep_for(while_away);
    }
    self->writing = false;
}

void keeper::state::settle(const turn& done, const std::vector<std::size_t>& refused,
                           const std::string& why) {
    const auto end_of = [&](const std::string& domain, std::uint64_t version, bool kept) {
        const auto found = pending.find(domain);
        if (found == pending.end())
            return;
        std::erase_if(found->second.waiting, [&](const auto& each) {
            if (each.first > version) // put meanwhile: comes with the next group
                return false;
            each.second->kept = kept;
            each.second->done.set();
            return true;
        });
        if (found->second.version == version)
            pending.erase(found);
    };
    for (std::size_t i = 0; i < done.policies.size(); ++i) {
        const bool kept = !std::ranges::binary_search(refused, i);
        const auto& value = done.policies[i];
        if (kept) {
            ++counters.written;
            remember(
                value.domain,
                print{.fetched_at = value.state.held ? value.state.held->fetched_at : base::utc_seconds{},
                      .record_at = value.state.record_at,
                      .failed_at = value.state.failed ? value.state.failed->at : base::utc_seconds{}});
        }
        end_of(value.domain, done.versions[i], kept);
    }
    for (std::size_t i = 0; i < done.removed.size(); ++i) {
        remember(done.removed[i], std::nullopt);
        end_of(done.removed[i], done.versions[done.policies.size() + i], true);
    }
    for (const auto& domain : done.released)
        to_release.erase(domain);
    if (!refused.empty() && options.complain)
        options.complain(
            fmt::format("{} policies are refused by the database and not kept: {}", refused.size(), why));
    if (pending.size() < options.unwritten / 2)
        full = false;
    unsynced = unsynced || !done.policies.empty() || !done.removed.empty();
    if (unsynced && !shared && !std::exchange(syncing, true))
        loop.spawn(sync_soon(shared_from_this()));
}

// A power cut costs at most the last second (SQLite).
io::task<> keeper::state::sync_soon(std::shared_ptr<state> self) {
    co_await self->loop.sleep_for(sync_after);
    self->syncing = false;
    if (self->stopping || !std::exchange(self->unsynced, false))
        co_return;
    const auto done = co_await ask<void>(self, [](store::policy_store& s) { return s.sync(); });
    self->unsynced = self->unsynced || !done; // the next write tries again
}

io::task<> keeper::state::drain(std::shared_ptr<state> self, time_point deadline) {
    if (!self->keeps)
        co_return;
    self->draining = true;
    while (!self->stopping && (self->writing || !self->pending.empty()) && self->loop.now() < deadline) {
        self->start_writing();
        co_await self->loop.sleep_for(5ms);
    }
    self->draining = false;
    if (!self->stopping && std::exchange(self->unsynced, false) && self->usable() && !self->shared)
        static_cast<void>(
            co_await ask_until<void>(self, [](store::policy_store& s) { return s.sync(); }, deadline));
}

} // namespace mailtight::resolve
