// SPDX-License-Identifier: Apache-2.0
// The tables of the report sender. Read from top to bottom it is the history of the schema; steps that were
// published are never edited, only followed by further ones. Days are days since 1970, times seconds, UTC, 0
// is "never"; leases end in milliseconds. Result types and policy types stand as libtlsrpt's numbers.
//
// Who writes takes its locks in this order, so that machines that share a database wait for each other but
// never in a circle: the horizon, the batch, `report_due` in key order, `sent_policy`, `sent_result` in key
// order, `sent_record`, the outbox, `result_figure`.
#include "store/schema.h"

#include <array>

namespace mailtight::store {
namespace {

constexpr auto first_tables = std::to_array<std::string_view>({
    // The database's secret for due times and tags of mails; the latest fence of a due report; the horizon:
    // nothing of an
    // earlier day is kept.
    "create table result_setting (name text primary key, value bigint not null)",
    "insert into result_setting (name, value) values ('fence', 0), ('horizon', 0)",
    "create table result_machine (machine text primary key, batch bigint not null)",
    "create table result_mark (machine text not null, name text not null, value text not null, "
    "primary key (machine, name)) {clustered}",

    // Policies stand here once, however many domains and days they are counted for. last_day: of the results
    // that name it; it goes with them.
    "create table sent_policy (id {serial}, hash {blob} not null unique, type bigint not null, "
    "domain text not null, strings text not null, mx_patterns text not null, last_day bigint not null)",
    // Results are counted in the row with report = 0 and base_report = 0. A report marks the rows it holds
    // with its number (below 0: nobody wanted them), the report to the TLSA base domain `base` in
    // base_report;
    // what comes later begins a fresh row. base '': no such report. faults: their list, 0 while there is
    // none.
    "create table sent_result (day bigint not null, domain text {bytewise} not null, policy bigint not null, "
    "report bigint not null, base_report bigint not null, base text not null, faults bigint not null, "
    "success bigint not null, failure bigint not null, "
    "primary key (day, domain, policy, report, base_report)) {clustered}",
    "create index sent_result_base on sent_result (day, base) where base <> ''",
    "create table sent_faults (id {serial}, kinds bigint not null)",
    "create table sent_fault (list bigint not null, hash {blob} not null, type bigint not null, "
    "sending_ip text not null, mx text not null, helo text not null, receiving_ip text not null, "
    "information text not null, reason text not null, count bigint not null, "
    "primary key (list, hash)) {clustered}",
    // The TLSRPT record that a mail server saw last.
    "create table sent_record (domain text {bytewise} primary key, record text not null, "
    "last_day bigint not null) {clustered}",

    // There is a row exactly as long as there are results that no report holds; whoever counts or files holds
    // it to the end of the transaction.
    "create table report_due (day bigint not null, audience bigint not null, "
    "domain text {bytewise} not null, due_at bigint not null, first_tried bigint not null, "
    "tries bigint not null, fence bigint not null, leased_by text not null, lease_until bigint not null, "
    "primary key (day, audience, domain)) {clustered}",
    "create index report_due_at on report_due (due_at)",

    "create table outbox_report (number {counting}, day bigint not null, audience bigint not null, "
    "domain text {bytewise} not null, part bigint not null, report_id text not null, "
    "id_hash bigint not null, file_name text not null, success bigint not null, failure bigint not null, "
    "made_at bigint not null)",
    "create unique index outbox_report_part on outbox_report (domain, day, audience, part)",
    "create index outbox_report_day on outbox_report (day, number)",
    "create index outbox_report_id on outbox_report (id_hash)",
    "create table outbox_body (report {number_key}, body {blob} not null)",
    "create table outbox_delivery (number {counting}, report bigint not null, uri text not null, "
    "address text not null, host text not null, state bigint not null, tries bigint not null, "
    "first_at bigint not null, next_at bigint not null, ended_at bigint not null, family bigint not null, "
    "words text not null, fence bigint not null, leased_by text not null, lease_until bigint not null)",
    "create index outbox_delivery_report on outbox_delivery (report)",
    "create index outbox_delivery_next on outbox_delivery (next_at) where state = 0",
    "create index outbox_delivery_state on outbox_delivery (state, report) where state <> 1",
    // Deliveries that began on a day: to an address, to a host (`@` before its name), '' for all.
    "create table sent_count (day bigint not null, what text {bytewise} not null, count bigint not null, "
    "primary key (day, what)) {clustered}",

    "create table suppressed (who text {bytewise} primary key, why text not null, since bigint not null, "
    "until bigint) {clustered}",
    // Sums that nobody has to walk the tables for.
    "create table result_figure (name text primary key, value bigint not null)",
    "insert into result_figure (name, value) values ('unreported', 0), ('waiting', 0), ('sent', 0), "
    "('refused', 0), ('given-up', 0), ('suppressed', 0), ('skipped', 0), ('copied', 0)",
});

constexpr std::array<schema_step, 1> steps{schema_step(first_tables)};

} // namespace

const schema_part& results_schema() {
    static constexpr schema_part part{.name = "results", .steps = steps};
    return part;
}

} // namespace mailtight::store
