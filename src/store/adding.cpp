// SPDX-License-Identifier: Apache-2.0
// How a report enters: look up what is known under its key, insert what is new in one journey, then settle
// the others one by one: the same again, a correction, or less believed than what stands (A28). The totals
// follow at the end of the same transaction.
#include "base/compress.h"
#include "store/key.h"
#include "store/sql_store.h"

#include <algorithm>
#include <map>

namespace mailtight::store {

struct sql_store::incoming {
    const model::received_report* report = nullptr;
    std::optional<model::received_report> mended;
    std::string reporter, key, content;
    std::vector<std::string> named; ///< domains
    std::string domain;             ///< for whom it claims to be, first of all
    std::int64_t on_day = 0;
    tlsrpt::session_count headline;
    std::uint64_t details = 0;
    std::string inferred, warnings;
    mailtight::store::judgement judgement;
    std::vector<std::int64_t> texts;
    std::optional<known> before; ///< the one that leads under this key
    bool first_of_key = false;   ///< in this call
    bool was_gone = false;
    add_outcome outcome;
};

namespace {

constexpr std::string_view report_columns =
    "id, key, content, family, leads, state, why, trust, times_seen, reporter, domain, period_start, "
    "period_end, "
    "received_at, success, failure, policies, details, warning_count, way, format, organization, contact, "
    "report_id, report_domain, submitter, recipient, source, trust_reason, dkim_mail, dkim_result, "
    "dkim_domain, "
    "dkim_selector, dkim_reason, test_token, inferred, warnings, truncated, day";

std::string insert_report() {
    std::string out = "insert into report (" + std::string(report_columns) + ") values (";
    const auto columns = std::ranges::count(report_columns, ',') + 1;
    for (std::ptrdiff_t i = 1; i <= columns; ++i)
        out += (i > 1 ? ", $" : "$") + std::to_string(i);
    return out + ") on conflict do nothing returning id";
}

// `[where, detail, code]` triples in one list.
std::string write_warnings(const std::vector<tlsrpt::warning>& warnings) {
    std::vector<std::string> flat;
    flat.reserve(warnings.size() * 3);
    for (const auto& w : warnings) {
        flat.emplace_back(to_string(w.code));
        flat.push_back(w.where);
        flat.push_back(w.detail);
    }
    return write_list(flat);
}

add_outcome::fate fate_of(state s) {
    switch (s) {
    case state::test:
        return add_outcome::fate::test;
    case state::counted:
        return add_outcome::fate::added;
    default:
        return add_outcome::fate::quarantined;
    }
}

} // namespace

result<std::vector<add_outcome>> sql_store::add(std::span<const model::received_report> reports) {
    if (reports.empty())
        return std::vector<add_outcome>{};
    return writing([&] { return add_all(reports); });
}

std::vector<add_outcome> sql_store::add_all(std::span<const model::received_report> reports) {
    on_->hold(false);
    learn_rules();
    std::vector<incoming> all(reports.size());
    for (std::size_t i = 0; i < all.size(); ++i) {
        auto& in = all[i];
        in.mended = mended(reports[i]);
        in.report = in.mended ? &*in.mended : &reports[i];
        const auto& report = in.report->report;
        in.reporter = model::reporter_of(*in.report);
        in.key = key_of(*in.report, in.reporter);
        in.content = content_of(report);
        in.named = domains_named(*in.report);
        in.domain = in.report->report_domain;
        if (in.domain.empty() && !in.named.empty())
            in.domain = in.named.front();
        in.on_day = std::chrono::floor<std::chrono::days>(report.start.value_or(in.report->received_at))
                        .time_since_epoch()
                        .count();
        in.headline = tlsrpt::headline(report);
        for (const auto& p : report.policies)
            in.details += p.details.size();
        in.inferred = write_list(report.inferred);
        in.warnings = write_warnings(report.warnings);
        in.judgement = judge(*in.report, rules_);
    }
    look_up(all);
    insert_new(all);

    totals sums(*on_, words_);
    // By key, so that two writers with the same reports wait for each other in one direction only; under one
    // key in the order in which they came.
    std::vector<incoming*> by_key;
    for (auto& in : all)
        by_key.push_back(&in);
    std::ranges::sort(by_key, {},
                      [](const incoming* in) { return std::pair(std::string_view(in->key), in); });
    for (auto* in : by_key)
        if (in->outcome.number == 0 || !insert_rows(*in, sums))
            repeat(*in, sums);
    sums.write();

    std::vector<add_outcome> out;
    out.reserve(all.size());
    for (auto& in : all)
        out.push_back(std::move(in.outcome));
    return out;
}

void sql_store::look_up(std::vector<incoming>& all) {
    std::vector<sql::values> keys;
    for (const auto& in : all)
        keys.push_back({sql::bytes{in.key}});
    on_->query_each("select id, family, content, trust, state from report where key = $1 and leads = 1", keys,
                    [&](std::size_t i, const sql::row& r) {
                        all[i].before = known{.number = r.integer(0),
                                              .family = r.integer(1),
                                              .content = r.string(2),
                                              .trust = static_cast<model::trust>(r.integer(3)),
                                              .state = static_cast<mailtight::store::state>(r.integer(4)),
                                              .leads = true};
                    });
    on_->query_each("select 1 from gone where key = $1", keys,
                    [&](std::size_t i, const sql::row&) { all[i].was_gone = true; });
}

// The first under each key that nobody has seen yet: all of them in one journey. Where another writer was
// faster, the number is given up, and repeat() looks again.
void sql_store::insert_new(std::vector<incoming>& all) {
    std::map<std::string_view, incoming*> fresh; // in the order of keys
    std::vector<incoming*> in_order;
    for (auto& in : all)
        if (!in.before && !in.was_gone && fresh.emplace(in.key, &in).second)
            in_order.push_back(&in);
    const auto reserved = on_->reserve_report_numbers(in_order.size());
    for (std::size_t i = 0; i < in_order.size(); ++i)
        in_order[i]->outcome = {.what = fate_of(in_order[i]->judgement.state),
                                .number = reserved[i],
                                .why = std::string(in_order[i]->judgement.why)};
    static const std::string insert = insert_report();
    std::vector<sql::values> rows;
    std::vector<incoming*> of_row;
    for (const auto& [key, in] : fresh) {
        rows.push_back(report_values(*in, 1));
        of_row.push_back(in);
    }
    std::vector<bool> done(rows.size(), false);
    on_->query_each(insert, rows, [&](std::size_t i, const sql::row&) { done[i] = true; });
    for (std::size_t i = 0; i < rows.size(); ++i)
        if (!done[i])
            of_row[i]->outcome.number = 0;
}

sql::values sql_store::report_values(const incoming& what, std::int64_t leads) const {
    const auto& in = *what.report;
    const auto& report = in.report;
    const auto family = what.before ? what.before->family : what.outcome.number;
    return {what.outcome.number,
            sql::bytes{what.key},
            sql::bytes{what.content},
            family,
            leads,
            static_cast<std::int64_t>(what.judgement.state),
            what.judgement.why,
            static_cast<std::int64_t>(in.trust),
            1,
            what.reporter,
            what.domain,
            report.start,
            report.end,
            in.received_at,
            what.headline.success,
            what.headline.failure,
            std::uint64_t{report.policies.size()},
            what.details,
            std::uint64_t{report.warnings.size()},
            model::to_string(in.way),
            in.format,
            report.organization_name,
            report.contact_info,
            report.report_id,
            in.report_domain,
            in.submitter,
            in.recipient,
            in.source,
            in.trust_reason,
            in.dkim.mail,
            mail::to_string(in.dkim.result),
            in.dkim.domain,
            in.dkim.selector,
            in.dkim.reason,
            in.test_token,
            what.inferred,
            what.warnings,
            report.truncated,
            what.on_day};
}

// Everything below the row of the report, which is there. False where there is nothing to do here.
bool sql_store::insert_rows(incoming& what, totals& sums) {
    const auto number = what.outcome.number;
    const auto& in = *what.report;
    const auto& report = in.report;
    const bool counts = what.judgement.state == state::counted;
    if (counts)
        what.texts = enter_texts(report);
    else
        what.texts.assign(report.policies.size(), 0);
    for (std::size_t i = 0; i < report.policies.size(); ++i) {
        const auto& p = report.policies[i];
        const auto n = static_cast<std::int64_t>(i);
        const auto inferred = write_list(p.inferred);
        const auto strings = counts ? std::string() : write_list(p.strings);
        const auto patterns = write_list(p.mx_patterns);
        on_->run("insert into policy_result (report, n, type, domain, owner, inferred, text, strings, "
                 "mx_patterns, "
                 "success, failure) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
                 {number, n, p.type, p.domain, what.judgement.owners[i], inferred, what.texts[i], strings,
                  patterns, p.success, p.failure});
        for (std::size_t j = 0; j < p.details.size(); ++j) {
            const auto& d = p.details[j];
            on_->run(
                "insert into detail (report, policy, n, result_type, count, sending_ip, mx, helo, "
                "receiving_ip, information, reason) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
                {number, n, static_cast<std::int64_t>(j), d.result_type, d.count, d.sending_mta_ip,
                 d.receiving_mx, d.receiving_mx_helo, d.receiving_ip, d.additional_information,
                 d.reason_code});
        }
    }
    for (const auto& domain : what.named) {
        const auto owner = rules_.of(domain);
        const bool for_this =
            counts && owner != 0 &&
            (owner == what.judgement.report_owner ||
             std::ranges::find(what.judgement.owners, owner) != what.judgement.owners.end());
        on_->run("insert into about (domain, day, report, counted) values ($1, $2, $3, $4)",
                 {domain, what.on_day, number, for_this});
    }
    if (!in.json.empty()) {
        const auto packed = base::gzip(in.json);
        on_->run("insert into body (report, received_at, json) values ($1, $2, $3)",
                 {number, in.received_at, sql::bytes{packed}});
    }
    if (counts)
        sums.add({.report = &in,
                  .judgement = &what.judgement,
                  .number = number,
                  .reporter = what.reporter,
                  .texts = what.texts});
    return true;
}

std::optional<sql_store::known> sql_store::leader_of(std::string_view key) {
    std::optional<known> out;
    on_->query(
        on_->dialect("select id, family, content, trust, state from report where key = $1 and leads = 1 "
                     "{for_update}"),
        {sql::bytes{key}}, [&](const sql::row& r) {
            out = known{.number = r.integer(0),
                        .family = r.integer(1),
                        .content = r.string(2),
                        .trust = static_cast<model::trust>(r.integer(3)),
                        .state = static_cast<mailtight::store::state>(r.integer(4)),
                        .leads = true};
        });
    return out;
}

void sql_store::repeat(incoming& what, totals& sums) {
    if (what.was_gone) {
        what.outcome = {.what = add_outcome::fate::duplicate, .number = 0, .why = std::string(why::expired)};
        return;
    }
    const auto leader = leader_of(what.key);
    if (!leader) // it went between two looks
        throw sql::failure{.error = {.what = store_error::kind::busy, .message = "a report comes and goes"},
                           .serialisation = true};
    if (leader->content == what.content) {
        same_again(what, *leader, *leader, sums);
        return;
    }
    std::optional<known> version; // an older or outvoted one that says the same
    on_->query("select id, trust, state from report where family = $1 and leads = 0 and content = $2 "
               "order by trust desc, id limit 1",
               {leader->family, sql::bytes{what.content}}, [&](const sql::row& r) {
                   version = known{.number = r.integer(0),
                                   .family = leader->family,
                                   .content = what.content,
                                   .trust = static_cast<model::trust>(r.integer(1)),
                                   .state = static_cast<mailtight::store::state>(r.integer(2))};
               });
    if (version)
        same_again(what, *version, *leader, sums);
    else
        another_version(what, *leader, sums);
}

// The same key and content: counts nothing (8460-5.3-j). What is believed more of the second copy is taken
// over.
void sql_store::same_again(incoming& what, const known& before, const known& leader, totals& sums) {
    const auto& in = *what.report;
    on_->run("update report set times_seen = times_seen + 1 where id = $1", {before.number});
    what.outcome = {.what = add_outcome::fate::duplicate, .number = before.number};
    if (in.trust <= before.trust)
        return;
    if (before.leads &&
        before.state == state::counted) { // its share of the totals knows how far it is believed
        const auto old = load(before.number, false);
        uncount(*old, judgement_of(before.number), sums);
    }
    on_->run("update report set trust = $2, trust_reason = $3, dkim_mail = $4, dkim_result = $5, dkim_domain "
             "= $6, "
             "dkim_selector = $7, dkim_reason = $8, way = $9, source = $10, recipient = $11 where id = $1",
             {before.number, static_cast<std::int64_t>(in.trust), in.trust_reason, in.dkim.mail,
              mail::to_string(in.dkim.result), in.dkim.domain, in.dkim.selector, in.dkim.reason,
              model::to_string(in.way), in.source, in.recipient});
    if (before.leads)
        judge_again(before.number, sums);
    else if (in.trust > leader.trust) {
        take_lead(leader.number, before.number, sums);
        what.outcome.what = add_outcome::fate::correction;
    }
}

// The same key, other content: what is believed at least as far replaces, what is believed less is kept
// beside it.
void sql_store::another_version(incoming& what, const known& leader, totals& sums) {
    static const std::string insert = insert_report();
    const bool replaces = what.report->trust >= leader.trust;
    const auto judged = what.judgement;
    what.before = leader;
    what.outcome.number = on_->reserve_report_numbers(1).front();
    what.judgement.state = state::quarantined; // until take_lead() has made room
    what.judgement.why = replaces ? why::corrected : why::outvoted;
    std::ranges::fill(what.judgement.owners, 0);
    what.judgement.report_owner = 0;
    const auto row = report_values(what, 0);
    on_->query(insert, row, [](const sql::row&) {});
    insert_rows(what, sums);
    if (!replaces) {
        what.outcome.what = add_outcome::fate::outvoted;
        what.outcome.why = why::outvoted;
        return;
    }
    take_lead(leader.number, what.outcome.number, sums);
    what.outcome.what =
        judged.state == state::counted ? add_outcome::fate::correction : fate_of(judged.state);
    what.outcome.why = judged.why;
}

} // namespace mailtight::store
