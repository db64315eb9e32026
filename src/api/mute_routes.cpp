// SPDX-License-Identifier: Apache-2.0
// Mutes: the alarms that somebody wants to hear nothing of for a while.
#include "api/received_documents.h"
#include "api/received_sight.h"
#include "api/reply_with.h"

#include <algorithm>

namespace mailtight::api {

namespace {

io::task<wire::http_reply> list_mutes(context& with, call asked) {
    const auto may = co_await sight_of(with, asked.by);
    if (!may)
        co_return store_problem(may.error());
    const auto found = co_await with.received->mutes();
    if (!found)
        co_return store_problem(found.error());
    boost::json::array all;
    for (const auto& each : *found)
        if (may->sees(domain_of(each)))
            all.push_back(mute_document(each));
    co_return json_reply(boost::json::object{{"mutes", std::move(all)}});
}

io::task<wire::http_reply> set_mute(context& with, call asked) {
    auto wanted = read_mute(asked.body, asked.who, with.received->now());
    if (!wanted)
        co_return unprocessable(wanted.error());
    const auto may = co_await sight_of(with, asked.by);
    if (!may)
        co_return store_problem(may.error());
    if (!may->sees(domain_of(*wanted)))
        co_return not_looked_after();
    const auto document = mute_document(*wanted);
    if (auto kept = co_await with.received->set_mute(std::move(*wanted)); !kept)
        co_return store_problem(kept.error());
    co_return json_reply(document);
}

io::task<wire::http_reply> end_mute(context& with, call asked) {
    const auto may = co_await sight_of(with, asked.by);
    if (!may)
        co_return store_problem(may.error());
    const auto found = co_await with.received->mutes();
    if (!found)
        co_return store_problem(found.error());
    const auto one = std::ranges::find_if(*found, [&](const insight::mute& each) {
        return mute_name(each.key) == asked.item && may->sees(domain_of(each));
    });
    if (one == found->end())
        co_return wire::problem(404, "Not Found", "there is no such mute");
    if (auto ended = co_await with.received->end_mute(one->key); !ended)
        co_return store_problem(ended.error());
    co_return json_reply(boost::json::object{{"removed", 1}});
}

} // namespace

std::vector<route> mute_routes() {
    return {
        {.method = "GET",
         .path = "/mutes",
         .operation = "listMutes",
         .summary = "What no alarm tells of for now",
         .answer = "mute-list",
         .problems = {503},
         .tenants = true,
         .handle = list_mutes},
        {.method = "POST",
         .path = "/mutes",
         .operation = "mute",
         .summary = "Silence the alarms of a kind of failure",
         .description = "They are still counted and shown.",
         .request = "mute-request",
         .answer = "mute",
         .problems = {404, 422, 503},
         .changes = true,
         .needs = role::operates,
         .tenants = true,
         .handle = set_mute},
        {.method = "DELETE",
         .path = "/mutes/{name}",
         .operation = "endMute",
         .summary = "Let alarms speak again",
         .answer = "removed",
         .problems = {404, 503},
         .changes = true,
         .needs = role::operates,
         .tenants = true,
         .handle = end_mute},
    };
}

} // namespace mailtight::api
