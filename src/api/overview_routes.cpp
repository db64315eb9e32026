// SPDX-License-Identifier: Apache-2.0
// The table of all domains, as JSON and as CSV.
#include "api/domain_handlers.h"
#include "api/reply_with.h"

namespace mailtight::api {

namespace {

const std::vector<query_parameter>& narrowing() {
    static const std::vector<query_parameter> all = {
        {.name = "contains", .description = "Domains with this in their name."},
        {.name = "label", .description = "Domains with this label."},
        {.name = "state",
         .description = "all, attention (without or with invalid configuration), protected, testing, broken, "
                        "absent or unseen."},
        {.name = "sort",
         .description = "domain, verdict (the worst first), failures, sessions, seen, or next (what a person "
                        "is to do first)."},
        {.name = "order", .description = "up or down."}};
    return all;
}

std::vector<query_parameter> paged() {
    auto all = narrowing();
    all.push_back({.name = "offset", .takes = query_parameter::type::number, .description = "Rows to skip."});
    all.push_back(
        {.name = "limit", .takes = query_parameter::type::number, .description = "1 to 1000; else 100."});
    return all;
}

std::expected<overview_question, wire::http_reply> question_of(const call& asked) {
    auto which = read_question(asked.query);
    if (!which)
        return std::unexpected(wire::problem(400, "Bad Request", which.error()));
    which->owner = asked.by.tenant;
    return std::move(*which);
}

io::task<wire::http_reply> list(context& with, call asked) {
    auto which = question_of(asked);
    if (!which)
        co_return std::move(which.error());
    const auto page = co_await with.domains->overview(std::move(*which));
    co_return page ? json_reply(overview_document(*page)) : refused(page.error());
}

io::task<wire::http_reply> labels(context& with, call asked) {
    const auto all = co_await with.domains->labels(asked.by.tenant);
    if (!all)
        co_return refused(all.error());
    boost::json::array out;
    for (const auto& [label, domains] : *all)
        out.push_back(boost::json::object{{"label", label}, {"domains", domains}});
    co_return json_reply(boost::json::object{{"labels", std::move(out)}});
}

io::task<wire::http_reply> table(context& with, call asked) {
    auto which = question_of(asked);
    if (!which)
        co_return std::move(which.error());
    auto text = co_await with.domains->overview_table(std::move(*which));
    if (!text)
        co_return refused(text.error());
    wire::http_reply reply;
    reply.media_type = "text/csv";
    reply.fields.emplace_back("Content-Disposition", "attachment; filename=\"domains.csv\"");
    reply.body = std::move(*text);
    co_return reply;
}

} // namespace

std::vector<route> overview_routes() {
    return {{.method = "GET",
             .path = "/overview",
             .operation = "getOverview",
             .summary = "The table of all domains",
             .description = "Kept in memory, and as the database has it two seconds before at most.",
             .query = paged(),
             .answer = "overview",
             .problems = {503},
             .tenants = true,
             .handle = list},
            {.method = "GET",
             .path = "/overview.csv",
             .operation = "getOverviewTable",
             .summary = "The same as CSV",
             .description = "Every row that fits, with a head line (RFC 4180).",
             .query = narrowing(),
             .answer = "overview-csv",
             .media = "text/csv",
             .problems = {503},
             .tenants = true,
             .handle = table},
            {.method = "GET",
             .path = "/labels",
             .operation = "listLabels",
             .summary = "Every label, and on how many domains it stands",
             .description = "In order of their names.",
             .answer = "label-list",
             .problems = {503},
             .tenants = true,
             .handle = labels}};
}

} // namespace mailtight::api
