// SPDX-License-Identifier: Apache-2.0
// `report list`, `show`, `summary`, `failures`: questions to the store, for people, as JSON or CSV.
#include "app/live_look.h"
#include "app/options.h"
#include "app/report_facts.h"
#include "app/store_access.h"
#include "app/terminal.h"
#include "app/typed.h"
#include "base/text.h"
#include "insight/render_rows.h"
#include "mail/domain_name.h"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <set>

namespace mailtight::app {

namespace {

constexpr std::size_t looked_at_most = 100; ///< domains of one --live
constexpr int usual_days = 30;              ///< of summary and failures, where nothing else is said

advise::style style() {
    return {.colour = stdout_colour(), .width = terminal_width(), .whole_tables = !stdout_terminal()};
}

std::optional<store::day> parse_day(const char* option, const std::string& text) {
    const auto at = base::parse_utc(text + "T00:00:00Z");
    if (!at)
        complain(fmt::format("{} takes a day such as 2026-01-31, not '{}'", option, base::printable(text)));
    return at ? std::optional(day_of(*at)) : std::nullopt;
}

/// What was typed, as the store understands it; nothing, and a word on stderr, where it is wrong.
std::optional<store::filter> filter_of(const report_question& asked, bool all_time) {
    store::filter filter;
    for (const auto& typed : asked.domains) {
        auto domain = take_domain(typed);
        if (!domain)
            return {};
        filter.domains.push_back(domain->name);
    }
    for (const auto& reporter : asked.reporters)
        filter.reporters.push_back(base::lower(reporter));
    filter.result_type = base::lower(asked.result);
    filter.mx = base::lower(asked.mx);
    if (asked.days > 0 && (!asked.from.empty() || !asked.to.empty())) {
        complain("--days goes without --from and --to");
        return {};
    }
    const base::system_clock clock;
    const auto today = day_of(clock.now());
    if (!asked.from.empty() && !(filter.from = parse_day("--from", asked.from)))
        return {};
    if (!asked.to.empty() && !(filter.to = parse_day("--to", asked.to)))
        return {};
    if (asked.days > 36'500) {
        complain("--days takes at most 36500");
        return {};
    }
    if (asked.days > 0)
        filter.from = today - std::chrono::days(static_cast<int>(asked.days) - 1);
    else if (!filter.from && !filter.to && !all_time)
        filter.from = today - std::chrono::days(usual_days - 1);
    if (asked.quarantined)
        filter.what = store::filter::which::quarantined;
    if (asked.tests)
        filter.what = store::filter::which::tests;
    filter.only_failures = asked.only_failures;
    return filter;
}

int show(const common_options& common, const report_question& asked, const insight::table& table) {
    if (asked.csv)
        print_csv(insight::table_csv(table));
    else if (common.json)
        print(insight::table_ndjson(table));
    else
        print(insight::table_text(table, style()));
    return fine;
}

int failed(const store::store_error& error) {
    complain(words(error));
    return not_done;
}

/// Opens the store for a question, or says why not.
std::unique_ptr<store::store> open_or_say(const settings& set) {
    auto opened = open_to_ask(set);
    if (!opened) {
        complain(opened.error());
        return nullptr;
    }
    return std::move(*opened);
}

/// One table of the summary: `--by`, and `--csv`.
int summary_table(const common_options& common, const report_question& asked, store::store& from,
                  const store::filter& filter) {
    const std::string by = asked.by.empty() ? "day" : asked.by;
    auto shown = [&](auto rows, auto make) {
        if (!rows)
            return failed(rows.error());
        return show(common, asked, make(*rows));
    };
    if (by == "day")
        return shown(from.days(filter), [](const auto& rows) { return insight::days_table(rows); });
    if (by == "reporter")
        return shown(from.reporters(filter), [](const auto& rows) { return insight::reporters_table(rows); });
    if (by == "result")
        return shown(from.results(filter), [](const auto& rows) { return insight::results_table(rows); });
    if (by == "policy")
        return shown(from.policies(filter), [](const auto& rows) { return insight::policies_table(rows); });
    auto rows = from.reporters_by_mx(filter);
    if (rows && !asked.csv && !common.json) {
        print(insight::mx_matrix_text(*rows, style()));
        return fine;
    }
    return shown(std::move(rows), [](const auto& all) { return insight::mx_table(all); });
}

} // namespace

int cmd_report_list(const common_options& common, const report_question& asked) {
    const auto filter = filter_of(asked, true);
    if (!filter)
        return wrong_usage;
    const auto from = open_or_say(common.set);
    if (!from)
        return not_done;
    auto rows = from->list(*filter, {.limit = static_cast<std::size_t>(asked.limit), .offset = 0});
    if (!rows)
        return failed(rows.error());
    show(common, asked, insight::reports_table(*rows));
    if (rows->size() == asked.limit && !asked.csv && !common.json)
        say(fmt::format("these are the newest {}; --limit shows more", rows->size()));
    return fine;
}

int cmd_report_show(const common_options& common, const report_question& asked) {
    const auto from = open_or_say(common.set);
    if (!from)
        return not_done;
    auto found = from->show(asked.number);
    if (!found)
        return failed(found.error());
    if (!*found) {
        complain(fmt::format("there is no report {}; mailtight report list shows the numbers", asked.number));
        return problems_found;
    }
    insight::known_today today;
    const std::string domain = base::lower((*found)->report.report_domain);
    if (asked.live && !mail::canonical_name(domain)) {
        complain("the report names no domain, so there is none to look at");
    } else if (asked.live) {
        auto made = world::make(common.set, {});
        if (!made) {
            complain(made.error());
            return wrong_usage;
        }
        progress_line line(!common.json);
        line.show("looking at " + base::printable(domain));
        auto known = known_from(look_now(**made, std::vector{domain}).front(), *from);
        if (!known)
            return failed(known.error());
        today = std::move(*known);
    }
    if (common.json)
        print(boost::json::serialize(insight::stored_json(**found, today)) + "\n");
    else
        print(insight::stored_text(**found, style(), today));
    return fine;
}

int cmd_report_summary(const common_options& common, const report_question& asked) {
    if (!asked.by.empty() && asked.by != "day" && asked.by != "reporter" && asked.by != "mx" &&
        asked.by != "result" && asked.by != "policy") {
        complain(fmt::format("--by takes day, reporter, mx, result or policy, not '{}'",
                             base::printable(asked.by)));
        return wrong_usage;
    }
    const auto filter = filter_of(asked, false);
    if (!filter)
        return wrong_usage;
    const auto from = open_or_say(common.set);
    if (!from)
        return not_done;
    if (!asked.by.empty() || asked.csv)
        return summary_table(common, asked, *from, *filter);
    const base::system_clock clock;
    const auto all = summary_of(*from, *filter, day_of(clock.now()));
    if (!all)
        return failed(all.error());
    if (common.json)
        print(insight::json_line(insight::summary_json(*all)) + "\n");
    else
        print(insight::summary_text(*all, style()));
    return fine;
}

int cmd_report_failures(const common_options& common, const report_question& asked) {
    const auto filter = filter_of(asked, false);
    if (!filter)
        return wrong_usage;
    const auto from = open_or_say(common.set);
    if (!from)
        return not_done;
    auto groups = failure_groups(*from, *filter);
    if (!groups)
        return failed(groups.error());
    if (asked.live && !groups->empty()) {
        std::set<std::string> domains;
        for (const auto& group : *groups)
            domains.insert(group.domain);
        if (domains.size() > looked_at_most) {
            complain(fmt::format("failures of {} domains: --live looks at up to {}; name some by --domain",
                                 domains.size(), looked_at_most));
            return wrong_usage;
        }
        auto made = world::make(common.set, {});
        if (!made) {
            complain(made.error());
            return wrong_usage;
        }
        known_domains_today today;
        {
            progress_line line(!common.json);
            line.show(fmt::format("looking at {}", domains.size() == 1
                                                       ? *domains.begin()
                                                       : fmt::format("{} domains", domains.size())));
            for (const auto& look : look_now(**made, std::vector(domains.begin(), domains.end()))) {
                auto known = known_from(look, *from);
                if (!known)
                    return failed(known.error());
                today[look.seen.domain] = std::move(*known);
            }
        }
        groups = failure_groups(*from, *filter, today);
        if (!groups)
            return failed(groups.error());
    }
    if (asked.csv)
        print_csv(insight::table_csv(insight::failures_table(*groups)));
    else if (common.json)
        print(insight::failures_ndjson(*groups));
    else
        print(insight::failures_text(*groups, style()));
    return groups->empty() ? fine : problems_found;
}

} // namespace mailtight::app
