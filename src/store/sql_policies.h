// SPDX-License-Identifier: Apache-2.0
// The sender's part of the database over any engine. policies.cpp keeps policies, exceptions.cpp what the
// operator and the probes say. One thread at a time; no exception leaves it.
#pragma once

#include "store/policies.h"
#include "store/sql.h"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace mailtight::store {

class sql_policies final : public policy_store {
public:
    /// The schema has to be current. `shared`: other machines write too.
    sql_policies(std::unique_ptr<sql::connection> on, bool shared);

    result<void> put(std::span<const model::kept_policy> policies) override;
    result<void> remove(std::span<const std::string> domains) override;
    result<std::optional<model::kept_policy>> get(std::string_view domain) override;
    result<void> each(const std::function<bool(model::kept_policy)>& take) override;
    result<std::vector<model::kept_policy>> after(std::string_view domain, std::size_t limit,
                                                  std::string_view contains) override;
    result<changes> since(std::int64_t mark, std::size_t limit) override;
    result<bool> lease(std::string_view domain, std::string_view who, std::chrono::seconds how_long,
                       base::utc_seconds now) override;
    result<void> release(std::string_view domain, std::string_view who) override;
    result<std::uint64_t> count() override;
    result<void> sync() override;

    result<void> set_override(const model::policy_override& value) override;
    result<bool> remove_override(std::string_view domain) override;
    result<std::vector<model::policy_override>> overrides() override;
    result<void> put_verdicts(std::span<const model::testing_verdict> found, base::utc_seconds keep) override;
    result<std::vector<model::testing_verdict>> verdicts(std::string_view domain) override;

private:
    template<class Job>
    auto writing(Job job) -> result<decltype(job())> {
        return sql::in_transaction(*on_, sql::access::write, std::move(job));
    }
    template<class Job>
    auto reading(Job job) -> result<decltype(job())> {
        return sql::in_transaction(*on_, sql::access::read, std::move(job));
    }
    /// So many numbers for changes, the first of them; ours alone to the end of the transaction.
    std::int64_t reserve_changes(std::size_t how_many);
    void changed_exceptions();

    std::unique_ptr<sql::connection> on_;
    bool shared_;
    std::string put_, remove_, forget_, lease_; ///< in the engine's words
};

} // namespace mailtight::store
