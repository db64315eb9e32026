// SPDX-License-Identifier: Apache-2.0
#include "api/overview_memory.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace mailtight::api {

namespace {

using namespace std::chrono_literals;
using store::result;

constexpr std::size_t page = 1'000, shown_page = 5'000;
/// Numbers of machines that share a database become visible out of order, but not by more than this.
constexpr std::size_t log_read = 200;
constexpr std::int64_t reports_back = 64;
constexpr int report_rounds = 2;
constexpr std::size_t changed_most = 2'000; ///< of more everything is read
constexpr auto whole_again = 60s;
constexpr int whole_share = 100; ///< readings of everything take at most this part of the time

/// Rows of days, which come in the order of their domains, cut into series. Calls `take` for each domain.
template<class Take>
void each_series(std::span<const store::day_row> days, std::chrono::sys_days first, Take take) {
    for (auto at = days.begin(); at != days.end();) {
        const auto& domain = at->domain;
        day_series series(overview_days);
        const auto* const begin = &*at;
        for (; at != days.end() && at->domain == domain; ++at) {
            const auto i = (at->day - first).count();
            if (i >= 0 && i < static_cast<std::int64_t>(overview_days))
                series[static_cast<std::size_t>(i)] = {at->success, at->failure};
        }
        take(begin->domain, std::move(series));
    }
}

} // namespace

void overview_memory::put(overview_row fresh) {
    auto made = std::make_shared<const overview_row>(std::move(fresh));
    if (const auto found = rows_.find(made->domain); found != rows_.end())
        rows_.erase(found);
    rows_.insert(std::move(made));
    changed_ = true;
    ++counts_.rows;
}

result<std::shared_ptr<const overview_rows>> overview_memory::refresh(store::domain_store& domains,
                                                                      store::store* reports,
                                                                      std::chrono::sys_days today,
                                                                      bool whole_may) {
    const auto first = today - std::chrono::days(overview_days - 1);
    const auto begun = std::chrono::steady_clock::now();
    const bool never = whole_due_ == std::chrono::steady_clock::time_point{};
    if (first != first_day_ || never || (whole_may && begun >= whole_due_)) {
        first_day_ = first;
        if (auto done = read_whole(domains, reports); !done) {
            forget();
            return std::unexpected(done.error());
        }
        const auto ended = std::chrono::steady_clock::now();
        whole_due_ =
            ended + std::max<std::chrono::steady_clock::duration>(whole_again, (ended - begun) * whole_share);
    } else if (auto done = read_changes(domains, reports); !done) {
        forget();
        return std::unexpected(done.error());
    }
    if (changed_) {
        given_ = std::make_shared<const overview_rows>(rows_.begin(), rows_.end());
        changed_ = false;
    }
    return given_;
}

// The marks first: what changes while the rest is read is read again by the next refresh.
result<void> overview_memory::read_whole(store::domain_store& domains, store::store* reports) {
    ++counts_.whole;
    auto log = domains.changes("", 0, log_read);
    if (!log)
        return std::unexpected(log.error());
    known_changes_.clear();
    for (const auto& each : *log)
        known_changes_.insert(each.number);
    if (reports) {
        auto mark = reports->touched_after(newest_report_);
        if (!mark)
            return std::unexpected(mark.error());
        newest_report_ = mark->newest;
        rules_ = mark->rules;
        reports_again_ = report_rounds;
    }
    std::vector<overview_row> fresh;
    for (store::domain_question which{.limit = page};;) {
        auto some = domains.list(which);
        if (!some)
            return std::unexpected(some.error());
        for (const auto& each : *some)
            fresh.push_back(make_row(each, nullptr, {}));
        if (some->size() < page)
            break;
        which.after = some->back().domain;
    }
    const auto row_of = [&fresh](const std::string& domain) -> overview_row* {
        const auto found = std::ranges::lower_bound(fresh, domain, {}, &overview_row::domain);
        return found == fresh.end() || found->domain != domain ? nullptr : &*found;
    };
    std::ranges::sort(fresh, {}, &overview_row::domain); // as bytes, whatever the database thinks
    for (shown_ = 0;;) {
        auto some = domains.shown_after(shown_, shown_page);
        if (!some)
            return std::unexpected(some.error());
        for (const auto& each : *some) {
            shown_ = std::max(shown_, each.change);
            if (auto* row = row_of(each.domain))
                *row = with_seen(std::move(*row), each);
        }
        if (some->size() < shown_page)
            break;
    }
    if (reports) {
        store::filter of;
        of.from = first_day_;
        auto days = reports->days(of);
        if (!days)
            return std::unexpected(days.error());
        each_series(*days, first_day_, [&](const std::string& domain, day_series series) {
            if (auto* row = row_of(domain))
                *row = with_days(std::move(*row), std::move(series));
        });
    }
    rows_.clear();
    for (auto& each : fresh)
        rows_.insert(rows_.end(), std::make_shared<const overview_row>(std::move(each)));
    changed_ = true;
    return {};
}

result<void> overview_memory::read_changes(store::domain_store& domains, store::store* reports) {
    const auto whole = whole_due_;
    if (auto done = read_wishes(domains, reports); !done)
        return done;
    if (whole_due_ != whole) // so many that all of it was read
        return {};
    if (auto done = read_shown(domains, reports); !done)
        return done;
    return reports ? read_reports(*reports) : result<void>{};
}

result<std::optional<overview_memory::changed_names>>
overview_memory::changed_since(store::domain_store& domains) {
    changed_names names;
    std::unordered_set<std::int64_t> newest;
    for (std::int64_t before = 0;;) {
        auto some = domains.changes("", before, log_read);
        if (!some)
            return std::unexpected(some.error());
        bool all_new = !some->empty();
        for (const auto& each : *some) {
            if (newest.size() < log_read)
                newest.insert(each.number);
            if (known_changes_.contains(each.number))
                all_new = false;
            else
                names[each.domain] |= each.what == "removed";
            before = each.number;
        }
        if (!all_new || some->size() < log_read)
            break;
        if (names.size() > changed_most)
            return std::optional<changed_names>{};
    }
    // Those before the newest stay known, so that an entry which was late is told from one that was read.
    if (known_changes_.size() > 10 * log_read)
        known_changes_ = newest;
    known_changes_.insert(newest.begin(), newest.end());
    return std::optional(std::move(names));
}

result<void> overview_memory::read_wishes(store::domain_store& domains, store::store* reports) {
    auto names = changed_since(domains);
    if (!names)
        return std::unexpected(names.error());
    if (!*names) {
        whole_due_ += 1s; // for read_changes() to see
        return read_whole(domains, reports);
    }
    for (const auto& [name, removed] : **names) {
        if (removed) // it may be back: nothing of its first life is shown
            drop(name);
        if (auto done = read_one(domains, reports, name); !done)
            return done;
    }
    return {};
}

result<void> overview_memory::read_one(store::domain_store& domains, store::store* reports,
                                       const std::string& domain) {
    auto wish = domains.find(domain);
    if (!wish)
        return std::unexpected(wish.error());
    const auto found = rows_.find(std::string_view(domain));
    if (!*wish) {
        drop(domain);
        return {};
    }
    if (found != rows_.end()) {
        put(with_wish(**found, **wish));
        return {};
    }
    put(make_row(**wish, nullptr, {}));
    return reports ? read_days(*reports, {domain}) : result<void>{};
}

result<void> overview_memory::read_shown(store::domain_store& domains, store::store* reports) {
    for (;;) {
        auto some = domains.shown_after(shown_, shown_page);
        if (!some)
            return std::unexpected(some.error());
        for (const auto& each : *some) {
            shown_ = std::max(shown_, each.change);
            auto found = rows_.find(std::string_view(each.domain));
            if (found == rows_.end()) { // added since the log was read
                if (auto done = read_one(domains, reports, each.domain); !done)
                    return done;
                found = rows_.find(std::string_view(each.domain));
            }
            if (found != rows_.end())
                put(with_seen(**found, each));
        }
        if (some->size() < shown_page)
            return {};
    }
}

result<void> overview_memory::read_reports(store::store& reports) {
    auto mark = reports.touched_after(newest_report_ - reports_back);
    if (!mark)
        return std::unexpected(mark.error());
    if (mark->rules != rules_) {
        rules_ = mark->rules;
        newest_report_ = mark->newest;
        return read_days(reports, {});
    }
    if (mark->newest != newest_report_)
        reports_again_ = report_rounds;
    newest_report_ = mark->newest;
    if (reports_again_ == 0 || mark->domains.empty())
        return {};
    --reports_again_;
    return read_days(reports, std::move(mark->domains));
}

result<void> overview_memory::read_days(store::store& reports, std::vector<std::string> of) {
    store::filter which;
    which.domains = std::move(of);
    which.from = first_day_;
    auto days = reports.days(which);
    if (!days)
        return std::unexpected(days.error());
    each_series(*days, first_day_, [this](const std::string& domain, day_series series) {
        const auto found = rows_.find(std::string_view(domain));
        if (found != rows_.end() && (*found)->series != series)
            put(with_days(**found, std::move(series)));
    });
    return {};
}

} // namespace mailtight::api
