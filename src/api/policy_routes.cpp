// SPDX-License-Identifier: Apache-2.0
// The TLS policy of destinations, and what is remembered of them.
#include "api/documents.h"
#include "api/query_values.h"
#include "api/reply_with.h"
#include "api/route.h"
#include "base/text.h"
#include "mail/next_hop.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace mailtight::api {

namespace {

constexpr std::size_t page_rows = 100, page_rows_most = 1'000, words_bytes = 1'000;

/// The decision as its document, with what was asked for besides.
boost::json::object document(const context& with, const resolve::tls_decision& said) {
    boost::system::error_code error;
    auto value = boost::json::parse(resolve::to_json(said, with.replies, with.clock.now()), error);
    return !error && value.is_object() ? std::move(value.as_object()) : boost::json::object{};
}

std::string_view first_word(resolve::reply::status what) {
    using enum resolve::reply::status;
    switch (what) {
    case ok:
        return "OK";
    case not_found:
        return "NOTFOUND";
    case temp:
        return "TEMP";
    case perm:
        return "PERM";
    }
    return "TEMP";
}

io::task<wire::http_reply> decide(context& with, call asked) {
    std::optional<resolve::dialect> in;
    if (const std::string name = text_of(asked, "dialect"); !name.empty()) {
        in = resolve::dialect_of(name);
        if (!in)
            co_return wire::problem(400, "Bad Request",
                                    fmt::format("there is no dialect '{}'", base::printable(name, 40)));
    }
    const bool live = said_yes(asked, "live");
    few_at_once::place place;
    if (live && !(place = with.live_looks.take(asked.by.name))) {
        auto reply = wire::problem(429, "Too Many Requests",
                                   "many destinations are looked at just now; try again in a few seconds");
        reply.fields.emplace_back("Retry-After", "5");
        co_return reply;
    }
    const auto said =
        live ? co_await with.policies->look_live(asked.item) : co_await with.policies->decide(asked.item);
    place.reset();
    auto out = document(with, *said);
    if (in) {
        const auto reply = resolve::render(*in, *said, with.replies);
        out["reply"] = boost::json::object{
            {"dialect", resolve::to_string(*in)}, {"status", first_word(reply.what)}, {"text", reply.text}};
    }
    if (said_yes(asked, "explain"))
        out["explanation"] = resolve::explain(*said, with.replies, with.clock.now(),
                                              static_cast<std::size_t>(number_of(asked, "width", 78)));
    co_return json_reply(out);
}

io::task<wire::http_reply> refresh(context& with, call asked) {
    if (!mail::parse_next_hop(asked.item).can_have_policy())
        co_return unprocessable("no policy can be had for this destination");
    auto done = co_await with.policies->refresh(asked.item);
    boost::json::object out{{"looked", done.looked},
                            {"changed", done.changed},
                            {"words", base::printable(done.words, words_bytes)}};
    out["now"] = done.now ? boost::json::value(document(with, *done.now)) : boost::json::value(nullptr);
    co_return json_reply(out);
}

io::task<wire::http_reply> failed(context& with, call asked) {
    std::string words;
    if (!asked.body.empty()) {
        boost::system::error_code error;
        const auto value = boost::json::parse(asked.body, error);
        const auto* object = error ? nullptr : value.if_object();
        const auto* given = object ? object->if_contains("words") : nullptr;
        if (!object || object->size() != (given ? 1 : 0) || (given && !given->is_string()))
            co_return unprocessable("the body is {\"words\": \"...\"} or empty");
        if (given)
            words = base::printable(std::string_view(given->as_string()), words_bytes);
    }
    if (!mail::parse_next_hop(asked.item).can_have_policy())
        co_return unprocessable("no policy can be had for this destination");
    co_return json_reply(boost::json::object{{"looked", with.policies->delivery_failed(asked.item, words)}});
}

io::task<wire::http_reply> forget(context& with, call asked) {
    const auto hop = mail::parse_next_hop(asked.item);
    if (!hop.can_have_policy())
        co_return unprocessable("no policy can be had for this destination");
    co_return json_reply(boost::json::object{{"removed", co_await with.policies->purge(hop.domain)}});
}

io::task<wire::http_reply> forget_all(context& with, call) {
    co_return json_reply(boost::json::object{{"removed", co_await with.policies->purge("")}});
}

io::task<wire::http_reply> list(context& with, call asked) {
    auto page = co_await with.stored(text_of(asked, "after"), rows_of(asked, page_rows, page_rows_most),
                                     text_of(asked, "contains"));
    if (!page)
        co_return store_problem(page.error());
    boost::json::array rows;
    for (const auto& row : page->rows)
        rows.push_back(policy_document(row, with.clock.now(), said_yes(asked, "text")));
    boost::json::object out{{"policies", std::move(rows)}};
    out["next"] = page->more && !page->rows.empty() ? boost::json::value(page->rows.back().domain)
                                                    : boost::json::value(nullptr);
    co_return json_reply(out);
}

io::task<wire::http_reply> show(context& with, call asked) {
    const auto hop = mail::parse_next_hop(asked.item);
    const auto found = with.policies->policies().get(hop.domain);
    if (hop.domain.empty() || !found)
        co_return wire::problem(404, "Not Found", "nothing is remembered of this destination");
    co_return json_reply(policy_document(*found, with.clock.now(), true));
}

const std::vector<query_parameter> paging = {
    {.name = "after", .description = "Begin behind this domain: `next` of the page before."},
    {.name = "limit",
     .takes = query_parameter::type::number,
     .description = "Rows of a page, 1 to 1000; 100 where it is left out."},
    {.name = "text",
     .takes = query_parameter::type::yes,
     .description = "With each policy as it was fetched."}};

std::vector<query_parameter> searched_pages() {
    auto all = paging;
    all.push_back({.name = "contains", .description = "Destinations with this in their name."});
    return all;
}

} // namespace

std::vector<route> policy_routes() {
    return {
        {.method = "GET",
         .path = "/policy/{domain}",
         .operation = "getPolicy",
         .summary = "How mail to a destination must be delivered",
         .description = "What the mail server is told: from memory where the destination is known, else from "
                        "the network within the configured budget. The destination is a domain, or [host] "
                        "or [host]:port for a smart host.",
         .query = {{.name = "live",
                    .takes = query_parameter::type::yes,
                    .description =
                        "Look at everything now instead of answering from memory; two at once for one "
                        "caller, eight in all."},
                   {.name = "explain",
                    .takes = query_parameter::type::yes,
                    .description = "With an explanation for people."},
                   {.name = "width",
                    .takes = query_parameter::type::number,
                    .description = "Columns of the explanation, 40 to 200; 78 where it is left out."},
                   {.name = "dialect",
                    .description = "With the reply in this dialect: postfix, postfix-legacy, postfix-3.10, "
                                   "sts, QUERY or QUERYwithTLSRPT."}},
         .answer = "decision",
         .problems = {429},
         .handle = decide},
        {.method = "DELETE",
         .path = "/policy/{domain}",
         .operation = "forgetPolicy",
         .summary = "Forget what is remembered of a destination",
         .description = "The next use looks again. A policy that is forgotten no longer protects against who "
                        "suppresses the record: to look again, refresh is the better way.",
         .answer = "removed",
         .problems = {422},
         .changes = true,
         .needs = role::operates,
         .handle = forget},
        {.method = "POST",
         .path = "/policy/{domain}/refresh",
         .operation = "refreshPolicy",
         .summary = "Look at a destination's record and policy now",
         .description = "Not more often than every 30 seconds for one destination; `looked` says whether.",
         .answer = "refreshed",
         .problems = {422},
         .changes = true,
         .needs = role::operates,
         .handle = refresh},
        {.method = "POST",
         .path = "/policy/{domain}/failed",
         .operation = "reportFailedDelivery",
         .summary = "A delivery to this destination failed",
         .description = "Looks at its record and policy in the background (RFC 8461 5), so that a "
                        "destination which changed is delivered to at the next retry. Rate limited; `looked` "
                        "says whether a look began.",
         .request = "failed-delivery",
         .answer = "looked",
         .problems = {422},
         .changes = true,
         .needs = role::operates,
         .handle = failed},
        {.method = "GET",
         .path = "/policies",
         .operation = "listPolicies",
         .summary = "What is remembered, in pages",
         .description = "In order of the domains, from the database: what was learnt in the last second may "
                        "be missing.",
         .query = searched_pages(),
         .answer = "policy-list",
         .problems = {503},
         .handle = list},
        {.method = "DELETE",
         .path = "/policies",
         .operation = "forgetPolicies",
         .summary = "Forget everything that is remembered",
         .description = "Exceptions stay.",
         .answer = "removed",
         .changes = true,
         .needs = role::operates,
         .handle = forget_all},
        {.method = "GET",
         .path = "/policies/{domain}",
         .operation = "getRemembered",
         .summary = "What is remembered of a destination",
         .description = "With the policy as it was fetched. Asks nobody.",
         .answer = "policy",
         .problems = {404},
         .handle = show},
    };
}

} // namespace mailtight::api
