// SPDX-License-Identifier: Apache-2.0
// Reports received: lists, totals, failures with their causes.
#include "api/query_values.h"
#include "api/received_documents.h"
#include "api/received_sight.h"
#include "api/reply_with.h"

#include <fmt/format.h>

namespace mailtight::api {

namespace {

constexpr std::size_t page_rows = 100, page_rows_most = 1'000, offset_most = 1'000'000;
constexpr int usual_days = 30;

wire::http_reply no_such_report() {
    return wire::problem(404, "Not Found", "there is no report of this number");
}

// ---- reports ----

io::task<wire::http_reply> list(context& with, call asked) {
    auto to_ask = co_await narrow(with, asked, 0);
    if (!to_ask)
        co_return std::move(to_ask.error());
    const auto limit = rows_of(asked, page_rows, page_rows_most);
    const auto offset = static_cast<std::size_t>(number_of(asked, "offset", 0));
    if (offset > offset_most)
        co_return bad_request("no page begins so late: narrow the question by days");
    std::vector<store::report_row> rows;
    if (!to_ask->nothing) {
        auto found = co_await with.received->list(to_ask->of, {.limit = limit + 1, .offset = offset},
                                                  to_ask->may.told());
        if (!found)
            co_return store_problem(found.error());
        rows = std::move(*found);
    }
    auto out = report_list_document(rows, offset, limit);
    auto& shown = out.at("reports").as_array();
    if (!to_ask->may.all) {
        for (std::size_t i = 0; i < shown.size(); ++i)
            shown[i].as_object()["part"] = rows[i].several;
        // Whatever the desk says:
        for (auto row = shown.begin(); row != shown.end();)
            row = to_ask->may.sees(row->at("report_domain").as_string()) ? row + 1 : shown.erase(row);
    }
    co_return json_reply(out);
}

/// The report of the path, where there is one that the caller may see; else the answer.
template<class Report>
io::task<std::expected<Report, wire::http_reply>>
report_of(context& with, const call& asked,
          io::task<store::result<std::optional<Report>>> (received_desk::*look_up)(store::report_number,
                                                                                   own_domains)) {
    const auto wanted = number_in(asked.item, 0);
    if (wanted <= 0)
        co_return std::unexpected(no_such_report());
    const auto may = co_await sight_of(with, asked.by);
    if (!may)
        co_return std::unexpected(store_problem(may.error()));
    auto found = co_await ((*with.received).*look_up)(wanted, may->told());
    if (!found)
        co_return std::unexpected(store_problem(found.error()));
    if (!*found || !may->sees((*found)->report_domain, (*found)->named))
        co_return std::unexpected(no_such_report());
    co_return std::move(**found);
}

io::task<wire::http_reply> show(context& with, call asked) {
    auto found = co_await report_of(with, asked, &received_desk::show);
    if (!found)
        co_return std::move(found.error());
    co_return json_reply(std::move(found->document));
}

io::task<wire::http_reply> raw(context& with, call asked) {
    auto found = co_await report_of(with, asked, &received_desk::raw);
    if (!found)
        co_return std::move(found.error());
    if (found->json.empty())
        co_return wire::problem(404, "Not Found", "the body of this report is no longer kept");
    wire::http_reply reply;
    reply.media_type = "application/json";
    // The bytes are a stranger's: they are to be saved, not shown as a page of ours.
    reply.fields = {
        {"Content-Disposition", fmt::format("attachment; filename=\"report-{}.json\"", asked.item)},
        {"X-Content-Type-Options", "nosniff"}};
    reply.body = std::move(found->json);
    co_return reply;
}

// ---- totals ----

io::task<wire::http_reply> summary(context& with, call asked) {
    auto to_ask = co_await narrow(with, asked, usual_days);
    if (!to_ask)
        co_return std::move(to_ask.error());
    report_period found;
    if (!to_ask->nothing) {
        auto said = co_await with.received->summary(to_ask->of);
        if (!said)
            co_return store_problem(said.error());
        found = std::move(*said);
    }
    found.sums.from = to_ask->of.from;
    found.sums.to = to_ask->of.to;
    co_return json_reply(period_document(found));
}

io::task<wire::http_reply> failures(context& with, call asked) {
    auto to_ask = co_await narrow(with, asked, usual_days);
    if (!to_ask)
        co_return std::move(to_ask.error());
    failing_list found;
    if (!to_ask->nothing) {
        auto said = co_await with.received->failures(to_ask->of);
        if (!said)
            co_return store_problem(said.error());
        found = std::move(*said);
    }
    const auto silent = co_await with.received->mutes();
    if (!silent)
        co_return store_problem(silent.error());
    co_return json_reply(failing_document(found, *silent, with.received->now()));
}

// ---- the table ----

constexpr query_parameter domain_parameter{.name = "domain", .description = "Only about this domain."};
std::vector<query_parameter> narrowing(std::vector<query_parameter> more) {
    std::vector<query_parameter> all{
        domain_parameter,
        {.name = "reporter", .description = "Only of this reporter, as lists name it."},
        {.name = "result", .description = "Only with failures of this result type."},
        {.name = "mx", .description = "Only with failures at this MX host."},
        {.name = "from", .description = "The first day, by the begin of the reports' periods."},
        {.name = "to", .description = "The last day, which is included."}};
    all.insert(all.end(), more.begin(), more.end());
    return all;
}

std::vector<route> report_routes() {
    using enum query_parameter::type;
    return {
        {.method = "GET",
         .path = "/reports",
         .operation = "listReports",
         .summary = "Reports received, newest first",
         .query = narrowing(
             {{.name = "what", .description = "counted (as usual), quarantined, tests or all."},
              {.name = "failures", .takes = yes, .description = "Only those with failed sessions."},
              {.name = "offset", .takes = number, .description = "For pages: what `next` said."},
              {.name = "limit", .takes = number, .description = "1 to 1000; 100 where it is left out."}}),
         .answer = "report-list",
         .problems = {404, 503},
         .tenants = true,
         .handle = list},
        {.method = "GET",
         .path = "/reports/{number}",
         .operation = "getReport",
         .summary = "One report, each failure with its cause and fix",
         .description = "Of a very large report the first thousand rows are shown; `left_out` counts the "
                        "others.",
         .answer = "stored-report",
         .problems = {404, 503},
         .tenants = true,
         .handle = show},
        {.method = "GET",
         .path = "/reports/{number}/raw",
         .operation = "getRawReport",
         .summary = "The JSON text of a report as it came",
         .description = "What its reporter wrote, right or wrong; 404 where it is no longer kept.",
         .answer = "raw-report",
         .problems = {404, 503},
         .tenants = true,
         .handle = raw},
        {.method = "GET",
         .path = "/report-summary",
         .operation = "summariseReports",
         .summary = "What the reports of a period say together",
         .description = "The last 30 days where no period is said.",
         .query = narrowing({}),
         .answer = "report-summary",
         .problems = {404, 503},
         .tenants = true,
         .handle = summary},
        {.method = "GET",
         .path = "/failures",
         .operation = "listFailures",
         .summary = "Failures by kind, each with its cause and fix",
         .description = "The last 30 days where no period is said. What a look at the domain showed in the "
                        "last minutes is joined with them.",
         .query = narrowing({}),
         .answer = "failure-list",
         .problems = {404, 503},
         .tenants = true,
         .handle = failures},
    };
}

} // namespace

std::vector<route> received_routes() {
    auto all = report_routes();
    for (auto&& some : {mute_routes(), report_file_routes()})
        all.insert(all.end(), some.begin(), some.end());
    return all;
}

} // namespace mailtight::api
