// SPDX-License-Identifier: Apache-2.0
// The tables of the reports received. Read from top to bottom it is the history of the schema; steps that
// were published are never edited, only followed by further ones.
//
// Texts of reports stand as they are in the rows of the report (nothing that an untrusted report says enters
// a dictionary that outlives it); totals name their dimensions by number (`word`, `policy_text`), so that ten
// million of them stay small. Days are days since 1970, times seconds; both UTC. Totals hold counted reports
// only, and are changed in the transaction that changes the report.
#include "store/schema.h"

#include <array>

namespace mailtight::store {
namespace {

constexpr auto first_tables = std::to_array<std::string_view>({
    // What the writers agree on: `generation` grows when domains or rules change, `count_unverified` is 0
    // or 1.
    "create table setting (name text primary key, value bigint not null)",
    "insert into setting (name, value) values ('generation', 1), ('count_unverified', 0), ('next_report', 0)",
    "create table fact (name text primary key, value text not null) {clustered}",
    "create table word (id {serial}, hash {blob} not null unique, text text not null)",
    "create table policy_text (id {serial}, hash {blob} not null unique, strings text not null)",
    "create table own_domain (name text primary key, token text not null unique, added_at bigint not null, "
    "word bigint not null)",

    "{numbers}",
    // One version of one report. `leads`: the one that stands for its key; the others of the same `family`
    // (the number of the first of them) are kept beside it. state: 0 counted, 1 quarantined, 2 superseded, 3
    // test.
    "create table report (id bigint primary key, key {blob} not null, content {blob} not null, "
    "family bigint not null, leads bigint not null, state bigint not null, why text not null, "
    "trust bigint not null, times_seen bigint not null, reporter text not null, domain text not null, "
    "period_start bigint, period_end bigint, received_at bigint not null, "
    "success bigint not null, failure bigint not null, policies bigint not null, details bigint not null, "
    "warning_count bigint not null, way text not null, format text not null, "
    "organization text not null, contact text not null, report_id text not null, report_domain text not "
    "null, "
    "submitter text not null, recipient text not null, source text not null, trust_reason text not null, "
    "dkim_mail bigint not null, dkim_result text not null, dkim_domain text not null, "
    "dkim_selector text not null, dkim_reason text not null, test_token text not null, "
    "inferred text not null, warnings text not null, truncated bigint not null)",
    "create unique index report_key on report (key) where leads = 1",
    "create index report_versions on report (family) where leads = 0",
    "create index report_received on report (received_at)",
    "create index report_test on report (test_token) where test_token <> ''",
    "create index report_apart on report (id) where state = 1",
    // The raw bodies, gzip: dropped earlier than the rest.
    "create table body (report bigint primary key, received_at bigint not null, json {blob} not null)",
    "create index body_received on body (received_at)",
    // owner: the word of the domain of ours it counts for, 0 for none. The policy's text stands either in
    // policy_text (where the report was ever counted) or here.
    "create table policy_result (report bigint not null, n bigint not null, type text not null, "
    "domain text not null, owner bigint not null, inferred text not null, text bigint not null, "
    "strings text not null, mx_patterns text not null, success bigint not null, failure bigint not null, "
    "primary key (report, n)) {clustered}",
    "create table detail (report bigint not null, policy bigint not null, n bigint not null, "
    "result_type text not null, count bigint not null, sending_ip text not null, mx text not null, "
    "helo text not null, receiving_ip text not null, information text not null, reason text not null, "
    "primary key (report, policy, n)) {clustered}",
    // Which domains a report names, ours or not; counted: it counts for this one.
    "create table about (domain text not null, day bigint not null, report bigint not null, "
    "counted bigint not null, primary key (domain, day, report)) {clustered}",
    // Keys of counted reports that have expired, so that they are never counted twice.
    "create table gone (key {blob} primary key) {clustered}",

    "create table domain_day (domain bigint not null, day bigint not null, reports bigint not null, "
    "reporters bigint not null, success bigint not null, failure bigint not null, "
    "sts_success bigint not null, sts_failure bigint not null, tlsa_success bigint not null, "
    "tlsa_failure bigint not null, none_success bigint not null, none_failure bigint not null, "
    "primary key (domain, day)) {clustered}",
    "create table reporter_day (domain bigint not null, reporter bigint not null, day bigint not null, "
    "reports bigint not null, verified bigint not null, success bigint not null, failure bigint not null, "
    "sts_success bigint not null, sts_failure bigint not null, tlsa_success bigint not null, "
    "tlsa_failure bigint not null, none_success bigint not null, none_failure bigint not null, "
    "primary key (domain, reporter, day)) {clustered}",
    "create table policy_day (domain bigint not null, day bigint not null, reporter bigint not null, "
    "type bigint not null, text bigint not null, reports bigint not null, success bigint not null, "
    "failure bigint not null, primary key (domain, day, reporter, type, text)) {clustered}",
    // example_*: where one such detail stands, in the last report that has it.
    "create table failure_day (domain bigint not null, day bigint not null, reporter bigint not null, "
    "type bigint not null, result bigint not null, reason bigint not null, mx bigint not null, "
    "reports bigint not null, count bigint not null, example_report bigint not null, "
    "example_policy bigint not null, example_detail bigint not null, text bigint not null, "
    "primary key (domain, day, reporter, type, result, reason, mx)) {clustered}",
    // The rhythm: ends of the last periods, newest first.
    "create table reporter_seen (domain bigint not null, reporter bigint not null, organization text not "
    "null, "
    "last_received bigint not null, ends text not null, primary key (domain, reporter)) {clustered}",
});

// Lists of a period need not walk all reports: the day is kept with the report, with an index.
constexpr auto day_of_report = std::to_array<std::string_view>({
    "alter table report add column day bigint not null default 0",
    "update report set day = (case when coalesce(period_start, received_at) >= 0 "
    "then coalesce(period_start, received_at) / 86400 "
    "else -((86399 - coalesce(period_start, received_at)) / 86400) end)",
    "create index report_day on report (day, id)",
});

// named_by: how far the report was believed that gave the reporter its name.
constexpr auto who_named = std::to_array<std::string_view>({
    "alter table reporter_seen add column named_by bigint not null default 1",
    "update reporter_seen set named_by = 3 where exists (select 1 from reporter_day d where d.domain = "
    "reporter_seen.domain and d.reporter = reporter_seen.reporter and d.verified > 0)",
});

// A question about all domains need not add up those of each: see whole.h.
constexpr auto whole_tables = std::to_array<std::string_view>({
    "create table all_reporter_day (day bigint not null, reporter bigint not null, reports bigint not null, "
    "verified bigint not null, success bigint not null, failure bigint not null, "
    "sts_success bigint not null, sts_failure bigint not null, tlsa_success bigint not null, "
    "tlsa_failure bigint not null, none_success bigint not null, none_failure bigint not null, "
    "primary key (day, reporter)) {clustered}",
    "insert into all_reporter_day select t.day, t.reporter, sum(t.reports), sum(t.verified), "
    "sum(t.success), sum(t.failure), sum(t.sts_success), sum(t.sts_failure), sum(t.tlsa_success), "
    "sum(t.tlsa_failure), sum(t.none_success), sum(t.none_failure) "
    "from own_domain o join reporter_day t on t.domain = o.word group by t.day, t.reporter",
    "create table all_failure_day (day bigint not null, reporter bigint not null, type bigint not null, "
    "result bigint not null, mx bigint not null, reports bigint not null, count bigint not null, "
    "primary key (day, reporter, type, result, mx)) {clustered}",
    "insert into all_failure_day select t.day, t.reporter, t.type, t.result, t.mx, sum(t.reports), "
    "sum(t.count) from own_domain o join failure_day t on t.domain = o.word "
    "group by t.day, t.reporter, t.type, t.result, t.mx",
    "create table reporter_name (reporter bigint primary key, organization text not null, "
    "named_by bigint not null, last_received bigint not null) {clustered}",
    "insert into reporter_name select reporter, organization, named_by, last_received from "
    "(select s.reporter, s.organization, s.named_by, s.last_received, row_number() over (partition by "
    "s.reporter "
    "order by s.named_by desc, s.last_received desc) as place from reporter_seen s) as ranked where place = "
    "1",
});

// Nor need a question about a period add up each of its days: see spans.h. Each length is added up from the
// one before.
constexpr auto span_tables = std::to_array<std::string_view>({
    "create table domain_span (days bigint not null, first bigint not null, domain bigint not null, "
    "reports bigint not null, success bigint not null, failure bigint not null, "
    "primary key (days, first, domain)) {clustered}",
    "insert into domain_span select 1, day, domain, reports, success, failure from domain_day "
    "order by day, domain",
    "insert into domain_span select 3, first - ((first % 3) + 3) % 3, domain, sum(reports), sum(success), "
    "sum(failure) from domain_span where days = 1 group by 2, 3 order by 2, 3",
    "insert into domain_span select 9, first - ((first % 9) + 9) % 9, domain, sum(reports), sum(success), "
    "sum(failure) from domain_span where days = 3 group by 2, 3 order by 2, 3",
    "insert into domain_span select 27, first - ((first % 27) + 27) % 27, domain, sum(reports), "
    "sum(success), sum(failure) from domain_span where days = 9 group by 2, 3 order by 2, 3",
    "create table failure_span (days bigint not null, first bigint not null, domain bigint not null, "
    "type bigint not null, result bigint not null, reason bigint not null, mx bigint not null, "
    "reports bigint not null, count bigint not null, "
    "primary key (days, first, domain, type, result, reason, mx)) {clustered}",
    "insert into failure_span select 1, day, domain, type, result, reason, mx, sum(reports), sum(count) "
    "from failure_day group by 2, 3, 4, 5, 6, 7 order by 2, 3, 4, 5, 6, 7",
    "insert into failure_span select 3, first - ((first % 3) + 3) % 3, domain, type, result, reason, mx, "
    "sum(reports), sum(count) from failure_span where days = 1 group by 2, 3, 4, 5, 6, 7 "
    "order by 2, 3, 4, 5, 6, 7",
    "insert into failure_span select 9, first - ((first % 9) + 9) % 9, domain, type, result, reason, mx, "
    "sum(reports), sum(count) from failure_span where days = 3 group by 2, 3, 4, 5, 6, 7 "
    "order by 2, 3, 4, 5, 6, 7",
    "insert into failure_span select 27, first - ((first % 27) + 27) % 27, domain, type, result, reason, "
    "mx, sum(reports), sum(count) from failure_span where days = 9 group by 2, 3, 4, 5, 6, 7 "
    "order by 2, 3, 4, 5, 6, 7",
});

constexpr std::array<schema_step, 5> steps{schema_step(first_tables), schema_step(day_of_report),
                                           schema_step(who_named), schema_step(whole_tables),
                                           schema_step(span_tables)};

} // namespace

const schema_part& reports_schema() {
    static constexpr schema_part part{.name = "reports", .steps = steps};
    return part;
}

} // namespace mailtight::store
