// SPDX-License-Identifier: Apache-2.0
// The inside of the watcher, for watcher*.cpp alone. The loop's thread owns everything but `memory`, which
// belongs to the jobs on the store's thread, of which there is one at a time. watcher.cpp takes work and
// looks, watcher_writing.cpp writes what was seen.
#pragma once

#include "publish/watcher.h"

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

namespace mailtight::publish {

/// One look, on its way to the store.
struct watch_turn {
    store::due_work work;
    std::optional<model::watched_state> state; ///< nothing: it could not be looked at
    bool news = false;                         ///< it differs from the last look of its kind
    bool full() const { return work.kind == "watch"; }
};

/// What each domain looked like at the last look of this process, by hash: all that a look without
/// differences is compared with. A collision costs a question of the store.
using last_looks = std::unordered_map<std::uint64_t, std::uint64_t>;

struct write_rules {
    std::chrono::seconds full{}, cheap{}, retry{}, lease{};
    std::function<bool(std::string_view code)> serious;
};
struct written {
    std::uint64_t differed = 0, alarms = 0;
    bool news = false; ///< an alarm began or ended
};
/// Keeps what was seen, judges what may be told, and ends the work, in one transaction: where the process
/// dies or the store fails, the looks are taken again and find the same difference again. On the store's
/// thread.
store::result<written> write_looks(store::domain_store& kept, std::vector<watch_turn>& turns,
                                   last_looks& memory, base::utc_seconds now, base::utc_seconds real_now,
                                   const write_rules& rules);

struct watcher::state : std::enable_shared_from_this<state> {
    state(io::loop& on, io::worker& store_thread, store::domain_store& kept_in, watch_hands given,
          const base::clock& policy, const base::clock& real, watch_options wanted);

    static io::task<> beat(std::shared_ptr<state> self);
    static io::task<> take(std::shared_ptr<state> self, bool full);
    static io::task<> look(std::shared_ptr<state> self, store::due_work work);
    /// Names below the domain without a policy become findings of its state.
    static io::task<> look_below(std::shared_ptr<state> self, std::string domain, model::watched_state& into);
    static io::task<> write_ready(std::shared_ptr<state> self);
    static io::task<> flush_fetches(std::shared_ptr<state> self);

    io::loop& loop;
    io::worker& thread;
    store::domain_store& kept;
    watch_hands with;
    const base::clock& policy_time;
    const base::clock& real_time;
    const watch_options options;
    counters counts;
    bool started = false, stopping = false, closed = false, writing = false;
    std::array<std::size_t, 2> in_hand{}; ///< cheap, full: from being taken to being written
    std::vector<watch_turn> ready;
    std::vector<model::policy_fetches> unwritten; ///< fetches that the store did not take
    io::loop::time_point fetches_at{};
    last_looks memory;
};

} // namespace mailtight::publish
