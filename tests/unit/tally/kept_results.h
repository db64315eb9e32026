// SPDX-License-Identifier: Apache-2.0
// A result store made up in memory, which outlives who opened it, and can be away, slow, or lose the answer
// of a commit.
#pragma once

#include "store/results.h"

#include <atomic>
#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace mailtight::tests {

struct kept_results {
    std::mutex guard;
    std::vector<model::counted_result> results;
    std::map<std::string, std::int64_t> latest;
    std::map<std::string, std::map<std::string, std::string>> marks;
    std::vector<std::size_t> batches; ///< results in each
    std::size_t opened = 0, tried = 0;
    std::atomic<bool> away = false, wrong = false;
    std::atomic<int> answers_lost = 0; ///< of the next commits, which are made all the same
    std::atomic<std::chrono::milliseconds> slow{std::chrono::milliseconds(0)};

    std::uint64_t sessions() {
        const std::scoped_lock locked(guard);
        std::uint64_t sum = 0;
        for (const auto& each : results)
            sum += each.success + each.failure;
        return sum;
    }
    std::string mark(const std::string& machine, const std::string& name) {
        const std::scoped_lock locked(guard);
        return marks[machine][name];
    }
};

class memory_results final : public store::result_store {
public:
    explicit memory_results(std::shared_ptr<kept_results> in)
        : in_(std::move(in)) {}
    static store::result<std::unique_ptr<store::result_store>> open(const std::shared_ptr<kept_results>& in) {
        const std::scoped_lock locked(in->guard);
        ++in->opened;
        if (in->away)
            return std::unexpected(gone());
        return std::make_unique<memory_results>(in);
    }

    store::result<bool> add(const store::result_batch& batch, std::chrono::seconds, std::size_t) override {
        std::this_thread::sleep_for(in_->slow.load());
        const std::scoped_lock locked(in_->guard);
        ++in_->tried;
        if (in_->away)
            return std::unexpected(gone());
        if (in_->wrong)
            return std::unexpected(store::store_error{store::store_error::kind::wrong, "no such column"});
        auto& latest = in_->latest[batch.machine];
        const bool is_new = batch.number > latest;
        if (is_new) {
            latest = batch.number;
            in_->batches.push_back(batch.results.size());
            in_->results.insert(in_->results.end(), batch.results.begin(), batch.results.end());
            for (const auto& [name, value] : batch.marks)
                in_->marks[batch.machine][name] = value;
        }
        if (in_->answers_lost > 0) {
            --in_->answers_lost;
            return std::unexpected(gone());
        }
        return is_new;
    }
    store::result<std::int64_t> latest_batch(std::string_view machine) override {
        const std::scoped_lock locked(in_->guard);
        return in_->latest[std::string(machine)];
    }
    store::result<std::vector<std::pair<std::string, std::string>>> marks(std::string_view machine) override {
        const std::scoped_lock locked(in_->guard);
        if (in_->away)
            return std::unexpected(gone());
        const auto& all = in_->marks[std::string(machine)];
        return std::vector<std::pair<std::string, std::string>>(all.begin(), all.end());
    }

    // What a collector does not ask for.
    store::result<std::vector<model::counted_result>>
    results(std::chrono::sys_days, std::string_view, model::report_audience, bool, std::size_t) override {
        return unasked();
    }
    store::result<std::vector<model::due_report>> take_due(base::utc_seconds, std::string_view,
                                                           std::chrono::seconds, std::size_t,
                                                           std::optional<std::chrono::sys_days>) override {
        return unasked();
    }
    store::result<std::optional<std::int64_t>> file(const model::due_report&, const make_report&) override {
        return unasked();
    }
    store::result<void> drop_due(const model::due_report&) override { return unasked(); }
    store::result<void> postpone(const model::due_report&, base::utc_seconds) override { return unasked(); }
    store::result<void> take_back(std::string_view) override { return unasked(); }
    store::result<std::vector<model::outgoing_delivery>>
    take_deliveries(base::utc_seconds, std::string_view, std::chrono::seconds, std::size_t) override {
        return unasked();
    }
    store::result<void> tried(const model::outgoing_delivery&, bool) override { return unasked(); }
    store::result<std::optional<model::outgoing_report>> report(std::int64_t) override { return unasked(); }
    store::result<std::vector<model::outgoing_report>> outbox(const outbox_question&) override {
        return unasked();
    }
    store::result<std::optional<std::int64_t>> find_report(std::string_view) override { return unasked(); }
    store::result<sent_so_far> sent_on(std::chrono::sys_days, std::string_view, std::string_view) override {
        return unasked();
    }
    store::result<figures> figures_of(base::utc_seconds) override { return unasked(); }
    store::result<std::vector<day_sum>> day_sums(std::chrono::sys_days, std::chrono::sys_days) override {
        return unasked();
    }
    store::result<std::vector<fault_sum>> fault_sums(std::chrono::sys_days, std::size_t) override {
        return unasked();
    }
    store::result<void> suppress(const store::suppressed_address&) override { return unasked(); }
    store::result<bool> allow_again(std::string_view) override { return unasked(); }
    store::result<std::vector<store::suppressed_address>> suppressed() override { return unasked(); }
    store::result<bool> expire(std::chrono::sys_days) override { return unasked(); }

private:
    static store::store_error gone() { return {store::store_error::kind::unreachable, "connection refused"}; }
    static std::unexpected<store::store_error> unasked() {
        return std::unexpected(store::store_error{store::store_error::kind::wrong, "nobody asks for that"});
    }
    std::shared_ptr<kept_results> in_;
};

} // namespace mailtight::tests
