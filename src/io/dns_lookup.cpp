// SPDX-License-Identifier: Apache-2.0
#include "io/dns_lookup.h"

#include "base/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace mailtight::io {

namespace {

using kind = wire::dns_answer::kind;
using model::dns_status;

dns_status status_of(kind result) {
    switch (result) {
    case kind::found:
        return dns_status::ok;
    case kind::no_data:
        return dns_status::no_data;
    case kind::nx_domain:
        return dns_status::nx_domain;
    case kind::loop:
        return dns_status::cname_loop;
    case kind::lame:
        return dns_status::refused;
    case kind::goes_on:
    case kind::failed:
        break;
    }
    return dns_status::servfail;
}

} // namespace

bool absorb(dns_lookup& into, wire::dns_answer answer) {
    into.ttl = into.chain.empty() ? answer.ttl : std::min(into.ttl, answer.ttl);
    std::ranges::move(answer.chain, std::back_inserter(into.chain));
    if (answer.result == kind::goes_on)
        return false;
    into.status = status_of(answer.result);
    if (answer.result == kind::loop)
        into.detail = into.chain.empty() ? "the CNAME points to itself"
                                         : "the CNAMEs come back to themselves, or there are too many";
    if (answer.result == kind::lame)
        into.detail = "the server only refers to others: it does not recurse, or does not hold the zone";
    into.zone = std::move(answer.zone);
    into.records.reserve(answer.records.size());
    for (auto& record : answer.records)
        into.records.push_back(std::move(record.data));
    return true;
}

std::string describe_failure(const wire::dns_message& message) {
    std::string text = wire::to_string(message.rcode);
    for (const auto& error : message.extended_errors) {
        const auto known = wire::explain_extended_error(error.code);
        text += known.empty() ? fmt::format(": extended error {}", error.code)
                              : fmt::format(": {} (extended error {})", known, error.code);
        if (!error.text.empty())
            text += ": " + base::printable(error.text, 300);
        if (text.size() > 1000)
            break;
    }
    return text;
}

} // namespace mailtight::io
