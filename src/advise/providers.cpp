// SPDX-License-Identifier: Apache-2.0
// The table comes first; the functions only search it.
#include "advise/providers.h"

#include "base/text.h"
#include "sts/match.h"

#include <algorithm>

namespace mailtight::advise {
namespace {

const std::vector<mail_provider>& table() {
    static const std::vector<mail_provider> rows{
        {.name = "Google Workspace",
         .hosts = {"smtp.google.com", "aspmx.l.google.com", ".aspmx.l.google.com", ".googlemail.com"},
         // The apex of each wildcard stands beside it, because `*` never stands for no label.
         .patterns = {"smtp.google.com", "aspmx.l.google.com", "*.aspmx.l.google.com", "*.googlemail.com"}},
        {.name = "Microsoft 365",
         .hosts = {".mail.protection.outlook.com"},
         .patterns = {"*.mail.protection.outlook.com"}},
        {.name = "Microsoft 365 (mx.microsoft)",
         // `x.h-v1.mx.microsoft`: two labels below mx.microsoft, so that *.mx.microsoft never matches.
         .hosts = {".mx.microsoft"},
         .remark =
             "Never use *.mx.microsoft: a wildcard covers one label, and your MX has two before that name."},
        {.name = "Cloudflare Email Routing",
         .hosts = {".mx.cloudflare.net"},
         .patterns = {"*.mx.cloudflare.net"},
         .max_age = 86'400,
         .remark = "Cloudflare prescribes a max_age of 86400. Switch its proxy off for a CNAME at _mta-sts."},
        {.name = "Proton Mail",
         .hosts = {"mail.protonmail.ch", "mailsec.protonmail.ch"},
         .patterns = {"mail.protonmail.ch", "mailsec.protonmail.ch"}},
        {.name = "Tuta",
         .hosts = {"mail.tutanota.de"},
         .patterns = {"mail.tutanota.de"},
         .policy_target = "mta-sts.tutanota.com",
         .record_target = "_mta-sts.tutanota.com",
         .remark = "Tuta keeps policy, id and certificate for you: two aliases are all that you publish."},
        {.name = "Fastmail", .hosts = {".messagingengine.com"}},
        {.name = "Zoho Mail",
         .hosts = {"mx.zoho.com", "mx2.zoho.com", "mx3.zoho.com", "mx.zoho.eu", "mx2.zoho.eu", "mx3.zoho.eu",
                   "mx.zoho.in", "mx2.zoho.in", "mx3.zoho.in", ".zoho.com.au"}},
        {.name = "iCloud Mail", .hosts = {"mx01.mail.icloud.com", "mx02.mail.icloud.com"}},
        {.name = "Yandex 360", .hosts = {"mx.yandex.net", "mx.yandex.ru"}},
        {.name = "mailbox.org", .hosts = {"mxext1.mailbox.org", "mxext2.mailbox.org", "mxext3.mailbox.org"}},
        {.name = "Migadu", .hosts = {"aspmx1.migadu.com", "aspmx2.migadu.com"}},
        {.name = "Infomaniak", .hosts = {"mta-gw.infomaniak.ch"}},
        {.name = "Gandi Mail", .hosts = {"spool.mail.gandi.net", "fb.mail.gandi.net"}},
        {.name = "OVHcloud", .hosts = {".mail.ovh.net", ".ovh.net"}},
        {.name = "Namecheap Private Email", .hosts = {"mx1.privateemail.com", "mx2.privateemail.com"}},
        {.name = "Hostinger", .hosts = {"mx1.hostinger.com", "mx2.hostinger.com"}},
        {.name = "Rackspace", .hosts = {"mx1.emailsrvr.com", "mx2.emailsrvr.com"}},
        {.name = "Forward Email", .hosts = {"mx1.forwardemail.net", "mx2.forwardemail.net"}},
        {.name = "Mimecast", .hosts = {".mimecast.com"}},
        {.name = "Proofpoint", .hosts = {".pphosted.com", ".ppe-hosted.com"}},
        {.name = "Barracuda", .hosts = {".ess.barracudanetworks.com"}},
    };
    return rows;
}

bool is_of(std::string_view host, const mail_provider& provider) {
    return std::ranges::any_of(provider.hosts, [&](std::string_view known) {
        return known.starts_with('.') ? base::iends_with(host, known) : base::iequals(host, known);
    });
}

} // namespace

std::span<const mail_provider> mail_providers() {
    return table();
}

const mail_provider* provider_of(std::string_view host) {
    for (const mail_provider& provider : table())
        if (is_of(host, provider))
            return &provider;
    return nullptr;
}

std::vector<const mail_provider*> providers_among(const std::vector<std::string>& hosts) {
    std::vector<const mail_provider*> found;
    for (const std::string& host : hosts)
        if (const mail_provider* provider = provider_of(host);
            provider && std::ranges::count(found, provider) == 0)
            found.push_back(provider);
    return found;
}

const mail_provider* provider_of(const std::vector<std::string>& hosts) {
    const auto found = providers_among(hosts);
    const bool all =
        std::ranges::all_of(hosts, [](const auto& host) { return provider_of(host) != nullptr; });
    return found.size() == 1 && all ? found.front() : nullptr;
}

std::vector<std::string> patterns_for(const std::vector<std::string>& hosts) {
    std::vector<std::string> patterns;
    const auto add = [&](std::string_view pattern) {
        if (std::ranges::find(patterns, pattern) == patterns.end())
            patterns.emplace_back(pattern);
    };
    for (const std::string& host : hosts) {
        const mail_provider* provider = provider_of(host);
        const bool admitted =
            provider && std::ranges::any_of(provider->patterns, [&](std::string_view pattern) {
                return sts::pattern_admits(pattern, host);
            });
        if (!admitted) {
            add(base::lower(host));
            continue;
        }
        for (const std::string_view pattern : provider->patterns) {
            // The old googlemail.com hosts only where one is in use.
            const bool in_use =
                std::ranges::any_of(hosts, [&](const auto& h) { return sts::pattern_admits(pattern, h); });
            if (in_use || pattern != "*.googlemail.com")
                add(pattern);
        }
    }
    return patterns;
}

std::vector<std::string> patterns_of_providers(const std::vector<std::string>& hosts) {
    std::vector<std::string> patterns;
    for (const mail_provider* provider : providers_among(hosts))
        patterns.insert(patterns.end(), provider->patterns.begin(), provider->patterns.end());
    return patterns;
}

bool is_policy_service(std::string_view host) {
    return std::ranges::any_of(table(), [&](const mail_provider& provider) {
        return !provider.policy_target.empty() && base::iequals(provider.policy_target, host);
    });
}

} // namespace mailtight::advise
