// SPDX-License-Identifier: Apache-2.0
// The publisher's part of the database over any engine. domains.cpp keeps what is wanted and its log,
// domains_adding.cpp many at once, domains_serving.cpp what is served and was, domains_work.cpp work and
// leases, domains_keeping.cpp certificates, answers, secrets and buckets, domains_watching.cpp what was seen,
// domain_rows.cpp the fields and their limits. One thread at a time; no exception leaves it.
#pragma once

#include "store/domains.h"
#include "store/sql.h"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace mailtight::store {

class sql_domains final : public domain_store {
public:
    /// The schema has to be current. `shared`: other machines write too.
    sql_domains(std::unique_ptr<sql::connection> on, bool shared);

    result<void> together(bool light, const std::function<void(domain_store&)>& calls) override;
    result<saved> save(const model::looked_after& value, std::string_view who, std::string_view why,
                       base::utc_seconds now) override;
    result<std::size_t> add_all(std::span<const model::looked_after> values, std::string_view who,
                                base::utc_seconds now) override;
    result<std::optional<model::looked_after>> find(std::string_view domain) override;
    result<std::vector<model::looked_after>> list(const domain_question& which) override;
    result<std::uint64_t> count(const std::optional<std::string>& owner) override;
    result<saved> remove(std::string_view domain, std::string_view who, std::string_view why,
                         base::utc_seconds now) override;
    result<left_by> last_owner(std::string_view domain) override;
    result<void> set_mark(std::string_view domain, std::string_view name, const model::mark& value) override;
    result<void> clear_mark(std::string_view domain, std::string_view name) override;
    result<std::vector<model::change_entry>> changes(std::string_view domain, std::int64_t before,
                                                     std::size_t limit) override;
    result<void> log_change(const model::change_entry& entry) override;

    result<bool> publish(const model::publication& value, const lease& held, std::string_view who,
                         std::chrono::seconds lag) override;
    result<std::optional<model::publication>> published(std::string_view domain) override;
    result<std::vector<model::publication>> published_after(std::int64_t change, std::size_t limit) override;
    result<void> seen_served(std::string_view domain, std::string_view body, std::string_view id, bool ours,
                             base::utc_seconds at) override;
    result<void> seen_gone(std::string_view domain, base::utc_seconds at) override;
    result<std::vector<model::served_policy>> served(std::string_view domain) override;

    result<void> plan_work(std::string_view kind, std::string_view domain, base::utc_seconds at) override;
    result<void> plan_all(std::string_view kind,
                          std::span<const std::pair<std::string, base::utc_seconds>> at) override;
    result<std::vector<due_work>> take_work(std::string_view kind, base::utc_seconds now,
                                            std::string_view who, std::chrono::seconds how_long,
                                            std::size_t limit, work_order order) override;
    result<bool> done_work(const due_work& work, std::optional<base::utc_seconds> again) override;
    result<std::size_t> done_all(std::span<const done_with> all) override;
    result<bool> keep_work(const due_work& work, base::utc_seconds now,
                           std::chrono::seconds how_long) override;
    result<std::optional<due_work>> work(std::string_view kind, std::string_view domain) override;
    result<std::vector<due_work>> noted_work(std::string_view kind, std::string_view after,
                                             std::size_t limit) override;
    result<std::uint64_t> waiting_work(std::string_view kind, base::utc_seconds now) override;
    result<std::optional<lease>> take_lease(std::string_view what, std::string_view who,
                                            std::chrono::seconds how_long) override;
    result<bool> renew_lease(const lease& held, std::chrono::seconds how_long) override;
    result<void> release_lease(const lease& held) override;
    result<void> take_back(std::string_view who) override;

    result<bool> save_certificate(const kept_certificate& value, std::int64_t fence) override;
    result<void> prove_certificate(std::string_view name, base::utc_seconds not_after) override;
    result<bool> reject_certificate(std::string_view name, base::utc_seconds not_after,
                                    base::utc_seconds now) override;
    result<void> remove_certificate(std::string_view name) override;
    result<std::vector<kept_certificate>> certificates_after(std::int64_t change, std::size_t limit) override;
    result<std::optional<kept_certificate>> certificate(std::string_view name) override;
    result<void> put_challenge(const challenge_answer& value) override;
    result<void> drop_challenge(std::string_view kind, std::string_view key) override;
    result<std::vector<challenge_answer>> challenges(base::utc_seconds now) override;
    result<void> put_secret(std::string_view name, std::string_view sealed) override;
    result<std::optional<std::string>> secret(std::string_view name) override;
    result<std::vector<std::pair<std::string, std::string>>> secrets(std::string_view prefix) override;
    result<std::chrono::seconds> take_tokens(std::string_view bucket, std::uint64_t tokens,
                                             std::uint64_t per_hour, std::uint64_t most,
                                             base::utc_seconds now) override;

    result<bool> watched(const model::watched_state& now) override;
    result<std::size_t> watched_all(std::span<const model::watched_state> all) override;
    result<std::vector<model::watched_state>> history(std::string_view domain, std::size_t limit) override;
    result<std::vector<model::watched_state>> latest_states(const domain_question& which) override;
    result<void> keep_look(const model::shown& seen, std::string_view document) override;
    result<void> keep_next(std::string_view domain, const std::optional<model::next_step>& next) override;
    result<std::vector<model::shown>> shown_after(std::int64_t change, std::size_t limit) override;
    result<std::optional<model::kept_look>> last_look(std::string_view domain) override;
    result<void> count_fetches(std::span<const model::policy_fetches> batch) override;
    result<std::vector<model::policy_fetches>> fetches(std::string_view domain,
                                                       std::chrono::sys_days since) override;
    result<bool> expire(base::utc_seconds before) override;

private:
    template<class Job>
    auto writing(Job job) -> result<decltype(job())> {
        return within(sql::access::write, std::move(job));
    }
    /// What is only done again where a power cut takes it.
    template<class Job>
    auto writing_lightly(Job job) -> result<decltype(job())> {
        return within(sql::access::write_light, std::move(job));
    }
    /// A fence: where others live on when the database falls, it may never be given again.
    template<class Job>
    auto writing_fence(Job job) -> result<decltype(job())> {
        return within(shared_ ? sql::access::write : sql::access::write_light, std::move(job));
    }
    template<class Job>
    auto reading(Job job) -> result<decltype(job())> {
        return within(sql::access::read, std::move(job));
    }
    /// A transaction of its own, or a part of together(): that ends with the first failure of a part.
    template<class Job>
    auto within(sql::access how, Job job) -> result<decltype(job())> {
        if (!joined_)
            return sql::in_transaction(*on_, how, std::move(job));
        if (*joined_)
            return std::unexpected((*joined_)->error);
        try {
            if constexpr (std::is_void_v<decltype(job())>) {
                job();
                return {};
            } else {
                return job();
            }
        } catch (const sql::failure& f) {
            *joined_ = f;
            return std::unexpected(f.error);
        }
    }

    // domains_adding.cpp
    std::size_t add_some(std::span<const model::looked_after* const> values, std::string_view who,
                         std::string_view why, base::utc_seconds now);
    // domains.cpp
    void append(const model::change_entry& entry);
    void insert_marks(const model::looked_after& value);
    void insert_labels(const model::looked_after& value);
    void load_marks(std::span<model::looked_after> domains);
    // domains_serving.cpp
    struct entry { ///< a row of served_policy without what does not change
        std::int64_t number = 0;
        std::string body;
        std::vector<std::string> ids;
        base::utc_seconds reached{};
        std::optional<base::utc_seconds> last_served;
    };
    void hold_log(std::string_view domain);
    std::optional<model::publication> publication_of(std::string_view domain);
    std::vector<entry> entries(std::string_view domain, std::string_view body);
    void open_entry(std::string_view domain, std::string_view body, std::string_view id, bool ours,
                    base::utc_seconds at);
    void add_id(const entry& to, std::string_view id);
    void close_entry(const entry& which, base::utc_seconds at);
    bool known_as_open(std::string_view domain, std::string_view body, std::string_view id);
    // domains_work.cpp
    std::int64_t lease_clock();
    std::int64_t lease_clock(base::utc_seconds now);
    bool holds(const lease& held);
    /// The next number of this counter, its row ours to the end of the transaction.
    std::int64_t next(std::string_view counter, std::uint64_t how_many = 1);
    /// The number to read on from.
    std::int64_t from_here(std::string_view counter, std::int64_t change);
    // domains_keeping.cpp
    bool may_save(std::string_view certificate, std::int64_t fence);
    // domains_showing.cpp
    std::optional<model::shown> shown_row(std::string_view domain);
    bool hold_domain(std::string_view domain);
    void write_shown(model::shown value);
    // domains_watching.cpp
    bool append_state(const model::watched_state& state, std::string_view digest);
    bool expire_states(base::utc_seconds before);
    bool expire_fetches(base::utc_seconds before);

    std::unique_ptr<sql::connection> on_;
    bool shared_;
    std::optional<sql::failure>* joined_ = nullptr; ///< inside together(): why it fails
};

} // namespace mailtight::store
