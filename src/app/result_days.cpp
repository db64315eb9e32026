// SPDX-License-Identifier: Apache-2.0
#include "app/result_days.h"

#include <utility>

namespace mailtight::app {

using std::chrono::days;

result_days::result_days(io::loop& on, open_results_fn open)
    : side_(std::make_shared<side>())
    , thread_(on, "results") {
    side_->open = std::move(open);
}

io::task<store::result<result_days::seen>> result_days::see(base::utc_seconds now) {
    return thread_.run<store::result<seen>>([of = side_, now] { return of->look(now); });
}

store::result<result_days::seen> result_days::side::look(base::utc_seconds now) {
    if (!store) {
        auto opened = open();
        if (!opened)
            return std::unexpected(opened.error());
        store = std::move(*opened);
    }
    auto made = sum(now);
    if (!made && made.error().again())
        store.reset();
    return made;
}

store::result<result_days::seen> result_days::side::sum(base::utc_seconds now) {
    const auto today = std::chrono::floor<days>(now);
    const auto begin = today - days(days_shown - 1), running = today - days(days_of_faults - 1);
    const bool past = !past_summed || now - *past_summed >= past_lasts || first != begin;
    if (past || !summed || now - *summed >= lasts) {
        auto sums = store->day_sums(past ? begin : running, today);
        if (!sums)
            return std::unexpected(sums.error());
        auto worst = store->fault_sums(running, faults_shown);
        if (!worst)
            return std::unexpected(worst.error());
        for (const auto& each : *sums)
            kept[each.day] = each;
        std::erase_if(kept, [begin](const auto& each) { return each.first < begin; });
        failures = std::move(*worst);
        summed = now;
        first = begin;
        if (past)
            past_summed = now;
    }
    auto figures = store->figures_of(now);
    if (!figures)
        return std::unexpected(figures.error());
    seen made{.days = {}, .failures = failures, .outbox = *figures};
    for (auto day = begin; day <= today; day += std::chrono::days(1)) {
        const auto found = kept.find(day);
        made.days.push_back(found == kept.end() ? store::result_store::day_sum{.day = day} : found->second);
    }
    return made;
}

} // namespace mailtight::app
