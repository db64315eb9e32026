// SPDX-License-Identifier: Apache-2.0
// What the tables leave unsaid: the diagnoses of the failures, the matrix of reporters and MX hosts, a stored
// report with what the store knows of it, the summary of a period.
#include "insight/render_rows.h"

#include "advise/page.h"
#include "advise/words.h"
#include "base/text.h"
#include "insight/diagnosis_json.h"
#include "insight/diagnosis_text.h"
#include "insight/json_text.h"
#include "insight/render_answers.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <set>

namespace mailtight::insight {

namespace json = boost::json;

namespace {

using advise::grouped;
using advise::ink;
using advise::padded;
using advise::page;
using advise::shown;

} // namespace

json::object failure_json(const failure_group& one) {
    return {{"domain", safe(one.domain)},
            {"result_type", safe(one.result_type)},
            {"reason_code", safe(one.reason_code)},
            {"mx", safe(one.mx)},
            {"policy_type", safe(one.policy_type)},
            {"count", one.count},
            {"failed", fate_json({one.held_back, one.delivered, one.unknown})},
            {"reporters", strings(one.reporters)},
            {"reporters_fine", one.reporters_fine},
            {"first", base::format_date(one.first)},
            {"last", base::format_date(one.last)},
            {"sending_ips", strings(one.sending_ips)},
            {"receiving_ips", strings(one.receiving_ips)},
            {"last_report", one.last_report},
            {"diagnosis", diagnosis_json(one.diagnosis)}};
}

namespace {

/// Which period it was, and where there is something.
std::string nothing_words(const summary& of) {
    std::string words = "No counted reports";
    if (of.from && of.to)
        words += fmt::format(" of {}.", days_words(*of.from, *of.to));
    else if (of.from)
        words += fmt::format(" of {} or later.", advise::day_words(*of.from));
    else
        words += " in this period.";
    if (of.newest)
        words += fmt::format(
            " The newest is of {}: mailtight report summary --from {} --to {} shows that day.",
            advise::day_words(*of.newest), base::format_date(*of.newest), base::format_date(*of.newest));
    return words;
}

} // namespace

std::string mx_matrix_text(std::span<const store::mx_row> rows, const advise::style& how) {
    // One table whose columns are the MX hosts with the most failures.
    constexpr std::size_t hosts_most = 6;
    std::map<std::string, std::uint64_t> by_host;
    std::map<std::string, std::map<std::string, std::uint64_t>> by_reporter;
    for (const auto& row : rows) {
        by_host[row.mx] += row.failure;
        by_reporter[row.reporter][row.mx] += row.failure;
    }
    std::vector<std::string> hosts;
    for (const auto& [host, count] : by_host)
        hosts.push_back(host);
    std::ranges::sort(hosts, [&](const auto& a, const auto& b) {
        return by_host[a] != by_host[b] ? by_host[a] > by_host[b] : a < b;
    });
    const bool others = hosts.size() > hosts_most;
    if (others)
        hosts.resize(hosts_most);
    table made{{{"reporter", "Failed sessions", {}}}, {}, "No failures in this period."};
    for (const auto& host : hosts)
        made.columns.push_back({host, host.empty() ? "(not said)" : shown(host), column::kind::number});
    if (others)
        made.columns.push_back({"others", "others", column::kind::number});
    for (const auto& [reporter, counts] : by_reporter) {
        auto& row = made.rows.emplace_back();
        row.emplace_back(safe(reporter));
        std::uint64_t rest = 0;
        for (const auto& [host, count] : counts)
            rest += count;
        for (const auto& host : hosts) {
            const auto at = counts.find(host);
            row.push_back(at == counts.end() ? json::value(nullptr) : json::value(at->second));
            rest -= at == counts.end() ? 0 : at->second;
        }
        if (others)
            row.push_back(rest ? json::value(rest) : json::value(nullptr));
    }
    return table_text(made, how);
}

std::string failures_text(std::span<const failure_group> groups, const advise::style& how) {
    page to(how);
    if (groups.empty()) {
        to.line("No failures in this period.");
        return to.take();
    }
    advise::failed_fate fate;
    std::uint64_t total = 0;
    for (const auto& one : groups) {
        fate.held_back += one.held_back;
        fate.delivered += one.delivered;
        fate.unknown += one.unknown;
        total += one.count;
    }
    const auto what_became = advise::fate_words(fate); // "" where the reporters count none (A30)
    to.wrapped("", fmt::format("{} failed {} of {}{}{}.", grouped(total), total == 1 ? "session" : "sessions",
                               advise::count(groups.size(), "kind"), what_became.empty() ? "" : ": ",
                               what_became));
    to.wrapped("", "Sessions are not messages: a sender that fails tries again.", ink::dim);
    for (const auto& one : groups) {
        to.line();
        to.wrapped(to.paint(one.diagnosis.ours ? ink::red : ink::yellow, grouped(one.count)) + "  ",
                   shown(one.diagnosis.title) + (one.mx.empty() ? "" : ": " + shown(one.mx)), ink::bold);
        std::string seen =
            fmt::format("{} for {}, {}, by {}", shown(one.result_type), shown(one.domain),
                        days_words(one.first, one.last), shown(advise::list(one.reporters, 5)));
        if (!one.reason_code.empty())
            seen += "; reason " + shown(one.reason_code);
        if (!one.receiving_ips.empty())
            seen += "; at " + shown(advise::list(one.receiving_ips, 4));
        if (!one.sending_ips.empty())
            seen += "; from " + shown(advise::list(one.sending_ips, 4));
        diagnosis_lines(to, one.diagnosis, seen);
        if (one.last_report > 0)
            to.line(fmt::format("    {}mailtight report show {}", padded("report", 7), one.last_report));
    }
    return to.take();
}

std::string failures_ndjson(std::span<const failure_group> groups) {
    std::string out;
    for (const auto& one : groups)
        out += json_line(failure_json(one)) + '\n';
    return out;
}

std::string stored_text(const store::stored_report& what, const advise::style& how,
                        const known_today& today) {
    page to(how);
    to.heading("In the store");
    const auto row = [&](std::string_view name, const std::string& text) {
        if (!text.empty())
            to.wrapped("  " + padded(name, 10), text);
    };
    row("number", std::to_string(what.row.number));
    row("state", shown(what.row.state) + (what.row.why.empty() ? "" : ": " + shown(what.row.why)));
    row("received",
        base::format_utc(what.row.received_at) + " by " + std::string(model::to_string(what.row.way)));
    if (what.row.times_seen > 1)
        row("came", fmt::format("{} times, counted once", what.row.times_seen));
    std::vector<std::string> versions;
    for (const auto number : what.versions)
        versions.push_back(std::to_string(number));
    row("versions", versions.empty() ? "" : "the same report in other words: " + advise::list(versions));
    if (what.report.json.empty())
        row("body", "no longer kept");
    return report_text(what.report, how, today) + to.take();
}

json::object stored_json(const store::stored_report& what, const known_today& today,
                         std::optional<std::size_t> most) {
    json::object made = report_json(what.report, today, most);
    json::array versions;
    for (const auto number : what.versions)
        versions.emplace_back(number);
    made["number"] = what.row.number;
    made["state"] = what.row.state;
    made["why"] = safe(what.row.why);
    made["received_at"] = base::format_utc(what.row.received_at);
    made["way"] = model::to_string(what.row.way);
    made["times_seen"] = what.row.times_seen;
    made["raw"] = !what.report.json.empty();
    made["versions"] = std::move(versions);
    return made;
}

std::string summary_text(const summary& of, const advise::style& how) {
    page to(how);
    std::uint64_t success = 0, failure = 0;
    std::set<std::string> domains;
    for (const auto& row : of.days) {
        success += row.success;
        failure += row.failure;
        domains.insert(row.domain);
    }
    if (of.days.empty())
        to.wrapped("", nothing_words(of));
    else
        to.wrapped("",
                   fmt::format("{} {} for {}{}", grouped(success + failure),
                               success + failure == 1 ? "session" : "sessions",
                               advise::count(domains.size(), "domain"),
                               failure == 0 ? ", none failed. Nothing to do."
                                            : fmt::format(", {} failed: mailtight report failures says why.",
                                                          grouped(failure))),
                   failure ? ink::yellow : ink::green);
    std::string out = to.take();
    const auto add = [&](std::string_view heading, const std::string& text) {
        page part(how);
        part.heading(heading);
        out += part.take() + text;
    };
    if (!of.days.empty())
        add("By day", table_text(days_table(of.days), how));
    if (!of.reporters.empty())
        add("By reporter", table_text(reporters_table(of.reporters), how));
    if (!of.results.empty())
        add("By result", table_text(results_table(of.results), how));
    if (!of.by_mx.empty())
        add("By reporter and MX host", mx_matrix_text(of.by_mx, how));
    if (!of.trends.empty())
        add("Failed share up to today, by reporter", table_text(trends_table(of.trends), how));
    if (!of.quarantine.empty())
        add("Kept apart, not counted", table_text(quarantine_table(of.quarantine), how));
    return out;
}

json::object summary_json(const summary& of) {
    std::uint64_t success = 0, failure = 0;
    for (const auto& row : of.days) {
        success += row.success;
        failure += row.failure;
    }
    return {{"headline", json::object{{"success", success}, {"failure", failure}}},
            {"days", table_json(days_table(of.days))},
            {"reporters", table_json(reporters_table(of.reporters))},
            {"results", table_json(results_table(of.results))},
            {"reporter_mx", table_json(mx_table(of.by_mx))},
            {"trends", table_json(trends_table(of.trends))},
            {"not_counted", table_json(quarantine_table(of.quarantine))}};
}

} // namespace mailtight::insight
