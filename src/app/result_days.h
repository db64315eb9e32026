// SPDX-License-Identifier: Apache-2.0
// Results collected, summed up for a page. A day of a large provider is hundreds of thousands of rows, so
// days that are over are summed once in a while, and the running ones every few minutes. Lives on the loop;
// the store is asked on a thread of its own. Errors are those of the store.
#pragma once

#include "app/reporting.h"
#include "io/worker.h"
#include "store/results.h"

#include <chrono>
#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <vector>

namespace mailtight::app {

class result_days {
public:
    static constexpr int days_shown = 30, days_of_faults = 2;
    static constexpr std::size_t faults_shown = 50;
    static constexpr std::chrono::minutes lasts{2};
    static constexpr std::chrono::hours past_lasts{6};

    result_days(io::loop& on, open_results_fn open);

    struct seen {
        std::vector<store::result_store::day_sum> days;       ///< oldest first; none is missing
        std::vector<store::result_store::fault_sum> failures; ///< of today and yesterday, most first
        store::result_store::figures outbox;
    };
    io::task<store::result<seen>> see(base::utc_seconds now);

private:
    struct side { ///< of the thread
        open_results_fn open;
        std::unique_ptr<store::result_store> store;
        std::map<std::chrono::sys_days, store::result_store::day_sum> kept;
        std::optional<base::utc_seconds> past_summed, summed;
        std::chrono::sys_days first;
        std::vector<store::result_store::fault_sum> failures;
        store::result<seen> look(base::utc_seconds now);
        store::result<seen> sum(base::utc_seconds now);
    };
    std::shared_ptr<side> side_;
    io::worker thread_;
};

} // namespace mailtight::app
