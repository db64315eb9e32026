// SPDX-License-Identifier: Apache-2.0
// The loop that watches: takes due "watch" and "glance" work, looks fully or cheaply, keeps what differs, and
// writes the alarms of a domain down beside its work, where whoever sends alarms reads them
// (standing_alarms). What differs also makes the domain's plan due. Lives on the loop; the store is used on
// its thread, many looks in one go.
#pragma once

#include "io/loop.h"
#include "io/worker.h"
#include "publish/watch.h"
#include "store/domains.h"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace mailtight::publish {

struct watch_hands {
    /// What the domain looks like; `full`: everything, else DNS and the file. Nothing: it could not be looked
    /// at (our own network, or DNS, does not answer), which says nothing of the domain.
    std::function<io::task<std::optional<model::watched_state>>(std::string domain, bool full)> look;
    /// Names below the domain, from reports, zone transfer and configuration; may be empty.
    std::function<io::task<std::vector<std::string>>(std::string domain)> names_below;
    /// Does the name take mail without a policy of its own? Nothing: DNS did not say.
    std::function<io::task<std::optional<bool>>(std::string name)> unprotected;
    /// Fetches of our policies since the last time (fetch_counter::take); may be empty.
    std::function<std::vector<model::policy_fetches>()> fetches;
    /// Whether a code of check is an error; may be empty.
    std::function<bool(std::string_view code)> serious;
    /// An alarm began or ended, and is written down; may be empty.
    std::function<void()> alarmed;
};
struct watch_options {
    std::string machine;
    std::chrono::seconds full{86'400}, cheap{3'600};
    std::size_t full_at_once = 32, cheap_at_once = 256;
    std::chrono::seconds lease{300}, beat{1}, retry{600}, flush_fetches{60};
    std::size_t written_at_once = 256;
};

class watcher {
public:
    /// `policy_time` decides when to look, `real_time` what a certificate's dates mean.
    watcher(io::loop& on, io::worker& store_thread, store::domain_store& kept, watch_hands with,
            const base::clock& policy_time, const base::clock& real_time, watch_options options);
    ~watcher();
    void start();
    void stop();
    bool idle() const;
    struct counters {
        std::uint64_t full = 0, cheap = 0, failed = 0, differed = 0, alarms = 0;
    };
    counters counted() const;
    struct state;

private:
    std::shared_ptr<state> state_;
};

/// When both kinds of look are due first: soon, but not all domains of a large list at once.
store::result<void> begin_watching(store::domain_store& kept, const std::vector<std::string>& domains,
                                   base::utc_seconds now, const watch_options& options = {});

/// The alarms that stand, of all domains and machines: of watching, and of plans that wait for a person, or
/// fail, for longer than `patience`. On the store's thread.
store::result<std::vector<watch_alarm>>
standing_alarms(store::domain_store& kept, base::utc_seconds now,
                std::chrono::seconds patience = std::chrono::hours(24));

} // namespace mailtight::publish
