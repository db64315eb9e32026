// SPDX-License-Identifier: Apache-2.0
// Logging in and out. An attempt is counted before the secret is looked at, and given back where it was
// right, so that many at once have no more attempts than one after the other. What is wrong is not said:
// name, password, or that there is nobody of that name; it takes the same time too.
#include "api/credentials.h"
#include "api/doorkeeper_asks.h"
#include "base/text.h"

#include <fmt/format.h>

#include <algorithm>

namespace mailtight::api {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t passwords_waiting = 16;
constexpr std::size_t logins_most = 10'000;
constexpr auto login_remembered = std::chrono::hours(24 * 30);

wire::http_reply not_right() {
    auto reply = wire::problem(401, "Unauthorized", "this is not right");
    reply.fields.emplace_back("Cache-Control", "no-store");
    return reply;
}

wire::http_reply come_again(int status, std::string_view title, std::string_view words,
                            std::chrono::seconds wait) {
    auto reply = wire::problem(status, title, words);
    reply.fields.emplace_back("Retry-After", std::to_string(std::max<std::int64_t>(wait.count(), 1)));
    return reply;
}

wire::http_reply store_away() {
    return come_again(503, "Service Unavailable", "nobody can be looked up just now: the database", 5s);
}

} // namespace

io::task<bool> doorkeeper::right_password(std::string encoded, std::string password) {
    const auto permit = co_await hands_.acquire();
    const std::size_t hand = hashes_[0] ? 1 : 0;
    struct holding {
        bool& busy;
        explicit holding(bool& of)
            : busy(of) {
            busy = true;
        }
        ~holding() { busy = false; }
    } const until(hashes_[hand]);
    co_return co_await hashing_[hand].run<bool>(
        [encoded = std::move(encoded), password = std::move(password)]() mutable {
            bool right = false;
            if (encoded.empty())
                base::verify_nobody(password);
            else
                right = base::verify_password(encoded, password);
            base::wipe(password);
            return right;
        });
}

io::task<std::expected<store::access_session, wire::http_reply>>
doorkeeper::session_for(const credentials& shown) {
    store::access_session made;
    made.made_at = made.used_at = clock_.now();
    made.expires_at = made.made_at + options_.session;
    if (!shown.link.empty()) {
        auto used = co_await ask<std::optional<store::used_link>>(
            writes_, [digest = base::digest_of_secret(shown.link),
                      at = made.made_at](store::access_store& in) { return in.use_link(digest, at); });
        if (!used)
            co_return std::unexpected(store_away());
        if (!*used)
            co_return std::unexpected(not_right());
        made.from = "link";
        made.to = std::move((*used)->to);
        if (const auto& person = (*used)->person) {
            made.from = fmt::format("user {}", person->to.name);
            made.proof = person->password;
        }
    } else if (!shown.token.empty()) {
        auto found = co_await ask<std::optional<store::access_token>>(
            looks_, [digest = base::digest_of_secret(shown.token)](store::access_store& in) {
                return in.token(digest);
            });
        if (!found)
            co_return std::unexpected(store_away());
        const auto& token = *found;
        if (!token || (token->expires_at && *token->expires_at <= made.made_at))
            co_return std::unexpected(not_right());
        made.from = fmt::format("token {}", token->to.name);
        made.to = token->to;
        made.proof = token->digest;
        if (token->expires_at)
            made.expires_at = std::min(made.expires_at, *token->expires_at);
    } else {
        auto found = co_await ask<std::optional<store::access_user>>(
            looks_, [name = shown.user](store::access_store& in) { return in.user(name); });
        if (!found)
            co_return std::unexpected(store_away());
        const auto encoded = *found ? (*found)->password : std::string();
        const bool right = co_await right_password(encoded, shown.password);
        if (!right || !*found)
            co_return std::unexpected(not_right());
        made.from = fmt::format("user {}", (*found)->to.name);
        made.to = (*found)->to;
        made.proof = encoded;
    }
    co_return made;
}

io::task<std::expected<logged_in, wire::http_reply>> doorkeeper::log_in(credentials shown,
                                                                        const io::http_exchange& asked) {
    if (auto refused = at_the_door(asked, true))
        co_return std::unexpected(std::move(*refused));
    // Nobody is logged in as somebody else by a page of another site either.
    if (auto refused = foreign_page(asked, true))
        co_return std::unexpected(std::move(*refused));
    const auto client = counted_client(asked.client);
    const bool person = shown.link.empty() && shown.token.empty();
    const auto what = person ? fmt::format("user {}", base::printable(shown.user, 64))
                             : std::string(shown.token.empty() ? "link" : "token");
    if ((!shown.token.empty() && !is_token(shown.token)) || (!shown.link.empty() && !is_secret(shown.link)) ||
        (person && shown.password.size() > 1'024)) {
        note("", asked, "login refused", what, 401);
        co_return std::unexpected(not_right());
    }
    const auto now = loop_.now();
    const auto pair = fmt::format("{} {}", client, shown.user);
    // Who was right from there of late is not shut out by others who try the name from elsewhere.
    const auto before = logins_.find(pair);
    const bool at_home = person && before != logins_.end() && now < before->second;
    auto refuse = [&](std::chrono::seconds wait) {
        note("", asked, "login refused", what, 429);
        return come_again(429, "Too Many Requests", "too many attempts that were wrong; wait a little", wait);
    };
    if (!clients_.take(client, now))
        co_return std::unexpected(refuse(clients_.wait(client, now)));
    if (person && !at_home && !people_.take(shown.user, now)) {
        clients_.give_back(client, now);
        co_return std::unexpected(refuse(people_.wait(shown.user, now)));
    }
    const auto give_back = [&] {
        clients_.give_back(client, loop_.now());
        if (person && !at_home)
            people_.give_back(shown.user, loop_.now());
    };
    if (person && hashing_now_ >= passwords_waiting) {
        give_back();
        co_return std::unexpected(
            come_again(503, "Service Unavailable", "many log in just now; try again in a moment", 2s));
    }
    hashing_now_ += person ? 1 : 0;
    auto made = co_await session_for(shown);
    hashing_now_ -= person ? 1 : 0;
    base::wipe(shown.password);
    if (!made) {
        if (made.error().status != 401)
            give_back();
        else
            note("", asked, "login refused", what, 401);
        co_return std::unexpected(std::move(made.error()));
    }
    const auto secret = base::random_secret();
    made->digest = base::digest_of_secret(secret);
    made->csrf = base::random_secret();
    auto added = co_await ask<bool>(
        writes_, [session = *made](store::access_store& in) { return in.add_session(session); });
    give_back();
    if (!added)
        co_return std::unexpected(store_away());
    if (!*added) // changed while we looked
        co_return std::unexpected(not_right());
    if (made->from.starts_with("user "))
        to_touch_.emplace_back("user", made->to.name);
    if (person) {
        if (logins_.size() >= logins_most)
            logins_.clear();
        logins_[pair] = loop_.now() + login_remembered;
    }
    logged_in in;
    in.who = {.name = made->from == "link" ? fmt::format("link of {}", made->to.name) : made->from,
              .role = parse_role(made->to.role).value_or(role::viewer),
              .tenant = made->to.tenant,
              .csrf = made->csrf,
              .expires_at = made->expires_at};
    remember(made->digest, in.who);
    in.cookie = session_cookie(speaks_tls(asked), secret, options_.session);
    note(in.who.name, asked, "login", "", 200);
    co_return in;
}

io::task<store::result<std::string>> doorkeeper::log_out(const io::http_exchange& asked) {
    const bool secure = speaks_tls(asked);
    if (const auto secret = cookie_of(asked.request, session_cookie_name(secure));
        secret && is_secret(*secret)) {
        const auto digest = base::digest_of_secret(*secret);
        auto ended =
            co_await ask<void>(writes_, [digest](store::access_store& in) { return in.end_session(digest); });
        if (!ended)
            co_return std::unexpected(ended.error());
        memory_.erase(digest);
        right_of_late_.erase(digest);
    }
    co_return session_cookie(secure, "", {});
}

} // namespace mailtight::api
