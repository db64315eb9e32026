// SPDX-License-Identifier: Apache-2.0
// Routing: path, method, who asks, query, and only then the handler.
#include "api/site.h"

#include "base/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace mailtight::api {

namespace {

struct site_state {
    std::shared_ptr<context> with;
    site_options options;
};

wire::http_reply not_allowed(const std::vector<std::string_view>& allowed) {
    const std::string methods = fmt::format("{}", fmt::join(allowed, ", "));
    auto reply = wire::problem(405, "Method Not Allowed", "this path knows " + methods);
    reply.fields.emplace_back("Allow", methods);
    return reply;
}

/// HEAD is a GET whose body is left out when it is written.
std::string_view asked_method(const io::http_exchange& asked) {
    return asked.request.method == "HEAD" ? std::string_view("GET") : asked.request.method;
}

/// "" where the part of the daemon is on, else what switches it on.
std::string_view switched_off(const context& with, part_of part) {
    switch (part) {
    case part_of::everything:
        return "";
    case part_of::policies:
        return with.policies ? "" : "no policies are served here: see [resolve]";
    case part_of::results:
        return with.results.on() ? "" : "no results are collected here: see [collect]";
    case part_of::outbox:
        return with.reports ? "" : "no reports are made here: see [collect] and [deliver]";
    case part_of::domains:
        return with.domains ? "" : "no domains are looked after here: see [store]";
    case part_of::received:
        return with.received ? "" : "no reports are kept here: see [store]";
    case part_of::system:
        return with.system ? "" : "this is said on the address of the pages alone: see [web]";
    }
    return "";
}

/// The refusal that needs no body, where there is one.
std::optional<wire::http_reply> refuse(const site_state& site, const io::http_exchange& asked) {
    const auto found = find_route(asked_method(asked), asked.request.path);
    if (!found.at && found.allowed.empty())
        return wire::problem(404, "Not Found",
                             fmt::format("there is nothing here; {}/openapi.json describes all", root));
    if (!found.at)
        return not_allowed(found.allowed);
    if (const auto off = switched_off(*site.with, found.at->part); !off.empty())
        return wire::problem(404, "Not Found", off);
    // A page in somebody's browser may reach this machine's loopback; a mail server sends no Origin.
    if (found.at->tells && (!site.options.may_tell || !site.options.may_tell(asked.peer) ||
                            !asked.request.field("origin").empty()))
        return wire::problem(403, "Forbidden", "results are taken from programs of this machine alone");
    if (!found.at->changes)
        return {};
    const bool may = site.options.may_change && site.options.may_change(asked.peer);
    if (site.options.noted)
        site.options.noted(fmt::format("{} {}", asked.request.method, asked.request.path), asked.peer, !may);
    if (may)
        return {};
    return wire::problem(403, "Forbidden",
                         site.options.may_change
                             ? "only root, the daemon's user and its group may change something"
                             : "what changes something answers on the control socket alone");
}

/// A route and the call of it, or the refusal.
struct understood {
    const route* at = nullptr;
    call made;
};
std::expected<understood, wire::http_reply> understand(const site_state& site, io::http_exchange asked) {
    auto found = find_route(asked_method(asked), asked.request.path);
    if (!found.at) // admit() refused it; a server without admit() comes here
        return std::unexpected(wire::problem(404, "Not Found", "there is nothing here"));
    auto query = read_query(*found.at, asked.request.query);
    if (!query)
        return std::unexpected(wire::problem(400, "Bad Request", query.error()));
    understood all{
        .at = found.at,
        .made = {.item = std::move(found.item),
                 .query = std::move(*query),
                 .body = std::move(asked.request.body),
                 .who = site.options.name_of ? site.options.name_of(asked.peer) : asked.peer.to_string()}};
    if (found.at->request.empty() && !all.made.body.empty())
        return std::unexpected(wire::problem(400, "Bad Request", "no body is wanted here"));
    return all;
}

io::task<wire::http_reply> answer(std::shared_ptr<const site_state> site, io::http_exchange asked) {
    auto known = understand(*site, std::move(asked));
    if (!known)
        co_return std::move(known.error());
    co_return co_await known->at->handle(*site->with, std::move(known->made));
}

/// As answer(), for a client that would have events: a route that has none answers all the same.
io::task<std::optional<wire::http_reply>> stream(std::shared_ptr<const site_state> site,
                                                 io::http_exchange asked, io::event_stream& events) {
    auto known = understand(*site, std::move(asked));
    if (!known)
        co_return std::move(known.error());
    if (!known->at->stream)
        co_return co_await known->at->handle(*site->with, std::move(known->made));
    co_await known->at->stream(*site->with, std::move(known->made), events);
    co_return std::nullopt;
}

} // namespace

io::http_site make_site(std::shared_ptr<context> with, site_options options) {
    auto state = std::make_shared<const site_state>(site_state{std::move(with), std::move(options)});
    io::http_site site;
    site.name = "api";
    site.hosts = state->options.hosts;
    site.prefix = std::string(root) + "/";
    site.body_bytes = state->options.body_bytes;
    site.admit = [state](const io::http_exchange& asked) { return refuse(*state, asked); };
    site.handle = [state](io::http_exchange asked) { return answer(state, std::move(asked)); };
    site.stream = [state](io::http_exchange asked, io::event_stream& events) {
        return stream(state, std::move(asked), events);
    };
    return site;
}

} // namespace mailtight::api
