// SPDX-License-Identifier: Apache-2.0
// The answers of `report list`, `show`, `summary` and `failures` as tables (table.h) and, where a table says
// too little, as text for a person. Pure over the rows of the store.
#pragma once

#include "advise/text.h"
#include "insight/insight.h"
#include "insight/render_report.h"
#include "insight/table.h"
#include "store/questions.h"

#include <span>
#include <string>

namespace mailtight::insight {

/// The days that were asked for; either end may be open.
struct asked_period {
    std::optional<day> from, to;
};
/// A sentence with "in this period", such as a table's `nothing`, with those days in its place.
std::string name_period(std::string sentence, const asked_period& asked);

table reports_table(std::span<const store::report_row> rows,
                    const asked_period& asked = {});    ///< `report list`
table days_table(std::span<const store::day_row> rows); ///< `report summary`: domain and day
table reporters_table(std::span<const store::reporter_row> rows);
table mx_table(std::span<const store::mx_row> rows); ///< reporter x MX, a row a pair
table results_table(std::span<const store::result_row> rows);
table policies_table(std::span<const store::policy_row> rows);
table quarantine_table(std::span<const store::quarantine_row> rows);
table failures_table(std::span<const failure_group> groups); ///< `report failures`: for CSV and NDJSON

/// Reporters down, MX hosts across; each cell the failed sessions.
std::string mx_matrix_text(std::span<const store::mx_row> rows, const advise::style& how,
                           const asked_period& asked = {});
/// `report failures` for a person: each group with its diagnosis, the worst first.
std::string failures_text(std::span<const failure_group> groups, const advise::style& how,
                          const asked_period& asked = {});
/// `report failures --json`: NDJSON with the diagnosis as an object.
std::string failures_ndjson(std::span<const failure_group> groups);
/// One group, as its line there.
boost::json::object failure_json(const failure_group& one);
/// `report show`: the report, and what the store knows about it.
std::string stored_text(const store::stored_report& what, const advise::style& how,
                        const known_today& today = {});
boost::json::object stored_json(const store::stored_report& what, const known_today& today = {},
                                std::optional<std::size_t> most = {});
/// `report summary` for a person: a sentence on the period, then the tables that have rows.
struct summary {
    std::vector<store::day_row> days;
    std::vector<store::reporter_row> reporters;
    std::vector<store::mx_row> by_mx;
    std::vector<store::result_row> results;
    std::vector<store::quarantine_row> quarantine;
    std::optional<day> from, to, newest; ///< the period asked for; the newest day with a counted report
    std::vector<reporter_trend> trends;  ///< up to today, whatever the period
};
std::string summary_text(const summary& of, const advise::style& how);
/// One document.
boost::json::object summary_json(const summary& of);

} // namespace mailtight::insight
