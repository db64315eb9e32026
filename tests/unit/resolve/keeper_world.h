// SPDX-License-Identifier: Apache-2.0
// Databases for the keeper's tests: real ones of both engines, and one that fails, hangs and counts as told.
#pragma once

#include "resolve/keeper.h"
#include "support/policies.h"
#include "support/postgres.h"
#include "support/scratch.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <condition_variable>
#include <map>
#include <mutex>
#include <set>

namespace mailtight::resolve {

using namespace std::chrono_literals;

struct keeper_clock final : base::clock {
    base::utc_seconds now() const override { return tests::at(5'000); }
};

/// A database of its own, gone at the end.
class real_database {
public:
    explicit real_database(bool postgres) {
        if (postgres)
            name_ = tests::private_postgres::create_database();
    }
    ~real_database() {
        if (!name_.empty())
            tests::private_postgres::drop_database(name_);
    }
    real_database(const real_database&) = delete;
    real_database& operator=(const real_database&) = delete;

    store::open_options options() const {
        return {.where = name_.empty() ? (folder_.path() / "store.db").string()
                                       : tests::private_postgres::where(name_),
                .wait_for_lock = 60'000ms};
    }
    std::unique_ptr<store::policy_store> open() const {
        auto opened = store::open_policies(options());
        if (!opened)
            throw std::runtime_error(opened.error().message);
        return std::move(*opened);
    }
    /// PostgreSQL: nobody gets in, and who is in is thrown out.
    void shut() const {
        tests::private_postgres::run("alter database " + name_ + " allow_connections false");
        tests::private_postgres::run(
            "select pg_terminate_backend(pid) from pg_stat_activity where datname = '" + name_ + "'");
    }
    void reopen() const {
        tests::private_postgres::run("alter database " + name_ + " allow_connections true");
    }

private:
    tests::scratch_folder folder_;
    std::string name_;
};

/// What a fake_store does, and what it was asked; from any thread.
struct fake_control {
    std::mutex guard;
    std::condition_variable moved;
    std::optional<store::store_error> error; ///< of every call, while set
    bool hold = false;                       ///< calls that write wait while set
    std::set<std::string> refused;           ///< domains that a group must not hold
    std::vector<std::size_t> groups;         ///< policies of each put()
    std::map<std::string, model::kept_policy> rows;
    std::vector<std::string> removed;
    int inside = 0, syncs = 0;

    void set_hold(bool yes) {
        const std::lock_guard held(guard);
        hold = yes;
        moved.notify_all();
    }
    void fail(std::optional<store::store_error> with) {
        const std::lock_guard held(guard);
        error = std::move(with);
    }
    std::vector<std::size_t> seen_groups() {
        const std::lock_guard held(guard);
        return groups;
    }
};

class fake_store final : public store::policy_store {
public:
    explicit fake_store(std::shared_ptr<fake_control> by)
        : by_(std::move(by)) {}
    store::result<void> put(std::span<const model::kept_policy> policies) override {
        std::unique_lock held(by_->guard);
        ++by_->inside;
        by_->moved.notify_all();
        by_->moved.wait(held, [this] { return !by_->hold; });
        --by_->inside;
        if (by_->error)
            return std::unexpected(*by_->error);
        for (const auto& each : policies)
            if (by_->refused.contains(each.domain))
                return std::unexpected(
                    store::store_error{.what = store::store_error::kind::wrong, .message = "refused"});
        if (!policies.empty())
            by_->groups.push_back(policies.size());
        for (const auto& each : policies)
            by_->rows[each.domain] = each;
        return {};
    }
    store::result<void> remove(std::span<const std::string> domains) override {
        return guarded([&] { by_->removed.insert(by_->removed.end(), domains.begin(), domains.end()); });
    }
    store::result<void> release(std::string_view, std::string_view) override {
        return guarded([] {});
    }
    store::result<void> sync() override {
        return guarded([&] { ++by_->syncs; });
    }
    store::result<std::optional<model::kept_policy>> get(std::string_view) override { return std::nullopt; }
    store::result<void> each(const std::function<bool(model::kept_policy)>&) override { return {}; }
    store::result<changes> since(std::int64_t, std::size_t) override {
        const std::lock_guard held(by_->guard);
        if (by_->error)
            return std::unexpected(*by_->error);
        return changes{};
    }
    store::result<bool> lease(std::string_view, std::string_view, std::chrono::seconds,
                              base::utc_seconds) override {
        return true;
    }
    store::result<std::uint64_t> count() override { return 0; }
    store::result<void> set_override(const model::policy_override&) override { return {}; }
    store::result<bool> remove_override(std::string_view) override { return false; }
    store::result<std::vector<model::policy_override>> overrides() override {
        return std::vector<model::policy_override>();
    }
    store::result<void> put_verdicts(std::span<const model::testing_verdict>, base::utc_seconds) override {
        return {};
    }
    store::result<std::vector<model::testing_verdict>> verdicts(std::string_view) override {
        return std::vector<model::testing_verdict>();
    }

private:
    template<class Do>
    store::result<void> guarded(Do what) {
        const std::lock_guard held(by_->guard);
        if (by_->error)
            return std::unexpected(*by_->error);
        what();
        return {};
    }
    std::shared_ptr<fake_control> by_;
};

inline const store::store_error away{.what = store::store_error::kind::unreachable, .message = "it is away"};

} // namespace mailtight::resolve
