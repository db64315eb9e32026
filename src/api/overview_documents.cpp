// SPDX-License-Identifier: Apache-2.0
// The table of all domains as JSON and CSV.
#include "api/overview.h"

#include "base/text.h"
#include "insight/table.h"

#include <boost/json.hpp>
#include <fmt/format.h>

namespace mailtight::api {

namespace {

namespace json = boost::json;

json::value text_or_null(const std::string& text) {
    return text.empty() ? json::value(nullptr) : json::value(text);
}
json::value time_or_null(const std::optional<base::utc_seconds>& at) {
    return at ? json::value(base::format_utc(*at)) : json::value(nullptr);
}

json::object sessions_json(const day_sessions& of) {
    return {{"success", of.success}, {"failure", of.failure}};
}

json::object parts_json(const model::shown_parts& of) {
    return {{"sts_record", of.sts_record},
            {"policy_file", of.policy_file},
            {"tlsrpt_record", of.tlsrpt_record},
            {"mail_servers", of.mail_servers}};
}

json::value next_json(const std::optional<model::next_step>& of) {
    if (!of)
        return nullptr;
    return json::object{{"kind", of->kind},
                        {"title", of->title},
                        {"state", of->state},
                        {"by", of->by},
                        {"not_before", time_or_null(of->not_before)}};
}

} // namespace

json::object row_document(const overview_row& row) {
    json::array series;
    series.reserve(overview_days);
    for (std::size_t i = 0; i < overview_days; ++i) {
        const auto day = i < row.series.size() ? row.series[i] : day_sessions{};
        series.push_back(json::array{day.success, day.failure});
    }
    return {{"domain", row.domain},
            {"owner", row.owner},
            {"labels", json::value_from(row.labels)},
            {"light", to_string(row.light)},
            {"verdict", row.verdict},
            {"mode", text_or_null(row.mode)},
            {"aim", model::to_string(row.aim)},
            {"parts", parts_json(row.parts)},
            {"errors", row.errors},
            {"warnings", row.warnings},
            {"seen_at", time_or_null(row.seen_at)},
            {"sessions", sessions_json(row.sessions)},
            {"series", std::move(series)},
            {"changed", row.changed.empty()
                            ? json::value(nullptr)
                            : json::value(json::object{{"at", base::format_utc(row.changed_at)},
                                                       {"what", row.changed}})},
            {"next", next_json(row.next)}};
}

json::object overview_document(const overview_page& page) {
    json::array rows;
    rows.reserve(page.rows.size());
    for (const auto& row : page.rows)
        rows.emplace_back(row_document(*row));
    json::object counts;
    for (std::size_t i = 0; i < page.counts.size(); ++i)
        counts[to_string(static_cast<overview_state>(i))] = page.counts[i];
    return {{"rows", std::move(rows)}, {"total", page.total}, {"counts", std::move(counts)}};
}

std::string overview_csv(const overview_page& page) {
    std::string out = "domain,owner,labels,light,verdict,mode,aim,sts_record,policy_file,tlsrpt_record,"
                      "mail_servers,errors,warnings,seen_at,success,failure,changed_at,changed,next,next_by,"
                      "next_not_before\r\n";
    const auto cell = [&out](std::string_view text) {
        out += insight::csv_cell(text);
        out += ',';
    };
    const auto time = [](const std::optional<base::utc_seconds>& at) {
        return at ? base::format_utc(*at) : std::string();
    };
    for (const auto& each : page.rows) {
        const auto& row = *each;
        cell(row.domain);
        cell(row.owner);
        cell(base::join(row.labels, " "));
        cell(to_string(row.light));
        cell(row.verdict);
        cell(row.mode);
        cell(model::to_string(row.aim));
        for (const auto* part : {&row.parts.sts_record, &row.parts.policy_file, &row.parts.tlsrpt_record,
                                 &row.parts.mail_servers})
            cell(*part);
        for (const auto number : {row.errors, row.warnings})
            out += fmt::format("{},", number);
        cell(time(row.seen_at));
        for (const auto number : {row.sessions.success, row.sessions.failure})
            out += fmt::format("{},", number);
        cell(row.changed.empty() ? std::string() : base::format_utc(row.changed_at));
        cell(row.changed);
        cell(row.next ? row.next->title : "");
        cell(row.next ? row.next->by : "");
        out += insight::csv_cell(row.next ? time(row.next->not_before) : "");
        out += "\r\n";
    }
    return out;
}

} // namespace mailtight::api
