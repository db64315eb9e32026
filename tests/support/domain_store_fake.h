// SPDX-License-Identifier: Apache-2.0
// The publisher's database in memory: small enough to be seen to be right, so that what uses it is tested
// without an engine. The same meaning as store/domains.h; from any thread. What it does not imitate: leases
// by the database's own clock (`at` is set by the test).
#pragma once

#include "store/domains.h"
#include "support/served_log_fake.h"

#include <algorithm>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <ranges>
#include <string>
#include <utility>
#include <vector>

namespace mailtight::tests {

class domain_store_fake : public store::domain_store {
public:
    base::utc_seconds at{}; ///< the database's clock, for take_lease()
    bool away = false;      ///< every call fails

    // ---- domains looked after ----
    store::result<saved> save(const model::looked_after& value, std::string_view who, std::string_view why,
                              base::utc_seconds now) override {
        return locked<saved>([&] {
            const auto found = domains_.find(value.domain);
            if (value.revision == 0 && found != domains_.end())
                return saved::exists;
            if (value.revision != 0 && found == domains_.end())
                return saved::absent;
            if (value.revision != 0 && found->second.revision != value.revision)
                return saved::outdated;
            auto& kept = domains_[value.domain];
            const auto added = value.revision == 0 ? now : kept.added_at;
            kept = value;
            kept.added_at = added;
            kept.changed_at = now;
            ++kept.revision;
            append({.at = now,
                    .domain = value.domain,
                    .who = std::string(who),
                    .what = value.revision == 0 ? "added" : "set",
                    .why = std::string(why)});
            return saved::yes;
        });
    }
    store::result<std::size_t> add_all(std::span<const model::looked_after> values, std::string_view who,
                                       base::utc_seconds now) override {
        std::size_t added = 0;
        for (auto each : values) {
            each.revision = 0;
            const auto done = save(each, who, "", now);
            if (!done)
                return std::unexpected(done.error());
            added += *done == saved::yes ? 1 : 0;
        }
        return added;
    }
    store::result<std::optional<model::looked_after>> find(std::string_view domain) override {
        return locked<std::optional<model::looked_after>>([&] { return value_of(domains_, domain); });
    }
    store::result<std::vector<model::looked_after>> list(const store::domain_question& which) override {
        return locked<std::vector<model::looked_after>>([&] {
            std::vector<model::looked_after> out;
            for (const auto& [name, each] : domains_)
                if (fits(each, which) && out.size() < which.limit)
                    out.push_back(each);
            return out;
        });
    }
    store::result<std::uint64_t> count(const std::optional<std::string>& owner) override {
        return locked<std::uint64_t>([&] {
            return static_cast<std::uint64_t>(std::ranges::count_if(
                domains_, [&](const auto& each) { return !owner || each.second.owner == *owner; }));
        });
    }
    store::result<saved> remove(std::string_view domain, std::string_view who, std::string_view why,
                                base::utc_seconds now) override {
        return locked<saved>([&] {
            const auto found = domains_.find(domain);
            if (found == domains_.end())
                return saved::absent;
            domains_.erase(found);
            append({.at = now,
                    .domain = std::string(domain),
                    .who = std::string(who),
                    .what = "removed",
                    .why = std::string(why)});
            return saved::yes;
        });
    }
    store::result<void> set_mark(std::string_view domain, std::string_view name,
                                 const model::mark& value) override {
        return locked<void>([&] {
            if (const auto found = domains_.find(domain); found != domains_.end())
                found->second.marks.insert_or_assign(std::string(name), value);
        });
    }
    store::result<void> clear_mark(std::string_view domain, std::string_view name) override {
        return locked<void>([&] {
            if (const auto found = domains_.find(domain); found != domains_.end())
                if (const auto mark = found->second.marks.find(name); mark != found->second.marks.end())
                    found->second.marks.erase(mark);
        });
    }
    store::result<std::vector<model::change_entry>> changes(std::string_view domain, std::int64_t before,
                                                            std::size_t limit) override {
        return locked<std::vector<model::change_entry>>([&] {
            std::vector<model::change_entry> out;
            for (auto each = changes_.rbegin(); each != changes_.rend() && out.size() < limit; ++each)
                if ((domain.empty() || each->domain == domain) && (before == 0 || each->number < before))
                    out.push_back(*each);
            return out;
        });
    }
    store::result<void> log_change(const model::change_entry& entry) override {
        return locked<void>([&] { append(entry); });
    }

    // ---- what is served, and was ----
    store::result<bool> publish(const model::publication& value, const store::lease& held,
                                std::string_view who, std::chrono::seconds lag) override {
        return locked<bool>([&] {
            if (!is_held(held))
                return false;
            auto& kept = publications_[value.domain];
            const bool same = kept.domain == value.domain && kept.body == value.body;
            for (auto& each : served_.all)
                if (each.domain == value.domain && !each.last_served && !same)
                    each.last_served = value.since + lag;
            if (!same && !value.body.empty())
                served_.open_entry(value.domain, value.body, value.id, true, value.since);
            else if (auto* open = served_.open_one(value.domain, value.body); open && !value.body.empty())
                served_log::add_id(*open, value.id);
            append({.at = value.since,
                    .domain = value.domain,
                    .who = std::string(who),
                    .what = value.body.empty() ? "withdrew policy" : "served policy",
                    .from = kept.id,
                    .to = value.id});
            kept = value;
            kept.change = ++change_;
            return true;
        });
    }
    store::result<std::optional<model::publication>> published(std::string_view domain) override {
        return locked<std::optional<model::publication>>([&] { return value_of(publications_, domain); });
    }
    store::result<std::vector<model::publication>> published_after(std::int64_t change,
                                                                   std::size_t limit) override {
        return locked<std::vector<model::publication>>([&] { return after(publications_, change, limit); });
    }
    store::result<void> seen_served(std::string_view domain, std::string_view body, std::string_view id,
                                    bool ours, base::utc_seconds seen) override {
        return locked<void>([&] {
            if (auto* open = served_.open_one(domain, body)) {
                served_log::add_id(*open, id);
                return;
            }
            served_.close_others(domain, value_of(publications_, domain), seen);
            served_.open_entry(domain, body, id, ours, seen);
        });
    }
    store::result<void> seen_gone(std::string_view domain, base::utc_seconds seen) override {
        return locked<void>([&] { served_.close_others(domain, value_of(publications_, domain), seen); });
    }
    store::result<std::vector<model::served_policy>> served(std::string_view domain) override {
        return locked<std::vector<model::served_policy>>([&] {
            std::vector<model::served_policy> out;
            for (const auto& each : served_.all)
                if (each.domain == domain)
                    out.push_back(each);
            return out;
        });
    }

    // ---- work and leases ----
    store::result<void> plan_work(std::string_view kind, std::string_view domain,
                                  base::utc_seconds due) override {
        return locked<void>([&] { make_due(kind, domain, due); });
    }
    store::result<void> plan_all(std::string_view kind,
                                 std::span<const std::pair<std::string, base::utc_seconds>> all) override {
        return locked<void>([&] {
            for (const auto& [domain, due] : all)
                make_due(kind, domain, due);
        });
    }
    store::result<std::vector<store::due_work>>
    take_work(std::string_view kind, base::utc_seconds now, std::string_view who,
              std::chrono::seconds how_long, std::size_t limit,
              store::work_order order = store::work_order::oldest_first) override {
        return locked<std::vector<store::due_work>>([&] {
            auto row = [](const auto* each) { return std::pair(each->value.due_at, each->value.domain); };
            std::vector<decltype(&work_.front())> some;
            for (auto& each : work_)
                if (each.value.kind == kind && each.due && each.value.due_at <= now && free(each, now))
                    some.push_back(&each);
            std::ranges::sort(some, {}, row);
            if (order == store::work_order::newest_first)
                std::ranges::reverse(some);
            std::vector<store::due_work> out;
            for (auto* each : some)
                if (out.size() < limit)
                    out.push_back(take(*each, now, who, how_long));
            return out;
        });
    }
    store::result<bool> done_work(const store::due_work& work,
                                  std::optional<base::utc_seconds> again) override {
        return locked<bool>([&] { return end(work, again); });
    }
    store::result<bool> keep_work(const store::due_work& work, base::utc_seconds now,
                                  std::chrono::seconds how_long) override {
        return locked<bool>([&] {
            auto* each = find_work(work.kind, work.domain);
            if (!each || each->value.fence != work.fence || each->who.empty())
                return false;
            each->value.state = work.state;
            each->until = now + how_long;
            return true;
        });
    }
    store::result<std::optional<store::due_work>> work(std::string_view kind,
                                                       std::string_view domain) override {
        return locked<std::optional<store::due_work>>([&]() -> std::optional<store::due_work> {
            const auto* each = find_work(kind, domain);
            return each && each->due ? std::optional(each->value) : std::nullopt;
        });
    }
    store::result<std::vector<store::due_work>> noted_work(std::string_view kind, std::string_view after,
                                                           std::size_t limit) override {
        return locked<std::vector<store::due_work>>([&] {
            std::vector<store::due_work> out;
            for (const auto& each : work_)
                if (each.value.kind == kind && each.value.domain > after &&
                    (!each.value.state.empty() || !each.value.last_error.empty()))
                    out.push_back(each.value);
            std::ranges::sort(out, {}, &store::due_work::domain);
            if (out.size() > limit)
                out.resize(limit);
            return out;
        });
    }
    store::result<std::uint64_t> waiting_work(std::string_view kind, base::utc_seconds now) override {
        return locked<std::uint64_t>([&] {
            return static_cast<std::uint64_t>(std::ranges::count_if(work_, [&](const kept_work& each) {
                return each.value.kind == kind && each.due && each.value.due_at <= now;
            }));
        });
    }
    store::result<std::optional<store::lease>> take_lease(std::string_view what, std::string_view who,
                                                          std::chrono::seconds how_long) override {
        return locked<std::optional<store::lease>>([&]() -> std::optional<store::lease> {
            auto& kept = of_lease(what);
            if (!free(kept, at))
                return std::nullopt;
            take(kept, at, who, how_long);
            return store::lease{.what = std::string(what), .who = kept.who, .fence = kept.value.fence};
        });
    }
    store::result<bool> renew_lease(const store::lease& held, std::chrono::seconds how_long) override {
        return locked<bool>([&] {
            auto& kept = of_lease(held.what);
            if (kept.value.fence != held.fence || kept.who != held.who)
                return false;
            kept.until = at + how_long;
            return true;
        });
    }
    store::result<void> release_lease(const store::lease& held) override {
        return locked<void>([&] {
            auto& kept = of_lease(held.what);
            if (kept.value.fence == held.fence)
                kept.who.clear();
        });
    }
    store::result<void> take_back(std::string_view who) override {
        return locked<void>([&] {
            for (auto& each : work_)
                if (each.who == who)
                    each.who.clear();
        });
    }

    // ---- certificates ----
    store::result<bool> save_certificate(const store::kept_certificate& value, std::int64_t) override {
        return locked<bool>([&] {
            auto& kept = certificates_[value.name] = value;
            kept.change = ++change_;
            return true;
        });
    }
    store::result<void> prove_certificate(std::string_view name, base::utc_seconds not_after) override {
        return locked<void>([&] {
            if (auto of = certificates_.find(name);
                of != certificates_.end() && of->second.not_after == not_after)
                of->second.proven = true;
        });
    }
    store::result<bool> reject_certificate(std::string_view, base::utc_seconds, base::utc_seconds) override {
        return false; // it keeps one of each name
    }
    store::result<void> remove_certificate(std::string_view name) override {
        return locked<void>([&] {
            if (const auto found = certificates_.find(name); found != certificates_.end())
                found->second = {.name = std::string(name), .change = ++change_, .gone = true};
        });
    }
    store::result<std::vector<store::kept_certificate>> certificates_after(std::int64_t change,
                                                                           std::size_t limit) override {
        return locked<std::vector<store::kept_certificate>>(
            [&] { return after(certificates_, change, limit); });
    }
    store::result<std::optional<store::kept_certificate>> certificate(std::string_view name) override {
        return locked<std::optional<store::kept_certificate>>([&] {
            auto found = value_of(certificates_, name);
            return found && !found->gone ? found : std::nullopt;
        });
    }
    store::result<void> put_challenge(const store::challenge_answer& value) override {
        return locked<void>([&] { challenges_[{value.kind, value.key}] = value; });
    }
    store::result<void> drop_challenge(std::string_view kind, std::string_view key) override {
        return locked<void>([&] { challenges_.erase({std::string(kind), std::string(key)}); });
    }
    store::result<std::vector<store::challenge_answer>> challenges(base::utc_seconds now) override {
        return locked<std::vector<store::challenge_answer>>([&] {
            auto all = challenges_ | std::views::values |
                       std::views::filter([now](const auto& each) { return each.until >= now; });
            return std::vector<store::challenge_answer>(all.begin(), all.end());
        });
    }
    store::result<void> put_secret(std::string_view name, std::string_view sealed) override {
        return locked<void>([&] {
            secrets_[std::string(name)] = sealed;
            std::erase_if(secrets_, [](const auto& each) { return each.second.empty(); });
        });
    }
    store::result<std::optional<std::string>> secret(std::string_view name) override {
        return locked<std::optional<std::string>>([&] { return value_of(secrets_, name); });
    }
    store::result<std::vector<std::pair<std::string, std::string>>>
    secrets(std::string_view prefix) override {
        return locked<std::vector<std::pair<std::string, std::string>>>([&] {
            std::vector<std::pair<std::string, std::string>> out;
            for (const auto& [name, value] : secrets_)
                if (name.starts_with(prefix))
                    out.emplace_back(name, value);
            return out;
        });
    }
    store::result<std::chrono::seconds> take_tokens(std::string_view bucket, std::uint64_t tokens,
                                                    std::uint64_t per_hour, std::uint64_t most,
                                                    base::utc_seconds now) override {
        return locked<std::chrono::seconds>([&]() -> std::chrono::seconds {
            const auto [found, fresh] = buckets_.try_emplace(std::string(bucket), most * 3'600, now);
            auto& [level, since] = found->second; // in tokens * 3600
            if (now > since) {
                level = std::min(most * 3'600,
                                 level + static_cast<std::uint64_t>((now - since).count()) * per_hour);
                since = now;
            }
            if (level >= tokens * 3'600) {
                level -= tokens * 3'600;
                return std::chrono::seconds(0);
            }
            if (per_hour == 0)
                return std::chrono::hours(24);
            return std::chrono::seconds((tokens * 3'600 - level + per_hour - 1) / per_hour);
        });
    }

    // ---- watching ----
    store::result<bool> watched(const model::watched_state& seen) override {
        return locked<bool>([&] { return keep_state(seen); });
    }
    store::result<std::vector<model::watched_state>> history(std::string_view domain,
                                                             std::size_t limit) override {
        return locked<std::vector<model::watched_state>>([&] {
            std::vector<model::watched_state> out;
            if (const auto found = states_.find(domain); found != states_.end())
                for (auto each = found->second.rbegin(); each != found->second.rend() && out.size() < limit;
                     ++each)
                    out.push_back(*each);
            return out;
        });
    }
    store::result<std::vector<model::watched_state>>
    latest_states(const store::domain_question& which) override {
        return locked<std::vector<model::watched_state>>([&] {
            std::vector<model::watched_state> out;
            for (const auto& [name, all] : states_) {
                const auto known = domains_.find(name);
                if (known != domains_.end() && fits(known->second, which) && out.size() < which.limit)
                    out.push_back(all.back());
            }
            return out;
        });
    }
    store::result<void> count_fetches(std::span<const model::policy_fetches> batch) override {
        return locked<void>([&] {
            for (const auto& each : batch) {
                const auto same = std::ranges::find_if(fetches_, [&](const model::policy_fetches& there) {
                    return there.domain == each.domain && there.day == each.day &&
                           there.network == each.network && there.agent == each.agent && there.id == each.id;
                });
                if (same == fetches_.end()) {
                    fetches_.push_back(each);
                } else {
                    same->count += each.count;
                    same->last = std::max(same->last, each.last);
                }
            }
        });
    }
    store::result<std::vector<model::policy_fetches>> fetches(std::string_view domain,
                                                              std::chrono::sys_days since) override {
        return locked<std::vector<model::policy_fetches>>([&] {
            std::vector<model::policy_fetches> out;
            for (const auto& each : fetches_)
                if (each.domain == domain && each.day >= since)
                    out.push_back(each);
            return out;
        });
    }
    store::result<bool> expire(base::utc_seconds before) override {
        return locked<bool>([&] {
            std::erase_if(fetches_, [&](const auto& each) { return each.last < before; });
            for (auto& [name, all] : states_)
                while (all.size() > 1 && all.front().last < before)
                    all.erase(all.begin());
            return false;
        });
    }

private:
    struct kept_work {
        store::due_work value;
        bool due = true;                        ///< else: never
        std::optional<base::utc_seconds> woken; ///< while somebody had it
        std::string who;
        base::utc_seconds until{};
    };
    template<class T>
    using by_name = std::map<std::string, T, std::less<>>;

    template<class T, class Do>
    store::result<T> locked(Do what) {
        const std::scoped_lock held(guard_);
        if (away)
            return std::unexpected(store::store_error{.what = store::store_error::kind::unreachable,
                                                      .message = "the database is away"});
        if constexpr (std::is_void_v<T>) {
            what();
            return {};
        } else {
            return what();
        }
    }
    template<class T>
    static std::optional<T> value_of(const by_name<T>& in, std::string_view name) {
        const auto found = in.find(name);
        return found == in.end() ? std::nullopt : std::optional<T>(found->second);
    }
    template<class T>
    static std::vector<T> after(const by_name<T>& in, std::int64_t change, std::size_t limit) {
        std::vector<T> out;
        for (const auto& [name, each] : in)
            if (each.change > change)
                out.push_back(each);
        std::ranges::sort(out, {}, &T::change);
        if (out.size() > limit)
            out.resize(limit);
        return out;
    }
    static bool fits(const model::looked_after& each, const store::domain_question& which) {
        return (!which.owner || each.owner == *which.owner) && each.domain > which.after &&
               (which.label.empty() || std::ranges::find(each.labels, which.label) != each.labels.end()) &&
               (which.contains.empty() || each.domain.find(which.contains) != std::string::npos);
    }
    void append(model::change_entry entry) {
        entry.number = static_cast<std::int64_t>(changes_.size()) + 1;
        changes_.push_back(std::move(entry));
    }
    bool is_held(const store::lease& held) {
        const auto& kept = of_lease(held.what);
        return kept.value.fence == held.fence && kept.who == held.who;
    }
    /// "KIND/DOMAIN", or anything else: the lease of work that is never due.
    kept_work& of_lease(std::string_view what) {
        const auto slash = what.find('/');
        const auto kind = what.substr(0, slash);
        const auto domain = slash == std::string_view::npos ? "" : what.substr(slash + 1);
        if (auto* each = find_work(kind, domain))
            return *each;
        work_.push_back({.value = {.kind = std::string(kind), .domain = std::string(domain)}, .due = false});
        return work_.back();
    }
    kept_work* find_work(std::string_view kind, std::string_view domain) {
        for (auto& each : work_)
            if (each.value.kind == kind && each.value.domain == domain)
                return &each;
        return nullptr;
    }
    void make_due(std::string_view kind, std::string_view domain, base::utc_seconds due) {
        if (auto* each = find_work(kind, domain)) {
            if (!each->who.empty())
                each->woken = std::min(each->woken.value_or(due), due);
            each->value.due_at = each->due ? std::min(each->value.due_at, due) : due;
            each->due = true;
            return;
        }
        work_.push_back({.value = {.kind = std::string(kind), .domain = std::string(domain), .due_at = due}});
    }
    static bool free(const kept_work& each, base::utc_seconds now) {
        return each.who.empty() || each.until <= now;
    }
    static store::due_work take(kept_work& each, base::utc_seconds now, std::string_view who,
                                std::chrono::seconds how_long) {
        each.who = who;
        each.until = now + how_long;
        ++each.value.fence;
        return each.value;
    }
    bool end(const store::due_work& work, std::optional<base::utc_seconds> again) {
        auto* each = find_work(work.kind, work.domain);
        if (!each || each->value.fence != work.fence || each->who.empty())
            return false;
        each->value = work;
        each->who.clear();
        const auto woken = std::exchange(each->woken, std::nullopt);
        const auto at_next = again && woken ? std::min(*again, *woken) : again ? again : woken;
        each->due = at_next.has_value();
        each->value.due_at = at_next.value_or(work.due_at);
        return true;
    }
    /// Full looks are compared with full ones, cheap ones with cheap ones.
    bool keep_state(const model::watched_state& seen) {
        auto& all = states_[seen.domain];
        const auto before =
            std::ranges::find(all.rbegin(), all.rend(), seen.full, &model::watched_state::full);
        if (before != all.rend()) {
            auto same = seen;
            same.first = before->first;
            same.last = before->last;
            if (same == *before) {
                before->last = std::max(before->last, seen.last);
                return false;
            }
        }
        all.push_back(seen);
        return true;
    }

    std::mutex guard_;
    std::int64_t change_ = 0;
    by_name<model::looked_after> domains_;
    std::vector<model::change_entry> changes_;
    by_name<model::publication> publications_;
    served_log served_;
    std::deque<kept_work> work_;
    by_name<store::kept_certificate> certificates_;
    std::map<std::pair<std::string, std::string>, store::challenge_answer> challenges_;
    by_name<std::string> secrets_;
    by_name<std::pair<std::uint64_t, base::utc_seconds>> buckets_;
    by_name<std::vector<model::watched_state>> states_;
    std::vector<model::policy_fetches> fetches_;
};

} // namespace mailtight::tests
