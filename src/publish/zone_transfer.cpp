// SPDX-License-Identifier: Apache-2.0
#include "publish/zone_transfer.h"

#include "publish/dns_exchange.h"
#include "wire/dns_raw.h"

#include <fmt/format.h>

#include <utility>

namespace mailtight::publish {

namespace {

using fate = zone_names::fate;

zone_names without(const update_server& from, std::string_view zone, fate what, std::string_view why) {
    return {.what = what,
            .names = {},
            .words = fmt::format("{}: no transfer of {}: {}",
                                 from.name.empty() ? from.address.to_string() : from.name, zone, why)};
}

bool is_refusal(const wire::transfer_fault& fault) {
    using enum wire::tsig_fault;
    constexpr std::uint16_t server_failure = 2;
    if (fault.what == wire::transfer_fault::kind::refused)
        return fault.code != server_failure;
    return fault.what == wire::transfer_fault::kind::signature &&
           (fault.signature == refused_key || fault.signature == refused_signature ||
            fault.signature == refused_truncation);
}

} // namespace

io::task<zone_names> names_with_mail(io::loop& on, update_server from, std::string zone,
                                     const base::clock& real_time, transfer_bounds within) {
    const auto id = random_message_id();
    auto query = wire::build_transfer_query(zone, id);
    if (!query)
        co_return without(from, zone, fate::failed, "that is no zone");
    const auto end = on.now() + within.in_all;
    dns_exchange talk(on, from, real_time, within.silence);
    auto mac = co_await talk.send(std::move(*query));
    if (!mac)
        co_return without(from, zone, fate::failed, mac.error().words);
    std::optional<wire::tsig_stream> verified_by;
    if (from.key)
        verified_by.emplace(*from.key, std::move(*mac), keyed);
    wire::transfer_reader reader(zone, id, std::move(verified_by), within.size);
    for (;;) {
        const auto message = co_await talk.next_message();
        if (!message)
            co_return without(from, zone, fate::failed, message.error().words);
        const auto whole = reader.take(*message, real_time.now());
        if (!whole)
            co_return without(from, zone, is_refusal(whole.error()) ? fate::refused : fate::failed,
                              explain(whole.error()));
        if (*whole)
            break;
        if (on.now() >= end)
            co_return without(from, zone, fate::failed, "it takes too long");
    }
    zone_names got{.what = fate::whole, .names = {}, .words = {}};
    for (const auto& name : reader.names())
        if (!name.starts_with("*."))
            got.names.push_back(name);
    co_return got;
}

} // namespace mailtight::publish
