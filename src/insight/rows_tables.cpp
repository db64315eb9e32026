// SPDX-License-Identifier: Apache-2.0
// Each kind of row as a table. The keys are a contract; a heading "" keeps a column out of the person's
// view, a key "" out of JSON and CSV.
#include "insight/json_text.h"
#include "insight/render_rows.h"

#include <cmath>

namespace mailtight::insight {

namespace {

namespace json = boost::json;
constexpr auto number = column::kind::number, whole = column::kind::whole;

json::value day_value(day d) {
    return json::value(base::format_date(d));
}
json::value time_value(base::utc_seconds at) {
    return at == base::utc_seconds{} ? json::value(nullptr) : json::value(base::format_utc(at));
}
json::value text(std::string_view remote) {
    return json::value(safe(remote));
}
json::value share(std::uint64_t success, std::uint64_t failure) {
    const double all = static_cast<double>(success) + static_cast<double>(failure);
    return all == 0 ? json::value(nullptr)
                    : json::value(std::round(10'000 * static_cast<double>(failure) / all) / 10'000);
}
/// For the eye: nothing where nothing failed.
json::value failed_share(std::uint64_t success, std::uint64_t failure) {
    return json::value(failure == 0 ? std::string() : advise::share_words(failure, success + failure));
}

} // namespace

table reports_table(std::span<const store::report_row> rows, const asked_period& asked) {
    table made{
        {{"number", "No.", number},
         {"start", "", {}},
         {"end", "", {}},
         {"", "Day", whole},
         {"reporter", "", {}},
         {"organization_name", "Reporter", {}},
         {"report_domain", "Domain", whole},
         {"success", "Good", number},
         {"failure", "Failed", number},
         {"trust", "Trust", {}},
         {"state", "State", {}},
         {"why", "Why", column::kind::remark},
         {"report_id", "", {}},
         {"way", "", {}},
         {"received_at", "", {}},
         {"warnings", "", number},
         {"times_seen", "", number}},
        {},
        (asked.from || asked.to ? name_period("No report in this period fits.", asked) : "No report fits.") +
            " 'mailtight report list' without filters shows all that count."};
    for (const auto& row : rows)
        made.rows.push_back(
            {row.number, time_value(row.start), time_value(row.end),
             row.start == base::utc_seconds{} ? json::value(nullptr)
                                              : json::value(base::format_date(row.start)),
             text(row.reporter), text(row.organization.empty() ? row.reporter : row.organization),
             text(row.report_domain), row.success, row.failure, text(model::to_string(row.trust)),
             text(row.state), text(row.why), text(row.report_id), text(model::to_string(row.way)),
             time_value(row.received_at), row.warnings, row.times_seen});
    return made;
}

table days_table(std::span<const store::day_row> rows) {
    table made{{{"domain", "Domain", whole},
                {"day", "Day", whole},
                {"success", "Good", number},
                {"failure", "Failed", number},
                {"share", "", number},
                {"", "Share", number},
                {"reporters", "Reporters", number},
                {"reports", "", number},
                {"sts_success", "", number},
                {"sts_failure", "", number},
                {"tlsa_success", "", number},
                {"tlsa_failure", "", number},
                {"none_success", "", number},
                {"none_failure", "", number}},
               {},
               "No sessions are reported in this period."};
    for (const auto& row : rows)
        made.rows.push_back({text(row.domain), day_value(row.day), row.success, row.failure,
                             share(row.success, row.failure), failed_share(row.success, row.failure),
                             row.reporters, row.reports, row.sts_success, row.sts_failure, row.tlsa_success,
                             row.tlsa_failure, row.none_success, row.none_failure});
    return made;
}

table reporters_table(std::span<const store::reporter_row> rows) {
    table made{{{"domain", "Domain", whole},
                {"reporter", "", {}},
                {"organization_name", "Reporter", {}},
                {"success", "Good", number},
                {"failure", "Failed", number},
                {"share", "", number},
                {"", "Share", number},
                {"reports", "Reports", number},
                {"first", "", {}},
                {"last", "Last day", whole},
                {"verified", "Verified", {}},
                {"usual_interval", "", number},
                {"last_received", "", {}}},
               {},
               "No reporter has written in this period."};
    for (const auto& row : rows)
        made.rows.push_back(
            {text(row.domain), text(row.reporter),
             text(row.organization.empty() ? row.reporter : row.organization), row.success, row.failure,
             share(row.success, row.failure), failed_share(row.success, row.failure), row.reports,
             day_value(row.first), day_value(row.last), row.verified,
             row.usual_interval.count() > 0 ? json::value(row.usual_interval.count()) : json::value(nullptr),
             time_value(row.last_received)});
    return made;
}

table mx_table(std::span<const store::mx_row> rows) {
    table made{{{"reporter", "Reporter", {}},
                {"mx", "MX host", {}},
                {"failure", "Failed", number},
                {"first", "First day", whole},
                {"last", "Last day", whole}},
               {},
               "No failures in this period."};
    for (const auto& row : rows)
        made.rows.push_back(
            {text(row.reporter), text(row.mx), row.failure, day_value(row.first), day_value(row.last)});
    return made;
}

table results_table(std::span<const store::result_row> rows) {
    table made{{{"result_type", "Result", {}},
                {"count", "Sessions", number},
                {"reporters", "Reporters", number},
                {"first", "First day", whole},
                {"last", "Last day", whole}},
               {},
               "No failures in this period."};
    for (const auto& row : rows)
        made.rows.push_back(
            {text(row.result_type), row.count, row.reporters, day_value(row.first), day_value(row.last)});
    return made;
}

table policies_table(std::span<const store::policy_row> rows) {
    table made{{{"domain", "Domain", whole},
                {"type", "Kind", {}},
                {"strings", "Policy", {}},
                {"success", "Good", number},
                {"failure", "Failed", number},
                {"first", "First day", whole},
                {"last", "Last day", whole},
                {"reporters", "", {}}},
               {},
               "No reporter has shown a policy in this period."};
    for (const auto& row : rows)
        made.rows.push_back({text(row.domain), text(row.type), strings(row.strings), row.success, row.failure,
                             day_value(row.first), day_value(row.last), strings(row.reporters)});
    return made;
}

table quarantine_table(std::span<const store::quarantine_row> rows) {
    table made{{{"why", "Why not counted", {}},
                {"domain", "Domain", whole},
                {"reporter", "Reporter", {}},
                {"trust", "Trust", {}},
                {"reports", "Reports", number},
                {"success", "Good", number},
                {"failure", "Failed", number},
                {"last", "", {}}},
               {},
               "Nothing is kept apart."};
    for (const auto& row : rows)
        made.rows.push_back({text(row.why), text(row.domain), text(row.reporter),
                             text(model::to_string(row.trust)), row.reports, row.success, row.failure,
                             time_value(row.last)});
    return made;
}

table failures_table(std::span<const failure_group> groups) {
    table made{{{"domain", "Domain", whole},
                {"result_type", "Result", {}},
                {"mx", "MX host", {}},
                {"count", "Sessions", number},
                {"held_back", "", number},
                {"delivered", "", number},
                {"unknown", "", number},
                {"reporters", "Reporters", {}},
                {"reporters_fine", "", number},
                {"first", "", {}},
                {"last", "Last day", whole},
                {"policy_type", "", {}},
                {"reason_code", "", {}},
                {"sending_ips", "", {}},
                {"receiving_ips", "", {}},
                {"rule", "", {}},
                {"title", "What it is", {}},
                {"cause", "", {}},
                {"fix", "", {}},
                {"last_report", "", number}},
               {},
               "No failures in this period."};
    for (const auto& one : groups)
        made.rows.push_back({text(one.domain),
                             text(one.result_type),
                             text(one.mx),
                             one.count,
                             one.held_back,
                             one.delivered,
                             one.unknown,
                             strings(one.reporters),
                             one.reporters_fine,
                             day_value(one.first),
                             day_value(one.last),
                             text(one.policy_type),
                             text(one.reason_code),
                             strings(one.sending_ips),
                             strings(one.receiving_ips),
                             text(one.diagnosis.rule),
                             text(one.diagnosis.title),
                             text(one.diagnosis.cause),
                             text(one.diagnosis.fix),
                             one.last_report});
    return made;
}

} // namespace mailtight::insight
