// SPDX-License-Identifier: Apache-2.0
// The small layer between the store and its engines: statements with bound parameters, rows, transactions.
// Everything above it is the same for both; below it, sqlite/ and postgres/ differ in dialect only.
// Statements are written once, with $1, $2 ... in it; values are always bound, never pasted into the text.
//
// Inside this room a failing database unwinds by the exception `failure`, so that a transaction of many
// statements reads as one; sql_store catches it and hands a store_error out. One thread at a time.
#pragma once

#include "store/store.h"

#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace mailtight::store::sql {

/// What a connection throws. Never leaves src/store.
struct failure {
    store_error error;
    bool serialisation = false; ///< lost against another writer: the whole transaction may be tried again
};

/// Bytes that are no text (hashes, bodies).
struct bytes {
    std::string_view view;
};

/// A bound parameter; refers to the caller's text, which has to live until the call returns.
class value {
public:
    enum class kind { null, integer, text, blob };
    value() = default;
    value(std::int64_t number)
        : kind_(kind::integer)
        , number_(number) {}
    value(int number)
        : value(std::int64_t{number}) {}
    /// Beyond the engines' integers: the largest of them.
    value(std::uint64_t number)
        : value(number > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())
                    ? std::numeric_limits<std::int64_t>::max()
                    : static_cast<std::int64_t>(number)) {}
    value(bool yes)
        : value(std::int64_t{yes}) {}
    value(std::string_view text)
        : kind_(kind::text)
        , view_(text) {}
    value(const std::string& text)
        : value(std::string_view(text)) {}
    value(const char* text)
        : value(std::string_view(text)) {}
    value(bytes blob)
        : kind_(kind::blob)
        , view_(blob.view) {}
    value(base::utc_seconds at)
        : value(std::int64_t{at.time_since_epoch().count()}) {}
    value(std::optional<base::utc_seconds> at) {
        if (at)
            *this = value(*at);
    }
    value(day on)
        : value(std::int64_t{on.time_since_epoch().count()}) {}

    kind what() const { return kind_; }
    std::int64_t number() const { return number_; }
    std::string_view view() const { return view_; }

private:
    kind kind_ = kind::null;
    std::int64_t number_ = 0;
    std::string_view view_;
};
using values = std::vector<value>;

/// The row at hand; only valid inside the callback that gets it.
class row {
public:
    virtual ~row() = default;
    virtual bool null(int column) const = 0;
    virtual std::int64_t integer(int column) const = 0;
    virtual std::string_view text(int column) const = 0; ///< blobs too

    std::uint64_t count(int column) const {
        const auto number = integer(column);
        return number < 0 ? 0 : static_cast<std::uint64_t>(number);
    }
    std::string string(int column) const { return std::string(text(column)); }
    base::utc_seconds at(int column) const {
        return base::utc_seconds(std::chrono::seconds(integer(column)));
    }
    std::optional<base::utc_seconds> maybe_at(int column) const {
        return null(column) ? std::nullopt : std::optional(at(column));
    }
    mailtight::store::day on(int column) const {
        return mailtight::store::day(std::chrono::days(integer(column)));
    }
};
using take_row = std::function<void(const row&)>;

enum class access {
    read,
    write,       ///< on the disk when it is committed, but for a relaxed connection
    write_light, ///< survives the end of the process (and of a connection); a power cut may take the last
                 ///< ones
};

class connection {
public:
    virtual ~connection() = default;

    /// A write takes the right to write at once, so that it never has to give up half-way (SQLite); a read
    /// sees one state of the database from first to last.
    virtual void begin(access how) = 0;
    virtual void commit() = 0;
    virtual void rollback() noexcept = 0;

    /// Runs a statement without rows. It may be done as late as the next query or commit, and then fail
    /// there.
    virtual void run(std::string_view statement, std::span<const value> with) = 0;
    virtual void query(std::string_view statement, std::span<const value> with, const take_row& take) = 0;
    /// One statement for each list of values, in one journey; `take` hears which list a row belongs to.
    virtual void query_each(std::string_view statement, std::span<const values> with,
                            const std::function<void(std::size_t, const row&)>& take) = 0;

    /// Fresh numbers for the table `report`, ascending. Inside a transaction.
    virtual std::vector<std::int64_t> reserve_report_numbers(std::size_t how_many) = 0;
    /// Makes whoever changes what counts (`alone`) and whoever adds reports wait for each other, to the end
    /// of the transaction. Nothing to do where there is one writer anyway.
    virtual void hold(bool alone) = 0;
    /// The engine's own words for the dialect marks of schema.h.
    virtual std::string dialect(std::string_view statement) const = 0;
    /// Whether the engine adds up many rows by key without sorting them all first (PostgreSQL has hashes, and
    /// rows are dear on their way). Where it does not, they are asked for as they lie and added up here.
    virtual bool adds_up() const = 0;
    /// Only one at a time brings the schema up to date; to the end of the transaction.
    virtual void lock_schema() = 0;
    virtual std::uint64_t bytes_used() = 0;
    /// Where the connection is relaxed: what was committed survives a power cut from now on. `small_write` is
    /// any statement that writes a little. Outside a transaction.
    virtual void sync(std::string_view small_write) = 0;

    void run(std::string_view statement, std::initializer_list<value> with = {}) {
        run(statement, std::span<const value>(with.begin(), with.size()));
    }
    void query(std::string_view statement, std::initializer_list<value> with, const take_row& take) {
        query(statement, std::span<const value>(with.begin(), with.size()), take);
    }
    /// The first column of the first row.
    std::optional<std::int64_t> number(std::string_view statement, std::initializer_list<value> with = {}) {
        std::optional<std::int64_t> out;
        query(statement, with, [&](const row& r) {
            if (!out && !r.null(0))
                out = r.integer(0);
        });
        return out;
    }
};

/// begin ... commit; rolled back where it is left before.
class transaction {
public:
    transaction(connection& on, access how)
        : on_(&on) {
        on.begin(how);
    }
    ~transaction() {
        if (on_)
            on_->rollback();
    }
    transaction(const transaction&) = delete;
    transaction& operator=(const transaction&) = delete;
    void commit() {
        on_->commit();
        on_ = nullptr;
    }

private:
    connection* on_;
};

/// Runs a job as one transaction and gives its value; where a write lost against another writer, again.
/// `kept` is called after the commit, `lost` where nothing of it holds.
template<class Job, class Kept, class Lost>
auto in_transaction(connection& on, access how, Job job, Kept kept, Lost lost) -> result<decltype(job())> {
    const int attempts = how == access::read ? 1 : 6;
    for (int attempt = 1;; ++attempt) {
        try {
            transaction t(on, how);
            if constexpr (std::is_void_v<decltype(job())>) {
                job();
                t.commit();
                kept();
                return {};
            } else {
                auto out = job();
                t.commit();
                kept();
                return out;
            }
        } catch (const failure& f) {
            lost();
            if (!f.serialisation || attempt == attempts)
                return std::unexpected(f.error);
        }
    }
}
template<class Job>
auto in_transaction(connection& on, access how, Job job) -> result<decltype(job())> {
    return in_transaction(on, how, std::move(job), [] {}, [] {});
}

} // namespace mailtight::store::sql
