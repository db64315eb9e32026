// SPDX-License-Identifier: Apache-2.0
// The outbox as the API and the daemon's own figures ask for it: questions to the store on a thread of its
// own, opened when the first one comes and again after it failed.
#pragma once

#include "api/context.h"
#include "app/reporting.h"
#include "io/worker.h"

#include <functional>
#include <memory>
#include <string>

namespace mailtight::app {

class results_desk final : public api::outbox {
public:
    /// `days`: the clock that decides which days are over.
    results_desk(io::loop& on, const base::clock& days, open_results_fn open);

    io::task<store::result<std::vector<model::outgoing_report>>>
    list(store::result_store::outbox_question which) override;
    io::task<store::result<std::optional<model::outgoing_report>>> report(std::int64_t number) override;
    io::task<store::result<std::vector<store::suppressed_address>>> suppressed() override;
    io::task<store::result<void>> suppress(store::suppressed_address value) override;
    io::task<store::result<bool>> allow_again(std::string who) override;
    bool sends() const override { return sender_ != nullptr; }
    base::utc_seconds now() const override { return days_.now(); }
    io::task<store::result<deliver::sender::day_result>> send_day(std::chrono::sys_days day) override;

    void set_sender(deliver::sender* to) { sender_ = to; }
    /// Drops what is older; for who collects without delivering.
    io::task<store::result<bool>> expire(std::chrono::sys_days before);

private:
    template<class T>
    io::task<store::result<T>> ask(std::function<store::result<T>(store::result_store&)> question);

    const base::clock& days_;
    open_results_fn open_;
    deliver::sender* sender_ = nullptr;
    std::unique_ptr<store::result_store> store_; ///< the worker's
    io::worker worker_;
};

} // namespace mailtight::app
