// SPDX-License-Identifier: Apache-2.0
// Domains are added, shown, changed and given up.
#include "api/domain_documents.h"
#include "api/domain_handlers.h"
#include "api/reply_with.h"

namespace mailtight::api {

namespace {

wire::http_reply reply_of(const told<domain_file>& said) {
    return said ? json_reply(domain_document(*said)) : refused(said.error());
}

io::task<wire::http_reply> show(context& with, call asked) {
    auto domain = domain_of(asked);
    if (!domain)
        co_return no_such_domain();
    co_return reply_of(co_await with.domains->find(std::move(*domain), caller_of(asked)));
}

io::task<wire::http_reply> add(context& with, call asked) {
    auto what = read_addition(asked.body);
    if (!what)
        co_return unprocessable(what.error());
    co_return reply_of(co_await with.domains->add(std::move(*what), caller_of(asked)));
}

io::task<wire::http_reply> change(context& with, call asked) {
    auto domain = domain_of(asked);
    if (!domain)
        co_return no_such_domain();
    auto what = read_change(asked.body);
    if (!what)
        co_return unprocessable(what.error());
    co_return reply_of(co_await with.domains->change(std::move(*domain), what->revision,
                                                     std::move(what->wish), caller_of(asked)));
}

io::task<wire::http_reply> remove(context& with, call asked) {
    auto domain = domain_of(asked);
    if (!domain)
        co_return no_such_domain();
    const auto force = asked.query.find("force");
    const auto why = asked.query.find("why");
    const auto done = co_await with.domains->remove(
        std::move(*domain), force != asked.query.end() && (force->second == "1" || force->second == "true"),
        why == asked.query.end() ? std::string() : why->second, caller_of(asked));
    co_return done ? json_reply(boost::json::object{{"removed", 1}}) : refused(done.error());
}

} // namespace

std::vector<route> domain_keeping_routes() {
    return {
        {.method = "GET",
         .path = "/domains/{domain}",
         .operation = "getDomain",
         .summary = "What is wanted of a domain, and what was seen of it last",
         .answer = "domain-view",
         .problems = {404, 503},
         .tenants = true,
         .handle = show},
        {.method = "POST",
         .path = "/domains",
         .operation = "addDomain",
         .summary = "Look after a domain",
         .description = "What is not said is as configured, or as with `like`. A tenant's domain gets "
                        "their owner, and is one that the operator allowed them (`/allowed-names`), or "
                        "that they prove to be theirs: 422 has the record to publish in `record`; asking "
                        "again looks for it, at the domain's own name servers. 409 where it is looked after "
                        "already.",
         .request = "domain-request",
         .answer = "domain-view",
         .problems = {403, 409, 422, 503},
         .changes = true,
         .needs = role::operates,
         .tenants = true,
         .handle = add},
        {.method = "PATCH",
         .path = "/domains/{domain}",
         .operation = "changeDomain",
         .summary = "Want something else of a domain",
         .description = "Only what is said changes. `revision` is that of the domain as it was shown; 409 "
                        "where somebody was faster.",
         .request = "domain-change",
         .answer = "domain-view",
         .problems = {403, 404, 409, 422, 503},
         .changes = true,
         .needs = role::operates,
         .tenants = true,
         .handle = change},
        {.method = "DELETE",
         .path = "/domains/{domain}",
         .operation = "removeDomain",
         .summary = "Look after a domain no longer",
         .description = "409 while senders may hold a policy of it: the safe way is aim `off`, which ends "
                        "in removing it.",
         .query = {{.name = "force",
                    .takes = query_parameter::type::yes,
                    .description = "Remove it all the same; its policy is no longer served."},
                   {.name = "why", .description = "The reason, which is kept; `force` needs one."}},
         .answer = "removed",
         .problems = {404, 409, 422, 503},
         .changes = true,
         .needs = role::operates,
         .tenants = true,
         .handle = remove}};
}

} // namespace mailtight::api
