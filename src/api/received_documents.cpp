// SPDX-License-Identifier: Apache-2.0
#include "api/received_documents.h"

#include "api/json_body.h"
#include "api/outbox_documents.h"
#include "base/encode.h"
#include "base/text.h"
#include "insight/render_answers.h"
#include "mail/domain_name.h"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace mailtight::api {

namespace {

namespace json = boost::json;
using std::chrono::days;

constexpr std::size_t words_bytes = 300;

json::value time_or_null(const std::optional<base::utc_seconds>& at) {
    return at ? json::value(base::format_utc(*at)) : json::value(nullptr);
}
json::value day_or_null(const std::optional<store::day>& on) {
    return on ? json::value(base::format_date(*on)) : json::value(nullptr);
}
json::string shown(std::string_view remote, std::size_t most = words_bytes) {
    return json::string(base::printable(remote, most));
}

std::string_view word(store::add_outcome::fate what) {
    using enum store::add_outcome::fate;
    switch (what) {
    case added:
        return "added";
    case duplicate:
        return "duplicate";
    case correction:
        return "correction";
    case outvoted:
        return "outvoted";
    case quarantined:
        return "quarantined";
    case test:
        return "test";
    }
    return "added";
}

json::array errors_document(std::span<const file_error> all) {
    json::array out;
    for (const auto& each : all)
        out.push_back(insight::source_error_json(base::printable(each.source, words_bytes), each.code,
                                                 base::printable(each.message, 1'000)));
    return out;
}

/// The parts of a key; each is free of '/'.
std::vector<std::string> parts_of(std::string_view key) {
    std::vector<std::string> all;
    for (const auto part : base::split(key, '/'))
        all.emplace_back(part == "-" ? std::string_view() : part);
    return all;
}

std::optional<std::string> text_of(const json::object& from, std::string_view name) {
    const auto* value = from.if_contains(name);
    if (!value || value->is_null())
        return std::string();
    return value->is_string() ? std::optional(std::string(value->as_string())) : std::nullopt;
}

} // namespace

std::expected<store::filter, std::string> read_filter(const std::map<std::string, std::string>& query,
                                                      store::day today, int length) {
    store::filter of;
    const auto text = [&](const char* name) {
        const auto found = query.find(name);
        return found == query.end() ? std::string() : found->second;
    };
    if (const auto typed = text("domain"); !typed.empty()) {
        auto name = mail::canonical_name(typed);
        if (!name)
            return std::unexpected("domain takes a domain's name");
        of.domains.push_back(std::move(*name));
    }
    if (const auto typed = text("reporter"); !typed.empty())
        of.reporters.push_back(base::lower(typed));
    of.result_type = base::lower(text("result"));
    of.mx = base::lower(text("mx"));
    for (const auto& [name, into] : {std::pair("from", &of.from), std::pair("to", &of.to)})
        if (const auto typed = text(name); !typed.empty()) {
            *into = parse_day(typed);
            if (!*into)
                return std::unexpected(fmt::format("{} takes a day, written 2026-01-31", name));
        }
    if (length > 0 && !of.to)
        of.to = std::max(today, of.from.value_or(today));
    if (length > 0 && !of.from)
        of.from = *of.to - days(length - 1);
    if (of.from && of.to && *of.from > *of.to)
        return std::unexpected("from is later than to");
    using enum store::filter::which;
    constexpr std::array words{std::pair("counted", counted), std::pair("quarantined", quarantined),
                               std::pair("tests", tests), std::pair("all", all)};
    if (const auto typed = text("what"); !typed.empty()) {
        const auto* found =
            std::ranges::find_if(words, [&](const auto& each) { return typed == each.first; });
        if (found == words.end())
            return std::unexpected("what takes counted, quarantined, tests or all");
        of.what = found->second;
    }
    const auto failures = text("failures");
    of.only_failures = failures == "1" || failures == "true";
    return of;
}

json::object report_list_document(std::span<const store::report_row> rows, std::size_t offset,
                                  std::size_t limit) {
    const bool more = rows.size() > limit;
    return {{"reports", insight::table_json(insight::reports_table(more ? rows.first(limit) : rows))},
            {"next", more ? json::value(offset + limit) : json::value(nullptr)}};
}

json::object period_document(const report_period& of) {
    auto out = insight::summary_json(of.sums);
    json::array lines, domains, marks, silence;
    for (const auto& each : of.by_reporter)
        lines.push_back(json::object{{"reporter", shown(each.reporter)},
                                     {"day", base::format_date(each.day)},
                                     {"success", each.success},
                                     {"failure", each.failure}});
    for (const auto& each : of.domains)
        domains.push_back(
            json::object{{"domain", each.domain}, {"success", each.success}, {"failure", each.failure}});
    for (const auto& each : of.marks)
        marks.push_back(json::object{{"at", base::format_utc(each.at)},
                                     {"domain", each.domain},
                                     {"kind", each.kind},
                                     {"words", shown(each.words)}});
    for (const auto& each : of.silence)
        silence.push_back(insight::silence_json(each.domain, each.causes));
    out["by_reporter"] = std::move(lines);
    out["domains"] = std::move(domains);
    out["marks"] = std::move(marks);
    out["silence"] = std::move(silence);
    out["from"] = day_or_null(of.sums.from);
    out["to"] = day_or_null(of.sums.to);
    out["newest"] = day_or_null(of.sums.newest);
    return out;
}

json::object failing_document(const failing_list& of, std::span<const insight::mute> mutes,
                              base::utc_seconds now) {
    json::array groups;
    for (const auto& each : of.groups) {
        auto row = insight::failure_json(each.group);
        const auto key = insight::failure_alarm_key(each.group.domain, each.group.result_type, each.group.mx);
        const auto muted = std::ranges::find_if(
            mutes, [&](const insight::mute& one) { return insight::silences(one, key, now); });
        row["muted"] = muted == mutes.end() ? json::value(nullptr) : json::value(mute_document(*muted));
        row["looked_at"] = time_or_null(each.looked_at);
        groups.push_back(std::move(row));
    }
    return {{"groups", std::move(groups)}, {"left_out", of.left_out}};
}

json::object read_document(read_file of) {
    json::array reports;
    for (auto& each : of.reports)
        reports.push_back(std::move(each));
    return {
        {"reports", std::move(reports)}, {"errors", errors_document(of.errors)}, {"left_out", of.left_out}};
}

json::object imported_document(const imported_file& of) {
    using fate = store::add_outcome::fate;
    json::array reports;
    std::map<std::string_view, std::uint64_t> counts;
    for (const auto& each : of.outcomes) {
        ++counts[word(each.what == fate::outvoted ? fate::quarantined : each.what)];
        reports.push_back(
            json::object{{"fate", word(each.what)}, {"number", each.number}, {"why", shown(each.why)}});
    }
    return {{"added", counts["added"]},
            {"duplicates", counts["duplicate"]},
            {"corrections", counts["correction"]},
            {"quarantined", counts["quarantined"]},
            {"reports", std::move(reports)},
            {"errors", errors_document(of.errors)}};
}

json::object report_test_document(const report_test& of) {
    json::array sent;
    json::value arrived = nullptr;
    for (const auto& each : of.sent) {
        if (each.arrived && arrived.is_null())
            arrived = *each.arrived;
        sent.push_back(
            json::object{{"to", shown(each.to)},
                         {"ok", each.ok},
                         {"server", shown(each.server)},
                         {"stage", shown(each.stage)},
                         {"words", shown(each.words)},
                         {"arrived", each.arrived ? json::value(*each.arrived) : json::value(nullptr)}});
    }
    return {{"token", of.token},       {"domain", of.domain},
            {"finished", of.finished}, {"trouble", shown(of.trouble)},
            {"sent", std::move(sent)}, {"arrived", std::move(arrived)}};
}

std::string domain_of(const insight::mute& of) {
    const auto parts = parts_of(of.key); // of some alarms the second part is no name of a domain
    if (parts.size() < 2 || parts[0] == "way-in" || parts[0] == "policy-refresh" || parts[0] == "store" ||
        parts[0] == "publish" || parts[0] == "web")
        return {};
    return parts[1];
}

std::string mute_name(std::string_view key) {
    constexpr std::size_t digits = 24;
    return base::hex(base::sha256(key)).substr(0, digits);
}

json::object mute_document(const insight::mute& of) {
    const auto parts = parts_of(of.key);
    const bool failure = !parts.empty() && parts[0] == "new-failure";
    return {{"name", mute_name(of.key)},
            {"key", shown(of.key, 1'000)},
            {"domain", shown(domain_of(of))},
            {"result_type", failure && parts.size() > 2 ? shown(parts[2]) : json::string()},
            {"mx", failure && parts.size() > 3 ? shown(parts[3]) : json::string()},
            {"until", of.until == insight::mute_without_end ? json::value(nullptr)
                                                            : json::value(base::format_utc(of.until))},
            {"why", shown(of.why)},
            {"by", shown(of.by)}};
}

std::expected<insight::mute, std::string> read_mute(std::string_view body, std::string_view by,
                                                    base::utc_seconds now) {
    constexpr std::size_t body_bytes = 16 * 1024;
    const auto from = read_object(body, body_bytes);
    if (!from)
        return std::unexpected(from.error());
    constexpr std::array known{"key", "domain", "result_type", "mx", "until", "why"};
    for (const auto& [name, value] : *from)
        if (std::ranges::find(known, std::string_view(name)) == known.end())
            return std::unexpected("the body takes domain, result_type and mx, or key; and until, why");
    std::map<std::string_view, std::string> said;
    for (const auto* name : known) {
        auto text = text_of(*from, name);
        if (!text || text->size() > 1'000)
            return std::unexpected(fmt::format("{} takes a text", name));
        said[name] = std::move(*text);
    }
    insight::mute made{.key = base::printable(said["key"], 1'000),
                       .until = insight::mute_without_end,
                       .why = base::printable(said["why"], words_bytes),
                       .by = base::printable(by, 100)};
    if (made.key.empty() == said["domain"].empty())
        return std::unexpected("say which failures by domain, result_type and mx, or an alarm by its key");
    if (!made.key.empty() && (!said["result_type"].empty() || !said["mx"].empty()))
        return std::unexpected("key says it all already");
    if (!said["domain"].empty()) {
        const auto domain = mail::canonical_name(said["domain"]);
        if (!domain)
            return std::unexpected("domain takes a domain's name");
        // An MX that is "" is one that the reporters do not name; left out, it is every one.
        const auto* mx = from->if_contains("mx");
        if (said["result_type"].empty() && mx && !mx->is_null())
            return std::unexpected("mx goes with a result_type");
        made.key = mx && !mx->is_null()
                       ? insight::failure_alarm_key(*domain, base::lower(said["result_type"]),
                                                    base::lower(said["mx"]))
                       : insight::failure_alarm_prefix(*domain, base::lower(said["result_type"]));
    }
    if (!said["until"].empty()) {
        const auto day = parse_day(said["until"]); // which is included
        const auto at = day ? std::optional<base::utc_seconds>(*day + days(1) - std::chrono::seconds(1))
                            : base::parse_utc(said["until"]);
        if (!at || *at <= now)
            return std::unexpected("until takes a day to come, such as 2030-01-31");
        made.until = *at;
    }
    return made;
}

} // namespace mailtight::api
