// SPDX-License-Identifier: Apache-2.0
// The inside of the collector, for collector*.cpp alone. collector.cpp: what comes in, joined and counted on
// the loop. collector_piles.cpp: piles, read on a thread of their own. collector_writing.cpp: batches,
// written on another. The loop's thread owns everything here but what a job of a thread holds while it runs.
#pragma once

#include "io/worker.h"
#include "tally/collector.h"
#include "tally/join.h"

#include <deque>
#include <list>
#include <map>
#include <optional>
#include <unordered_set>
#include <utility>

namespace mailtight::tally {

/// A pile on its way: read in slices, each joined on the loop before the next but one is read.
struct pile_under_way {
    struct read_entry {
        model::delivery_result what;
        std::uint64_t times = 0;
    };
    struct slice {
        std::vector<read_entry> read;
        std::size_t joined = 0;
        std::uint64_t bad = 0;
        std::string last_bad;
    };
    pile what;
    base::utc_seconds at{};
    std::uint64_t number = 0;     ///< piles are joined in order
    std::size_t next = 0;         ///< the first entry not read yet
    std::shared_ptr<slice> ahead; ///< being read, or read
    std::shared_ptr<slice> joining;
};

/// What is written in one transaction; the same again, under the same number, until it is known to be there.
struct batch {
    std::unique_ptr<counter> from; ///< not taken out of it yet
    std::vector<model::counted_result> results;
    std::map<std::string, std::string> marks;
    std::uint64_t sessions = 0, generation = 0;
    std::int64_t number = 0; ///< 0: none yet
    bool written = false;
    unsigned refused = 0; ///< times that the engine found fault with it
};

/// The side of the writing thread: the store, opened again after it failed.
class writing_side {
public:
    explicit writing_side(const collector_options& with)
        : with_(with) {}
    store::result<void> write(batch& what);
    store::result<std::vector<std::pair<std::string, std::string>>> marks();

private:
    store::result<void> ready();
    store::store_error failed(store::store_error error);

    const collector_options& with_;
    std::unique_ptr<store::result_store> store_;
    std::int64_t latest_ = 0; ///< number of this machine's latest batch
};

struct collector::state : std::enable_shared_from_this<collector::state> {
    state(io::loop& on, const base::clock& time, know_fn knows, collector_options with);

    // ---- collector.cpp ----
    const model::policy_facts& facts_of(const std::string& domain);
    void take(const told& what, base::utc_seconds at, std::uint64_t times);
    void count(const model::delivery_result& joined, base::utc_seconds at, std::uint64_t times);
    void tell_of_failure(const model::delivery_result& joined);
    void stop();

    // ---- collector_piles.cpp ----
    void take(pile what, base::utc_seconds at);
    static io::task<> read_piles(std::shared_ptr<state> self);
    std::shared_ptr<pile_under_way::slice> begin_slice(pile_under_way& of);
    void read(pile_under_way& of, pile_under_way::slice& into, std::size_t from, std::size_t to);
    static io::task<> join_slice(std::shared_ptr<state> self, std::shared_ptr<pile_under_way> of);
    void join_some(pile_under_way& of, std::size_t at_most);
    void note_bad(const pile_under_way::slice& from, base::utc_seconds at);
    void finish_piles();

    // ---- collector_writing.cpp ----
    struct waiter {
        waiter(io::loop& on, std::uint64_t until)
            : done(on)
            , generation(until) {}
        io::event done;
        std::uint64_t generation;
        store::result<void> said;
    };
    bool anything_waits() const { return !counting->empty() || !new_marks.empty() || under_way; }
    void write_soon();
    void hurry();
    static io::task<> write(std::shared_ptr<state> self);
    void fill_batch();
    void settle(const store::result<void>& done);
    void note_success();
    void note_failure(const store::store_error& error);
    void answer(const store::result<void>& what, std::uint64_t up_to);
    static io::task<store::result<void>> flush(std::shared_ptr<state> self);
    static io::task<store::result<void>> drain(std::shared_ptr<state> self, io::loop::time_point deadline);
    static io::task<store::result<std::vector<std::pair<std::string, std::string>>>>
    marks(std::shared_ptr<state> self);
    void finish_writing();

    io::loop& loop;
    const base::clock& clock;
    know_fn know;
    collector_options options;
    figures counts;
    bool stopped = false;

    std::deque<std::shared_ptr<pile_under_way>> piles; ///< the first is being read
    std::size_t bytes_of_piles = 0;
    std::uint64_t piles_taken = 0, piles_joined = 0;
    std::list<std::pair<std::uint64_t, std::shared_ptr<io::event>>> waiting_for_piles;
    bool reading = false;
    std::vector<pile> spares;
    datagram_reader reader; ///< of the reading thread

    std::map<std::string, model::policy_facts, std::less<>> known; ///< asked for a moment ago
    io::loop::time_point known_since{};

    std::unordered_set<std::string> told_of; ///< domains, within this second
    base::utc_seconds told_at{};

    std::unique_ptr<counter> counting;
    std::map<std::string, std::string> new_marks;
    std::uint64_t generation = 1; ///< of what is being counted; written with its batch
    std::shared_ptr<batch> under_way;
    std::uint64_t folded_before = 0, lost_before = 0; ///< by counters that are gone
    bool writing = false, hurried = false, away = false;
    std::chrono::milliseconds pause{0}; ///< before the next try while the store is away
    std::shared_ptr<io::event> bell;    ///< wakes the writing before its time
    std::list<std::shared_ptr<waiter>> waiters;

    writing_side side;
    std::optional<io::worker> reading_thread, writing_thread; ///< last: they end before what they use
};

} // namespace mailtight::tally
