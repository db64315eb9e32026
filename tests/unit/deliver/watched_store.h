// SPDX-License-Identifier: Apache-2.0
// The real store behind a pane of glass: it counts what the sender asks, can be away, and is where a process
// dies, before a call or between its commit and its answer.
#pragma once

#include "store/results.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <set>
#include <string>
#include <vector>

namespace mailtight::tests {

/// From any thread.
struct watch_state {
    std::atomic<int> empty_looks = 0; ///< for what is due, since something was found
    std::atomic<bool> away = false;
    std::atomic<int> opened = 0, taken_back = 0;
    std::atomic<int> steps = 0, die_at = 0; ///< 0: never
    std::atomic<bool> dead = false;

    /// One more thing happens; false where the process died at it, or before.
    bool step() {
        if (!dead && ++steps == die_at)
            dead = true;
        return !dead;
    }
    void live_again() {
        dead = false;
        steps = die_at = 0;
    }
    void record(const model::outgoing_delivery& sent) {
        const std::scoped_lock held(guard_);
        sent_.insert(sent.address.empty() ? sent.uri : sent.address);
    }
    bool recorded(const std::string& where) {
        const std::scoped_lock held(guard_);
        return once_only && sent_.contains(where);
    }
    bool once_only = false;           ///< each address belongs to one report alone
    std::string poison;               ///< the engine refuses to file this domain's report
    std::vector<std::size_t> filings; ///< how many reports were filed at once; of the sender's thread

private:
    std::mutex guard_;
    std::set<std::string> sent_;
};

class watched_store final : public store::result_store {
public:
    watched_store(std::unique_ptr<store::result_store> behind, watch_state& by)
        : behind_(std::move(behind))
        , by_(by) {
        ++by_.opened;
    }
    store::result<bool> add(const store::result_batch& batch, std::chrono::seconds spread,
                            std::size_t faults) override {
        return through<bool>([&] { return behind_->add(batch, spread, faults); });
    }
    store::result<std::int64_t> latest_batch(std::string_view machine) override {
        return through<std::int64_t>([&] { return behind_->latest_batch(machine); });
    }
    store::result<std::vector<std::pair<std::string, std::string>>> marks(std::string_view machine) override {
        return through<std::vector<std::pair<std::string, std::string>>>(
            [&] { return behind_->marks(machine); });
    }
    store::result<std::vector<model::counted_result>> results(std::chrono::sys_days day,
                                                              std::string_view domain,
                                                              model::report_audience audience, bool reported,
                                                              std::size_t limit) override {
        return through<std::vector<model::counted_result>>(
            [&] { return behind_->results(day, domain, audience, reported, limit); });
    }
    store::result<std::vector<model::due_report>>
    take_due(base::utc_seconds now, std::string_view who, std::chrono::seconds how_long, std::size_t limit,
             std::optional<std::chrono::sys_days> day) override {
        return noted(through<std::vector<model::due_report>>(
            [&] { return behind_->take_due(now, who, how_long, limit, day); }));
    }
    store::result<std::optional<std::int64_t>> file(const model::due_report& due,
                                                    const make_report& make) override {
        return through<std::optional<std::int64_t>>([&] { return behind_->file(due, make); });
    }
    store::result<std::vector<std::optional<std::int64_t>>> file_all(std::span<const model::due_report> all,
                                                                     const make_each& make) override {
        by_.filings.push_back(all.size());
        return through<std::vector<std::optional<std::int64_t>>>([&] {
            const auto poison = std::ranges::find(all, by_.poison, &model::due_report::domain);
            return poison == all.end() ? behind_->file_all(all, make)
                                       : store::result<std::vector<std::optional<std::int64_t>>>(refused());
        });
    }
    store::result<void> drop_due(const model::due_report& due) override {
        return through<void>([&] { return behind_->drop_due(due); });
    }
    store::result<void> drop_all(std::span<const model::due_report> all) override {
        return through<void>([&] { return behind_->drop_all(all); });
    }
    store::result<void> take_back(std::string_view who) override {
        ++by_.taken_back;
        return through<void>([&] { return behind_->take_back(who); });
    }
    store::result<void> postpone(const model::due_report& due, base::utc_seconds until) override {
        return through<void>([&] { return behind_->postpone(due, until); });
    }
    store::result<std::vector<model::outgoing_delivery>> take_deliveries(base::utc_seconds now,
                                                                         std::string_view who,
                                                                         std::chrono::seconds how_long,
                                                                         std::size_t limit) override {
        return noted(through<std::vector<model::outgoing_delivery>>(
            [&] { return behind_->take_deliveries(now, who, how_long, limit); }));
    }
    store::result<void> tried(const model::outgoing_delivery& now, bool skip_others) override {
        return through<void>([&] {
            auto written = behind_->tried(now, skip_others);
            if (written && now.state == model::delivery_state::sent)
                by_.record(now);
            return written;
        });
    }
    store::result<std::optional<model::outgoing_report>> report(std::int64_t number) override {
        return through<std::optional<model::outgoing_report>>([&] { return behind_->report(number); });
    }
    store::result<std::vector<model::outgoing_report>> outbox(const outbox_question& which) override {
        return through<std::vector<model::outgoing_report>>([&] { return behind_->outbox(which); });
    }
    store::result<std::optional<std::int64_t>> find_report(std::string_view report_id) override {
        return through<std::optional<std::int64_t>>([&] { return behind_->find_report(report_id); });
    }
    store::result<sent_so_far> sent_on(std::chrono::sys_days day, std::string_view address,
                                       std::string_view host) override {
        return through<sent_so_far>([&] { return behind_->sent_on(day, address, host); });
    }
    store::result<figures> figures_of(base::utc_seconds now) override {
        return through<figures>([&] { return behind_->figures_of(now); }, false);
    }
    store::result<std::vector<day_sum>> day_sums(std::chrono::sys_days since,
                                                 std::chrono::sys_days until) override {
        return through<std::vector<day_sum>>([&] { return behind_->day_sums(since, until); }, false);
    }
    store::result<std::vector<fault_sum>> fault_sums(std::chrono::sys_days since,
                                                     std::size_t limit) override {
        return through<std::vector<fault_sum>>([&] { return behind_->fault_sums(since, limit); }, false);
    }
    store::result<void> suppress(const store::suppressed_address& value) override {
        return through<void>([&] { return behind_->suppress(value); });
    }
    store::result<bool> allow_again(std::string_view who) override {
        return through<bool>([&] { return behind_->allow_again(who); });
    }
    store::result<std::vector<store::suppressed_address>> suppressed() override {
        return through<std::vector<store::suppressed_address>>([&] { return behind_->suppressed(); });
    }
    store::result<bool> expire(std::chrono::sys_days before) override {
        return through<bool>([&] { return behind_->expire(before); }, false);
    }

private:
    /// `counts`: one of the steps of a report's way.
    template<class T, class Call>
    store::result<T> through(Call call, bool counts = true) {
        const store::store_error gone{.what = store::store_error::kind::unreachable, .message = "it is away"};
        if (by_.away || by_.dead || (counts && !by_.step()))
            return std::unexpected(gone);
        auto done = call();
        if (by_.dead || (counts && !by_.step())) // committed, and nobody hears of it
            return std::unexpected(gone);
        return done;
    }
    template<class Rows>
    store::result<Rows> noted(store::result<Rows> got) {
        if (got)
            by_.empty_looks = got->empty() ? by_.empty_looks + 1 : 0;
        return got;
    }
    static std::unexpected<store::store_error> refused() {
        return std::unexpected(
            store::store_error{.what = store::store_error::kind::wrong, .message = "cannot be written"});
    }
    std::unique_ptr<store::result_store> behind_;
    watch_state& by_;
};

} // namespace mailtight::tests
