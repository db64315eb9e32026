// SPDX-License-Identifier: Apache-2.0
// Routing: path, method, who asks, query, and only then the handler.
#include "api/site.h"

#include "api/json_body.h"
#include "base/text.h"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
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
    case part_of::looks:
        return with.looks ? "" : "this is said on the address of the pages alone: see [web]";
    case part_of::received:
        return with.received ? "" : "no reports are kept here: see [store]";
    case part_of::access:
        return with.access ? "" : "this is said on the address of the pages alone: see [web]";
    case part_of::system:
        return with.system ? "" : "this is said on the address of the pages alone: see [web]";
    }
    return "";
}

/// What is open to whoever can reach a listener without a gate: what mail servers ask.
bool is_for_mail_servers(part_of part) {
    return part == part_of::everything || part == part_of::policies || part == part_of::results ||
           part == part_of::outbox;
}

bool may_change(const site_state& site, const io::peer& who) {
    return site.options.may_change && site.options.may_change(who);
}

std::string name_of(const site_state& site, const io::peer& who) {
    return site.options.name_of ? site.options.name_of(who) : who.to_string();
}

wire::http_reply too_large(std::size_t most) {
    return wire::problem(413, "Content Too Large", fmt::format("at most {} bytes are taken here", most));
}

/// A body that is longer than this route takes, or does not say how long it is.
std::optional<wire::http_reply> refuse_body(const route& of, const wire::http_request& request) {
    if (of.body_bytes == 0)
        return {};
    if (!request.field("transfer-encoding").empty())
        return wire::problem(411, "Length Required", "say Content-Length");
    const auto length = request.field("content-length");
    std::size_t bytes = 0;
    const auto [end, error] = std::from_chars(length.data(), length.data() + length.size(), bytes);
    if (!length.empty() &&
        (error != std::errc{} || end != length.data() + length.size() || bytes > of.body_bytes))
        return too_large(of.body_bytes);
    return {};
}

/// Why a listener without a gate does not answer this.
std::optional<wire::http_reply> refuse_peer(const site_state& site, const route& of,
                                            const io::http_exchange& asked) {
    // A page in somebody's browser may reach this machine's loopback; a mail server sends no Origin.
    if (of.tells && (!site.options.may_tell || !site.options.may_tell(asked.peer) ||
                     !asked.request.field("origin").empty()))
        return wire::problem(403, "Forbidden", "results are taken from programs of this machine alone");
    const bool may = may_change(site, asked.peer);
    if (!of.changes) // who may tell results need not be one who may change something
        return may || of.tells || (is_for_mail_servers(of.part) && of.needs == role::viewer)
                   ? std::nullopt
                   : std::optional(wire::problem(403, "Forbidden",
                                                 "this is said on the address of the pages, and on the "
                                                 "control socket to root, the daemon's user and its group"));
    if (site.options.noted)
        site.options.noted(fmt::format("{} {}", asked.request.method, asked.request.path), asked.peer, !may);
    if (may)
        return {};
    return wire::problem(403, "Forbidden",
                         site.options.may_change
                             ? "only root, the daemon's user and its group may change something"
                             : "what changes something answers on the control socket alone");
}

/// The refusal that needs no body, where there is one.
std::optional<wire::http_reply> refuse(const site_state& site, const io::http_exchange& asked) {
    const auto found = find_route(asked_method(asked), asked.request.path);
    // Strangers do not even hear what is there.
    if (site.options.keeper)
        if (auto refused = site.options.keeper->at_the_door(asked, found.at && found.at->open))
            return refused;
    if (!found.at && found.allowed.empty())
        return wire::problem(404, "Not Found",
                             fmt::format("there is nothing here; {}/openapi.json describes all", root));
    if (!found.at)
        return not_allowed(found.allowed);
    if (const auto off = switched_off(*site.with, found.at->part); !off.empty())
        return wire::problem(404, "Not Found", off);
    if (auto refused = refuse_body(*found.at, asked.request))
        return refused;
    return site.options.keeper ? std::nullopt : refuse_peer(site, *found.at, asked);
}

/// Whether this caller may ask this; the refusal where not.
std::optional<wire::http_reply> refuse_caller(const route& of, const caller& who) {
    if (who.role < of.needs)
        return wire::problem(
            403, "Forbidden",
            fmt::format("this needs the role {}; yours is {}", to_string(of.needs), to_string(who.role)));
    if (who.tenant && !of.tenants)
        return wire::problem(403, "Forbidden", "this is about the whole installation");
    return {};
}

/// Who asks, or the refusal.
io::task<std::expected<caller, wire::http_reply>> ask_gate(const site_state& site, const route& of,
                                                           const io::http_exchange& asked) {
    auto* const keeper = site.options.keeper;
    if (!keeper)
        co_return caller{.name = name_of(site, asked.peer),
                         .role = may_change(site, asked.peer) ? role::administrator : role::viewer,
                         .tenant = {},
                         .csrf = {}};
    if (of.open)
        co_return caller{};
    auto who = co_await keeper->enter(asked, of.changes || of.tells);
    if (!who)
        co_return std::unexpected(std::move(who.error()));
    if (auto refused = refuse_caller(of, *who)) {
        keeper->noted(&*who, asked, refused->status, "");
        co_return std::unexpected(std::move(*refused));
    }
    co_return std::move(*who);
}

/// The call, understood; or why it cannot be.
std::expected<call, wire::http_reply> read_call(const site_state& site, found_route found,
                                                io::http_exchange& asked, caller who) {
    auto query = read_query(*found.at, asked.request.query);
    if (!query)
        return std::unexpected(wire::problem(400, "Bad Request", query.error()));
    call made;
    made.item = std::move(found.item);
    made.query = std::move(*query);
    made.body = std::move(asked.request.body);
    made.who = site.options.keeper ? who.name : name_of(site, asked.peer);
    made.by = std::move(who);
    made.asked = &asked;
    if (found.at->request.empty() && !made.body.empty())
        return std::unexpected(wire::problem(400, "Bad Request", "no body is wanted here"));
    if (found.at->body_bytes > 0 && made.body.size() > found.at->body_bytes)
        return std::unexpected(too_large(found.at->body_bytes));
    return made;
}

/// What a person sees must not stay in a cache between us and them.
wire::http_reply not_kept(wire::http_reply reply) {
    if (std::ranges::find(reply.fields, "Cache-Control", &std::pair<std::string, std::string>::first) ==
        reply.fields.end())
        reply.fields.emplace_back("Cache-Control", "no-store");
    reply.fields.emplace_back("X-Content-Type-Options", "nosniff");
    return reply;
}

/// What a body asks to add: a domain, a token by its name, an owner's names; "" where it names none.
std::string subject_of(std::string_view body) {
    constexpr std::size_t bytes = 64 * 1'024; // a file handed in has no such subject
    if (!body.starts_with('{'))
        return "";
    const auto object = read_object(body, bytes);
    for (const char* key : {"domain", "name"})
        if (const auto* value = object ? object->if_contains(key) : nullptr; value && value->is_string())
            return base::printable(std::string_view(value->as_string()), 300);
    const auto* owner = object ? object->if_contains("owner") : nullptr;
    const auto* names = object ? object->if_contains("names") : nullptr;
    if (!owner || !names || !owner->is_string() || !names->is_array())
        return "";
    std::string all = fmt::format("{}:", std::string_view(owner->as_string()));
    for (const auto& each : names->as_array())
        if (each.is_string() && all.size() < 300)
            all += fmt::format(" {}", std::string_view(each.as_string()));
    return base::printable(all, 300);
}

io::task<wire::http_reply> answer(std::shared_ptr<const site_state> site, io::http_exchange asked) {
    auto found = find_route(asked_method(asked), asked.request.path);
    if (!found.at) // admit() refused it; a server without admit() comes here
        co_return wire::problem(404, "Not Found", "there is nothing here");
    const route& of = *found.at;
    auto* const keeper = site->options.keeper;
    auto who = co_await ask_gate(*site, of, asked);
    if (!who)
        co_return std::move(who.error());
    auto subject = !keeper || !of.changes ? std::string()
                   : found.item.empty()   ? subject_of(asked.request.body)
                                          : found.item;
    auto made = read_call(*site, std::move(found), asked, *who);
    if (made && of.changes)
        if (const auto owner = made->query.find("owner"); owner != made->query.end())
            subject = fmt::format("{}: {}", owner->second, subject);
    auto reply = made ? co_await of.handle(*site->with, std::move(*made)) : std::move(made.error());
    if (!keeper)
        co_return reply;
    if (of.changes && !of.open)
        keeper->noted(&*who, asked, reply.status, subject);
    co_return not_kept(std::move(reply));
}

/// Events where the route has them, else the answer as ever.
io::task<std::optional<wire::http_reply>>
answer_with_events(std::shared_ptr<const site_state> site, io::http_exchange asked, io::event_stream& into) {
    auto found = find_route(asked_method(asked), asked.request.path);
    if (!found.at || !found.at->stream)
        co_return co_await answer(site, std::move(asked));
    const route& of = *found.at;
    auto who = co_await ask_gate(*site, of, asked);
    if (!who)
        co_return std::move(who.error());
    auto made = read_call(*site, std::move(found), asked, std::move(*who));
    if (!made)
        co_return std::move(made.error());
    co_await of.stream(*site->with, std::move(*made), into);
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
    site.stream = [state](io::http_exchange asked, io::event_stream& into) {
        return answer_with_events(state, std::move(asked), into);
    };
    return site;
}

} // namespace mailtight::api
