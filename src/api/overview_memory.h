// SPDX-License-Identifier: Apache-2.0
// The table of all domains in memory, kept up to date by reading what the databases say has changed: the log
// of changes, the numbers of what is shown, the numbers of reports. Now and then all of it is read again, for
// what no number tells. An object belongs to one thread, that of the stores; the rows that it gives are
// shared and never change. Errors are those of the stores.
#pragma once

#include "api/overview.h"
#include "store/domains.h"
#include "store/store.h"

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

namespace mailtight::api {

class overview_memory {
public:
    struct counters {
        std::uint64_t whole = 0, rows = 0; ///< readings of everything; rows replaced one by one
    };

    /// As the databases have it now; `today` ends the days that are shown. `reports` null: no report is kept.
    /// `whole_may`: everything may be read again where it is time for that, which takes longer.
    store::result<std::shared_ptr<const overview_rows>> refresh(store::domain_store& domains,
                                                                store::store* reports,
                                                                std::chrono::sys_days today,
                                                                bool whole_may = true);
    /// Everything is read by the next refresh().
    void forget() { whole_due_ = {}; }
    counters counted() const { return counts_; }

private:
    using row = std::shared_ptr<const overview_row>;
    struct by_name {
        using is_transparent = void;
        bool operator()(const row& a, const row& b) const { return a->domain < b->domain; }
        bool operator()(const row& a, std::string_view b) const { return a->domain < b; }
        bool operator()(std::string_view a, const row& b) const { return a < b->domain; }
    };

    store::result<void> read_whole(store::domain_store& domains, store::store* reports);
    store::result<void> read_changes(store::domain_store& domains, store::store* reports);
    store::result<void> read_wishes(store::domain_store& domains, store::store* reports);
    store::result<void> read_shown(store::domain_store& domains, store::store* reports);
    store::result<void> read_reports(store::store& reports);
    store::result<void> read_days(store::store& reports, std::vector<std::string> of);
    /// The log of changes since the last call: whose, and whether it was removed in between; nothing: too
    /// many.
    using changed_names = std::map<std::string, bool>;
    store::result<std::optional<changed_names>> changed_since(store::domain_store& domains);
    store::result<void> read_one(store::domain_store& domains, store::store* reports,
                                 const std::string& domain);
    void put(overview_row fresh);
    void drop(std::string_view domain);

    std::set<row, by_name> rows_;
    std::shared_ptr<const overview_rows> given_;
    bool changed_ = true;
    std::chrono::sys_days first_day_{};
    std::chrono::steady_clock::time_point whole_due_{};
    std::unordered_set<std::int64_t> known_changes_; ///< numbers of the newest entries of the log
    std::int64_t shown_ = 0, newest_report_ = 0, rules_ = 0;
    int reports_again_ = 0; ///< so many times more the newest reports are read again
    counters counts_;
};

} // namespace mailtight::api
