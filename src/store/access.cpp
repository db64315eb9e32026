// SPDX-License-Identifier: Apache-2.0
// Tokens and people.
#include "store/access.h"

#include "base/text.h"
#include "store/postgres/engine.h"
#include "store/result_rows.h"
#include "store/schema.h"
#include "store/sql_access.h"
#include "store/sqlite/engine.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace mailtight::store {
namespace {

constexpr std::size_t tenant_max = 255, password_max = 512;

constexpr std::string_view token_columns = "name, digest, role, tenant, made_at, used_at, expires_at";
constexpr std::string_view user_columns = "name, role, tenant, password, made_at, last_login";

std::optional<std::string> text_or_none(const sql::row& r, int column) {
    return r.null(column) ? std::nullopt : std::optional(r.string(column));
}
sql::value value_of(const std::optional<std::string>& text) {
    return text ? sql::value(*text) : sql::value();
}

access_token read_token(const sql::row& r) {
    return {.to = {.name = r.string(0), .role = r.string(2), .tenant = text_or_none(r, 3)},
            .digest = r.string(1),
            .made_at = r.at(4),
            .used_at = r.maybe_at(5),
            .expires_at = r.maybe_at(6)};
}
access_user read_user(const sql::row& r) {
    return {.to = {.name = r.string(0), .role = r.string(1), .tenant = text_or_none(r, 2)},
            .password = r.string(3),
            .made_at = r.at(4),
            .last_login = r.maybe_at(5)};
}

store_error wrong(std::string message) {
    return {.what = store_error::kind::wrong, .message = std::move(message)};
}

std::optional<store_error> refused_name(const granted& to) {
    if (!is_access_name(to.name))
        return wrong("a name is 1 to 64 of A-Z a-z 0-9 . _ @ + - and begins with a letter or digit");
    return refused_grant(to);
}

std::optional<store_error> refused_password(std::string_view encoded) {
    const bool is_one = encoded.starts_with("$argon2id$") && encoded.size() <= password_max;
    return is_one ? std::nullopt
                  : std::optional(wrong("this is no encoded password, and only those are kept"));
}

} // namespace

std::optional<store_error> refused_digest(std::string_view digest) {
    const bool is_one = digest.size() == 64 && std::ranges::all_of(digest, [](char c) {
                            return base::is_digit(c) || (c >= 'a' && c <= 'f');
                        });
    return is_one ? std::nullopt : std::optional(wrong("this is no digest, and only digests are kept"));
}

std::optional<store_error> refused_grant(const granted& to) {
    constexpr auto roles = std::to_array<std::string_view>({"viewer", "operator", "administrator"});
    if (std::ranges::find(roles, to.role) == roles.end())
        return wrong("a role is viewer, operator or administrator");
    if (to.tenant && (to.tenant->empty() || to.tenant->size() > tenant_max || !base::is_utf8(*to.tenant) ||
                      storable_text(*to.tenant) != *to.tenant))
        return wrong("a tenant is a text of at most 255 bytes");
    return {};
}

result<bool> sql_access::add_token(const access_token& value) {
    if (auto problem = refused_name(value.to))
        return std::unexpected(*problem);
    if (auto problem = refused_digest(value.digest))
        return std::unexpected(*problem);
    return writing([&] {
        return on_
            ->number("insert into access_token (name, digest, role, tenant, made_at, used_at, expires_at) "
                     "values ($1, $2, $3, $4, $5, $6, $7) on conflict do nothing returning 1",
                     {value.to.name, value.digest, value.to.role, value_of(value.to.tenant), value.made_at,
                      value.used_at, value.expires_at})
            .has_value();
    });
}

result<std::optional<access_token>> sql_access::token(std::string_view digest) {
    return reading([&] {
        std::optional<access_token> out;
        on_->query(fmt::format("select {} from access_token where digest = $1", token_columns), {digest},
                   [&](const sql::row& r) { out = read_token(r); });
        return out;
    });
}

result<std::vector<access_token>> sql_access::tokens() {
    return reading([&] {
        std::vector<access_token> out;
        on_->query(fmt::format("select {} from access_token order by name", token_columns), {},
                   [&](const sql::row& r) { out.push_back(read_token(r)); });
        return out;
    });
}

result<bool> sql_access::remove_token(std::string_view name) {
    return writing([&] {
        const bool was =
            on_->number("delete from access_token where name = $1 returning 1", {name}).has_value();
        const auto origin = fmt::format("token {}", name);
        on_->run("delete from access_session where origin = $1", {origin});
        return was;
    });
}

result<std::optional<access_user>> sql_access::put_user(const access_user& value) {
    if (auto problem = refused_name(value.to))
        return std::unexpected(*problem);
    const bool keeps_password = value.password.empty();
    if (const auto problem = keeps_password ? std::nullopt : refused_password(value.password))
        return std::unexpected(*problem);
    return writing([&] {
        std::optional<access_user> now;
        const auto take = [&](const sql::row& r) { now = read_user(r); };
        const auto tenant = value_of(value.to.tenant);
        if (keeps_password)
            on_->query(
                fmt::format("update access_user set role = $2, tenant = $3 where name = $1 returning {}",
                            user_columns),
                {value.to.name, value.to.role, tenant}, take);
        else
            on_->query(
                fmt::format("insert into access_user (name, role, tenant, password, made_at, last_login) "
                            "values ($1, $2, $3, $4, $5, $6) on conflict (name) do update set role = "
                            "excluded.role, tenant = excluded.tenant, password = excluded.password "
                            "returning {}",
                            user_columns),
                {value.to.name, value.to.role, tenant, value.password, value.made_at, value.last_login},
                take);
        end_all_of(fmt::format("user {}", value.to.name));
        return now;
    });
}

result<bool> sql_access::add_user(const access_user& value) {
    if (auto problem = refused_name(value.to))
        return std::unexpected(*problem);
    if (auto problem = refused_password(value.password))
        return std::unexpected(*problem);
    return writing([&] {
        return on_
            ->number("insert into access_user (name, role, tenant, password, made_at, last_login) values "
                     "($1, $2, $3, $4, $5, $6) on conflict do nothing returning 1",
                     {value.to.name, value.to.role, value_of(value.to.tenant), value.password, value.made_at,
                      value.last_login})
            .has_value();
    });
}

result<std::optional<access_user>> sql_access::set_password(std::string_view name, std::string_view encoded) {
    if (auto problem = refused_password(encoded))
        return std::unexpected(*problem);
    if (!is_access_name(name))
        return std::nullopt;
    return writing([&] {
        std::optional<access_user> now;
        on_->query(
            fmt::format("update access_user set password = $2 where name = $1 returning {}", user_columns),
            {name, encoded}, [&](const sql::row& r) { now = read_user(r); });
        end_all_of(fmt::format("user {}", name));
        return now;
    });
}

void sql_access::end_all_of(std::string_view origin) {
    on_->run("delete from access_session where origin = $1", {origin});
    on_->run("delete from access_link where origin = $1", {origin});
}

result<std::optional<access_user>> sql_access::user(std::string_view name) {
    if (!is_access_name(name))
        return std::nullopt;
    return reading([&] { return find_user(name, false); });
}

std::optional<access_user> sql_access::find_user(std::string_view name, bool locked) {
    std::optional<access_user> out;
    on_->query(on_->dialect(fmt::format("select {} from access_user where name = $1{}", user_columns,
                                        locked ? " {for_update}" : "")),
               {name}, [&](const sql::row& r) { out = read_user(r); });
    return out;
}

result<std::vector<access_user>> sql_access::users() {
    return reading([&] {
        std::vector<access_user> out;
        on_->query(fmt::format("select {} from access_user order by name", user_columns), {},
                   [&](const sql::row& r) { out.push_back(read_user(r)); });
        return out;
    });
}

result<bool> sql_access::remove_user(std::string_view name) {
    return writing([&] {
        const bool was =
            on_->number("delete from access_user where name = $1 returning 1", {name}).has_value();
        end_all_of(fmt::format("user {}", name));
        return was;
    });
}

result<std::unique_ptr<access_store>> open_access(const open_options& options) {
    try {
        auto on = is_postgres(options.where) ? postgres::connect(options) : sqlite::connect(options);
        if (options.read_only)
            require_current(*on, access_schema());
        else
            migrate(*on, access_schema());
        return std::make_unique<sql_access>(std::move(on));
    } catch (const sql::failure& f) {
        return std::unexpected(f.error);
    }
}

} // namespace mailtight::store
