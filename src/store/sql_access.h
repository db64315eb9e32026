// SPDX-License-Identifier: Apache-2.0
// Who may ask, over any engine. access.cpp keeps tokens and people, access_sessions.cpp sessions, links and
// the audit log, access_allowed.cpp the names that tenants may add. One thread at a time; no exception leaves
// it.
#pragma once

#include "store/access.h"
#include "store/sql.h"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mailtight::store {

/// Why this cannot be kept; nothing where it can. What comes here was checked by who asked: these keep faults
/// of ours out, above all a secret where its digest belongs.
std::optional<store_error> refused_digest(std::string_view digest);
std::optional<store_error> refused_grant(const granted& to);

class sql_access final : public access_store {
public:
    /// The schema has to be current.
    explicit sql_access(std::unique_ptr<sql::connection> on)
        : on_(std::move(on)) {}

    result<bool> add_token(const access_token& value) override;
    result<std::optional<access_token>> token(std::string_view digest) override;
    result<std::vector<access_token>> tokens() override;
    result<bool> remove_token(std::string_view name) override;
    result<std::optional<access_user>> put_user(const access_user& value) override;
    result<bool> add_user(const access_user& value) override;
    result<std::optional<access_user>> set_password(std::string_view name, std::string_view encoded) override;
    result<std::optional<access_user>> user(std::string_view name) override;
    result<std::vector<access_user>> users() override;
    result<bool> remove_user(std::string_view name) override;

    result<bool> add_session(const access_session& value) override;
    result<std::optional<access_session>> session(std::string_view digest) override;
    result<void> end_session(std::string_view digest) override;
    result<std::uint64_t> end_sessions(std::string_view from) override;
    result<std::uint64_t> sessions(base::utc_seconds now) override;
    result<void> used(std::string_view kind, std::string_view key, base::utc_seconds at) override;
    result<void> add_link(std::string_view digest, const granted& to, base::utc_seconds until) override;
    result<bool> add_link_of(std::string_view digest, std::string_view person,
                             base::utc_seconds until) override;
    result<std::optional<used_link>> use_link(std::string_view digest, base::utc_seconds now) override;
    result<void> log_audit(const audit_entry& entry) override;
    result<void> log_audit_all(std::span<const audit_entry> entries) override;
    result<std::vector<audit_entry>> audit(std::int64_t before, std::size_t limit) override;
    result<std::string> shared_key(std::string_view name, std::string_view fresh) override;
    result<std::size_t> allow_names(std::string_view owner, std::span<const std::string> names,
                                    base::utc_seconds now) override;
    result<std::size_t> disallow_names(std::string_view owner, std::span<const std::string> names) override;
    result<std::vector<allowed_name>> allowed_names(const std::optional<std::string>& owner,
                                                    const allowed_name& after, std::size_t limit) override;
    result<name_right> right_to(std::string_view owner, std::string_view domain) override;
    result<bool> expire_access(base::utc_seconds now, base::utc_seconds audit_before) override;

private:
    template<class Job>
    auto writing(Job job, sql::access how = sql::access::write) -> result<decltype(job())> {
        return sql::in_transaction(*on_, how, std::move(job));
    }
    template<class Job>
    auto reading(Job job) -> result<decltype(job())> {
        return sql::in_transaction(*on_, sql::access::read, std::move(job));
    }
    /// Whether what the session came from is still what it was; its row is ours then.
    bool still_holds(const access_session& session);
    void end_all_of(std::string_view origin); ///< sessions and links
    /// Inside a transaction; `locked`: their row is ours.
    std::optional<access_user> find_user(std::string_view name, bool locked);

    std::unique_ptr<sql::connection> on_;
};

} // namespace mailtight::store
