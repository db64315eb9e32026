// SPDX-License-Identifier: Apache-2.0
// The table comes first; the functions only search it.
#include "advise/dns_providers.h"

#include "base/text.h"

#include <algorithm>

namespace mailtight::advise {
namespace {

using enum name_form;

// TTL minima: what the providers accept at least. Labels: what their forms say; where that is not certain,
// the plain words Name and Value.
const std::vector<dns_provider>& table() {
    static const std::vector<dns_provider> rows{
        {.name = "Cloudflare",
         .servers = {".ns.cloudflare.com"},
         .value_label = "Content",
         .target_label = "Target",
         .min_ttl = 120,
         .remark = "Set Proxy status to DNS only for the mta-sts record, unless Cloudflare itself serves the "
                   "policy."},
        {.name = "GoDaddy",
         .servers = {".domaincontrol.com"},
         .name_label = "TXT Name",
         .value_label = "TXT Value",
         .min_ttl = 600,
         .remark = "The form appends the domain by itself."},
        {.name = "EasyDNS",
         .servers = {".easydns.com", ".easydns.net", ".easydns.org", ".easydns.info"},
         .name_label = "DNS Host name",
         .value_label = "TXT record value",
         .form = full,
         .remark = "EasyDNS wants the whole name: the host, a period and the domain."},
        {.name = "name.com",
         .servers = {".name.com"},
         .name_label = "Record Host",
         .value_label = "Record Answer",
         .min_ttl = 300},
        {.name = "Amazon Route 53",
         .servers = {"*.awsdns-"},
         .name_label = "Record name",
         .min_ttl = 0,
         .quotes = true,
         .remark = "Route 53 wants a TXT value in double quotes."},
        {.name = "Google Cloud DNS",
         .servers = {".googledomains.com"},
         .name_label = "DNS name",
         .value_label = "TXT data",
         .target_label = "Canonical name"},
        {.name = "Namecheap",
         .servers = {".registrar-servers.com", ".namecheaphosting.com"},
         .name_label = "Host",
         .min_ttl = 60,
         .remark = "The form appends the domain by itself."},
        {.name = "IONOS",
         .servers = {".ui-dns.com", ".ui-dns.de", ".ui-dns.org", ".ui-dns.biz"},
         .name_label = "Host name",
         .min_ttl = 300},
        {.name = "Hetzner",
         .servers = {".ns.hetzner.com", ".ns.hetzner.de", ".your-server.de", ".second-ns.com",
                     ".second-ns.de"},
         .min_ttl = 60},
        {.name = "OVHcloud",
         .servers = {".ovh.net", ".ovh.ca", ".anycast.me"},
         .name_label = "Sub-domain",
         .target_label = "Target",
         .min_ttl = 60},
        {.name = "Gandi",
         .servers = {".gandi.net"},
         .value_label = "Text value",
         .target_label = "Hostname",
         .min_ttl = 300},
        {.name = "DigitalOcean",
         .servers = {".digitalocean.com"},
         .name_label = "Hostname",
         .target_label = "Is an alias of",
         .min_ttl = 30},
        {.name = "Azure DNS",
         .servers = {".azure-dns.com", ".azure-dns.net", ".azure-dns.org", ".azure-dns.info"},
         .target_label = "Alias"},
        {.name = "deSEC",
         .servers = {".desec.io", ".desec.org"},
         .name_label = "Subname",
         .value_label = "Content",
         .min_ttl = 3600},
        {.name = "Porkbun",
         .servers = {".ns.porkbun.com"},
         .name_label = "Host",
         .value_label = "Answer",
         .min_ttl = 300},
        {.name = "Linode",
         .servers = {".linode.com"},
         .name_label = "Hostname",
         .target_label = "Alias to",
         .min_ttl = 300},
        {.name = "netcup", .servers = {".netcup.net"}, .name_label = "Host", .value_label = "Destination"},
        {.name = "INWX", .servers = {".inwx.de", ".inwx.com", ".inwx.eu", ".inwx.net"}, .min_ttl = 300},
        {.name = "Hostinger",
         .servers = {".dns-parking.com"},
         .value_label = "TXT value",
         .target_label = "Target"},
        {.name = "Squarespace",
         .servers = {".squarespacedns.com"},
         .name_label = "Host",
         .value_label = "Data"},
        {.name = "Wix", .servers = {".wixdns.net"}, .name_label = "Host Name"},
        {.name = "DNSimple",
         .servers = {".dnsimple.com", ".dnsimple-edge.net", ".dnsimple-edge.org"},
         .value_label = "Content"},
        {.name = "Vercel", .servers = {".vercel-dns.com"}},
        {.name = "ClouDNS", .servers = {".cloudns.net"}, .name_label = "Host"},
        {.name = "STRATO", .servers = {".rzone.de"}},
        {.name = "Infomaniak", .servers = {".infomaniak.ch", ".infomaniak.com"}},
        {.name = "Loopia", .servers = {".loopia.se"}, .min_ttl = 300},
    };
    return rows;
}

bool serves(std::string_view known, std::string_view server) {
    if (known.starts_with('*'))
        return base::lower(server).find(known.substr(1)) != std::string::npos;
    return base::iends_with(server, known);
}

} // namespace

std::span<const dns_provider> dns_providers() {
    return table();
}

const dns_provider* dns_provider_of(const std::vector<std::string>& servers) {
    for (const dns_provider& provider : table())
        if (std::ranges::any_of(servers, [&](const std::string& server) {
                return std::ranges::any_of(provider.servers,
                                           [&](auto known) { return serves(known, server); });
            }))
            return &provider;
    return nullptr;
}

const dns_provider& any_dns_provider() {
    static const dns_provider any{.name = "", .servers = {}};
    return any;
}

std::string relative_name(std::string_view name, std::string_view zone) {
    if (base::iequals(name, zone))
        return "@";
    const std::string suffix = "." + std::string(zone);
    if (zone.empty() || !base::iends_with(name, suffix))
        return std::string(name);
    return std::string(name.substr(0, name.size() - suffix.size()));
}

std::string form_name(std::string_view name, std::string_view zone, const dns_provider& provider) {
    return provider.form == full ? std::string(name) : relative_name(name, zone);
}

} // namespace mailtight::advise
