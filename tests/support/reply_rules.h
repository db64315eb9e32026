// SPDX-License-Identifier: Apache-2.0
// What every reply keeps, whatever the decision holds: checked by property tests and by the fuzzer.
#pragma once

#include "resolve/reply.h"
#include "sts/match.h"
#include "support/postfix_grammar.h"
#include "wire/netstring.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace mailtight::tests {

inline std::string lower_ascii(std::string_view text) {
    std::string made(text);
    for (char& c : made)
        if (c >= 'A' && c <= 'Z')
            c = static_cast<char>(c - 'A' + 'a');
    return made;
}

/// The policy names it: as a pattern, or as a host that a pattern admits and the destination has.
inline bool policy_allows(const resolve::tls_decision& decision, const std::string& part) {
    const auto& mx = decision.policy->value.mx;
    const bool pattern = std::ranges::any_of(mx, [&](const std::string& one) {
        return part.starts_with('.') ? lower_ascii(one) == "*" + part : lower_ascii(one) == part;
    });
    const bool host = std::ranges::any_of(decision.mx, [&](const resolve::mx_admission& one) {
        std::string name = lower_ascii(one.host);
        if (name.ends_with('.'))
            name.pop_back();
        return name == part && sts::admitted_by(mx, name);
    });
    return pattern || host;
}

inline bool plain_name(std::string_view part) {
    return !part.empty() && std::ranges::all_of(part, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
    });
}

inline postfix_version version_of(resolve::dialect d) {
    switch (d) {
    case resolve::dialect::postfix_legacy:
        return postfix_version::v2_11;
    case resolve::dialect::tlspol_tlsrpt:
    case resolve::dialect::postfix_3_10:
        return postfix_version::v3_10;
    default:
        return postfix_version::v3_4;
    }
}

/// "" where the reply keeps all rules, else the rule that it breaks.
inline std::string broken_rule(resolve::dialect d, const resolve::tls_decision& decision,
                               const resolve::reply& said) {
    using status = resolve::reply::status;
    const auto framed = resolve::to_socketmap(said);
    const auto read = wire::read_netstring(framed, resolve::reply_limit);
    if (read.what != wire::netstring_read::state::complete || read.size != framed.size())
        return "it is no netstring within the limit";
    if (said.what == status::not_found)
        return said.text.empty() ? "" : "NOTFOUND with text";
    if (said.what != status::ok) {
        const bool clean = std::ranges::all_of(said.text, [](char c) { return c >= 0x20 && c < 0x7f; });
        return said.text.empty() || said.text.size() > 180 || !clean ? "a reason that cannot be shown" : "";
    }
    if (read.payload != "OK " + said.text)
        return "the reply does not come back from its frame";
    const auto parsed = parse_postfix_policy(said.text, version_of(d));
    if (!parsed)
        return "Postfix refuses it: " + parsed.error();
    if (parsed->level != "secure")
        return parsed->match.empty() && parsed->single.empty() ? "" : "attributes at " + parsed->level;
    if (!decision.policy)
        return "secure without a policy";
    if (parsed->match.empty())
        return "secure without names";
    for (const auto& part : parsed->match) {
        if (part == "hostname" || part == "nexthop" || part == "dot-nexthop")
            return "a name that Postfix takes for an order: " + part;
        if (!plain_name(part) || !policy_allows(decision, part))
            return "a name that the policy does not allow: " + part;
    }
    for (const auto& pattern : parsed->mx_host_pattern)
        if (!policy_allows(decision, pattern.starts_with("*.") ? pattern.substr(1) : pattern))
            return "a pattern that the policy does not have: " + pattern;
    const bool legacy = d == resolve::dialect::postfix_legacy;
    if (legacy != !parsed->single.contains("servername") ||
        (!legacy && parsed->single.at("servername") != "hostname"))
        return "servername";
    if (d == resolve::dialect::sendmail && !said.text.ends_with(" servername=hostname"))
        return "something behind servername";
    for (const auto& line : parsed->policy_string)
        if (line.find_first_of("{}\r\n\t") != line.npos || line.find('\0') != line.npos)
            return "a line that cannot be quoted";
    return "";
}

} // namespace mailtight::tests
