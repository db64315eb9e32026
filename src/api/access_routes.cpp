// SPDX-License-Identifier: Apache-2.0
// Sessions, tokens, people and the audit log.
#include "api/access_desk.h"
#include "api/json_body.h"
#include "api/query_values.h"
#include "api/reply_with.h"
#include "api/route.h"
#include "base/crypto/password.h"
#include "base/text.h"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <initializer_list>

namespace mailtight::api {

namespace {

namespace json = boost::json;

constexpr std::size_t small_body = 8 * 1'024;
constexpr auto link_life = std::chrono::hours(1); ///< of one that logs in as a person
constexpr std::size_t audit_page = 100, audit_most = 1'000;

json::value text_or_null(const std::optional<std::string>& text) {
    return text ? json::value(*text) : json::value(nullptr);
}
json::value time_or_null(const std::optional<base::utc_seconds>& at) {
    return at ? json::value(base::format_utc(*at)) : json::value(nullptr);
}

/// The fields of an object of texts, each of them known; a field may be null where that is nothing.
std::expected<std::map<std::string, std::string>, wire::http_reply>
read_texts(std::string_view body, std::initializer_list<std::string_view> known) {
    const auto object = read_object(body);
    if (!object)
        return std::unexpected(unprocessable(object.error()));
    std::map<std::string, std::string> all;
    for (const auto& [key, value] : *object) {
        if (std::ranges::find(known, std::string_view(key)) == known.end())
            return std::unexpected(unprocessable(
                fmt::format("there is no field \"{}\" here", base::printable(std::string_view(key), 60))));
        if (value.is_null())
            continue;
        if (!value.is_string() || !base::is_utf8(std::string_view(value.as_string())))
            return std::unexpected(
                unprocessable(fmt::format("the field \"{}\" takes a text", std::string_view(key))));
        all.emplace(std::string(key), std::string(value.as_string()));
    }
    return all;
}

/// Name, role and tenant of who gets access.
std::expected<store::granted, wire::http_reply> read_grant(const std::map<std::string, std::string>& from,
                                                           std::string name) {
    store::granted to{.name = std::move(name), .role = "", .tenant = {}};
    if (!store::is_access_name(to.name))
        return std::unexpected(
            unprocessable("a name is 1 to 64 of A-Z a-z 0-9 . _ @ + - and begins with a letter or digit"));
    if (const auto role = from.find("role"); role != from.end() && parse_role(role->second))
        to.role = role->second;
    else
        return std::unexpected(unprocessable("role is viewer, operator or administrator"));
    if (const auto tenant = from.find("tenant"); tenant != from.end()) {
        if (tenant->second.empty() || tenant->second.size() > 255 ||
            base::printable(tenant->second) != tenant->second)
            return std::unexpected(unprocessable("a tenant is a text of 1 to 255 bytes"));
        to.tenant = tenant->second;
    }
    return to;
}

json::object session_document(const context& with, const caller& who) {
    const auto on = with.access->parts();
    constexpr std::string_view person = "user ";
    const auto name = std::string_view(who.name);
    return {{"name", name.starts_with(person) ? name.substr(person.size()) : name},
            {"role", to_string(who.role)},
            {"tenant", text_or_null(who.tenant)},
            {"csrf", who.csrf},
            {"expires_at", time_or_null(who.expires_at)},
            {"version", with.version},
            {"now", base::format_utc(with.access->now())},
            {"parts", json::object{{"domains", on.domains},
                                   {"publish", on.publish},
                                   {"reports", on.reports},
                                   {"sending", on.sending},
                                   {"collect", on.collect},
                                   {"deliver", on.deliver},
                                   {"policy_host", on.policy_host}}}};
}

json::object token_document(const store::access_token& of) {
    return {{"name", of.to.name},
            {"role", of.to.role},
            {"tenant", text_or_null(of.to.tenant)},
            {"made_at", base::format_utc(of.made_at)},
            {"used_at", time_or_null(of.used_at)},
            {"expires_at", time_or_null(of.expires_at)}};
}

json::object user_document(const store::access_user& of) {
    return {{"name", of.to.name},
            {"role", of.to.role},
            {"tenant", text_or_null(of.to.tenant)},
            {"made_at", base::format_utc(of.made_at)},
            {"last_login", time_or_null(of.last_login)}};
}

io::task<wire::http_reply> log_in(context& with, call asked) {
    auto given = read_texts(asked.body, {"user", "password", "token", "link"});
    if (!given)
        co_return std::move(given.error());
    const bool person = given->size() == 2 && given->contains("user") && given->contains("password");
    if (!person && (given->size() != 1 || given->contains("user") || given->contains("password")))
        co_return unprocessable("give user and password, or a token, or a link");
    for (const auto& [name, value] : *given)
        if (value.empty())
            co_return unprocessable(fmt::format("\"{}\" is empty", name));
    credentials shown{.user = (*given)["user"],
                      .password = (*given)["password"],
                      .token = (*given)["token"],
                      .link = (*given)["link"]};
    auto in = co_await with.access->log_in(std::move(shown), *asked.asked);
    if (!in)
        co_return std::move(in.error());
    auto reply = json_reply(session_document(with, in->who));
    reply.fields.emplace_back("Set-Cookie", std::move(in->cookie));
    co_return reply;
}

io::task<wire::http_reply> show_session(context& with, call asked) {
    co_return json_reply(session_document(with, asked.by));
}

io::task<wire::http_reply> log_out(context& with, call asked) {
    auto cookie = co_await with.access->log_out(*asked.asked);
    if (!cookie)
        co_return store_problem(cookie.error());
    auto reply = json_reply(json::object{{"removed", 1}});
    reply.fields.emplace_back("Set-Cookie", std::move(*cookie));
    co_return reply;
}

io::task<wire::http_reply> list_tokens(context& with, call) {
    auto all = co_await with.access->tokens();
    if (!all)
        co_return store_problem(all.error());
    json::array rows;
    for (const auto& each : *all)
        rows.push_back(token_document(each));
    co_return json_reply(json::object{{"tokens", std::move(rows)}});
}

io::task<wire::http_reply> add_token(context& with, call asked) {
    auto given = read_texts(asked.body, {"name", "role", "tenant", "expires_at"});
    if (!given)
        co_return std::move(given.error());
    auto to = read_grant(*given, (*given)["name"]);
    if (!to)
        co_return std::move(to.error());
    std::optional<base::utc_seconds> expires_at;
    if (const auto until = given->find("expires_at"); until != given->end()) {
        expires_at = base::parse_utc(until->second);
        if (!expires_at || *expires_at <= with.clock.now())
            co_return unprocessable("expires_at is a time to come, as 2026-01-02T03:04:05Z");
    }
    auto made = co_await with.access->add_token(*to, expires_at);
    if (!made)
        co_return store_problem(made.error());
    if (!*made)
        co_return wire::problem(409, "Conflict", fmt::format("there is a token {} already", to->name));
    auto shown = token_document(
        {.to = *to, .digest = "", .made_at = with.clock.now(), .used_at = {}, .expires_at = expires_at});
    shown["token"] = **made; // here, and never again
    co_return json_reply(shown);
}

io::task<wire::http_reply> remove_token(context& with, call asked) {
    co_return removal_reply(co_await with.access->remove_token(asked.item), "there is no token of this name");
}

io::task<wire::http_reply> list_users(context& with, call) {
    auto all = co_await with.access->users();
    if (!all)
        co_return store_problem(all.error());
    json::array rows;
    for (const auto& each : *all)
        rows.push_back(user_document(each));
    co_return json_reply(json::object{{"users", std::move(rows)}});
}

io::task<wire::http_reply> put_user(context& with, call asked) {
    auto given = read_texts(asked.body, {"role", "tenant", "password"});
    if (!given)
        co_return std::move(given.error());
    auto to = read_grant(*given, asked.item);
    if (!to)
        co_return std::move(to.error());
    std::optional<std::string> password;
    if (const auto found = given->find("password"); found != given->end()) {
        if (auto why = base::unfit_password(found->second, to->name))
            co_return unprocessable(*why);
        password = std::move(found->second);
    }
    auto put = co_await with.access->put_user(std::move(*to), std::move(password));
    if (!put)
        co_return store_problem(put.error());
    if (!*put)
        co_return unprocessable("there is nobody of this name yet: a password is needed");
    co_return json_reply(user_document(**put));
}

io::task<wire::http_reply> remove_user(context& with, call asked) {
    co_return removal_reply(co_await with.access->remove_user(asked.item), "there is nobody of this name");
}

io::task<wire::http_reply> make_link(context& with, call asked) {
    const auto until = with.clock.now() + link_life;
    const auto made = co_await with.access->make_link(asked.item, until);
    if (!made)
        co_return store_problem(made.error());
    if (!*made)
        co_return wire::problem(404, "Not Found", "there is nobody of this name");
    // What follows `#` is sent to no server, and so stands in no log on the way.
    co_return json_reply(
        json::object{{"path", fmt::format("/login#{}", **made)}, {"expires_at", base::format_utc(until)}});
}

io::task<wire::http_reply> list_audit(context& with, call asked) {
    const auto limit = rows_of(asked, audit_page, audit_most);
    auto all = co_await with.access->audit(number_of(asked, "before", 0), limit);
    if (!all)
        co_return store_problem(all.error());
    json::array rows;
    for (const auto& each : *all)
        rows.push_back(json::object{{"number", each.number},
                                    {"at", base::format_utc(each.at)},
                                    {"who", each.who},
                                    {"from", each.from},
                                    {"what", each.what},
                                    {"subject", each.subject},
                                    {"status", each.status}});
    const bool more = all->size() == limit;
    co_return json_reply(
        json::object{{"entries", std::move(rows)},
                     {"next", more ? json::value(all->back().number) : json::value(nullptr)}});
}

std::vector<route> session_routes() {
    return {{.method = "POST",
             .path = "/session",
             .operation = "logIn",
             .summary = "Log in",
             .description = "With name and password, a token, or the secret of a link that logs in once. The "
                            "session is in a cookie that scripts cannot read; `csrf` goes back in the field "
                            "X-CSRF-Token with everything that changes something.",
             .request = "credentials",
             .answer = "session",
             .problems = {401, 403, 422, 429, 503},
             .changes = true,
             .tenants = true,
             .open = true,
             .body_bytes = small_body,
             .handle = log_in},
            {.method = "GET",
             .path = "/session",
             .operation = "getSession",
             .summary = "Who asks, and what is on",
             .answer = "session",
             .tenants = true,
             .handle = show_session},
            {.method = "DELETE",
             .path = "/session",
             .operation = "logOut",
             .summary = "Log out",
             .answer = "removed",
             .problems = {503},
             .changes = true,
             .tenants = true,
             .handle = log_out}};
}

std::vector<route> token_routes() {
    return {
        {.method = "GET",
         .path = "/tokens",
         .operation = "listTokens",
         .summary = "Every token",
         .description = "By name; their secrets are not kept.",
         .answer = "token-list",
         .problems = {503},
         .needs = role::administrator,
         .handle = list_tokens},
        {.method = "POST",
         .path = "/tokens",
         .operation = "addToken",
         .summary = "Make a token",
         .description = "Its secret is in this answer and never said again.",
         .request = "token-request",
         .answer = "token",
         .problems = {409, 413, 422, 503},
         .changes = true,
         .needs = role::administrator,
         .body_bytes = small_body,
         .handle = add_token},
        {.method = "DELETE",
         .path = "/tokens/{name}",
         .operation = "removeToken",
         .summary = "Take a token away",
         .description = "With every session that came from it; other machines refuse it two seconds later.",
         .answer = "removed",
         .problems = {404, 503},
         .changes = true,
         .needs = role::administrator,
         .handle = remove_token}};
}

std::vector<route> user_routes() {
    return {{.method = "GET",
             .path = "/users",
             .operation = "listUsers",
             .summary = "Everybody who may log in",
             .answer = "user-list",
             .problems = {503},
             .needs = role::administrator,
             .handle = list_users},
            {.method = "PUT",
             .path = "/users/{name}",
             .operation = "putUser",
             .summary = "Let somebody in, or change their role or password",
             .description = "Ends every session of theirs. Without a password the old one stays.",
             .request = "user-request",
             .answer = "user",
             .problems = {413, 422, 503},
             .changes = true,
             .needs = role::administrator,
             .body_bytes = small_body,
             .handle = put_user},
            {.method = "DELETE",
             .path = "/users/{name}",
             .operation = "removeUser",
             .summary = "Let somebody in no longer",
             .answer = "removed",
             .problems = {404, 503},
             .changes = true,
             .needs = role::administrator,
             .handle = remove_user},
            {.method = "POST",
             .path = "/users/{name}/link",
             .operation = "makeLink",
             .summary = "A link that logs in as somebody, once",
             .description =
                 "Within an hour, with the role that they have then; it goes with the next change of "
                 "theirs. `path` follows the address of the pages; it is said once, and only its "
                 "digest is kept.",
             .answer = "login-link",
             .problems = {404, 503},
             .changes = true,
             .needs = role::administrator,
             .handle = make_link}};
}

std::vector<route> audit_routes() {
    using enum query_parameter::type;
    return {{.method = "GET",
             .path = "/audit",
             .operation = "listAudit",
             .summary = "Who did what",
             .description =
                 "The newest first: logins, refusals, and everything that was changed through this "
                 "API.",
             .query = {{"before", number, "Those below this number: `next` of the page before"},
                       {"limit", number, "At most so many: 1 to 1000, 100 where it is not said"}},
             .answer = "audit-list",
             .problems = {503},
             .needs = role::administrator,
             .handle = list_audit}};
}

} // namespace

std::vector<route> access_routes() {
    auto all = session_routes();
    for (auto& more : {token_routes(), user_routes(), allowed_routes(), audit_routes()})
        all.insert(all.end(), more.begin(), more.end());
    return all;
}

} // namespace mailtight::api
