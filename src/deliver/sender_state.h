// SPDX-License-Identifier: Apache-2.0
// The inside of the sender, for sender*.cpp alone. The loop's thread owns everything here but `side`, which
// belongs to the sender's thread. sender_filing.cpp makes reports of what is owed, sender_together.cpp
// writes them, sender_delivering.cpp empties the outbox, sender_trying.cpp is one try, sender_day.cpp does a
// day at once, sender_dry_run.cpp writes to a folder, sender_bounces.cpp reads what comes back.
#pragma once

#include "deliver/sender.h"
#include "io/worker.h"
#include "store/results.h"

#include <exception>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace mailtight::deliver {

/// The side of the sender's thread: the store, opened again after it failed.
class store_side {
public:
    explicit store_side(const sender_options& options)
        : options_(options) {}

    template<class T>
    store::result<T> run(const std::function<store::result<T>(store::result_store&)>& job) {
        try {
            if (!store_) {
                auto opened = options_.open();
                if (!opened)
                    return std::unexpected(opened.error());
                store_ = std::move(*opened);
            }
            auto done = job(*store_);
            using enum store::store_error::kind;
            if (!done && done.error().what != busy && done.error().what != wrong)
                store_.reset();
            return done;
        } catch (const std::exception& error) { // no memory
            return std::unexpected(
                store::store_error{.what = store::store_error::kind::busy, .message = error.what()});
        }
    }
    /// Deliveries whose first try has begun and is not written yet: they count for the caps.
    std::map<std::int64_t, model::outgoing_delivery> beginning;

private:
    const sender_options& options_;
    std::unique_ptr<store::result_store> store_;
};

/// What became of a report that was owed.
struct filing {
    enum class kind {
        filed,
        nobody_asks,
        not_made,
        not_yet,  ///< DNS gave no answer, or the part before is young: `again_at` is the time for it
        not_ours, ///< somebody else has it
        trouble,  ///< the store
    } what = kind::trouble;
    std::int64_t number = 0; ///< of the outbox
    std::string words;
    base::utc_seconds again_at{};
};

/// Who asks for a report, and who of them has it already.
struct askers {
    tlsrpt::record record;
    /// Where the report is for a TLSA base domain that only one recipient's domain uses: that one, and where
    /// its own report goes. It holds the same results, so nobody gets both (A22).
    std::string sole_recipient;
    std::vector<std::string> served;
};

/// One whose look-ups have ended, on its way to the store together with others.
struct ready_filing {
    ready_filing(io::loop& on, model::due_report owed)
        : due(std::move(owed))
        , written(on) {}
    model::due_report due;
    std::optional<askers> who; ///< none: it is dropped, `done` says why
    filing done;
    io::event written;
};
using ready_group = std::vector<std::shared_ptr<ready_filing>>;

struct sender::state : std::enable_shared_from_this<sender::state> {
    using seconds = base::utc_seconds;
    using suppression = std::vector<store::suppressed_address>;

    state(io::loop& on, ways_out ways, const base::clock& policy, const base::clock& real,
          sender_options given, std::function<void(const sender_event&)> teller);

    /// Runs a job on the sender's thread; complains once where the store is away.
    template<class T>
    static io::task<store::result<T>> ask(std::shared_ptr<state> self,
                                          std::function<store::result<T>(store::result_store&)> job);
    void store_failed(const store::store_error& error);
    void say(sender_event::kind what, const std::string& domain, std::chrono::sys_days day,
             std::string words = {}, std::string uri = {});
    bool dry() const { return !options.dry_run.empty(); }

    // ---- sender.cpp ----
    static io::task<> beat(std::shared_ptr<state> self);
    void look_soon();
    /// What is in hand has become less: at once where more is known to wait, but not for each single one.
    void look_for_more();
    static io::task<> look(std::shared_ptr<state> self);
    static io::task<> tidy(std::shared_ptr<state> self);
    static io::task<> take_back(std::shared_ptr<state> self);

    // ---- sender_filing.cpp ----
    static io::task<> take_owed(std::shared_ptr<state> self);
    static io::task<> file_and_tell(std::shared_ptr<state> self, model::due_report due);
    static io::task<filing> file_one(std::shared_ptr<state> self, model::due_report due);
    static io::task<> postpone(std::shared_ptr<state> self, model::due_report due, seconds until);
    /// Who asks; else why there is no report.
    static io::task<std::expected<askers, filing>> find_askers(std::shared_ptr<state> self,
                                                               model::due_report due);
    static io::task<std::optional<std::vector<std::string>>> last_seen(std::shared_ptr<state> self,
                                                                       model::due_report due);
    static io::task<> find_served(std::shared_ptr<state> self, model::due_report due, askers& into);
    /// On the sender's thread. Nothing: `why` says why.
    std::optional<model::outgoing_report> compose(const model::due_report& due,
                                                  const std::vector<model::outgoing_delivery>& targets,
                                                  const askers& who, std::uint64_t reports_there,
                                                  std::span<const model::counted_result> results,
                                                  std::uint32_t part, std::string& why) const;
    struct prepared_targets {
        std::vector<model::outgoing_delivery> deliveries;
        std::uint64_t reports_there = 0;
    };
    /// What is asked of the store once for reports that are filed together.
    struct asked_already {
        std::optional<suppression> nothing_for;
        std::map<std::pair<std::string, std::string>, store::result_store::sent_so_far> sent;
    };
    store::result<prepared_targets> targets(store::result_store& s, asked_already& known,
                                            const model::due_report& due, const askers& who,
                                            seconds now) const;
    void count(const filing& done, const model::due_report& due);

    // ---- sender_together.cpp ----
    /// To the store with whatever else is ready; returns when it is written.
    static io::task<filing> write_together(std::shared_ptr<state> self, model::due_report due,
                                           std::expected<askers, filing> found);
    static io::task<> write_ready(std::shared_ptr<state> self);
    static io::task<> file_group(std::shared_ptr<state> self, ready_group group);
    static io::task<> drop_group(std::shared_ptr<state> self, ready_group group);
    /// On the sender's thread.
    store::result<std::vector<filing>> file_all(store::result_store& s, const ready_group& group,
                                                seconds now) const;

    // ---- sender_delivering.cpp ----
    /// How many were taken.
    static io::task<store::result<std::size_t>> take_outbox(std::shared_ptr<state> self);
    static io::task<> deliver_group(std::shared_ptr<state> self, std::vector<model::outgoing_delivery> group,
                                    std::shared_ptr<const suppression> nothing_for);
    static io::task<> deliver_one(std::shared_ptr<state> self, model::outgoing_delivery one,
                                  std::shared_ptr<const suppression> nothing_for);
    static io::task<bool> record(std::shared_ptr<state> self, model::outgoing_delivery now, bool skip_others);
    void tell_of(const model::outgoing_delivery& now, const model::outgoing_report& of);
    /// What a try needs; where `next` is set there is none, and that is written instead.
    struct preparation {
        model::outgoing_report report;
        std::string mail; ///< else the body is posted
        bool skip_others = false;
        std::optional<model::outgoing_delivery> next;
    };
    store::result<preparation> prepare(store::result_store& s, const model::outgoing_delivery& one,
                                       const suppression& nothing_for, seconds now, seconds real_now);
    std::string over_a_cap(const store::result_store::sent_so_far& so_far,
                           const model::outgoing_delivery& one) const;

    // ---- sender_trying.cpp ----
    struct trial {
        try_outcome outcome;
        bool no_such_user = false;
    };
    static io::task<trial> try_mail(std::shared_ptr<state> self, const model::outgoing_delivery& to,
                                    std::string mail);
    static io::task<trial> try_post(std::shared_ptr<state> self, const model::outgoing_delivery& to,
                                    std::string body);
    static io::task<> suppress(std::shared_ptr<state> self, const model::outgoing_report& of,
                               const model::outgoing_delivery& to, std::string why);

    // ---- sender_day.cpp, sender_dry_run.cpp, sender_bounces.cpp ----
    static io::task<store::result<day_result>> send_day(std::shared_ptr<state> self,
                                                        std::chrono::sys_days day);
    static io::task<store::result<std::vector<std::int64_t>>>
    file_day(std::shared_ptr<state> self, std::chrono::sys_days day, day_result& into);
    static io::task<store::result<void>> count_day(std::shared_ptr<state> self,
                                                   std::vector<std::int64_t> numbers, day_result& into);
    static io::task<store::result<day_result>> dry_day(std::shared_ptr<state> self,
                                                       std::chrono::sys_days day);
    static io::task<filing> dry_one(std::shared_ptr<state> self, model::due_report due);
    static io::task<> bounced(std::shared_ptr<state> self, std::string message);

    io::loop& loop;
    ways_out ways;
    const base::clock& policy_time;
    const base::clock& real_time;
    const sender_options options;
    std::function<void(const sender_event&)> tell; ///< empty once the sender is gone
    figures counters;
    bool started = false, stopping = false;
    bool closed = false; ///< the sender is gone, and its thread
    bool away = false;   ///< the store, and that was told
    bool looking = false, again = false;
    bool more_owed = false, more_waiting = false; ///< than was taken the last time
    std::size_t filing_now = 0;                   ///< due reports in hand
    std::size_t asking = 0;                       ///< of them: their look-ups have not ended
    ready_group ready;                            ///< of them: they have
    bool writing_ready = false;
    bool taken_back = false;       ///< what the process before had in hand
    std::size_t others = 0;        ///< days, bounces
    std::set<std::int64_t> inside; ///< deliveries in hand
    seconds tidy_at{};             ///< epoch: at once
    std::mt19937_64 dice{std::random_device{}()};
    store_side side;                  ///< the thread's alone
    std::optional<io::worker> thread; ///< last: it ends before what it uses
};

/// The operator's copy of a report: a delivery that is told apart by its URI.
inline constexpr std::string_view copy_scheme = "copy:";
inline bool is_copy(const model::outgoing_delivery& one) {
    return one.uri.starts_with(copy_scheme);
}
/// By mail, as opposed to POST.
inline bool is_mail(const model::outgoing_delivery& one) {
    return !one.address.empty();
}
/// No longer than the look-ups of one report take.
inline constexpr std::chrono::seconds owed_lease{900};
/// Due reports in hand, and so in one transaction, at most: a few hundred kilobytes, and more of them save
/// little more.
inline constexpr std::size_t filed_together = 100;
/// Results that trickle in late would otherwise make a report each. An hour is no delay beside the day that
/// a report waits anyway, and bounds what comes late to 24 reports a day.
inline constexpr std::chrono::seconds between_parts{3'600};

template<class T>
io::task<store::result<T>> sender::state::ask(std::shared_ptr<state> self,
                                              std::function<store::result<T>(store::result_store&)> job) {
    if (self->closed)
        co_return std::unexpected(
            store::store_error{.what = store::store_error::kind::unreachable, .message = "stopped"});
    auto done = co_await self->thread->run<store::result<T>>(
        [of = self.get(), job = std::move(job)] { return of->side.run<T>(job); });
    if (done)
        self->away = false;
    else
        self->store_failed(done.error());
    co_return done;
}

/// Counts something in hand, however it ends.
class in_hand {
public:
    explicit in_hand(std::size_t& counter)
        : counter_(counter) {
        ++counter_;
    }
    ~in_hand() { --counter_; }
    in_hand(const in_hand&) = delete;
    in_hand& operator=(const in_hand&) = delete;

private:
    std::size_t& counter_;
};

} // namespace mailtight::deliver
