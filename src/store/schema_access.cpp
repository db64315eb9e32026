// SPDX-License-Identifier: Apache-2.0
// The tables of who may ask. Read from top to bottom it is the history of the schema; steps that were
// published are never edited, only followed by further ones. Times are seconds since 1970, UTC; digests are
// SHA-256 in lower-case hexadecimal. Who writes locks the row of the token or person before its sessions.
#include "store/schema.h"

#include <array>

namespace mailtight::store {
namespace {

constexpr auto first_tables = std::to_array<std::string_view>({
    "create table access_token (name text {bytewise} primary key, digest text {bytewise} not null unique, "
    "role text not null, tenant text, made_at bigint not null, used_at bigint, expires_at bigint)",
    "create table access_user (name text {bytewise} primary key, role text not null, tenant text, "
    "password text not null, made_at bigint not null, last_login bigint) {clustered}",
    // origin: "token NAME", "user NAME", "link".
    "create table access_session (digest text {bytewise} primary key, origin text {bytewise} not null, "
    "csrf text not null, name text not null, role text not null, tenant text, made_at bigint not null, "
    "used_at bigint not null, expires_at bigint not null) {clustered}",
    "create index access_session_origin on access_session (origin)",
    "create index access_session_expires on access_session (expires_at)",
    "create table access_link (digest text {bytewise} primary key, name text not null, role text not null, "
    "tenant text, until bigint not null) {clustered}",
    "create table access_key (name text {bytewise} primary key, value text not null) {clustered}",
    // Only ever appended, and dropped by age.
    "create table audit_log (number {counting}, at bigint not null, who text not null, "
    "from_where text not null, what text not null, subject text not null, status bigint not null)",
    "create index audit_log_at on audit_log (at)",
});

// Of a link, origin: "user NAME" where it logs in as a person, "" where it stands for itself. Of what an
// owner may add, name: "example.com", or "*.example.com" for all that lies below.
constexpr auto names_and_links = std::to_array<std::string_view>({
    "alter table access_link add column origin text not null default ''",
    "create table access_allowed (owner text {bytewise} not null, name text {bytewise} not null, "
    "at bigint not null, primary key (owner, name)) {clustered}",
});

constexpr std::array<schema_step, 2> steps{schema_step(first_tables), schema_step(names_and_links)};

} // namespace

const schema_part& access_schema() {
    static constexpr schema_part part{.name = "access", .steps = steps};
    return part;
}

} // namespace mailtight::store
