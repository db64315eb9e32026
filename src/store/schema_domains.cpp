// SPDX-License-Identifier: Apache-2.0
// The publisher's tables. Read from top to bottom it is the history of the schema; steps that were published
// are never edited, only followed by further ones. Times are seconds since 1970, UTC; leases end in
// milliseconds. Bodies of policies are bytes: those found at domains may hold anything.
//
// Who writes takes its locks in this order, so that machines that share a database wait for each other but
// never in a circle: `token_bucket`, `looked_after`, `domain_work` in key order, `served_head`,
// `domain_counter`, and then `publication`, `kept_certificate` and `domain_shown`, which are only written
// under their counter. Several calls in one transaction keep to it among rows of `domain_work`; who saves
// certificates in it may hold the counter already, for whose sake nobody waits who holds one of these rows:
// they are under its lease.
#include "store/schema.h"

#include <array>

namespace mailtight::store {
namespace {

constexpr auto first_tables = std::to_array<std::string_view>({
    // `publication` and `certificate` number every write in the order of the commits: who writes takes the
    // number from this row and holds it to the end of the transaction, so that a number that can be seen has
    // none below it that is still to come. `fence`: the latest of all leases, so that none comes again.
    // `ahead`: milliseconds from
    // this machine's clock to that of those who take leases (only where no other machine does).
    "create table domain_counter (name text primary key, value bigint not null)",
    "insert into domain_counter (name, value) values ('publication', 0), ('certificate', 0), ('fence', 0), "
    "('ahead', 0)",

    // What is wanted, a column a field, as text (domain_rows.cpp has the list of them).
    "create table looked_after (domain text {bytewise} primary key, owner text {bytewise} not null, "
    "aim text not null, max_age text not null, mx text not null, mx_adding text not null, "
    "mx_removing text not null, rua text not null, host text not null, policy_host text not null, "
    "sts_target text not null, dns text not null, dns_server text not null, leave text not null, "
    "off text not null, keep_mx text not null, paused text not null, labels text not null, "
    "like_domain text not null, added_at bigint not null, changed_at bigint not null, "
    "revision bigint not null) {clustered}",
    "create index looked_after_owner on looked_after (owner, domain)",
    "create table domain_label (label text {bytewise} not null, domain text {bytewise} not null, "
    "primary key (label, domain)) {clustered}",
    "create index domain_label_domain on domain_label (domain)",
    "create table domain_mark (domain text {bytewise} not null, name text {bytewise} not null, "
    "at bigint not null, by_whom text not null, words text not null, primary key (domain, name)) {clustered}",
    // Only ever appended.
    "create table domain_change (number {counting}, at bigint not null, domain text {bytewise} not null, "
    "who text not null, what text not null, from_text text not null, to_text text not null, "
    "why text not null)",
    "create index domain_change_domain on domain_change (domain, number)",

    // What our hosts serve; body '': withdrawn, left here so that other machines hear of it.
    "create table publication (domain text {bytewise} primary key, change bigint not null unique, "
    "body {blob} not null, id text not null, since bigint not null)",
    // Every policy that could be fetched, only ever appended and closed. last_served null: it is served now.
    // reached: it was served until then at least, so that no clock that is behind makes the past shorter.
    "create table served_policy (number {counting}, domain text {bytewise} not null, body {blob} not null, "
    "mode text not null, max_age bigint not null, ids text not null, first_served bigint not null, "
    "reached bigint not null, last_served bigint, ours bigint not null)",
    "create index served_policy_domain on served_policy (domain, number)",
    // A row a domain that was ever served: whoever writes its log holds it to the end of the transaction.
    "create table served_head (domain text {bytewise} primary key, held bigint not null) {clustered}",

    // What is due, and every lease, which is one of work that is never due. fence 0: nobody has it.
    // wake_at: what was asked for while somebody had it.
    "create table domain_work (kind text {bytewise} not null, domain text {bytewise} not null, "
    "due_at bigint not null, wake_at bigint, fence bigint not null, leased_by text not null, "
    "lease_until bigint not null, tries bigint not null, last_error text not null, state {blob} not null, "
    "primary key (domain, kind)) {clustered}",
    "create index domain_work_due on domain_work (kind, due_at, domain)",
    "create index domain_work_fence on domain_work (fence) where fence > 0",

    // Of a name the newest, and the one before it until that is proven; gone: not_after 0, left here so that
    // other machines hear of it.
    "create table kept_certificate (name text {bytewise} not null, not_after bigint not null, "
    "change bigint not null unique, chain text not null, sealed_key text not null, "
    "not_before bigint not null, renew_at bigint, issuer text not null, proven bigint not null, "
    "gone bigint not null, primary key (name, not_after))",
    "create table challenge_answer (kind text {bytewise} not null, key text {bytewise} not null, "
    "answer text not null, until bigint not null, primary key (kind, key)) {clustered}",
    "create table sealed_secret (name text {bytewise} primary key, sealed text not null) {clustered}",
    // level: tokens times 3600, so that it fills by whole numbers each second.
    "create table token_bucket (name text {bytewise} primary key, level bigint not null, "
    "at bigint not null) {clustered}",

    // What a domain looked like when it changed. Of the newest state last_seen is the end of the year 9999,
    // and watched_now says when it was.
    "create table watched_state (number {counting}, domain text {bytewise} not null, "
    "first_seen bigint not null, last_seen bigint not null, verdict text not null, record_id text not null, "
    "policy_sha256 text not null, policy {blob} not null, mx text not null, findings text not null, "
    "complete bigint not null)",
    "create index watched_state_domain on watched_state (domain, number)",
    "create index watched_state_age on watched_state (last_seen)",
    // The newest of each kind of look: a small row that is all a look without differences writes.
    "create table watched_now (domain text {bytewise} not null, complete bigint not null, "
    "state bigint not null, digest {blob} not null, first_seen bigint not null, last_seen bigint not null, "
    "earlier bigint not null, primary key (domain, complete)) {clustered}",
    "create table policy_fetches (domain text {bytewise} not null, day bigint not null, "
    "network text {bytewise} not null, agent text {bytewise} not null, id text {bytewise} not null, "
    "count bigint not null, last_at bigint not null, primary key (domain, day, network, agent, id)) "
    "{clustered}",
    "create index policy_fetches_day on policy_fetches (day)",
});

// What the table of all domains shows: a small row, numbered as publications are, and beside it the document
// of the last full look (gzip). looked_at 0: none yet; next_kind '': nothing.
constexpr auto what_is_shown = std::to_array<std::string_view>({
    "insert into domain_counter (name, value) values ('shown', 0)",
    "create table domain_shown (domain text {bytewise} primary key, change bigint not null unique, "
    "looked_at bigint not null, verdict text not null, mode text not null, parts text not null, "
    "errors bigint not null, warnings bigint not null, changed text not null, changed_at bigint not null, "
    "next_kind text not null, next_title text not null, next_state text not null, next_by text not null, "
    "next_at bigint)",
    "create table domain_look (domain text {bytewise} primary key, at bigint not null, "
    "document {blob} not null)",
});

// Whose a domain was when it was removed: what is kept of it is nobody else's to see.
constexpr auto who_left = std::to_array<std::string_view>({
    "create table domain_left (domain text {bytewise} primary key, owner text not null, at bigint not null) "
    "{clustered}",
});

constexpr std::array<schema_step, 3> steps{schema_step(first_tables), schema_step(what_is_shown),
                                           schema_step(who_left)};

} // namespace

const schema_part& domains_schema() {
    static constexpr schema_part part{.name = "domains", .steps = steps};
    return part;
}

} // namespace mailtight::store
