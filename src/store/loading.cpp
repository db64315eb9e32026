// SPDX-License-Identifier: Apache-2.0
// One report read back whole from its rows, as it was handed in.
#include "base/compress.h"
#include "base/text.h"
#include "store/sql_store.h"

#include <algorithm>
#include <map>

namespace mailtight::store {
namespace {

constexpr std::size_t body_max = std::size_t{256} * 1024 * 1024; // what we packed ourselves was smaller

std::optional<tlsrpt::quirk> quirk_of(std::string_view word) {
    static const auto words = [] {
        std::map<std::string_view, tlsrpt::quirk> out;
        for (int i = 0; i <= static_cast<int>(tlsrpt::quirk::file_name_disagrees); ++i)
            out.emplace(to_string(static_cast<tlsrpt::quirk>(i)), static_cast<tlsrpt::quirk>(i));
        return out;
    }();
    const auto found = words.find(word);
    return found == words.end() ? std::nullopt : std::optional(found->second);
}

std::vector<tlsrpt::warning> read_warnings(std::string_view column) {
    const auto flat = read_list(column);
    std::vector<tlsrpt::warning> out;
    for (std::size_t i = 0; i + 2 < flat.size(); i += 3)
        if (const auto code = quirk_of(flat[i]))
            out.push_back({.code = *code, .where = flat[i + 1], .detail = flat[i + 2]});
    return out;
}

mail::dkim_result dkim_result_of(std::string_view word) {
    using enum mail::dkim_result;
    for (const auto r : {pass, none, fail, neutral, temperror, permerror, expired})
        if (mail::to_string(r) == word)
            return r;
    return none;
}

} // namespace

std::optional<stored_report> sql_store::load(report_number number, bool with_body) {
    std::optional<stored_report> found;
    report_number family = 0;
    on_->query(
        "select family, state, why, trust, times_seen, reporter, period_start, period_end, received_at, "
        "success, "
        "failure, warning_count, way, format, organization, contact, report_id, report_domain, submitter, "
        "recipient, "
        "source, trust_reason, dkim_mail, dkim_result, dkim_domain, dkim_selector, dkim_reason, test_token, "
        "inferred, warnings, truncated from report where id = $1",
        {number}, [&](const sql::row& r) {
            auto& out = found.emplace();
            auto& in = out.report;
            family = r.integer(0);
            in.trust = static_cast<model::trust>(r.integer(3));
            in.report.start = r.maybe_at(6);
            in.report.end = r.maybe_at(7);
            in.received_at = r.at(8);
            in.way = model::parse_way_in(r.text(12)).value_or(model::way_in::file);
            in.format = r.string(13);
            in.report.organization_name = r.string(14);
            in.report.contact_info = r.string(15);
            in.report.report_id = r.string(16);
            in.report_domain = r.string(17);
            in.submitter = r.string(18);
            in.recipient = r.string(19);
            in.source = r.string(20);
            in.trust_reason = r.string(21);
            in.dkim = {.result = dkim_result_of(r.text(23)),
                       .domain = r.string(24),
                       .selector = r.string(25),
                       .reason = r.string(26),
                       .mail = r.integer(22) != 0};
            in.test_token = r.string(27);
            in.report.inferred = read_list(r.text(28));
            in.report.warnings = read_warnings(r.text(29));
            in.report.truncated = r.integer(30) != 0;
            out.row = {.number = number,
                       .reporter = r.string(5),
                       .organization = in.report.organization_name,
                       .report_id = in.report.report_id,
                       .report_domain = in.report_domain,
                       .start = in.report.start.value_or(base::utc_seconds{}),
                       .end = in.report.end.value_or(base::utc_seconds{}),
                       .received_at = in.received_at,
                       .way = in.way,
                       .trust = in.trust,
                       .success = r.count(9),
                       .failure = r.count(10),
                       .warnings = static_cast<std::size_t>(r.count(11)),
                       .state = std::string(to_string(static_cast<mailtight::store::state>(r.integer(1)))),
                       .why = r.string(2),
                       .times_seen = r.count(4)};
        });
    if (!found)
        return found;
    auto& policies = found->report.report.policies;
    on_->query(
        "select r.type, r.domain, r.inferred, coalesce(t.strings, r.strings), r.mx_patterns, r.success, "
        "r.failure from policy_result r left join policy_text t on t.id = r.text and r.text <> 0 "
        "where r.report = $1 order by r.n",
        {number}, [&](const sql::row& r) {
            policies.push_back({.type = r.string(0),
                                .domain = r.string(1),
                                .inferred = read_list(r.text(2)),
                                .strings = read_list(r.text(3)),
                                .mx_patterns = read_list(r.text(4)),
                                .success = r.count(5),
                                .failure = r.count(6)});
        });
    on_->query("select policy, result_type, count, sending_ip, mx, helo, receiving_ip, information, reason "
               "from detail where report = $1 order by policy, n",
               {number}, [&](const sql::row& r) {
                   if (const auto policy = static_cast<std::size_t>(r.count(0)); policy < policies.size())
                       policies[policy].details.push_back({.result_type = r.string(1),
                                                           .count = r.count(2),
                                                           .sending_mta_ip = r.string(3),
                                                           .receiving_mx = r.string(4),
                                                           .receiving_mx_helo = r.string(5),
                                                           .receiving_ip = r.string(6),
                                                           .additional_information = r.string(7),
                                                           .reason_code = r.string(8)});
               });
    if (!with_body)
        return found;
    on_->query("select json from body where report = $1", {number}, [&](const sql::row& r) {
        if (auto json = base::gunzip(r.text(0), {.bytes = body_max, .ratio = body_max}))
            found->report.json = std::move(json->bytes);
    });
    on_->query("select id from report where id = $1 and id <> $2 union "
               "select id from report where family = $1 and leads = 0 and id <> $2 union "
               "select l.id from report f join report l on l.key = f.key and l.leads = 1 "
               "where f.id = $2 and l.id <> $2",
               {family, number}, [&](const sql::row& r) { found->versions.push_back(r.integer(0)); });
    std::ranges::sort(found->versions);
    return found;
}

result<std::optional<stored_report>> sql_store::show(report_number number) {
    return reading([&] { return load(number, true); });
}

// How a report counts now, by its rows.
judgement sql_store::judgement_of(report_number number) {
    judgement out;
    std::string domain;
    std::int64_t on_day = 0;
    on_->query("select state, report_domain, day from report where id = $1", {number},
               [&](const sql::row& r) {
                   out.state = static_cast<mailtight::store::state>(r.integer(0));
                   domain = base::lower(r.text(1));
                   on_day = r.integer(2);
               });
    on_->query("select owner from policy_result where report = $1 order by n", {number},
               [&](const sql::row& r) { out.owners.push_back(r.integer(0)); });
    if (on_->number("select 1 from about where domain = $1 and day = $2 and report = $3 and counted = 1",
                    {domain, on_day, number}))
        out.report_owner = words_.find(*on_, domain).value_or(0);
    return out;
}

std::vector<std::int64_t> sql_store::enter_texts(const tlsrpt::report& report) {
    std::vector<std::int64_t> out;
    out.reserve(report.policies.size());
    for (const auto& p : report.policies)
        out.push_back(texts_.enter(*on_, write_list(p.strings)));
    return out;
}

} // namespace mailtight::store
