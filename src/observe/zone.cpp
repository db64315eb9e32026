// SPDX-License-Identifier: Apache-2.0
// The zone that holds the domain, each of its servers asked directly, and the names where mistakes are
// published.
#include "base/limits.h"
#include "mail/domain_name.h"
#include "observe/state.h"

#include <algorithm>

namespace mailtight::observe {

namespace {

constexpr std::size_t servers_asked = 16;

io::task<model::server_answer> ask_one(observer::state& with, std::string server, base::ip_address address,
                                       std::string name) {
    if (auto why = with.probe.guard.refuses(address)) {
        model::server_answer answer;
        answer.server = std::move(server);
        answer.address = address;
        answer.detail = "not asked: " + *why;
        co_return answer;
    }
    auto answer = co_await io::ask_server(with.loop, io::endpoint{address, with.options.dns_port},
                                          std::move(name), "TXT", with.options.dns_timeout);
    answer.server = std::move(server);
    answer.address = address;
    co_return answer;
}

/// `issue` records are looked for at the policy host and then at each parent (RFC 8659 §3).
io::task<model::caa_fact> climb_caa(observer::state& with, std::string name) {
    model::caa_fact found;
    for (std::string_view at = name; !at.empty(); at = mail::parent(at)) {
        found = co_await with.dns.caa(std::string(at));
        if (found.ok())
            found.found_at = found.owner();
        if (!found.absent())
            break; // records, or an error that hides what is above
    }
    co_return found;
}

} // namespace

io::task<bool> look_at_zone(observer::state& with, model::observation& seen) {
    if (!with.options.pitfalls && !with.options.every_server)
        co_return false;
    seen.zone_soa = co_await with.dns.soa(seen.domain);
    if (!seen.zone_soa.ok())
        co_return false;
    seen.zone_ns = co_await with.dns.ns(seen.zone_soa.name);
    if (!with.options.every_server)
        co_return true;
    // An alias may live in another zone: its servers are not those of this one, and comparing would mislead.
    if (!seen.sts_txt.chain.empty())
        co_return true;
    // A zone of a thousand NS records would have us ask others a thousand questions for it.
    const std::size_t servers = std::min(seen.zone_ns.hosts.size(), servers_asked);
    std::vector<io::task<model::address_fact>> looking_up;
    for (std::size_t i = 0; i < servers; ++i)
        looking_up.push_back(with.dns.addresses(seen.zone_ns.hosts[i]));
    const auto found = co_await io::when_all(with.loop, std::move(looking_up));
    std::vector<io::task<model::server_answer>> questions;
    for (std::size_t i = 0; i < servers; ++i)
        for (const auto& address : found[i].addresses)
            if (questions.size() < servers_asked)
                questions.push_back(ask_one(with, seen.zone_ns.hosts[i], address, "_mta-sts." + seen.domain));
    seen.sts_by_server = co_await io::when_all(with.loop, std::move(questions));
    co_return true;
}

io::task<bool> look_for_pitfalls(observer::state& with, model::observation& seen) {
    if (!with.options.pitfalls)
        co_return false;
    const std::string& domain = seen.domain;
    auto& dns = with.dns;
    auto apex = io::start(with.loop, dns.txt(domain));
    auto dmarc = io::start(with.loop, dns.txt("_dmarc." + domain));
    auto obsolete = io::start(with.loop, dns.txt("_smtp-sts." + domain));
    io::started<model::txt_fact> wildcard, sts_doubled, tlsrpt_doubled, parent;
    io::started<model::address_fact> sibling;
    const bool room = fits("_" + with.random_label, domain);
    if (room) {
        wildcard = io::start(with.loop, dns.txt("_" + with.random_label + "." + domain));
        sibling = io::start(with.loop, dns.addresses(with.random_label + "." + domain));
    }
    const bool doubled = fits("_smtp._tls." + domain, domain);
    if (doubled) {
        sts_doubled = io::start(with.loop, dns.txt("_mta-sts." + domain + "." + domain));
        tlsrpt_doubled = io::start(with.loop, dns.txt("_smtp._tls." + domain + "." + domain));
    }
    const std::string organization = mail::organizational_domain(domain);
    const bool below = organization != domain;
    if (below)
        parent = io::start(with.loop, dns.txt("_mta-sts." + organization));
    auto caa = io::start(with.loop, climb_caa(with, "mta-sts." + domain));

    seen.apex_txt = co_await apex.get();
    seen.dmarc_txt = co_await dmarc.get();
    seen.sts_obsolete = co_await obsolete.get();
    if (room) { // A47
        seen.wildcard_txt = co_await wildcard.get();
        seen.policy_host_sibling = co_await sibling.get();
        auto& beside = seen.policy_host_sibling.addresses; // compared with those of the policy host
        if (beside.size() > base::limits::addresses_per_host)
            beside.resize(base::limits::addresses_per_host);
    }
    if (doubled) {
        seen.sts_doubled = co_await sts_doubled.get();
        seen.tlsrpt_doubled = co_await tlsrpt_doubled.get();
    }
    if (below) {
        seen.parent.domain = organization;
        seen.parent.sts_txt = co_await parent.get();
        if (seen.dmarc_txt.absent())
            seen.dmarc_txt = co_await dns.txt("_dmarc." + organization);
    }
    seen.caa = co_await caa.get();
    co_return true;
}

} // namespace mailtight::observe
