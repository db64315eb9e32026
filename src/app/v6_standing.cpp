// SPDX-License-Identifier: Apache-2.0
#include "app/v6_standing.h"

#include "base/text.h"
#include "io/source_address.h"
#include "mail/spf.h"

#include <fmt/format.h>

#include <algorithm>

namespace mailtight::app {

namespace {

constexpr std::size_t names_looked_at = 5; // an address may have any number of names

bool silent(const model::dns_fact& fact) {
    return model::is_dns_error(fact.status) || fact.status == model::dns_status::not_asked;
}

io::task<std::string> spf_of(io::resolver& dns, base::ip_address sender, std::string domain) {
    using kind = mail::spf_walk::question::kind;
    mail::spf_walk walk(std::move(domain), sender);
    while (const auto question = walk.next()) {
        const std::string name = question->name;
        if (question->what == kind::texts) {
            const auto fact = co_await dns.txt(name);
            walk.texts_seen(silent(fact) ? std::nullopt : std::optional(fact.texts));
        } else if (question->what == kind::addresses) {
            const auto fact = co_await dns.addresses(name);
            walk.addresses_seen(fact.any_error() ? std::nullopt : std::optional(fact.addresses));
        } else {
            const auto fact = co_await dns.mx(name);
            std::vector<std::string> hosts;
            for (const auto& mx : fact.records)
                hosts.push_back(mx.host);
            walk.mx_seen(silent(fact) ? std::nullopt : std::optional(std::move(hosts)));
        }
    }
    co_return std::string(to_string(walk.result()));
}

} // namespace

bool fits(const v6_facts& seen) {
    return seen.source && !base::not_global_because(*seen.source) && !seen.confirmed.empty() &&
           seen.spf == "pass";
}

io::task<v6_facts> look_at_v6(io::resolver& dns, std::optional<base::ip_address> source, std::string domain) {
    v6_facts seen;
    seen.source = source;
    if (!source)
        co_return seen;
    const auto table = co_await dns.ptr(*source);
    seen.names = table.hosts;
    for (std::size_t i = 0; i < std::min(seen.names.size(), names_looked_at) && seen.confirmed.empty(); ++i) {
        const std::string name = seen.names[i];
        const auto fact = co_await dns.addresses(name);
        if (std::ranges::find(fact.addresses, *source) != fact.addresses.end())
            seen.confirmed = name;
    }
    seen.spf = co_await spf_of(dns, *source, std::move(domain));
    co_return seen;
}

std::optional<base::ip_address> v6_source() {
    // Any global address shows the route; nothing is sent there.
    return io::source_address_to(*base::ip_address::parse("2000::1"));
}

io::task<bool> v6_memory::fit() {
    while (const auto others = looking_)
        co_await *others;
    if (looked_ && loop_.now() - *looked_ < lasts)
        co_return fit_;
    const auto mine = looking_ = std::make_shared<io::event>(loop_);
    const auto seen = co_await look_at_v6(dns_, source_(), domain_);
    fit_ = fits(seen);
    looked_ = loop_.now();
    looking_.reset();
    mine->set();
    co_return fit_;
}

check_row judge_v6(const v6_facts& seen, const std::string& domain, bool by_ourselves) {
    check_row row{.check = "report mail over IPv6", .seen = {}, .fix = {}, .lines = {}};
    if (!seen.source) {
        row.result = check_row::state::good;
        row.seen = "this host has no way out over IPv6; mail goes over IPv4";
        return row;
    }
    const std::string address = seen.source->to_string();
    std::vector<std::string> missing, mend;
    if (const auto why = base::not_global_because(*seen.source)) {
        row.result = check_row::state::good; // behind a translation nobody here can judge what they see
        row.seen = fmt::format("{} is no global address ({}): receivers see another one, or none; {}",
                               address, *why, by_ourselves ? "reports go over IPv4 first" : "IPv4 is safer");
        return row;
    }
    if (seen.confirmed.empty()) {
        missing.push_back(seen.names.empty()
                              ? fmt::format("{} has no name (PTR)", address)
                              : fmt::format("the name {} does not have the address {}",
                                            base::printable(seen.names.front(), 100), address));
        mend.push_back(fmt::format("Let whoever gave you {} publish a PTR record with this host's name, and "
                                   "give that name the address.",
                                   address));
    }
    if (seen.spf != "pass") {
        missing.push_back(fmt::format("SPF of {} says {} for it", domain, seen.spf));
        mend.push_back(fmt::format("Add ip6:{} to the SPF record of {}.", address, domain));
    }
    if (missing.empty()) {
        row.result = check_row::state::good;
        row.seen = fmt::format("{} is {}, and SPF of {} allows it", address, seen.confirmed, domain);
        return row;
    }
    row.result = check_row::state::unknown;
    row.seen = base::join(missing, "; ");
    row.seen += by_ourselves ? "; reports go over IPv4 first"
                             : "; receivers may refuse reports that your mail server sends over it";
    row.fix = base::join(mend, " ");
    return row;
}

} // namespace mailtight::app
