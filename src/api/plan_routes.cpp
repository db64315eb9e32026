// SPDX-License-Identifier: Apache-2.0
// One domain's way: its plan and steps, its records for DNS, its history, whether it is ready for enforce.
#include "api/domain_documents.h"
#include "api/domain_handlers.h"
#include "api/query_values.h"
#include "api/reply_with.h"
#include "base/text.h"

#include <fmt/format.h>

namespace mailtight::api {

namespace {

constexpr std::size_t changes_shown = 100, changes_most = 1'000;

std::vector<std::string> list_of(const call& asked, const char* name) {
    std::vector<std::string> all;
    for (const auto part : base::split(text_of(asked, name), ','))
        if (!base::trim(part).empty())
            all.emplace_back(base::trim(part));
    return all;
}

io::task<wire::http_reply> plan_it(context& with, call asked) {
    auto domain = domain_of(asked);
    if (!domain)
        co_return no_such_domain();
    plan_question which{.look = said_yes(asked, "look"),
                        .to = text_of(asked, "to"),
                        .by = text_of(asked, "by"),
                        .add_mx = list_of(asked, "add_mx"),
                        .remove_mx = list_of(asked, "remove_mx"),
                        .keep_mx = said_yes(asked, "keep_mx")};
    const auto made = co_await with.domains->plan(std::move(*domain), std::move(which), caller_of(asked));
    co_return made ? json_reply(plan_document(*made)) : refused(made.error());
}

io::task<wire::http_reply> take_step(context& with, call asked) {
    auto domain = domain_of(asked);
    if (!domain)
        co_return no_such_domain();
    auto what = read_step(asked.body);
    if (!what)
        co_return unprocessable(what.error());
    const auto done = co_await with.domains->step(std::move(*domain), std::move(*what), caller_of(asked));
    co_return done ? json_reply(step_document(*done)) : refused(done.error());
}

io::task<wire::http_reply> records(context& with, call asked) {
    auto domain = domain_of(asked);
    if (!domain)
        co_return no_such_domain();
    const auto word = text_of(asked, "format");
    const auto format = word.empty() ? advise::dns_format::table : advise::parse_dns_format(word);
    if (!format)
        co_return wire::problem(400, "Bad Request",
                                fmt::format("format '{}': it takes table, bind, nsupdate, dnscontrol, "
                                            "octodns, terraform, cloudflare or route53",
                                            base::printable(word, 60)));
    const auto made = co_await with.domains->records(
        std::move(*domain),
        {.format = *format, .provider = text_of(asked, "provider"), .all = said_yes(asked, "all")},
        caller_of(asked));
    co_return made ? json_reply(dns_document(*format, *made)) : refused(made.error());
}

io::task<wire::http_reply> history(context& with, call asked) {
    auto domain = domain_of(asked);
    if (!domain)
        co_return no_such_domain();
    const auto limit = number_of(asked, "limit", changes_shown);
    if (limit < 1 || limit > static_cast<std::int64_t>(changes_most))
        co_return wire::problem(400, "Bad Request", fmt::format("limit: it takes 1 to {}", changes_most));
    const auto past = co_await with.domains->past(std::move(*domain), number_of(asked, "before", 0),
                                                  static_cast<std::size_t>(limit), caller_of(asked));
    co_return past ? json_reply(past_document(*past, with.clock.now())) : refused(past.error());
}

io::task<wire::http_reply> readiness(context& with, call asked) {
    auto domain = domain_of(asked);
    if (!domain)
        co_return no_such_domain();
    const auto said = co_await with.domains->readiness(*domain, caller_of(asked));
    co_return said ? json_reply(readiness_document(*domain, *said)) : refused(said.error());
}

} // namespace

std::vector<route> plan_routes() {
    using enum query_parameter::type;
    return {
        {.method = "GET",
         .path = "/domains/{domain}/plan",
         .operation = "getPlan",
         .summary = "The steps from where a domain is to where it should be",
         .description = "From a look of the last minutes, or from one now. What `to`, `by`, `add_mx`, "
                        "`remove_mx` and `keep_mx` say is tried on the plan alone, and not kept.",
         .query = {{.name = "look", .takes = yes, .description = "Look now."},
                   {.name = "to", .description = "testing, enforce or off."},
                   {.name = "by", .description = "How it is switched off: none or expiry."},
                   {.name = "add_mx", .description = "Mail servers that are to come, with commas."},
                   {.name = "remove_mx", .description = "Mail servers that are to go, with commas."},
                   {.name = "keep_mx", .takes = yes, .description = "Mode none keeps its mx lines."}},
         .answer = "plan",
         .problems = {404, 422, 503},
         .tenants = true,
         .handle = plan_it},
        {.method = "POST",
         .path = "/domains/{domain}/steps",
         .operation = "takeStep",
         .summary = "Do a step of the plan, or say that it is done",
         .description = "`do` carries out the next step that this program can do, whatever is left to it by "
                        "itself; `said` notes what cannot be seen from here; `force` goes to enforce without "
                        "evidence, for a reason that is kept.",
         .request = "step-request",
         .answer = "step-done",
         .problems = {404, 409, 422, 503},
         .changes = true,
         .needs = role::operates,
         .tenants = true,
         .handle = take_step},
        {.method = "GET",
         .path = "/domains/{domain}/records",
         .operation = "getRecords",
         .summary = "The records to publish, in the form of a provider or tool",
         .query = {{.name = "format",
                    .description =
                        "table, bind, nsupdate, dnscontrol, octodns, terraform, cloudflare or route53."},
                   {.name = "provider",
                    .description = "Whose form it is for, instead of the one that serves the zone."},
                   {.name = "all", .takes = yes, .description = "Those too that are right already."}},
         .answer = "dns-form",
         .problems = {404, 422, 503},
         .tenants = true,
         .handle = records},
        {.method = "GET",
         .path = "/domains/{domain}/history",
         .operation = "getHistory",
         .summary = "What was served, who changed what, who fetched which policy",
         .description = "Changes come newest first, in pages.",
         .query = {{.name = "before", .takes = number, .description = "Changes below this number."},
                   {.name = "limit", .takes = number, .description = "1 to 1000; else 100."}},
         .answer = "history",
         .problems = {404, 503},
         .tenants = true,
         .handle = history},
        {.method = "GET",
         .path = "/domains/{domain}/readiness",
         .operation = "getReadiness",
         .summary = "May the policy go from testing to enforce?",
         .description = "With the reasons, as `report ready` says them.",
         .answer = "readiness",
         .problems = {404, 503},
         .tenants = true,
         .handle = readiness},
    };
}

} // namespace mailtight::api
