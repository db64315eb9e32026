// SPDX-License-Identifier: Apache-2.0
// One authoritative server, asked directly: what it alone says, whatever caches hold.
#include "base/text.h"
#include "io/dns_lookup.h"
#include "io/dns_tcp.h"
#include "wire/dns_name.h"

#include <algorithm>
#include <array>

namespace mailtight::io {

namespace {

using kind = dns_event::kind;
using wire::dns_rcode;

struct text_of {
    std::string operator()(const base::ip_address& address) const { return address.to_string(); }
    std::string operator()(const wire::dns_target& target) const { return target.name; }
    std::string operator()(const wire::dns_text& text) const { return text.joined; }
    std::string operator()(const wire::dns_soa& soa) const {
        return soa.primary + " " + std::to_string(soa.serial);
    }
    std::string operator()(const auto&) const { return {}; }
};

/// Sent at the beginning, after a fifth and after half of the time.
task<dns_event> ask_directly(loop& on, endpoint server, wire::dns_question question,
                             wire::dns_query_options options, loop::time_point deadline) {
    const auto begin = on.now();
    const auto all = deadline - begin;
    const std::array<loop::time_point, 3> until{begin + all / 5, begin + all / 2, deadline};
    const auto channel = dns_channel::open(on, server);
    if (!channel)
        co_return dns_event{kind::unreachable, 0, {}, "no route to the server"};
    dns_waiter waiter(on);
    std::vector<dns_channel::sent> sent; // goes before the waiter
    for (const auto when : until) {
        if (auto one = channel->send(question, options, waiter, 0))
            sent.push_back(std::move(*one));
        auto event = co_await waiter.until(when);
        if (!event)
            continue;
        if (event->what == kind::answered && event->message->truncated)
            co_return co_await ask_over_tcp(on, server, question, options, 0, deadline);
        co_return std::move(*event);
    }
    if (waiter.foreign() > 0)
        co_return dns_event{kind::malformed, 0, {}, "it answers another question"};
    co_return dns_event{kind::timeout, 0, {}, "no answer in time"};
}

bool wants_plain_dns(const dns_event& event) {
    // A server from before EDNS (RFC 6891 §7).
    return event.what == kind::answered && (event.message->rcode == dns_rcode::format_error ||
                                            event.message->rcode == dns_rcode::not_implemented);
}

void read_failure(const dns_event& event, model::server_answer& into) {
    into.status = event.what == kind::malformed ? model::dns_status::malformed : model::dns_status::timeout;
    into.detail = event.detail;
}

void read_answer(wire::dns_message message, const wire::dns_question& question, model::server_answer& into) {
    if (message.rcode != dns_rcode::no_error && message.rcode != dns_rcode::nx_domain) {
        into.status = message.rcode == dns_rcode::server_failure ? model::dns_status::servfail
                                                                 : model::dns_status::refused;
        into.detail = describe_failure(message);
        return;
    }
    const bool authoritative = message.authoritative;
    dns_lookup lookup;
    auto answer = wire::read_dns_answer(std::move(message), question);
    const bool elsewhere = answer.result == wire::dns_answer::kind::goes_on;
    absorb(lookup, std::move(answer));
    into.status = lookup.status;
    into.ttl = lookup.ttl;
    into.detail = lookup.detail;
    if (elsewhere) { // the alias is all that this server knows
        into.status = model::dns_status::no_data;
        into.detail = "an alias of " + lookup.chain.back() + ", which another server holds";
    } else if (!authoritative && into.status != model::dns_status::refused) {
        into.detail = "the answer is not authoritative";
    }
    for (const auto& record : lookup.records)
        into.texts.push_back(std::visit(text_of{}, record));
    std::ranges::sort(into.texts);
}

} // namespace

task<model::server_answer> ask_server(loop& on, endpoint server, std::string name, std::string type,
                                      std::chrono::milliseconds timeout) {
    model::server_answer result;
    result.address = server.address;
    const auto canonical = wire::canonical_dns_name(name);
    const auto known = wire::dns_type_named(type);
    if (!canonical || !known) {
        result.status = model::dns_status::malformed;
        result.detail = canonical ? "no such type" : "no name that can be asked";
        co_return result;
    }
    const wire::dns_question question{*canonical, *known};
    const auto deadline = on.now() + timeout;
    wire::dns_query_options options{.recursion_desired = false};
    auto event = co_await ask_directly(on, server, question, options, deadline);
    if (wants_plain_dns(event)) {
        options.edns = false;
        event = co_await ask_directly(on, server, question, options, deadline);
    }
    if (event.what == kind::answered)
        read_answer(std::move(*event.message), question, result);
    else
        read_failure(event, result);
    co_return result;
}

} // namespace mailtight::io
