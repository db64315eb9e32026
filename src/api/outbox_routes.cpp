// SPDX-License-Identifier: Apache-2.0
// Our own reports: what was filed, where it goes and how far it came; who gets nothing.
#include "api/json_body.h"
#include "api/outbox_documents.h"
#include "api/query_values.h"
#include "api/reply_with.h"
#include "api/route.h"
#include "base/text.h"

#include <fmt/format.h>

#include <algorithm>

namespace mailtight::api {

namespace {

constexpr std::size_t page_rows = 100, page_rows_most = 1'000;

io::task<wire::http_reply> list(context& with, call asked) {
    store::result_store::outbox_question which;
    if (const auto word = text_of(asked, "state"); !word.empty()) {
        which.state = model::parse_delivery_state(word);
        if (!which.state)
            co_return wire::problem(400, "Bad Request", "there is no such state");
    }
    if (const auto day = text_of(asked, "day"); !day.empty()) {
        which.day = parse_day(day);
        if (!which.day)
            co_return wire::problem(400, "Bad Request", "a day is written 2026-01-31");
    }
    which.domain = base::lower(text_of(asked, "domain"));
    which.before = number_of(asked, "before", 0);
    which.limit = rows_of(asked, page_rows, page_rows_most);
    auto rows = co_await with.reports->list(which);
    if (!rows)
        co_return store_problem(rows.error());
    boost::json::array all;
    for (const auto& each : *rows)
        all.push_back(outgoing_document(each));
    boost::json::object out{{"reports", std::move(all)}, {"next", nullptr}};
    if (rows->size() == which.limit)
        out["next"] = rows->back().number;
    co_return json_reply(out);
}

io::task<wire::http_reply> show(context& with, call asked) {
    auto found = co_await with.reports->report(number_in(asked.item, 0));
    if (!found)
        co_return store_problem(found.error());
    if (!*found)
        co_return wire::problem(404, "Not Found", "there is no report of this number");
    co_return json_reply(outgoing_document(**found));
}

io::task<wire::http_reply> send(context& with, call asked) {
    const auto day = parse_day(asked.item);
    if (!day)
        co_return unprocessable("a day is written 2026-01-31");
    if (!with.reports->sends())
        co_return wire::problem(409, "Conflict", "nobody reports here: set deliver.contact");
    if (base::utc_seconds(*day + std::chrono::days(1)) > with.reports->now())
        co_return unprocessable("this day is not over: its reports are made when it is (UTC)");
    auto done = co_await with.reports->send_day(*day);
    if (!done)
        co_return store_problem(done.error());
    co_return json_reply(day_document(*day, *done));
}

io::task<wire::http_reply> list_suppressed(context& with, call) {
    auto rows = co_await with.reports->suppressed();
    if (!rows)
        co_return store_problem(rows.error());
    boost::json::array all;
    for (const auto& each : *rows)
        all.push_back(suppressed_document(each));
    co_return json_reply(boost::json::object{{"suppressed", std::move(all)}});
}

io::task<wire::http_reply> suppress(context& with, call asked) {
    auto who = read_address(asked.item);
    if (!who)
        co_return unprocessable(who.error());
    const auto body = read_object(asked.body.empty() ? "{}" : std::string_view(asked.body));
    if (!body)
        co_return unprocessable(body.error());
    store::suppressed_address value{
        .who = std::move(*who), .why = "", .since = with.reports->now(), .until = {}};
    for (const auto& [name, each] : *body) {
        if (!each.is_string() || (name != "why" && name != "until"))
            co_return unprocessable("the body takes why and until, both texts");
        const std::string_view words = each.as_string();
        if (name == "why") {
            value.why = base::printable(words, 500);
            continue;
        }
        const auto day = parse_day(words); // which is included
        value.until = day ? std::optional<base::utc_seconds>(*day + std::chrono::days(1)) : std::nullopt;
        if (!value.until || *value.until <= value.since)
            co_return unprocessable("until takes a day to come, such as 2030-01-31");
    }
    if (value.why.empty())
        value.why = "by " + asked.who;
    const auto shown = suppressed_document(value);
    if (auto kept = co_await with.reports->suppress(std::move(value)); !kept)
        co_return store_problem(kept.error());
    co_return json_reply(shown);
}

io::task<wire::http_reply> allow(context& with, call asked) {
    auto who = read_address(asked.item);
    if (!who)
        co_return unprocessable(who.error());
    co_return removal_reply(co_await with.reports->allow_again(*who), "this address is not on the list");
}

std::vector<route> report_routes() {
    using enum query_parameter::type;
    return {
        {.method = "GET",
         .path = "/outbox",
         .operation = "listOutgoing",
         .summary = "Reports of ours, newest first",
         .query = {{.name = "state", .description = "Only with a delivery in this state."},
                   {.name = "domain", .description = "Only about this domain."},
                   {.name = "day", .description = "Only of this day."},
                   {.name = "before", .takes = number, .description = "Only of lower numbers: for pages."},
                   {.name = "limit", .takes = number, .description = "1 to 1000; 100 where it is left out."}},
         .answer = "outgoing-list",
         .problems = {404, 503},
         .handle = list},
        {.method = "GET",
         .path = "/outbox/{number}",
         .operation = "getOutgoing",
         .summary = "One report of ours, with every delivery",
         .answer = "outgoing-report",
         .problems = {404, 503},
         .handle = show},
        {.method = "POST",
         .path = "/days/{day}/send",
         .operation = "sendDay",
         .summary = "Make and deliver what is owed for a day, now",
         .description = "What was reported already is not reported again. The answer comes when each "
                        "delivery was tried once; what waits goes on by itself.",
         .answer = "day-sent",
         .problems = {404, 409, 422, 503},
         .changes = true,
         .needs = role::operates,
         .handle = send},
    };
}

std::vector<route> suppression_routes() {
    return {
        {.method = "GET",
         .path = "/suppressed",
         .operation = "listSuppressed",
         .summary = "Addresses that get no reports",
         .answer = "suppressed-list",
         .problems = {404, 503},
         .handle = list_suppressed},
        {.method = "PUT",
         .path = "/suppressed/{address}",
         .operation = "suppress",
         .summary = "Send nothing more to an address",
         .description = "A mail address, @domain for all of its addresses, or the host of https addresses.",
         .request = "suppress-request",
         .answer = "suppressed",
         .problems = {404, 422, 503},
         .changes = true,
         .needs = role::operates,
         .handle = suppress},
        {.method = "DELETE",
         .path = "/suppressed/{address}",
         .operation = "allowAgain",
         .summary = "Send to an address again",
         .answer = "removed",
         .problems = {404, 422, 503},
         .changes = true,
         .needs = role::operates,
         .handle = allow},
    };
}

} // namespace

std::vector<route> outbox_routes() {
    auto all = report_routes();
    for (auto& each : suppression_routes())
        all.push_back(std::move(each));
    return all;
}

} // namespace mailtight::api
