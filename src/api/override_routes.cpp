// SPDX-License-Identifier: Apache-2.0
// Exceptions that the operator makes for single destinations.
#include "api/documents.h"
#include "api/reply_with.h"
#include "api/route.h"
#include "mail/next_hop.h"

#include <algorithm>

namespace mailtight::api {

namespace {

io::task<wire::http_reply> list(context& with, call) {
    boost::json::array rows;
    for (const auto& each : with.policies->overrides())
        rows.push_back(override_document(each, with.clock.now()));
    co_return json_reply(boost::json::object{{"overrides", std::move(rows)}});
}

io::task<wire::http_reply> show(context& with, call asked) {
    const auto hop = mail::parse_next_hop(asked.item);
    const auto all = with.policies->overrides();
    const auto found = std::ranges::find(all, hop.domain, &model::policy_override::domain);
    if (hop.domain.empty() || found == all.end())
        co_return wire::problem(404, "Not Found", "there is no exception for this domain");
    co_return json_reply(override_document(*found, with.clock.now()));
}

io::task<wire::http_reply> set(context& with, call asked) {
    auto made = read_override(asked.item, asked.body, asked.who, with.clock.now());
    if (!made)
        co_return unprocessable(made.error());
    const auto shown = override_document(*made, with.clock.now());
    if (auto kept = co_await with.policies->set_override(std::move(*made)); !kept)
        co_return store_problem(kept.error());
    co_return json_reply(shown);
}

io::task<wire::http_reply> remove(context& with, call asked) {
    const auto hop = mail::parse_next_hop(asked.item);
    co_return removal_reply(co_await with.policies->remove_override(hop.domain),
                            "there is no exception for this domain");
}

} // namespace

std::vector<route> override_routes() {
    return {
        {.method = "GET",
         .path = "/overrides",
         .operation = "listOverrides",
         .summary = "Every exception",
         .description = "Those that are over stand there too, with holds = false.",
         .answer = "override-list",
         .handle = list},
        {.method = "GET",
         .path = "/override/{domain}",
         .operation = "getOverride",
         .summary = "The exception for a domain",
         .answer = "override",
         .problems = {404},
         .handle = show},
        {.method = "PUT",
         .path = "/override/{domain}",
         .operation = "setOverride",
         .summary = "Make an exception, or replace it",
         .description = "It holds at once, for every machine that shares the database, and is shown in every "
                        "explanation of the domain.",
         .request = "override-request",
         .answer = "override",
         .problems = {422, 503},
         .changes = true,
         .needs = role::operates,
         .handle = set},
        {.method = "DELETE",
         .path = "/override/{domain}",
         .operation = "removeOverride",
         .summary = "End an exception",
         .answer = "removed",
         .problems = {404, 503},
         .changes = true,
         .needs = role::operates,
         .handle = remove},
    };
}

} // namespace mailtight::api
