// SPDX-License-Identifier: Apache-2.0
// The gate: which credential a request shows, what it stands for, and whether a page of ours sent it.
#include "api/doorkeeper.h"

#include "api/credentials.h"
#include "api/doorkeeper_asks.h"
#include "api/route.h"
#include "base/base64url.h"
#include "base/crypto/issuing.h"
#include "base/text.h"

#include <fmt/format.h>

#include <algorithm>

namespace mailtight::api {

namespace {

using namespace std::chrono_literals;

constexpr auto remembered_for = 2s, right_for = 3'600s, touched_for = 60s;
constexpr std::size_t memory_most = 10'000;

wire::http_reply unknown(std::string_view words) {
    auto reply = wire::problem(401, "Unauthorized", words);
    // Not "Basic": a browser would ask for a password in a window of its own.
    reply.fields.emplace_back("WWW-Authenticate", "Bearer realm=\"mailtight\"");
    reply.fields.emplace_back("Cache-Control", "no-store");
    return reply;
}

wire::http_reply forbidden(std::string_view words) {
    return wire::problem(403, "Forbidden", words);
}

wire::http_reply too_often(std::chrono::seconds wait) {
    auto reply = wire::problem(429, "Too Many Requests",
                               "too many attempts that were wrong came from there; wait a little");
    reply.fields.emplace_back("Retry-After", std::to_string(std::max<std::int64_t>(wait.count(), 1)));
    return reply;
}

wire::http_reply store_away(const store::store_error& error) {
    auto reply = wire::problem(503, "Service Unavailable", "who you are cannot be looked up just now");
    if (error.again())
        reply.fields.emplace_back("Retry-After", "5");
    return reply;
}

template<class Map>
void make_room(Map& in) {
    if (in.size() >= memory_most)
        in.clear(); // it is looked up again
}

caller caller_of(std::string name, const store::granted& to) {
    return {.name = std::move(name), .role = parse_role(to.role).value_or(role::viewer), .tenant = to.tenant};
}

} // namespace

doorkeeper::doorkeeper(io::loop& on, const base::clock& clock, open_access_fn open,
                       doorkeeper_options options)
    : loop_(on)
    , clock_(clock)
    , open_(std::move(open))
    , options_(std::move(options))
    , looks_(on, "who asks")
    , writes_(on, "who may")
    , hashing_{{on, "password"}, {on, "password"}}
    , hands_(on, 2)
    , clients_(options_.per_client)
    , people_(options_.per_user)
    , wrong_(options_.wrong_tokens) {}

doorkeeper::~doorkeeper() = default;

bool doorkeeper::through_proxy(const io::http_exchange& asked) const {
    return asked.peer.address &&
           std::ranges::any_of(options_.trusted_proxies, [&asked](const base::ip_network& each) {
               return each.contains(asked.peer.address->address);
           });
}

bool doorkeeper::speaks_tls(const io::http_exchange& asked) const {
    return asked.tls ||
           (through_proxy(asked) && base::iequals(asked.request.field("x-forwarded-proto"), "https"));
}

// A secret that crossed a network as it is, is none any more.
bool doorkeeper::may_say_secrets(const io::http_exchange& asked) const {
    static const auto loopback = {*base::ip_network::parse("127.0.0.0/8"), *base::ip_network::parse("::1"),
                                  *base::ip_network::parse("::ffff:127.0.0.0/104")};
    if (asked.tls || !asked.peer.address || through_proxy(asked))
        return true;
    return std::ranges::any_of(
        loopback, [&asked](const auto& each) { return each.contains(asked.peer.address->address); });
}

std::optional<doorkeeper::refusal> doorkeeper::foreign_page(const io::http_exchange& asked,
                                                            bool changes) const {
    const auto from = origin_of(asked.request, speaks_tls(asked));
    if (from == origin::foreign)
        return forbidden("this came from a page of another site");
    const bool reads = asked.request.method == "GET" || asked.request.method == "HEAD";
    if (from == origin::person && (changes || !reads))
        return forbidden("what changes something comes from a page of ours");
    return {};
}

std::optional<doorkeeper::refusal> doorkeeper::wrong_csrf(const io::http_exchange& asked,
                                                          const caller& who) const {
    if (!who.csrf.empty() && base::equal_secrets(asked.request.field("x-csrf-token"), who.csrf))
        return {};
    return forbidden("the field X-CSRF-Token is not that of this session; GET /session says it");
}

doorkeeper::refusal doorkeeper::wrong(const io::http_exchange& asked, std::string_view words) {
    const auto client = counted_client(asked.client);
    if (!wrong_.take(client, loop_.now()))
        return too_often(wrong_.wait(client, loop_.now()));
    return unknown(words);
}

std::optional<wire::http_reply> doorkeeper::at_the_door(const io::http_exchange& asked, bool open) {
    const bool any_name = options_.hosts.empty() && (asked.tls || through_proxy(asked));
    if (!any_name && !is_our_host(asked.request.host, options_.hosts))
        return wire::problem(421, "Misdirected Request",
                             "this name is not ours: web.hosts names those that are");
    if (!may_say_secrets(asked))
        return forbidden("secrets are not said over plain HTTP: come by TLS, from this machine (ssh -L), or "
                         "through a proxy of web.trusted-proxies");
    if (open)
        return {};
    const auto token = bearer_of(asked.request);
    if (!token) {
        noted(nullptr, asked, 401, "");
        return wrong(asked, token.error());
    }
    auto secret = token->empty() ? cookie_of(asked.request, session_cookie_name(speaks_tls(asked))) : *token;
    if (secret && token->empty() && !is_secret(*secret))
        secret.reset();
    if (!secret) {
        if (through_proxy(asked) && proxied_name(asked.request, options_.proxy_user_header))
            return {};
        return unknown("show a token, or log in");
    }
    const auto wait = wrong_.wait(counted_client(asked.client), loop_.now());
    if (wait > 0s && !right_of_late_.contains(base::digest_of_secret(*secret)))
        return too_often(wait);
    return {};
}

io::task<std::expected<caller, wire::http_reply>> doorkeeper::enter(const io::http_exchange& asked,
                                                                    bool changes) {
    if (auto refused = at_the_door(asked, false))
        co_return std::unexpected(std::move(*refused));
    const auto token = bearer_of(asked.request);
    // A browser adds this field only for a script of ours, so no page of others can have sent it.
    if (token && !token->empty())
        co_return co_await by_token(asked, *token);
    if (auto refused = foreign_page(asked, changes))
        co_return std::unexpected(std::move(*refused));
    const bool secure = speaks_tls(asked);
    std::optional<caller> who;
    if (const auto secret = cookie_of(asked.request, session_cookie_name(secure));
        secret && is_secret(*secret)) {
        auto found = co_await by_session(*secret);
        if (!found)
            co_return std::unexpected(std::move(found.error()));
        who = std::move(*found);
    }
    if (!who && through_proxy(asked)) {
        if (auto name = proxied_name(asked.request, options_.proxy_user_header)) {
            auto found = co_await by_proxy(asked, std::move(*name));
            if (!found)
                co_return std::unexpected(std::move(found.error()));
            who = std::move(*found);
        }
    }
    if (!who)
        co_return std::unexpected(wrong(asked, "the session is over: log in again"));
    if (changes)
        if (auto refused = wrong_csrf(asked, *who)) {
            noted(&*who, asked, refused->status, "");
            co_return std::unexpected(std::move(*refused));
        }
    co_return std::move(*who);
}

std::optional<caller> doorkeeper::remembered(const std::string& digest, bool& looked_up) {
    const auto found = memory_.find(digest);
    looked_up = found != memory_.end() && loop_.now() < found->second.until;
    if (!looked_up || !found->second.who)
        return {};
    if (found->second.who->expires_at && *found->second.who->expires_at <= clock_.now())
        return {};
    return found->second.who;
}

void doorkeeper::remember(const std::string& digest, std::optional<caller> who) {
    make_room(memory_);
    if (who) {
        make_room(right_of_late_);
        right_of_late_[digest] = loop_.now() + right_for;
    } else {
        right_of_late_.erase(digest);
    }
    memory_[digest] = {.who = std::move(who), .from = {}, .until = loop_.now() + remembered_for};
}

void doorkeeper::forget_all() {
    memory_.clear();
}

void doorkeeper::touch(std::string_view kind, const std::string& key) {
    make_room(touched_);
    auto& until = touched_[key];
    if (loop_.now() < until || to_touch_.size() >= memory_most)
        return;
    until = loop_.now() + touched_for;
    to_touch_.emplace_back(kind, key);
}

io::task<std::expected<caller, wire::http_reply>> doorkeeper::by_token(const io::http_exchange& asked,
                                                                       std::string token) {
    const auto digest = base::digest_of_secret(token);
    bool looked_up = false;
    auto who = remembered(digest, looked_up);
    if (!looked_up) {
        auto found = co_await ask<std::optional<store::access_token>>(
            looks_, [digest](store::access_store& in) { return in.token(digest); });
        if (!found)
            co_return std::unexpected(store_away(found.error()));
        if (*found && (!(*found)->expires_at || *(*found)->expires_at > clock_.now())) {
            who = caller_of(fmt::format("token {}", (*found)->to.name), (*found)->to);
            who->expires_at = (*found)->expires_at;
        }
        remember(digest, who);
    }
    if (!who) {
        noted(nullptr, asked, 401, "");
        co_return std::unexpected(wrong(asked, "this token is not known, or has ended"));
    }
    touch("token", digest);
    co_return std::move(*who);
}

io::task<std::expected<std::optional<caller>, wire::http_reply>> doorkeeper::by_session(std::string secret) {
    const auto digest = base::digest_of_secret(secret);
    bool looked_up = false;
    auto who = remembered(digest, looked_up);
    if (!looked_up) {
        auto found = co_await ask<std::optional<store::access_session>>(
            looks_, [digest](store::access_store& in) { return in.session(digest); });
        if (!found)
            co_return std::unexpected(store_away(found.error()));
        if (*found && (*found)->expires_at > clock_.now()) {
            const auto& session = **found;
            who =
                caller_of(session.from == "link" ? fmt::format("link of {}", session.to.name) : session.from,
                          session.to);
            who->csrf = session.csrf;
            who->expires_at = session.expires_at;
        }
        remember(digest, who);
    }
    if (who)
        touch("session", digest);
    co_return std::move(who);
}

io::task<std::expected<caller, wire::http_reply>> doorkeeper::by_proxy(const io::http_exchange& asked,
                                                                       std::string name) {
    if (name.empty()) {
        noted(nullptr, asked, 403, "");
        co_return std::unexpected(forbidden("what the proxy gives is no name"));
    }
    const auto key = "proxy " + name;
    bool looked_up = false;
    auto who = remembered(key, looked_up);
    if (!looked_up) {
        if (csrf_key_.empty()) {
            auto shared = co_await ask<std::string>(writes_, [](store::access_store& in) {
                return in.shared_key("csrf", base::random_secret());
            });
            if (!shared)
                co_return std::unexpected(store_away(shared.error()));
            csrf_key_ = *shared;
        }
        auto found = co_await ask<std::optional<store::access_user>>(
            looks_, [name](store::access_store& in) { return in.user(name); });
        if (!found)
            co_return std::unexpected(store_away(found.error()));
        if (*found)
            who = caller_of(key, (*found)->to);
        else if (options_.proxy_role)
            who = caller{.name = key, .role = *options_.proxy_role, .tenant = {}, .csrf = {}};
        if (who)
            who->csrf = base::base64url(base::hmac_sha256(csrf_key_, key));
        remember(key, who);
    }
    if (!who) {
        noted(nullptr, asked, 403, "");
        co_return std::unexpected(forbidden(fmt::format(
            "{} may not ask here: mailtight access user add, or web.proxy-role, lets people in", name)));
    }
    co_return std::move(*who);
}

void doorkeeper::noted(const caller* who, const io::http_exchange& asked, int status,
                       std::string_view subject) {
    const auto method = asked.request.method == "HEAD" ? std::string("GET") : asked.request.method;
    const auto found = find_route(method, asked.request.path);
    note(who ? who->name : "", asked,
         fmt::format("{} {}", base::printable(asked.request.method, 20),
                     found.at ? found.at->path : base::printable(asked.request.path, 100)),
         subject.empty() ? found.item : std::string(subject), status);
}

void doorkeeper::note(std::string who, const io::http_exchange& asked, std::string what, std::string subject,
                      int status) {
    store::audit_entry entry{.number = 0,
                             .at = clock_.now(),
                             .who = std::move(who),
                             .from = asked.client.empty() ? asked.peer.to_string() : asked.client,
                             .what = std::move(what),
                             .subject = base::printable(subject, 300),
                             .status = status};
    const bool refused = status == 401 || status == 403 || status == 429;
    if (options_.told)
        options_.told(entry, refused);
    if (refused)
        book_.add_refusal(std::move(entry), loop_.now());
    else
        book_.add(std::move(entry));
}

} // namespace mailtight::api
