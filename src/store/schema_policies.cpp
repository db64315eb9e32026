// SPDX-License-Identifier: Apache-2.0
// The tables of the sender's side. Read from top to bottom it is the history of the schema; steps that were
// published are never edited, only followed by further ones. Times are seconds since 1970, UTC; 0 is "never".
#include "store/schema.h"

#include <array>

namespace mailtight::store {
namespace {

constexpr auto first_tables = std::to_array<std::string_view>({
    // `change` numbers every write in the order of the commits: who writes takes the numbers from this row
    // and holds it to the end of the transaction, so that a number that can be seen has none below it that
    // is still to come. `exceptions` grows with every change of an exception.
    "create table sending_counter (name text primary key, value bigint not null)",
    "insert into sending_counter (name, value) values ('change', 0), ('exceptions', 0)",
    // A domain and what is remembered of it. Kept in the order of the changes: that is the order in which it
    // is read at the start and by other machines. body '' : no policy held; failed_fault -1: the latest fetch
    // did not fail. tried_at: the latest fetch, whatever it gave. removed_at > 0: a domain that was
    // forgotten,
    // left here so that other machines hear of it.
    "create table sending_policy (change bigint primary key, domain text {bytewise} not null unique, "
    "id text not null, body text not null, fetched_at bigint not null, "
    "failed_fault bigint not null, failed_id text not null, failed_at bigint not null, "
    "failed_detail text not null, "
    "record_what bigint not null, record_id text not null, record_ttl bigint not null, "
    "record_detail text not null, record_at bigint not null, "
    "refresh_at bigint not null, failing_since bigint not null, failures bigint not null, "
    "tried_at bigint not null, used_at bigint not null, removed_at bigint not null)",
    "create index sending_policy_removed on sending_policy (removed_at) where removed_at > 0",
    "create table sending_exception (domain text {bytewise} primary key, what text not null, "
    "mx text not null, why text not null, by_whom text not null, since bigint not null, until bigint)",
    "create table sending_verdict (domain text {bytewise} not null, mx_host text not null, "
    "address text not null, policy_id text not null, found_at bigint not null, result text not null, "
    "reason text not null, primary key (domain, mx_host, address)) {clustered}",
    "create index sending_verdict_age on sending_verdict (found_at)",
    // Who fetches a domain's policy just now; `until` in milliseconds by the database's clock.
    "create table sending_lease (domain text {bytewise} primary key, who text not null, "
    "until bigint not null)",
});

constexpr std::array<schema_step, 1> steps{schema_step(first_tables)};

} // namespace

const schema_part& policies_schema() {
    static constexpr schema_part part{.name = "policies", .steps = steps};
    return part;
}

} // namespace mailtight::store
