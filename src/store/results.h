// SPDX-License-Identifier: Apache-2.0
// The report sender's part of the database: counted results, the reports that are owed, the outbox, addresses
// that get nothing. One interface over both engines, in the same database as the rest, with its own schema
// part
// ("results"). Calls block (io::worker); an object belongs to one thread at a time. What is written is
// durable when the call returns, as store/policies.h says.
#pragma once

#include "model/counted.h"
#include "model/outgoing.h"
#include "store/store.h"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mailtight::store {

/// What one machine writes at a time. Written once: a batch whose number is not above the machine's latest
/// changes nothing, so that a commit whose answer was lost can be repeated.
struct result_batch {
    std::string machine;
    std::int64_t number = 0;
    std::span<const model::counted_result> results;
    /// Positions in log files and the like, kept in the same transaction.
    std::vector<std::pair<std::string, std::string>> marks;
};

/// An entry of the suppression list.
struct suppressed_address {
    std::string who; ///< a mail address, `@domain`, or an https host
    std::string why;
    base::utc_seconds since{};
    std::optional<base::utc_seconds> until;
};

class result_store {
public:
    virtual ~result_store() = default;

    // ---- counting ----
    /// Distinct faults of one policy of a domain and day are bounded by `faults`; the rest is folded into one
    /// entry a result type. Each (day, domain), and each TLSA base domain, that gets its first result becomes
    /// due: at the end of its day plus a part of `spread` that follows from both and from a secret of the
    /// database; at once where that has passed. True where it was new.
    virtual result<bool> add(const result_batch& batch, std::chrono::seconds spread, std::size_t faults) = 0;
    virtual result<std::int64_t> latest_batch(std::string_view machine) = 0;
    virtual result<std::vector<std::pair<std::string, std::string>>> marks(std::string_view machine) = 0;
    /// Results not yet in a report (`reported` false), or all that are kept, of a day and domain; in order of
    /// the policy. "" : every domain, at most `limit` rows.
    virtual result<std::vector<model::counted_result>> results(std::chrono::sys_days day,
                                                               std::string_view domain,
                                                               model::report_audience audience, bool reported,
                                                               std::size_t limit = 100'000) = 0;

    // ---- what is owed ----
    /// Those due at `now`, earliest first, leased to `who` for so long (by the database's clock where
    /// machines share one). `day`: of that day alone, due or not.
    virtual result<std::vector<model::due_report>>
    take_due(base::utc_seconds now, std::string_view who, std::chrono::seconds how_long, std::size_t limit,
             std::optional<std::chrono::sys_days> day = {}) = 0;
    /// In one transaction: the results that no report holds yet are taken, handed to `make`, and what it
    /// gives is filed with its deliveries; they are never owed again. `make` gives nothing: they are dropped
    /// (too few sessions). The number; nothing where the lease was lost, or there was nothing to take. `make`
    /// may be called again where a transaction has to be repeated.
    using make_report = std::function<std::optional<model::outgoing_report>(
        std::span<const model::counted_result> results, std::uint32_t part)>;
    virtual result<std::optional<std::int64_t>> file(const model::due_report& due,
                                                     const make_report& make) = 0;
    /// The same for several, in one transaction, which costs much less than one each: what became of each, in
    /// their order. `make` is told which it is.
    using make_each = std::function<std::optional<model::outgoing_report>(
        const model::due_report& due, std::span<const model::counted_result> results, std::uint32_t part)>;
    virtual result<std::vector<std::optional<std::int64_t>>> file_all(std::span<const model::due_report> all,
                                                                      const make_each& make);
    /// Nobody asks for it (or nobody could be asked for a day): no longer owed.
    virtual result<void> drop_due(const model::due_report& due) = 0;
    virtual result<void> drop_all(std::span<const model::due_report> all);
    virtual result<void> postpone(const model::due_report& due, base::utc_seconds until) = 0;
    /// Ends all leases of `who`, of what is owed and of deliveries: for a process that begins, about what the
    /// one before it had in hand. Nobody else may be at work under that name.
    virtual result<void> take_back(std::string_view who) = 0;

    // ---- outbox ----
    virtual result<std::vector<model::outgoing_delivery>> take_deliveries(base::utc_seconds now,
                                                                          std::string_view who,
                                                                          std::chrono::seconds how_long,
                                                                          std::size_t limit) = 0;
    /// Writes what became of a try. A success is taken from anybody, and ends it for good; anything else only
    /// from who holds the lease. With "first", the others of its report are `skipped` with it.
    virtual result<void> tried(const model::outgoing_delivery& now, bool skip_others) = 0;
    virtual result<std::optional<model::outgoing_report>> report(std::int64_t number) = 0;
    struct outbox_question {
        std::optional<model::delivery_state> state;
        std::string domain; ///< "" : all
        std::optional<std::chrono::sys_days> day;
        std::int64_t before = 0; ///< for pages: reports of lower numbers; 0: the newest
        std::size_t limit = 100;
    };
    /// Newest first; without bodies.
    virtual result<std::vector<model::outgoing_report>> outbox(const outbox_question& which) = 0;
    /// By the Message-ID's left part, for bounces.
    virtual result<std::optional<std::int64_t>> find_report(std::string_view report_id) = 0;
    /// Deliveries that began on that day to an address, and to a host: for the caps.
    struct sent_so_far {
        std::uint64_t to_address = 0, to_host = 0, in_all = 0;
    };
    virtual result<sent_so_far> sent_on(std::chrono::sys_days day, std::string_view address,
                                        std::string_view host) = 0;
    struct figures {
        std::uint64_t due = 0, waiting = 0, sent = 0, refused = 0, given_up = 0, suppressed = 0;
        std::uint64_t unreported_sessions = 0;
        base::utc_seconds oldest_waiting{}, oldest_due{};
    };
    virtual result<figures> figures_of(base::utc_seconds now) = 0;
    /// Sessions counted on each day from `since` to `until` that has any, over all domains, oldest first: a
    /// walk over all results of these days.
    struct day_sum {
        std::chrono::sys_days day;
        std::uint64_t success = 0, failure = 0;
    };
    virtual result<std::vector<day_sum>> day_sums(std::chrono::sys_days since,
                                                  std::chrono::sys_days until) = 0;
    /// The failures from a day on that most sessions met, at most `limit`; of each the newest day.
    struct fault_sum {
        std::string domain;
        tlsrpt::result_type type{};
        std::string mx, reason;
        std::uint64_t count = 0;
        std::chrono::sys_days day;
    };
    virtual result<std::vector<fault_sum>> fault_sums(std::chrono::sys_days since, std::size_t limit) = 0;

    // ---- addresses that get nothing ----
    virtual result<void> suppress(const suppressed_address& value) = 0;
    virtual result<bool> allow_again(std::string_view who) = 0; ///< whether it was on the list
    virtual result<std::vector<suppressed_address>> suppressed() = 0;

    /// Drops results older than that day, bodies and outbox rows that have ended before it; bounded work,
    /// true while more is left.
    virtual result<bool> expire(std::chrono::sys_days before) = 0;
};
/// Opens, and brings this part of the schema up to date.
result<std::unique_ptr<result_store>> open_results(const open_options& options);

} // namespace mailtight::store
