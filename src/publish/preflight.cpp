// SPDX-License-Identifier: Apache-2.0
#include "publish/preflight.h"

#include "base/keyed_hash.h"
#include "base/text.h"
#include "io/http_client.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace mailtight::publish {

namespace {

using words = std::optional<std::string>;

std::string list(const std::vector<base::ip_address>& addresses) {
    std::vector<std::string> all;
    for (const auto& one : addresses)
        all.push_back(one.to_string());
    return base::join(all, ", ");
}

/// True where the sibling's answer is the host's own: it comes from a wildcard, or might as well.
bool is_wildcards(const preflight_facts& seen) {
    auto mine = seen.addresses.addresses, theirs = seen.sibling.addresses;
    std::ranges::sort(mine);
    std::ranges::sort(theirs);
    return !mine.empty() && mine == theirs && seen.addresses.a.chain == seen.sibling.a.chain;
}

/// A and AAAA: what cannot be looked up here cannot be by the authority either.
words fault_of_addresses(const preflight_facts& seen, const preflight_rules& rules) {
    const auto& found = seen.addresses;
    for (const auto* one : {&found.a, &found.aaaa})
        if (model::is_dns_error(one->status) || one->status == model::dns_status::cname_loop)
            return fmt::format(
                "{} cannot be looked up ({} {}{}{}): the authority would fail as well. Fix the "
                "zone, or wait until its servers answer",
                seen.host, one->type.empty() ? "A/AAAA" : one->type, model::to_string(one->status),
                one->detail.empty() ? "" : ": ", base::printable(one->detail, 200));
    if (found.addresses.empty())
        return fmt::format("{} has no address yet: {}", seen.host,
                           rules.policy_host ? "make it a CNAME of the policy host, or give it its addresses"
                                             : "give it the addresses of this machine (A, AAAA)");
    if (rules.ours.empty())
        return std::nullopt;
    std::vector<base::ip_address> strange;
    for (const auto& address : found.addresses)
        if (std::ranges::find(rules.ours, address) == rules.ours.end())
            strange.push_back(address);
    if (strange.empty())
        return std::nullopt;
    if (is_wildcards(seen))
        return fmt::format(
            "{} leads to {} only because a wildcard answers for every name beside it: give it a "
            "record of its own that leads here ({})",
            seen.host, list(found.addresses), list(rules.ours));
    const auto through =
        found.a.chain.empty() ? std::string() : fmt::format(" (through the CNAME {})", found.a.chain.back());
    if (strange.size() == found.addresses.size())
        return fmt::format("{} leads to {}{}, which is not this host: let it lead to {}", seen.host,
                           list(strange), through, list(rules.ours));
    // An authority asks over IPv6 first, and over any of the addresses: one that is not ours fails it.
    return fmt::format("{} leads to this host and, besides, to {}{}: take away the {} record{} of others",
                       seen.host, list(strange), through, strange.front().is_v6() ? "AAAA" : "A",
                       strange.size() == 1 ? "" : "s");
}

struct issue_value {
    std::string issuer; ///< lower case; "" : nobody
    std::vector<std::pair<std::string, std::string>> parameters;
};

/// RFC 8659 §4.2: issuer-domain-name [";" parameters].
issue_value read_issue(std::string_view text) {
    issue_value out;
    bool first = true;
    for (const auto part : base::split(text, ';')) {
        const auto word = base::trim(part);
        if (first)
            out.issuer = base::lower(word);
        else if (const auto equals = word.find('='); equals != word.npos)
            out.parameters.emplace_back(base::lower(base::trim(word.substr(0, equals))),
                                        base::trim(word.substr(equals + 1)));
        first = false;
    }
    if (out.issuer.ends_with('.'))
        out.issuer.pop_back();
    return out;
}

/// Which kinds one `issue` record admits for this authority and account (RFC 8657).
std::vector<challenge_kind> admitted(const issue_value& value, const preflight_rules& rules) {
    if (std::ranges::find(rules.identities, value.issuer) == rules.identities.end())
        return {};
    auto kinds = rules.kinds;
    for (const auto& [name, wanted] : value.parameters) {
        if (name == "accounturi" && !rules.account.empty() && wanted != rules.account)
            return {};
        if (name == "validationmethods") {
            std::vector<std::string> methods;
            for (const auto one : base::split(wanted, ','))
                methods.push_back(base::lower(base::trim(one)));
            std::erase_if(kinds, [&](challenge_kind kind) {
                return std::ranges::find(methods, to_string(kind)) == methods.end();
            });
        }
    }
    return kinds;
}

words judge_caa(const preflight_facts& seen, const preflight_rules& rules,
                std::vector<challenge_kind>& kinds) {
    const auto& caa = seen.caa;
    // RFC 8659 §3: an authority may not issue where it could not look.
    if (model::is_dns_error(caa.status))
        return fmt::format(
            "the CAA records of {} cannot be looked up ({}): the authority would refuse. Fix the "
            "zone, or wait until its servers answer",
            caa.name.empty() ? seen.host : caa.name, model::to_string(caa.status));
    if (!caa.ok() || rules.identities.empty())
        return std::nullopt;
    const auto where = caa.found_at.empty() ? caa.name : caa.found_at;
    const auto authority = rules.identities.front();
    std::vector<challenge_kind> left;
    bool restricted = false, named = false;
    for (const auto& entry : caa.records) {
        const auto tag = base::lower(entry.tag);
        constexpr std::uint8_t critical = 0x80;
        if ((entry.flags & critical) != 0 && tag != "issue" && tag != "issuewild" && tag != "iodef")
            return fmt::format(
                "{} has a CAA record that authorities must understand or refuse (\"{}\", critical): "
                "take the critical flag away",
                where, base::printable(entry.tag, 40));
        if (tag != "issue")
            continue; // issuewild concerns wildcard certificates alone
        restricted = true;
        const auto value = read_issue(entry.value);
        named = named || std::ranges::find(rules.identities, value.issuer) != rules.identities.end();
        for (const auto kind : admitted(value, rules))
            if (std::ranges::find(left, kind) == left.end())
                left.push_back(kind);
    }
    if (!restricted)
        return std::nullopt;
    if (!left.empty()) {
        std::erase_if(kinds, [&](auto kind) { return std::ranges::find(left, kind) == left.end(); });
        return std::nullopt;
    }
    if (named)
        return fmt::format(
            "the CAA records of {} admit {} only for another account or by another kind of proof: "
            "correct accounturi ({}) or validationmethods",
            where, authority, rules.account.empty() ? "ours" : rules.account);
    return fmt::format("the CAA records of {} do not admit {}: add {} CAA 0 issue \"{}\", or choose another "
                       "authority",
                       where, authority, where, authority);
}

io::task<model::caa_fact> climb(io::resolver& dns, std::string name) {
    model::caa_fact found;
    for (std::string_view at = name; !at.empty();) {
        found = co_await dns.caa(std::string(at));
        if (found.ok() || model::is_dns_error(found.status)) {
            found.found_at = at;
            break;
        }
        const auto dot = at.find('.');
        at = dot == at.npos ? std::string_view() : at.substr(dot + 1);
    }
    co_return found;
}

} // namespace

preflight_verdict judge(const preflight_facts& seen, const preflight_rules& rules) {
    preflight_verdict verdict{.kinds = rules.kinds};
    if (!rules.looked_after) {
        verdict.in_the_way = fmt::format(
            "{} is the policy host of no domain that is looked after here: no certificate is ordered",
            seen.host);
        return verdict;
    }
    // dns-01 alone asks nothing of the addresses: a certificate can be had before the name leads here.
    const bool by_dns_alone = !rules.kinds.empty() && std::ranges::all_of(rules.kinds, [](auto kind) {
        return kind == challenge_kind::dns_01;
    });
    if (const auto fault = by_dns_alone ? words() : fault_of_addresses(seen, rules)) {
        const auto dns = std::ranges::find(verdict.kinds, challenge_kind::dns_01);
        if (dns == verdict.kinds.end()) {
            verdict.in_the_way = *fault;
            return verdict;
        }
        verdict.kinds = {challenge_kind::dns_01};
    }
    if (auto fault = judge_caa(seen, rules, verdict.kinds))
        verdict.in_the_way = std::move(*fault);
    return verdict;
}

std::vector<challenge_kind> kinds_here(std::vector<challenge_kind> configured, bool port_443, bool port_80,
                                       bool records) {
    std::erase_if(configured, [&](challenge_kind kind) {
        switch (kind) {
        case challenge_kind::tls_alpn_01:
            return !port_443 && port_80;
        case challenge_kind::http_01:
            return !port_80 && port_443;
        case challenge_kind::dns_01:
            return !records;
        }
        return false;
    });
    return configured;
}

std::string unlikely_label() {
    const auto key = base::random_hash_key();
    return fmt::format("x{:016x}", key[0]);
}

std::vector<std::string> caa_identities(std::string_view directory) {
    const auto url = io::parse_url(directory);
    if (url && base::iends_with(url->host, ".letsencrypt.org"))
        return {"letsencrypt.org"};
    return {};
}

io::task<preflight_facts> look_before(io::loop& on, io::resolver& dns, std::string domain,
                                      std::string label) {
    return look_before_name(on, dns, fmt::format("mta-sts.{}", domain), std::move(label));
}

io::task<preflight_facts> look_before_name(io::loop& on, io::resolver& dns, std::string host,
                                           std::string label) {
    preflight_facts seen{.host = std::move(host)};
    const auto dot = seen.host.find('.');
    const auto parent = dot == seen.host.npos ? std::string() : seen.host.substr(dot);
    auto addresses = io::start(on, dns.addresses(seen.host));
    auto sibling = io::start(on, dns.addresses(label + parent));
    seen.caa = co_await climb(dns, seen.host);
    seen.addresses = co_await addresses.get();
    seen.sibling = co_await sibling.get();
    co_return seen;
}

} // namespace mailtight::publish
