// SPDX-License-Identifier: Apache-2.0
// Entries: look_at(), judge(), why_unknown(). The MX question first, then every host at once, each by its
// dane_walk.
#include "resolve/destination.h"

#include "resolve/dane_walk.h"
#include "resolve/mail_hosts.h"

#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <memory>
#include <optional>
#include <utility>

namespace mailtight::resolve {

namespace {

constexpr std::uint32_t shortest = ttl_of_failure, longest = 3'600;
constexpr std::size_t hosts_named = 4;

io::task<dane_walk> walk(io::resolver& dns, dane_walk host) {
    while (const auto question = host.next()) {
        switch (question->what) {
        case dane_walk::question::kind::addresses: {
            const auto seen = co_await dns.addresses(question->name);
            host.addresses_seen(seen);
            break;
        }
        case dane_walk::question::kind::first_alias: {
            const auto seen = co_await dns.cname(question->name);
            host.first_alias_seen(seen);
            break;
        }
        case dane_walk::question::kind::tlsa: {
            const auto seen = co_await dns.tlsa(question->name);
            host.tlsa_seen(seen);
            break;
        }
        }
    }
    co_return host;
}

/// The walks of one look, all at once. Whoever still walks holds it: a host that DNS is silent about outlives
/// the look.
struct walks {
    walks(io::loop& on, std::vector<dane_walk> of)
        : hosts(std::move(of))
        , enough(on) {}

    /// Enough is known when all is, or when patience is at its end and some host mail can go to is known.
    void weigh() {
        const auto done = [](const dane_walk& host) { return !host.next(); };
        const auto known = [&](const dane_walk& host) {
            return done(host) && host.standing().dane != host_class::error &&
                   host.standing().dane != host_class::no_address;
        };
        if (std::ranges::all_of(hosts, done) || (!patient && std::ranges::any_of(hosts, known)))
            enough.set();
    }

    std::vector<dane_walk> hosts;
    bool patient = true;
    io::event enough;
};

io::task<> walk_one(std::shared_ptr<walks> all, io::resolver& dns, std::size_t index) {
    auto host = all->hosts[index];
    try {
        host = co_await walk(dns, std::move(host));
    } catch (const std::exception& error) { // who waits must not wait for ever
        host = all->hosts[index];
        host.give_up(error.what());
    }
    all->hosts[index] = std::move(host);
    all->weigh();
}

io::task<> lose_patience(io::loop& on, std::shared_ptr<walks> all, std::chrono::milliseconds after) {
    co_await on.sleep_for(after);
    all->patient = false;
    all->weigh();
}

/// What is known of the hosts when all have answered. One that is still silent when patience ends does not
/// hold up the others (7672-2.1.2-b): it is out of reach.
io::task<std::vector<dane_walk>> walk_all(io::loop& on, io::resolver& dns, std::vector<dane_walk> hosts,
                                          std::chrono::milliseconds patience) {
    const auto all = std::make_shared<walks>(on, std::move(hosts));
    for (std::size_t i = 0; i < all->hosts.size(); ++i)
        if (all->hosts[i].next())
            on.spawn(walk_one(all, dns, i));
    all->weigh();
    if (!all->enough.is_set() && all->hosts.size() > 1)
        on.spawn(lose_patience(on, all, patience));
    co_await all->enough;
    auto seen = all->hosts;
    for (auto& host : seen)
        if (host.next())
            host.give_up("DNS gives no answer in time");
    co_return seen;
}

/// The answer to the MX question, taken over; the hosts to look at are given back.
mail_hosts begin(destination& into, const std::string& domain, const model::mx_set_fact& seen) {
    auto found = mail_hosts_of(domain, seen);
    into.mx_secure = found.secure;
    into.not_looked_at = found.left_out;
    switch (found.what) {
    case mail_hosts::kind::failed: // 7672-2.1.2-a
        into.what = destination::kind::mx_failed;
        into.detail = std::move(found.detail);
        into.mx_bogus = found.bogus;
        break;
    case mail_hosts::kind::null_mx:
        into.what = destination::kind::null_mx;
        break;
    case mail_hosts::kind::no_domain:
        into.what = destination::kind::no_host;
        into.detail = fmt::format("the domain {} does not exist", domain);
        break;
    case mail_hosts::kind::implicit:
        into.implicit_mx = true;
        [[fallthrough]];
    case mail_hosts::kind::listed:
        into.what = destination::kind::hosts;
        break;
    }
    return found;
}

std::vector<dane_walk> hosts_to_walk(const destination& where, const mail_hosts& found,
                                     const mail::next_hop& hop, const destination_options& options) {
    std::vector<dane_walk> walks;
    for (const auto& host : found.hosts) {
        // RFC 7672 §2.2.2: a host that no MX record names (a smart host, the domain itself) is looked at like
        // an MX host of a secure MX.
        const bool named_securely = where.mx_secure || where.implicit_mx;
        if (!options.trusted_validation) // 7672-2.1.1-a
            walks.push_back(dane_walk::without_dane(host, "no resolver validates on a trusted path"));
        else if (!named_securely && !options.half_dane) // 7672-2.2.1-c
            walks.push_back(dane_walk::without_dane(host, "the MX records are not signed"));
        else
            walks.emplace_back(host, hop.port);
    }
    return walks;
}

} // namespace

std::string_view to_string(host_class c) {
    switch (c) {
    case host_class::usable:
        return "usable";
    case host_class::unusable_only:
        return "unusable-only";
    case host_class::none:
        return "none";
    case host_class::error:
        return "error";
    case host_class::no_address:
        return "no-address";
    }
    return "unknown";
}

dane_answer judge(const destination& where) {
    if (where.what == destination::kind::mx_failed) // 7672-2.1.2-a
        return dane_answer::unknown;
    if (where.what != destination::kind::hosts)
        return dane_answer::none;
    const auto count = [&](host_class c) { return std::ranges::count(where.mx, c, &mx_standing::dane); };
    const auto usable = count(host_class::usable), encrypted = count(host_class::unusable_only),
               without = count(host_class::none), failed = count(host_class::error);
    if (usable + encrypted + without == 0)
        return failed > 0 ? dane_answer::unknown : dane_answer::none;
    // 7672-2.2.1-b: behind an MX that is not secure, nothing is mandatory.
    const bool named_securely = where.mx_secure || where.implicit_mx;
    if (usable > 0 && encrypted + without == 0 && named_securely && where.not_looked_at == 0)
        return dane_answer::all;
    if (usable + encrypted > 0) // 7672-2.2.3-c: an unusable record forbids plaintext all the same
        return dane_answer::partial;
    // 7672-2.1.2-c: whether DANE guards the host that failed is unknown: it must not be met as if it did not.
    return failed > 0 ? dane_answer::partial : dane_answer::none;
}

bool dane_seen(const destination& where) {
    return std::ranges::any_of(where.mx, [](const mx_standing& host) {
        return host.dane == host_class::usable || host.dane == host_class::unusable_only;
    });
}

std::string why_unknown(const destination& where) {
    if (judge(where) != dane_answer::unknown)
        return "";
    if (where.what == destination::kind::mx_failed)
        return where.detail;
    std::string words;
    std::size_t failed = 0;
    for (const auto& host : where.mx) {
        if (host.dane != host_class::error || ++failed > hosts_named)
            continue;
        words += fmt::format("{}{}: {}", words.empty() ? "" : "; ", host.host, host.reason);
    }
    if (failed > hosts_named)
        words += fmt::format("; and {} more", failed - hosts_named);
    return words;
}

io::task<destination> look_at(io::loop& on, io::resolver& dns, const base::clock& clock, mail::next_hop hop,
                              destination_options options) {
    const auto begun = on.now();
    destination where;
    where.looked_at = clock.now();
    where.good_until = where.looked_at + std::chrono::seconds(longest);
    mail_hosts found;
    std::optional<std::uint32_t> ttl;
    if (hop.what == mail::next_hop::kind::domain) {
        const auto seen = co_await dns.mx(hop.domain);
        found = begin(where, hop.domain, seen);
        ttl = unanswered(seen) ? ttl_of_failure : seen.ttl;
    } else if (hop.what == mail::next_hop::kind::smart_host) {
        // The operator named it: no MX, and the name is as good as a secure one (RFC 7672 §2.2.2).
        where.what = destination::kind::hosts;
        where.mx_secure = true;
        found.hosts.push_back({hop.domain, 0});
    } else { // 7672-2.2-e: an address, or nothing that DNS holds
        where.what = destination::kind::no_host;
        where.detail = "the next hop is no name that DANE could apply to";
        co_return where;
    }

    const auto left =
        options.patience - std::chrono::duration_cast<std::chrono::milliseconds>(on.now() - begun);
    const auto walked = co_await walk_all(on, dns, hosts_to_walk(where, found, hop, options), left);
    for (const auto& host : walked) {
        where.mx.push_back(host.standing());
        if (const auto holds = host.ttl())
            ttl = std::min(ttl.value_or(*holds), *holds);
    }
    if (where.implicit_mx && where.mx.front().dane == host_class::no_address) {
        where.what = destination::kind::no_host;
        where.detail = fmt::format("{} has neither MX records nor an address", hop.domain);
        where.mx.clear();
    }
    where.good_until =
        where.looked_at + std::chrono::seconds(std::clamp(ttl.value_or(longest), shortest, longest));
    co_return where;
}

} // namespace mailtight::resolve
