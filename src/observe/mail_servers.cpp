// SPDX-License-Identifier: Apache-2.0
// Every MX host, every address of it, and its TLSA records. Which hosts there are follows RFC 5321 §5.1 and
// RFC 7505; where TLSA is looked for follows RFC 7672 §2.2.2.
#include "base/limits.h"
#include "observe/state.h"

#include <algorithm>

namespace mailtight::observe {

namespace {

/// The TLSA RRset at the base domain: the fully expanded name first where all of the chain is secure, then
/// the name itself. Asked in an unsigned zone too, since a person who published TLSA there wants to hear that
/// nobody uses it.
io::task<bool> look_for_tlsa(observer::state& with, model::mx_host_fact& host) {
    // Where the addresses cannot be looked up the host is out of reach, whatever its TLSA records (RFC 7672
    // §2.2.2).
    if (host.addresses.addresses.empty())
        co_return false;
    const auto& way = host.addresses.a.ok() ? host.addresses.a : host.addresses.aaaa;
    std::vector<std::string> candidates;
    if (!way.chain.empty() && way.security == model::dnssec::secure)
        candidates.push_back(way.chain.back());
    candidates.push_back(host.host);
    for (const auto& base : candidates) {
        if (!fits("_25._tcp", base))
            continue;
        host.tlsa = co_await with.dns.tlsa("_25._tcp." + base);
        if (host.tlsa.ok() || model::is_dns_error(host.tlsa.status)) {
            host.tlsa_base = base;
            break;
        }
    }
    if (host.tlsa.ok() && host.tlsa.security == model::dnssec::secure && fits("_smtp._tls", host.host))
        host.host_tlsrpt = co_await with.dns.txt("_smtp._tls." + host.host);
    co_return true;
}

io::task<bool> look_at_host(observer::state& with, model::mx_host_fact& host, const std::string& domain,
                            const progress_fn& progress, const wanted_fn& wanted) {
    if (auto literal = base::ip_address::parse(host.host)) {
        host.is_address_literal = true;
        co_return false;
    }
    if (progress)
        progress(domain, host.host, "");
    host.addresses = co_await with.dns.addresses(host.host);
    if (host.addresses.addresses.size() > base::limits::addresses_per_host)
        host.addresses.addresses.resize(base::limits::addresses_per_host);
    auto tlsa = io::start(with.loop, look_for_tlsa(with, host));
    if (with.options.smtp && is_wanted(wanted)) {
        std::vector<io::task<model::smtp_fact>> work;
        for (const auto& address : host.addresses.addresses)
            work.push_back(with.probe_once(host.host, address, wanted));
        host.probes = co_await io::when_all(with.loop, std::move(work));
    }
    co_await tlsa.get();
    if (progress) {
        std::string words;
        for (const auto& probe : host.probes)
            words += (words.empty() ? "" : ", ") + std::string(model::to_string(probe.outcome));
        progress(domain, host.host, words.empty() ? "not asked" : words);
    }
    co_return true;
}

} // namespace

io::task<bool> look_at_mail_servers(observer::state& with, model::observation& seen,
                                    const progress_fn& progress, const wanted_fn& wanted) {
    seen.smtp_tried = with.options.smtp;
    if (seen.null_mx || !is_wanted(wanted))
        co_return false;
    if (seen.mx_set.absent()) {
        // No MX record: the domain itself receives mail, where it has an address (RFC 5321 §5.1).
        auto own = co_await with.dns.addresses(seen.domain);
        if (own.addresses.empty())
            co_return false;
        seen.implicit_mx = true; // A15
        seen.mx.push_back({.host = seen.domain});
    }
    for (const auto& record : seen.mx_set.records) {
        if (record.host.empty())
            continue;
        const bool known = std::any_of(seen.mx.begin(), seen.mx.end(),
                                       [&](const auto& host) { return host.host == record.host; });
        if (known)
            continue;
        if (seen.mx.size() >= base::limits::mx_hosts) {
            ++seen.mx_not_looked_at;
            continue;
        }
        seen.mx.push_back({.host = record.host, .preference = record.preference});
    }
    std::vector<io::task<bool>> work;
    for (auto& host : seen.mx) // the vector does not grow any more: references stay good
        work.push_back(look_at_host(with, host, seen.domain, progress, wanted));
    co_await io::when_all(with.loop, std::move(work));

    if (!with.options.smtp || !is_wanted(wanted))
        co_return true;
    std::size_t tried = 0, silent = 0;
    for (const auto& host : seen.mx)
        for (const auto& probe : host.probes) {
            using enum model::connect_outcome;
            if (probe.connect == not_tried || probe.connect == blocked)
                continue;
            ++tried;
            if (probe.connect == timeout || probe.connect == unreachable || probe.connect == failed)
                ++silent;
        }
    if (tried > 0 && silent == tried && co_await with.port25_is_closed()) {
        seen.port25_closed = true;
        seen.port25_detail = with.port25_detail;
    }
    co_return true;
}

} // namespace mailtight::observe
