// SPDX-License-Identifier: Apache-2.0
// What is kept: reports, the totals that grow with them, our domains, alarms, places reached. One interface,
// two engines (SQLite for one machine, PostgreSQL for many), one conformance test. Calls block, so they are
// made from a thread of their own (io::worker); an engine object belongs to one thread at a time, and several
// may be open on one database. Everything that is written is durable when the call returns. No exceptions: a
// store_error says what, and whether trying again can help.
#pragma once

#include "base/time.h"
#include "model/received.h"
#include "store/questions.h"

#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mailtight::store {

struct store_error {
    enum class kind {
        unreachable, ///< the database is away
        full,        ///< no space, or read-only
        busy,        ///< locked for too long
        newer,       ///< the schema is of a later version of this program
        damaged,
        wrong,   ///< refused by the engine: a fault of ours
        nothing, ///< opened to read, and nothing of this kind was ever kept there
    } what = kind::wrong;
    std::string message;
    bool again() const { return what == kind::unreachable || what == kind::full || what == kind::busy; }
};
template<class T>
using result = std::expected<T, store_error>;

using report_number = std::int64_t;

/// What became of a report that was handed in.
struct add_outcome {
    enum class fate {
        added,
        duplicate,   ///< the same key and the same bytes: counts nothing; a higher trust is taken over
        correction,  ///< the same key, other bytes, at least the same trust: replaces the old one, both are
                     ///< kept
        outvoted,    ///< the same key, other bytes, less trust than the one that counts: kept, not counted
        quarantined, ///< kept apart, not counted: for none of our domains, without domain, or not trusted
        test,        ///< the synthetic report of `report test`
    } what = fate::added;
    report_number number = 0;
    std::string why; ///< for quarantined and outvoted
};

/// A domain of ours and the token of its addresses.
struct own_domain {
    std::string name;
    std::string token; ///< base32, unguessable; in `tls-report+TOKEN@…` and `/tlsrpt/TOKEN`
    base::utc_seconds added_at{};
};

class store {
public:
    virtual ~store() = default;

    // ---- writing ----
    /// All in one transaction, durable on return; outcomes in order. All or none.
    virtual result<std::vector<add_outcome>> add(std::span<const model::received_report> reports) = 0;
    /// Adds what is missing, with fresh tokens; never removes. Reports already quarantined for want of the
    /// domain are counted from now on.
    virtual result<void> add_domains(std::span<const std::string> names, base::utc_seconds now) = 0;
    virtual result<void> remove_domain(std::string_view name) = 0;
    /// Whether `unverified` reports count too (reports.count_unverified); recounts where it changed.
    virtual result<void> count_unverified(bool yes) = 0;
    /// Drops raw bodies older than `bodies`, and whole reports with their details older than `details`; day
    /// totals stay. Bounded work a call; true while more is left.
    virtual result<bool> expire(base::utc_seconds bodies, base::utc_seconds details) = 0;
    /// Small facts by name: mailbox positions, alarm states, mutes. Empty value: removed.
    virtual result<void> set_fact(std::string_view name, std::string_view value) = 0;
    /// Several of them, by name and value, in one transaction: all or none.
    virtual result<void> set_facts(std::span<const std::pair<std::string, std::string>> facts);
    virtual result<std::optional<std::string>> fact(std::string_view name) = 0;
    virtual result<std::vector<std::pair<std::string, std::string>>> facts(std::string_view prefix) = 0;

    // ---- asking ----
    virtual result<std::vector<own_domain>> domains() = 0;
    virtual result<std::vector<report_row>> list(const filter& of, const page& which) = 0;
    /// The whole report, raw body included where it is still kept.
    virtual result<std::optional<stored_report>> show(report_number number) = 0;
    /// By a `report test` token.
    virtual result<std::optional<report_number>> find_test(std::string_view token) = 0;
    virtual result<std::vector<day_row>> days(const filter& of) = 0;
    /// At most so many domains, with the most failed sessions first. Where a result or an MX is asked for,
    /// successes are not known.
    virtual result<std::vector<domain_row>> worst_domains(const filter& of, std::size_t most) = 0;
    /// The newest day that a counted report of these domains is about, or of all of ours where none is named.
    virtual result<std::optional<day>> newest_day(std::span<const std::string> domains) = 0;
    virtual result<std::vector<reporter_row>> reporters(const filter& of) = 0;
    /// In order of reporter and day.
    virtual result<std::vector<reporter_day_row>> reporter_days(const filter& of) = 0;
    virtual result<std::vector<mx_row>> reporters_by_mx(const filter& of) = 0;
    virtual result<std::vector<result_row>> results(const filter& of) = 0;
    virtual result<std::vector<failure_row>> failures(const filter& of) = 0;
    /// Of at most so many kinds, where what several reporters say of one domain, policy type, result, reason
    /// and MX is one kind. What is left out costs little.
    virtual result<mailtight::store::worst_failures> worst_failures(const filter& of, std::size_t kinds) = 0;
    /// Which policies the reporters saw (type and text), with first and last day and sessions.
    virtual result<std::vector<policy_row>> policies(const filter& of) = 0;
    /// How much is kept apart, by reason, in the period.
    virtual result<std::vector<quarantine_row>> quarantine(const filter& of) = 0;
    /// Names below any of these domains (none of which is among them) that reports name, as policy domain or
    /// as a whole, counted or kept apart; of trusted reports alone, since anybody may make names up. At most
    /// `each` below one domain, in order.
    virtual result<std::vector<std::string>> names_below(std::span<const std::string> domains, day since,
                                                         std::size_t each) = 0;
    virtual result<sizes> size() = 0;
    /// Whose totals may have changed, for who keeps sums in memory. A report that counts only later because
    /// a better trusted copy of it came is not among them.
    virtual result<touched> touched_after(report_number after);
};

struct open_options {
    /// A path (SQLite) or `postgresql://…` / `host=… dbname=…` (PostgreSQL).
    std::string where;
    bool read_only = false;
    bool create = true;
    std::chrono::milliseconds wait_for_lock{10'000};
    /// SQLite: a commit survives the end of the process at once, a power cut only after connection::sync().
    bool relaxed = false;
};
/// Opens, and brings the schema up to date.
result<std::unique_ptr<store>> open(const open_options& options);
/// Whether the text names a PostgreSQL database.
bool is_postgres(std::string_view where);

} // namespace mailtight::store
