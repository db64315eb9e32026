// SPDX-License-Identifier: Apache-2.0
// One report as the JSON line of `report read --json`. Keys keep their order: scripts are
// read by people too.
#include "insight/diagnosis_json.h"
#include "insight/json_text.h"
#include "insight/render_report.h"

#include <limits>

namespace mailtight::insight {

namespace json = boost::json;

json::object diagnosis_json(const advise::diagnosis& said) {
    return {{"rule", said.rule},
            {"title", safe(said.title)},
            {"cause", safe(said.cause)},
            {"fix", safe(said.fix)},
            {"check", safe(said.check)},
            {"who", safe(said.who)},
            {"policy_age", safe(said.policy_age)},
            {"confidence", said.confidence},
            {"finding", said.finding.empty() ? json::value(nullptr) : json::value(said.finding)},
            {"ours", said.ours},
            {"still_so", said.still_so ? json::value(*said.still_so) : json::value(nullptr)},
            {"now", said.now}};
}

json::object fate_json(const advise::failed_fate& fate) {
    return {{"held_back", fate.held_back}, {"delivered", fate.delivered}, {"unknown", fate.unknown}};
}

namespace {

json::object detail_json(const tlsrpt::failure_detail& detail, const advise::failure_context& context,
                         const known_today& today) {
    return {{"result_type", safe(detail.result_type)},
            {"count", detail.count},
            {"sending_mta_ip", safe(detail.sending_mta_ip)},
            {"receiving_mx", safe(detail.receiving_mx)},
            {"receiving_mx_helo", safe(detail.receiving_mx_helo)},
            {"receiving_ip", safe(detail.receiving_ip)},
            {"additional_information", safe(detail.additional_information)},
            {"reason_code", safe(detail.reason_code)},
            {"diagnosis", diagnosis_json(diagnose_today(detail, context, today))}};
}

/// What may still be shown of a report.
struct room_left {
    std::size_t rows = 0, left_out = 0;
    bool take() {
        rows > 0 ? --rows : ++left_out;
        return left_out == 0;
    }
};

json::object policy_json(const tlsrpt::policy_result& policy, const advise::failure_context& context,
                         const known_today& today, room_left& room) {
    json::array details, remarks;
    for (const auto& detail : policy.details)
        if (room.take())
            details.push_back(detail_json(detail, context, today));
    for (const auto& remark : advise::diagnose_policy(policy, context))
        remarks.push_back(diagnosis_json(remark));
    return {{"type", safe(policy.type)},
            {"domain", safe(policy.domain)},
            {"inferred", strings(policy.inferred)},
            {"strings", strings(policy.strings)},
            {"mx_patterns", strings(policy.mx_patterns)},
            {"success", policy.success},
            {"failure", policy.failure},
            {"failed", fate_json(advise::fate_of_failures(policy))},
            {"details", std::move(details)},
            {"remarks", std::move(remarks)}};
}

json::value dkim_json(const model::dkim_outcome& dkim) {
    if (!dkim.mail)
        return nullptr;
    return json::object{{"result", mail::to_string(dkim.result)},
                        {"domain", safe(dkim.domain)},
                        {"selector", safe(dkim.selector)},
                        {"reason", safe(dkim.reason)}};
}

} // namespace

advise::failure_context context_of(const model::received_report& from, const tlsrpt::policy_result& policy,
                                   const known_today& today) {
    advise::failure_context context;
    // Under DANE the policy domain may be an MX host (A22); what is looked at and mended is the domain.
    const bool of_host = policy.known_type() == tlsrpt::policy_type::tlsa && !from.report_domain.empty();
    context.domain = policy.domain.empty() || of_host ? from.report_domain : policy.domain;
    context.policy_type =
        policy.known_type() ? std::string(tlsrpt::to_string(*policy.known_type())) : policy.type;
    context.policy_strings = policy.strings;
    context.mx_patterns = policy.mx_patterns;
    context.reporter = from.report.organization_name.empty() ? from.submitter : from.report.organization_name;
    // What is served now is known of the domain that the report is about, not of an MX host (A22).
    if (from.report_domain.empty() || base::iequals(context.domain, from.report_domain)) {
        context.policy_today = today.policy;
        context.policy_today_since = today.policy_since;
        context.mx_today = today.mx;
    }
    return context;
}

json::object report_json(const model::received_report& from, const known_today& today,
                         std::optional<std::size_t> most) {
    const tlsrpt::report& report = from.report;
    json::array warnings, policies;
    for (const auto& one : report.warnings) {
        json::object row{{"code", tlsrpt::to_string(one.code)},
                         {"where", safe(one.where)},
                         {"message", tlsrpt::explain(one.code)}};
        if (!one.detail.empty())
            row["detail"] = safe(one.detail);
        warnings.push_back(std::move(row));
    }
    room_left room{.rows = most.value_or(std::numeric_limits<std::size_t>::max())};
    for (const auto& policy : report.policies) {
        if (room.take())
            policies.push_back(policy_json(policy, context_of(from, policy, today), today, room));
        else
            room.left_out += policy.details.size();
    }
    const auto counts = tlsrpt::headline(report);
    json::object made{{"source", safe(from.source)},
                      {"format", safe(from.format)},
                      {"organization_name", safe(report.organization_name)},
                      {"contact_info", safe(report.contact_info)},
                      {"report_id", safe(report.report_id)},
                      {"start", or_null(report.start)},
                      {"end", or_null(report.end)},
                      {"inferred", strings(report.inferred)},
                      {"submitter", safe(from.submitter)},
                      {"report_domain", from.report_domain.empty() ? json::value(nullptr)
                                                                   : json::value(safe(from.report_domain))},
                      {"dkim", dkim_json(from.dkim)},
                      {"trust", model::to_string(from.trust)},
                      {"trust_reason", safe(from.trust_reason)},
                      {"truncated", report.truncated},
                      {"test", !from.test_token.empty()},
                      {"warnings", std::move(warnings)},
                      {"headline", json::object{{"success", counts.success}, {"failure", counts.failure}}},
                      {"sentence", safe(advise::opening_sentence(report))},
                      {"policies", std::move(policies)}};
    if (most)
        made["left_out"] = room.left_out;
    return made;
}

json::object source_error_json(std::string_view source, std::string_view code, std::string_view message) {
    return {{"source", safe(source)},
            {"error", json::object{{"code", safe(code)}, {"message", safe(message)}}}};
}

} // namespace mailtight::insight
