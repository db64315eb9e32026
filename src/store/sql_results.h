// SPDX-License-Identifier: Apache-2.0
// The report sender's part of the database over any engine. results_adding.cpp and
// results_faults.cpp count, results_reading.cpp
// reads what is counted, results_due.cpp keeps what is owed, results_filing.cpp files it,
// results_outbox.cpp keeps the deliveries, results_expiring.cpp drops what is old. One thread at a time; no
// exception leaves it.
#pragma once

#include "base/keyed_hash.h"
#include "store/result_rows.h"
#include "store/results.h"
#include "store/sql.h"

#include <memory>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <vector>

namespace mailtight::store {

class sql_results final : public result_store {
public:
    /// The schema has to be current. `shared`: other machines write too.
    sql_results(std::unique_ptr<sql::connection> on, bool shared, const base::hash_key& secret);

    result<bool> add(const result_batch& batch, std::chrono::seconds spread, std::size_t faults) override;
    result<std::int64_t> latest_batch(std::string_view machine) override;
    result<std::vector<std::pair<std::string, std::string>>> marks(std::string_view machine) override;
    result<std::vector<model::counted_result>> results(std::chrono::sys_days day, std::string_view domain,
                                                       model::report_audience audience, bool reported,
                                                       std::size_t limit) override;

    result<std::vector<model::due_report>> take_due(base::utc_seconds now, std::string_view who,
                                                    std::chrono::seconds how_long, std::size_t limit,
                                                    std::optional<std::chrono::sys_days> day) override;
    result<std::optional<std::int64_t>> file(const model::due_report& due, const make_report& make) override;
    result<std::vector<std::optional<std::int64_t>>> file_all(std::span<const model::due_report> all,
                                                              const make_each& make) override;
    result<void> drop_due(const model::due_report& due) override;
    result<void> drop_all(std::span<const model::due_report> all) override;
    result<void> postpone(const model::due_report& due, base::utc_seconds until) override;
    result<void> take_back(std::string_view who) override;

    result<std::vector<model::outgoing_delivery>> take_deliveries(base::utc_seconds now, std::string_view who,
                                                                  std::chrono::seconds how_long,
                                                                  std::size_t limit) override;
    result<void> tried(const model::outgoing_delivery& now, bool skip_others) override;
    result<std::optional<model::outgoing_report>> report(std::int64_t number) override;
    result<std::vector<model::outgoing_report>> outbox(const outbox_question& which) override;
    result<std::optional<std::int64_t>> find_report(std::string_view report_id) override;
    result<sent_so_far> sent_on(std::chrono::sys_days day, std::string_view address,
                                std::string_view host) override;
    result<figures> figures_of(base::utc_seconds now) override;
    result<std::vector<day_sum>> day_sums(std::chrono::sys_days since, std::chrono::sys_days until) override;
    result<std::vector<fault_sum>> fault_sums(std::chrono::sys_days since, std::size_t limit) override;

    result<void> suppress(const suppressed_address& value) override;
    result<bool> allow_again(std::string_view who) override;
    result<std::vector<suppressed_address>> suppressed() override;

    result<bool> expire(std::chrono::sys_days before) override;

private:
    template<class Job>
    auto writing(Job job) -> result<decltype(job())> {
        return sql::in_transaction(*on_, sql::access::write, std::move(job), [] {}, [this] { forget(); });
    }
    template<class Job>
    auto reading(Job job) -> result<decltype(job())> {
        return sql::in_transaction(*on_, sql::access::read, std::move(job));
    }
    /// What was written so far survives a power cut from now on.
    template<class T>
    result<T> synced(result<T> done) {
        if (done)
            if (const auto problem = sync())
                return std::unexpected(*problem);
        return done;
    }
    std::optional<store_error> sync();
    /// For leases: the database's clock where machines share one.
    std::int64_t lease_clock(base::utc_seconds now);
    void grow(std::string_view figure, std::int64_t by);

    // results_adding.cpp
    struct counting { ///< a row of sent_result on its way: all results of the batch that belong to it
        std::int64_t day = 0, policy = 0, list = 0;
        std::string domain, base;
        std::uint64_t success = 0, failure = 0;
        const model::counted_result* from = nullptr;
        std::vector<const model::counted_result*> with_faults;
        std::string_view record; ///< the latest that was seen
        auto key() const { return std::tie(day, domain, policy); }
    };
    void owe(const std::vector<counting>& rows, std::chrono::seconds spread);
    static std::vector<counting> rows_of(std::span<const model::counted_result> results);
    void number_policies(std::vector<counting>& rows);
    static void merge(std::vector<counting>& rows);
    void count(std::span<counting> rows, std::size_t faults);
    void saw_records(std::span<const counting> rows);
    void forget() { policies_.clear(); }
    // results_faults.cpp
    void count_faults(std::span<counting* const> rows, std::size_t bound);
    std::vector<std::uint64_t> open_lists(std::span<counting* const> rows);
    void put_fault(std::int64_t list, std::string_view key, const model::session_fault& what,
                   std::uint64_t count);
    // results_reading.cpp
    struct filing { ///< one that is ours, with what no report holds yet
        const model::due_report* due = nullptr;
        std::size_t which = 0; ///< of those asked for
        std::vector<model::counted_result> results;
        std::int64_t part = 0, number = 0;
    };
    static std::string select_results(model::report_audience audience, bool one_domain, bool reported);
    void read_faults(std::span<const std::pair<model::counted_result*, std::int64_t>> lists);
    void read_unreported(std::span<filing> all);
    // results_filing.cpp
    std::vector<filing> hold(std::span<const model::due_report> all);
    void settle(std::span<const filing> all);
    // results_outbox.cpp
    void put_into_outbox(std::span<model::outgoing_report> made);
    void load(std::vector<model::outgoing_report>& reports);
    void count_try(const model::outgoing_delivery& now);
    // results_expiring.cpp
    bool expire_owed(std::chrono::sys_days before);
    bool expire_results(std::chrono::sys_days before);
    bool expire_outbox(std::chrono::sys_days before);

    std::unique_ptr<sql::connection> on_;
    bool shared_;
    base::hash_key secret_;
    struct known_policy {
        std::int64_t id = 0, last_day = 0;
    };
    std::unordered_map<std::string, known_policy> policies_; ///< by hash; of no day before horizon_
    std::int64_t horizon_ = 0;
};

} // namespace mailtight::store
