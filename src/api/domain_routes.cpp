// SPDX-License-Identifier: Apache-2.0
// Domains looked after: the table of all, each with its plan, its records and its history.
#include "api/domain_handlers.h"
#include "api/reply_with.h"
#include "mail/domain_name.h"

#include <iterator>

namespace mailtight::api {

wire::http_reply no_such_domain() {
    return wire::problem(404, "Not Found", "no such domain is looked after");
}

namespace {

/// With the record as a field of its own (RFC 9457 §3.2): a program need not read words.
wire::http_reply unproven_problem(const refusal& why) {
    // No 403: nobody was refused who tries to get in, and the log of those is read by programs.
    auto reply = unprocessable(why.words);
    if (!why.record)
        return reply;
    auto said = boost::json::parse(reply.body).as_object();
    said["record"] = {{"name", why.record->name}, {"type", why.record->type}, {"value", why.record->value}};
    reply.body = boost::json::serialize(said);
    return reply;
}

} // namespace

wire::http_reply refused(const refusal& why) {
    using enum refusal::kind;
    wire::http_reply reply;
    switch (why.what) {
    case absent:
        return no_such_domain();
    case conflict:
        return wire::problem(409, "Conflict", why.words);
    case wrong:
        return unprocessable(why.words);
    case forbidden:
        return wire::problem(403, "Forbidden", why.words);
    case unproven:
        return unproven_problem(why);
    case busy:
        reply = wire::problem(503, "Service Unavailable", why.words);
        reply.fields.emplace_back("Retry-After", "2");
        return reply;
    case away:
        break;
    }
    reply = wire::problem(503, "Service Unavailable", why.words);
    reply.fields.emplace_back("Retry-After", "10");
    return reply;
}

std::optional<std::string> domain_of(const call& asked) {
    const auto ascii = mail::to_ascii(asked.item);
    return ascii ? mail::canonical_name(*ascii) : std::nullopt;
}

caller caller_of(const call& asked) {
    caller by = asked.by;
    if (by.name.empty())
        by.name = asked.who;
    return by;
}

std::vector<route> domain_routes() {
    std::vector<route> all = overview_routes();
    for (auto* more : {&domain_keeping_routes, &plan_routes}) {
        auto some = more();
        all.insert(all.end(), std::make_move_iterator(some.begin()), std::make_move_iterator(some.end()));
    }
    return all;
}

} // namespace mailtight::api
