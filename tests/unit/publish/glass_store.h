// SPDX-License-Identifier: Apache-2.0
// A database behind a pane of glass, where a process dies: before a call, or between its commit and its
// answer. And the count of everything that happens, shared with the made-up world outside.
#pragma once

#include "store/domains.h"

#include <atomic>
#include <string>
#include <utility>
#include <vector>

namespace mailtight::tests {

/// One life of a process. From any thread.
struct mortal {
    std::atomic<int> steps = 0, die_at = 0; ///< 0: never
    std::atomic<bool> dead = false;
    /// One more thing happens; false where the process died at it, or before.
    bool step() {
        if (!dead && ++steps == die_at)
            dead = true;
        return !dead;
    }
};

class glass_store final : public store::domain_store {
public:
    glass_store(store::domain_store& behind, mortal& by)
        : behind_(behind)
        , by_(by) {}

    store::result<saved> save(const model::looked_after& value, std::string_view who, std::string_view why,
                              base::utc_seconds now) override {
        return through<saved>([&] { return behind_.save(value, who, why, now); });
    }
    store::result<std::size_t> add_all(std::span<const model::looked_after> values, std::string_view who,
                                       base::utc_seconds now) override {
        return through<std::size_t>([&] { return behind_.add_all(values, who, now); });
    }
    store::result<std::optional<model::looked_after>> find(std::string_view domain) override {
        return reads<std::optional<model::looked_after>>([&] { return behind_.find(domain); });
    }
    store::result<std::vector<model::looked_after>> list(const store::domain_question& which) override {
        return reads<std::vector<model::looked_after>>([&] { return behind_.list(which); });
    }
    store::result<std::uint64_t> count(const std::optional<std::string>& owner) override {
        return reads<std::uint64_t>([&] { return behind_.count(owner); });
    }
    store::result<saved> remove(std::string_view domain, std::string_view who, std::string_view why,
                                base::utc_seconds now) override {
        return through<saved>([&] { return behind_.remove(domain, who, why, now); });
    }
    store::result<void> set_mark(std::string_view domain, std::string_view name,
                                 const model::mark& value) override {
        return through<void>([&] { return behind_.set_mark(domain, name, value); });
    }
    store::result<void> clear_mark(std::string_view domain, std::string_view name) override {
        return through<void>([&] { return behind_.clear_mark(domain, name); });
    }
    store::result<std::vector<model::change_entry>> changes(std::string_view domain, std::int64_t before,
                                                            std::size_t limit) override {
        return reads<std::vector<model::change_entry>>(
            [&] { return behind_.changes(domain, before, limit); });
    }
    store::result<void> log_change(const model::change_entry& entry) override {
        return through<void>([&] { return behind_.log_change(entry); });
    }
    store::result<bool> publish(const model::publication& value, const store::lease& held,
                                std::string_view who, std::chrono::seconds lag) override {
        return through<bool>([&] { return behind_.publish(value, held, who, lag); });
    }
    store::result<std::optional<model::publication>> published(std::string_view domain) override {
        return reads<std::optional<model::publication>>([&] { return behind_.published(domain); });
    }
    store::result<std::vector<model::publication>> published_after(std::int64_t change,
                                                                   std::size_t limit) override {
        return reads<std::vector<model::publication>>([&] { return behind_.published_after(change, limit); });
    }
    store::result<void> seen_served(std::string_view domain, std::string_view body, std::string_view id,
                                    bool ours, base::utc_seconds at) override {
        return through<void>([&] { return behind_.seen_served(domain, body, id, ours, at); });
    }
    store::result<void> seen_gone(std::string_view domain, base::utc_seconds at) override {
        return through<void>([&] { return behind_.seen_gone(domain, at); });
    }
    store::result<std::vector<model::served_policy>> served(std::string_view domain) override {
        return reads<std::vector<model::served_policy>>([&] { return behind_.served(domain); });
    }
    store::result<void> plan_work(std::string_view kind, std::string_view domain,
                                  base::utc_seconds at) override {
        return through<void>([&] { return behind_.plan_work(kind, domain, at); });
    }
    store::result<void> plan_all(std::string_view kind,
                                 std::span<const std::pair<std::string, base::utc_seconds>> at) override {
        return through<void>([&] { return behind_.plan_all(kind, at); });
    }
    store::result<std::vector<store::due_work>> take_work(std::string_view kind, base::utc_seconds now,
                                                          std::string_view who, std::chrono::seconds how_long,
                                                          std::size_t limit,
                                                          store::work_order order) override {
        using all = std::vector<store::due_work>;
        if (!behind_.waiting_work(kind, now).value_or(1)) // a look in vain is no step of anybody's way
            return reads<all>([] { return all(); });
        return through<all>([&] { return behind_.take_work(kind, now, who, how_long, limit, order); });
    }
    store::result<bool> done_work(const store::due_work& work,
                                  std::optional<base::utc_seconds> again) override {
        return through<bool>([&] { return behind_.done_work(work, again); });
    }
    store::result<bool> keep_work(const store::due_work& work, base::utc_seconds now,
                                  std::chrono::seconds how_long) override {
        return through<bool>([&] { return behind_.keep_work(work, now, how_long); });
    }
    store::result<std::optional<store::due_work>> work(std::string_view kind,
                                                       std::string_view domain) override {
        return reads<std::optional<store::due_work>>([&] { return behind_.work(kind, domain); });
    }
    store::result<std::vector<store::due_work>> noted_work(std::string_view kind, std::string_view after,
                                                           std::size_t limit) override {
        return reads<std::vector<store::due_work>>([&] { return behind_.noted_work(kind, after, limit); });
    }
    store::result<std::uint64_t> waiting_work(std::string_view kind, base::utc_seconds now) override {
        return reads<std::uint64_t>([&] { return behind_.waiting_work(kind, now); });
    }
    store::result<std::optional<store::lease>> take_lease(std::string_view what, std::string_view who,
                                                          std::chrono::seconds how_long) override {
        return through<std::optional<store::lease>>([&] { return behind_.take_lease(what, who, how_long); });
    }
    store::result<bool> renew_lease(const store::lease& held, std::chrono::seconds how_long) override {
        return through<bool>([&] { return behind_.renew_lease(held, how_long); });
    }
    store::result<void> release_lease(const store::lease& held) override {
        return through<void>([&] { return behind_.release_lease(held); });
    }
    store::result<void> take_back(std::string_view who) override {
        return through<void>([&] { return behind_.take_back(who); });
    }
    store::result<bool> save_certificate(const store::kept_certificate& value, std::int64_t fence) override {
        return through<bool>([&] { return behind_.save_certificate(value, fence); });
    }
    store::result<void> prove_certificate(std::string_view name, base::utc_seconds not_after) override {
        return through<void>([&] { return behind_.prove_certificate(name, not_after); });
    }
    store::result<bool> reject_certificate(std::string_view name, base::utc_seconds not_after,
                                           base::utc_seconds now) override {
        return through<bool>([&] { return behind_.reject_certificate(name, not_after, now); });
    }
    store::result<void> remove_certificate(std::string_view name) override {
        return through<void>([&] { return behind_.remove_certificate(name); });
    }
    store::result<std::vector<store::kept_certificate>> certificates_after(std::int64_t change,
                                                                           std::size_t limit) override {
        return reads<std::vector<store::kept_certificate>>(
            [&] { return behind_.certificates_after(change, limit); });
    }
    store::result<std::optional<store::kept_certificate>> certificate(std::string_view name) override {
        return reads<std::optional<store::kept_certificate>>([&] { return behind_.certificate(name); });
    }
    store::result<void> put_challenge(const store::challenge_answer& value) override {
        return through<void>([&] { return behind_.put_challenge(value); });
    }
    store::result<void> drop_challenge(std::string_view kind, std::string_view key) override {
        return through<void>([&] { return behind_.drop_challenge(kind, key); });
    }
    store::result<std::vector<store::challenge_answer>> challenges(base::utc_seconds now) override {
        return reads<std::vector<store::challenge_answer>>([&] { return behind_.challenges(now); });
    }
    store::result<void> put_secret(std::string_view name, std::string_view sealed) override {
        return through<void>([&] { return behind_.put_secret(name, sealed); });
    }
    store::result<std::optional<std::string>> secret(std::string_view name) override {
        return reads<std::optional<std::string>>([&] { return behind_.secret(name); });
    }
    store::result<std::vector<std::pair<std::string, std::string>>>
    secrets(std::string_view prefix) override {
        return reads<std::vector<std::pair<std::string, std::string>>>(
            [&] { return behind_.secrets(prefix); });
    }
    store::result<std::chrono::seconds> take_tokens(std::string_view bucket, std::uint64_t tokens,
                                                    std::uint64_t per_hour, std::uint64_t most,
                                                    base::utc_seconds now) override {
        return through<std::chrono::seconds>(
            [&] { return behind_.take_tokens(bucket, tokens, per_hour, most, now); });
    }
    store::result<bool> watched(const model::watched_state& now) override {
        return through<bool>([&] { return behind_.watched(now); });
    }
    store::result<std::vector<model::watched_state>> history(std::string_view domain,
                                                             std::size_t limit) override {
        return reads<std::vector<model::watched_state>>([&] { return behind_.history(domain, limit); });
    }
    store::result<std::vector<model::watched_state>>
    latest_states(const store::domain_question& which) override {
        return reads<std::vector<model::watched_state>>([&] { return behind_.latest_states(which); });
    }
    store::result<void> count_fetches(std::span<const model::policy_fetches> batch) override {
        return through<void>([&] { return behind_.count_fetches(batch); });
    }
    store::result<std::vector<model::policy_fetches>> fetches(std::string_view domain,
                                                              std::chrono::sys_days since) override {
        return reads<std::vector<model::policy_fetches>>([&] { return behind_.fetches(domain, since); });
    }
    store::result<bool> expire(base::utc_seconds before) override {
        return through<bool>([&] { return behind_.expire(before); });
    }

private:
    static store::store_error gone() {
        return {.what = store::store_error::kind::unreachable, .message = "it is away"};
    }
    template<class T, class Call>
    store::result<T> through(Call call) {
        if (!by_.step())
            return std::unexpected(gone());
        auto done = call();
        if (!by_.step()) // committed, and nobody hears of it
            return std::unexpected(gone());
        return done;
    }
    /// Nothing depends on when in a question a process dies.
    template<class T, class Call>
    store::result<T> reads(Call call) {
        if (by_.dead)
            return std::unexpected(gone());
        return call();
    }
    store::domain_store& behind_;
    mortal& by_;
};

} // namespace mailtight::tests
