// SPDX-License-Identifier: Apache-2.0
// Tokens, people, the audit log; and the task that writes what waits and drops what ended.
#include "api/credentials.h"
#include "api/doorkeeper_asks.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace mailtight::api {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t written_at_once = 500;
constexpr auto beat = 500ms;
constexpr int beats_between_expiring = 7'200; // an hour

} // namespace

base::utc_seconds doorkeeper::now() const {
    return options_.days ? options_.days() : clock_.now();
}

parts_on doorkeeper::parts() const {
    return options_.parts ? options_.parts() : parts_on{};
}

io::task<store::result<std::vector<store::access_token>>> doorkeeper::tokens() {
    return ask<std::vector<store::access_token>>(looks_, [](store::access_store& in) { return in.tokens(); });
}

io::task<store::result<std::optional<std::string>>>
doorkeeper::add_token(store::granted to, std::optional<base::utc_seconds> expires_at) {
    const auto secret = std::string(token_prefix) + base::random_secret();
    store::access_token made{.to = std::move(to),
                             .digest = base::digest_of_secret(secret),
                             .made_at = clock_.now(),
                             .used_at = {},
                             .expires_at = expires_at};
    auto added = co_await ask<bool>(
        writes_, [made = std::move(made)](store::access_store& in) { return in.add_token(made); });
    if (!added)
        co_return std::unexpected(added.error());
    co_return *added ? std::optional(secret) : std::nullopt;
}

io::task<store::result<bool>> doorkeeper::remove_token(std::string name) {
    auto removed = co_await ask<bool>(
        writes_, [name = std::move(name)](store::access_store& in) { return in.remove_token(name); });
    forget_all();
    co_return removed;
}

io::task<store::result<std::vector<store::access_user>>> doorkeeper::users() {
    return ask<std::vector<store::access_user>>(looks_, [](store::access_store& in) { return in.users(); });
}

io::task<store::result<std::optional<store::access_user>>>
doorkeeper::put_user(store::granted to, std::optional<std::string> password) {
    store::access_user made{.to = std::move(to), .password = "", .made_at = clock_.now(), .last_login = {}};
    if (password) {
        const auto permit = co_await hands_.acquire();
        const std::size_t hand = hashes_[0] ? 1 : 0;
        hashes_[hand] = true;
        auto encoded = co_await hashing_[hand].run<std::expected<std::string, std::string>>(
            [password = std::move(*password), cost = options_.cost]() mutable {
                auto out = base::encode_password(password, cost);
                base::wipe(password);
                return out;
            });
        hashes_[hand] = false;
        if (!encoded)
            co_return std::unexpected(
                store::store_error{.what = store::store_error::kind::full, .message = encoded.error()});
        made.password = std::move(*encoded);
    }
    auto put = co_await ask<std::optional<store::access_user>>(
        writes_, [made = std::move(made)](store::access_store& in) { return in.put_user(made); });
    forget_all();
    co_return put;
}

io::task<store::result<bool>> doorkeeper::remove_user(std::string name) {
    auto removed = co_await ask<bool>(
        writes_, [name = std::move(name)](store::access_store& in) { return in.remove_user(name); });
    forget_all();
    co_return removed;
}

io::task<store::result<std::optional<std::string>>> doorkeeper::make_link(std::string person,
                                                                          base::utc_seconds until) {
    auto secret = base::random_secret();
    auto added = co_await ask<bool>(
        writes_, [digest = base::digest_of_secret(secret), person = std::move(person),
                  until](store::access_store& in) { return in.add_link_of(digest, person, until); });
    if (!added)
        co_return std::unexpected(added.error());
    co_return *added ? std::optional(std::move(secret)) : std::nullopt;
}

io::task<store::result<std::vector<store::allowed_name>>>
doorkeeper::allowed_names(std::optional<std::string> owner, store::allowed_name after, std::size_t limit) {
    return ask<std::vector<store::allowed_name>>(
        looks_, [owner = std::move(owner), after = std::move(after), limit](store::access_store& in) {
            return in.allowed_names(owner, after, limit);
        });
}

io::task<store::result<std::size_t>> doorkeeper::allow_names(std::string owner,
                                                             std::vector<std::string> names) {
    return ask<std::size_t>(writes_,
                            [owner = std::move(owner), names = std::move(names), at = clock_.now()](
                                store::access_store& in) { return in.allow_names(owner, names, at); });
}

io::task<store::result<std::size_t>> doorkeeper::disallow_names(std::string owner,
                                                                std::vector<std::string> names) {
    return ask<std::size_t>(writes_,
                            [owner = std::move(owner), names = std::move(names)](store::access_store& in) {
                                return in.disallow_names(owner, names);
                            });
}

io::task<store::result<std::vector<store::audit_entry>>> doorkeeper::audit(std::int64_t before,
                                                                           std::size_t limit) {
    if (before == 0)
        co_await flush();
    co_return co_await ask<std::vector<store::audit_entry>>(
        looks_, [before, limit](store::access_store& in) { return in.audit(before, limit); });
}

io::task<> doorkeeper::flush() {
    while (!book_.empty()) {
        // Taken before they are written: whoever flushes beside us does not write them twice. What failed
        // comes back in its place by its time alone, which is all the order that the log promises.
        auto some = book_.next(written_at_once, clock_.now());
        if (some.empty())
            break;
        book_.taken(some.size());
        auto written =
            co_await ask<void>(writes_, [some](store::access_store& in) { return in.log_audit_all(some); });
        if (written) {
            audit_waits_ = false;
            continue;
        }
        for (auto& each : some)
            book_.add(std::move(each));
        // Once, not with each beat: one wrong password of a stranger would fill the log.
        if (!std::exchange(audit_waits_, true) && options_.complain)
            options_.complain(fmt::format("the audit log waits: {}", written.error().message));
        break;
    }
    if (to_touch_.empty())
        co_return;
    auto touched = std::move(to_touch_);
    to_touch_.clear();
    // Where this fails nothing is lost but a time.
    static_cast<void>(co_await ask<void>(
        writes_,
        [touched = std::move(touched), at = clock_.now()](store::access_store& in) -> store::result<void> {
            for (const auto& [kind, key] : touched)
                if (auto done = in.used(kind, key, at); !done)
                    return done;
            return {};
        }));
}

io::task<> doorkeeper::keep() {
    keeping_ = true;
    for (int count = 0; !stopped_; ++count) {
        co_await loop_.sleep_for(beat);
        co_await flush();
        if (count % beats_between_expiring != 0)
            continue;
        std::erase_if(right_of_late_, [this](const auto& each) { return each.second < loop_.now(); });
        for (bool more = true; more && !stopped_;) {
            auto dropped = co_await ask<bool>(
                writes_, [at = clock_.now(), audit = clock_.now() - options_.keep_audit](
                             store::access_store& in) { return in.expire_access(at, audit); });
            more = dropped && *dropped;
        }
    }
    co_await flush();
    keeping_ = false;
}

} // namespace mailtight::api
