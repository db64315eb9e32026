// SPDX-License-Identifier: Apache-2.0
// Sessions, links that log in once, when what was used, and the audit log.
#include "base/text.h"
#include "store/result_rows.h"
#include "store/sql_access.h"

#include <fmt/format.h>

#include <limits>

namespace mailtight::store {
namespace {

constexpr std::int64_t rows_at_once = 5'000; // dropped in one transaction
constexpr std::size_t audit_text_max = 500;

constexpr std::string_view session_columns =
    "digest, origin, csrf, name, role, tenant, made_at, used_at, expires_at";

sql::value value_of(const std::optional<std::string>& text) {
    return text ? sql::value(*text) : sql::value();
}
std::optional<std::string> text_or_none(const sql::row& r, int column) {
    return r.null(column) ? std::nullopt : std::optional(r.string(column));
}
access_session read_session(const sql::row& r) {
    return {.digest = r.string(0),
            .from = r.string(1),
            .csrf = r.string(2),
            .to = {.name = r.string(3), .role = r.string(4), .tenant = text_or_none(r, 5)},
            .made_at = r.at(6),
            .used_at = r.at(7),
            .expires_at = r.at(8)};
}

store_error wrong(std::string message) {
    return {.what = store_error::kind::wrong, .message = std::move(message)};
}

std::string loggable(const std::string& text) {
    return base::printable(text, audit_text_max);
}

} // namespace

// Who takes a token or a person away waits for our lock on the row, and finds the session then; who was
// faster has changed the row that we see.
bool sql_access::still_holds(const access_session& session) {
    bool holds = false;
    const auto same = [&](const sql::row& r) {
        holds = r.text(0) == session.proof && r.text(1) == session.to.role &&
                text_or_none(r, 2) == session.to.tenant;
    };
    if (session.from.starts_with("token "))
        on_->query(on_->dialect("select digest, role, tenant from access_token where name = $1 {for_update}"),
                   {std::string_view(session.from).substr(6)}, same);
    else if (session.from.starts_with("user "))
        on_->query(
            on_->dialect("select password, role, tenant from access_user where name = $1 {for_update}"),
            {std::string_view(session.from).substr(5)}, same);
    else
        holds = true; // a link is gone when it was used
    return holds;
}

result<bool> sql_access::add_session(const access_session& value) {
    if (auto problem = refused_digest(value.digest))
        return std::unexpected(*problem);
    if (auto problem = refused_grant(value.to))
        return std::unexpected(*problem);
    return writing([&] {
        if (!still_holds(value))
            return false;
        on_->run(fmt::format("insert into access_session ({}) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
                             session_columns),
                 {value.digest, value.from, value.csrf, value.to.name, value.to.role,
                  value_of(value.to.tenant), value.made_at, value.used_at, value.expires_at});
        return true;
    });
}

result<std::optional<access_session>> sql_access::session(std::string_view digest) {
    return reading([&] {
        std::optional<access_session> out;
        on_->query(fmt::format("select {} from access_session where digest = $1", session_columns), {digest},
                   [&](const sql::row& r) { out = read_session(r); });
        return out;
    });
}

result<void> sql_access::end_session(std::string_view digest) {
    return writing([&] { on_->run("delete from access_session where digest = $1", {digest}); });
}

result<std::uint64_t> sql_access::end_sessions(std::string_view from) {
    return writing([&] {
        std::uint64_t ended = 0;
        on_->query("delete from access_session where origin = $1 or $1 = '' returning 1", {from},
                   [&](const sql::row&) { ++ended; });
        return ended;
    });
}

result<std::uint64_t> sql_access::sessions(base::utc_seconds now) {
    return reading([&] {
        return static_cast<std::uint64_t>(
            on_->number("select count(*) from access_session where expires_at > $1", {now}).value_or(0));
    });
}

result<void> sql_access::used(std::string_view kind, std::string_view key, base::utc_seconds at) {
    const std::string_view statement =
        kind == "token"     ? "update access_token set used_at = $2 where digest = $1 and "
                              "(used_at is null or used_at < $2)"
        : kind == "user"    ? "update access_user set last_login = $2 where name = $1 and "
                              "(last_login is null or last_login < $2)"
        : kind == "session" ? "update access_session set used_at = $2 where digest = $1 and used_at < $2"
                            : "";
    if (statement.empty())
        return std::unexpected(wrong("what was used is a token, a user or a session"));
    return writing([&] { on_->run(statement, {key, at}); }, sql::access::write_light);
}

result<void> sql_access::add_link(std::string_view digest, const granted& to, base::utc_seconds until) {
    if (auto problem = refused_digest(digest))
        return std::unexpected(*problem);
    if (auto problem = refused_grant(to))
        return std::unexpected(*problem);
    return writing([&] {
        on_->run("insert into access_link (digest, name, role, tenant, until) values ($1, $2, $3, $4, $5)",
                 {digest, to.name, to.role, value_of(to.tenant), until});
    });
}

result<bool> sql_access::add_link_of(std::string_view digest, std::string_view person,
                                     base::utc_seconds until) {
    if (auto problem = refused_digest(digest))
        return std::unexpected(*problem);
    return writing([&] {
        const auto who = find_user(person, true);
        if (!who)
            return false;
        const auto origin = fmt::format("user {}", person);
        on_->run("insert into access_link (digest, name, role, tenant, until, origin) "
                 "values ($1, $2, $3, $4, $5, $6)",
                 {digest, who->to.name, who->to.role, value_of(who->to.tenant), until, origin});
        return true;
    });
}

result<std::optional<used_link>> sql_access::use_link(std::string_view digest, base::utc_seconds now) {
    return writing([&] {
        std::optional<used_link> out;
        bool of_person = false;
        on_->query("delete from access_link where digest = $1 returning name, role, tenant, until, origin",
                   {digest}, [&](const sql::row& r) {
                       if (r.at(3) <= now)
                           return;
                       out = used_link{
                           .to = {.name = r.string(0), .role = r.string(1), .tenant = text_or_none(r, 2)}};
                       of_person = !r.text(4).empty();
                   });
        if (out && of_person) {
            out->person = find_user(out->to.name, false);
            if (!out->person) // gone with them, in truth
                return std::optional<used_link>();
            out->to = out->person->to;
        }
        return out;
    });
}

result<void> sql_access::log_audit(const audit_entry& entry) {
    return log_audit_all(std::span(&entry, 1));
}

result<void> sql_access::log_audit_all(std::span<const audit_entry> entries) {
    if (entries.empty())
        return {};
    return writing([&] {
        for (const auto& each : entries) {
            const auto who = loggable(each.who), from = loggable(each.from), what = loggable(each.what),
                       subject = loggable(each.subject);
            on_->run("insert into audit_log (at, who, from_where, what, subject, status) "
                     "values ($1, $2, $3, $4, $5, $6)",
                     {each.at, who, from, what, subject, each.status});
        }
    });
}

result<std::vector<audit_entry>> sql_access::audit(std::int64_t before, std::size_t limit) {
    return reading([&] {
        std::vector<audit_entry> out;
        on_->query("select number, at, who, from_where, what, subject, status from audit_log "
                   "where number < $1 order by number desc limit $2",
                   {before > 0 ? before : std::numeric_limits<std::int64_t>::max(), std::uint64_t{limit}},
                   [&](const sql::row& r) {
                       out.push_back({.number = r.integer(0),
                                      .at = r.at(1),
                                      .who = r.string(2),
                                      .from = r.string(3),
                                      .what = r.string(4),
                                      .subject = r.string(5),
                                      .status = static_cast<int>(r.integer(6))});
                   });
        return out;
    });
}

result<std::string> sql_access::shared_key(std::string_view name, std::string_view fresh) {
    return writing([&] {
        on_->run("insert into access_key (name, value) values ($1, $2) on conflict do nothing",
                 {name, fresh});
        std::string out;
        on_->query("select value from access_key where name = $1", {name},
                   [&](const sql::row& r) { out = r.string(0); });
        return out;
    });
}

result<bool> sql_access::expire_access(base::utc_seconds now, base::utc_seconds audit_before) {
    return writing(
        [&] {
            on_->run("delete from access_link where until <= $1", {now});
            std::int64_t dropped = 0;
            const auto count = [&](const sql::row&) { ++dropped; };
            on_->query("delete from access_session where digest in (select digest from access_session where "
                       "expires_at <= $1 limit $2) returning 1",
                       {now, rows_at_once}, count);
            on_->query("delete from audit_log where number in (select number from audit_log where at < $1 "
                       "order by number limit $2) returning 1",
                       {audit_before, rows_at_once}, count);
            return dropped >= rows_at_once;
        },
        sql::access::write_light);
}

} // namespace mailtight::store
