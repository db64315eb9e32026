// SPDX-License-Identifier: Apache-2.0
// The sender's part of the database: policies, exceptions, verdicts. One interface over both engines, in the
// same database as the reports, with its own schema part. Calls block (io::worker); an object belongs to one
// thread at a time. What is written is durable when the call returns: as a SQLite commit that survives the
// end of the process at once and a power cut from the next sync() on (synchronous=NORMAL; what the reports
// write on a connection of their own is synced as ever), as a PostgreSQL commit always.
#pragma once

#include "model/sending.h"
#include "store/store.h"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace mailtight::store {

class policy_store {
public:
    virtual ~policy_store() = default;

    /// All in one transaction. Several machines write, so nothing older overwrites anything newer: of the
    /// policy held (by fetched_at), the latest fetch (by when it was tried) and the record seen (by
    /// record_at) the newer one stays, each for itself. What is the same age is taken from `policies`.
    virtual result<void> put(std::span<const model::kept_policy> policies) = 0;
    virtual result<void> remove(std::span<const std::string> domains) = 0;
    virtual result<std::optional<model::kept_policy>> get(std::string_view domain) = 0;
    /// Every row, in order of the domain; false from `take` ends it.
    virtual result<void> each(const std::function<bool(model::kept_policy)>& take) = 0;
    /// At most so many rows behind this domain, in the same order: for answers in pages. Those alone that
    /// have `contains`, in lower case, in their name.
    virtual result<std::vector<model::kept_policy>> after(std::string_view domain, std::size_t limit,
                                                          std::string_view contains = {});
    /// What any machine wrote since `mark` (0: nothing yet), and the mark for the next time. Never misses a
    /// commit; may repeat rows. At most `limit` rows, removed ones included; ask again while it is full.
    struct changes {
        std::vector<model::kept_policy> rows;
        std::vector<std::string> removed;
        std::int64_t mark = 0;
        std::int64_t exceptions = 0; ///< another number than before: an override was made or ended
    };
    virtual result<changes> since(std::int64_t mark, std::size_t limit) = 0;
    /// Among machines: true where nobody else fetches this domain just now; ours until done or `how_long` is
    /// over. With SQLite always true. Its end is by the database's clock, not by `now`.
    virtual result<bool> lease(std::string_view domain, std::string_view who, std::chrono::seconds how_long,
                               base::utc_seconds now) = 0;
    virtual result<void> release(std::string_view domain, std::string_view who) = 0;
    virtual result<std::uint64_t> count() = 0;
    /// What was written survives a power cut from now on (SQLite; PostgreSQL has seen to it at each commit).
    virtual result<void> sync() { return {}; }

    virtual result<void> set_override(const model::policy_override& value) = 0;
    virtual result<bool> remove_override(std::string_view domain) = 0; ///< whether there was one
    virtual result<std::vector<model::policy_override>> overrides() = 0;

    /// The latest verdict of (domain, mx_host, address) counts; older than `keep` are dropped on the way.
    virtual result<void> put_verdicts(std::span<const model::testing_verdict> found,
                                      base::utc_seconds keep) = 0;
    virtual result<std::vector<model::testing_verdict>> verdicts(std::string_view domain) = 0; ///< "" : all
};
/// Opens, and brings this part of the schema up to date.
result<std::unique_ptr<policy_store>> open_policies(const open_options& options);

inline constexpr std::size_t foreign_rows = 1'000'000; ///< read_foreign_cache() reads no more
/// The domains and policies in the database of another policy service (postfix-mta-sts-resolver's SQLite
/// cache), read only. Whatever the file holds: rows that are too long are left out.
struct foreign_policy {
    std::string domain, id, body_or_json;
    base::utc_seconds fetched_at{};
};
result<std::vector<foreign_policy>> read_foreign_cache(const std::string& path);

} // namespace mailtight::store
