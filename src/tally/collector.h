// SPDX-License-Identifier: Apache-2.0
// Collecting, as the daemon runs it: results and sessions come in from every source, are joined with the
// known policies, counted, and written at least once a second. What was taken is at most a second from the
// disk; who asks for an answer (HTTP, the line protocol's `flush`) gets it after the commit. Lives on the
// loop; reads piles and writes on threads of its own.
#pragma once

#include "io/loop.h"
#include "store/results.h"
#include "tally/counter.h"
#include "tally/pile.h"
#include "tally/read_event.h"

#include <functional>
#include <memory>

namespace mailtight::tally {

/// What is known of a destination just now; asked once for each of equal results, on the loop.
using know_fn = std::function<model::policy_facts(std::string_view domain)>;

struct collector_options {
    std::chrono::milliseconds write_every{500};
    counter_limits counting;
    std::size_t faults_kept = 10'000; ///< different ones of a policy, domain and day, in the store (A40)
    std::string machine;              ///< the name of this one among those that share a database
    std::chrono::seconds due_spread{14'400}; ///< 8460-4.1-b
    /// How the store is opened, and again after it failed. On a thread of the collector's.
    std::function<store::result<std::unique_ptr<store::result_store>>()> open;
    std::function<void(std::string_view)> complain;
    /// A session failed, or the policy stood in its way: the policy service looks again.
    std::function<void(const std::string& domain, const std::string& words)> failed;
};

class collector {
public:
    collector(io::loop& on, const base::clock& clock, know_fn know, collector_options options);
    ~collector(); ///< what is counted is written first, unless the store is away
    void start();
    /// A pile of datagrams from the socket's thread (on the loop). Read on the collector's own thread.
    void take(pile what, base::utc_seconds at);
    void take(const told& what, base::utc_seconds at, std::uint64_t times = 1);
    /// A pile that was read, empty and with its memory, to be filled again; a fresh one of `bytes` where
    /// there is none.
    pile spare(std::size_t bytes);
    /// A position (in a log file): written in the transaction that holds everything told before it, so that
    /// after a crash nothing is counted twice and nothing is left out. Piles have no position.
    void mark(std::string name, std::string value);
    /// The marks of this machine as they are kept; asked before reading goes on.
    io::task<store::result<std::vector<std::pair<std::string, std::string>>>> marks();
    /// Returns when everything taken before is durable, or says why not (it is kept and tried again all the
    /// same).
    io::task<store::result<void>> flush();
    /// At the end: flush() until it succeeds or nothing waits, at most until then. A database that is started
    /// again while we end must not cost what was acknowledged.
    io::task<store::result<void>> drain(io::loop::time_point deadline);
    /// Reads and writes all that was taken, unless the store is away; blocks for it. Nothing is taken
    /// afterwards.
    void stop();

    struct figures {
        std::uint64_t datagrams = 0, bad_datagrams = 0, sessions = 0, failures = 0, relabelled = 0,
                      blocked = 0, written = 0, waiting = 0, folded = 0, lost = 0;
        std::string last_error, last_bad; ///< for status
        base::utc_seconds last_error_at{}, last_written{}, last_bad_at{};
    };
    figures counted() const;
    /// The database is away, and what waits for it fills its share of memory: soon something will be lost.
    bool full() const;

private:
    struct state;
    std::shared_ptr<state> state_;
};

} // namespace mailtight::tally
