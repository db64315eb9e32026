// SPDX-License-Identifier: Apache-2.0
#include "app/settings_keys.h"

namespace mailtight::app {

namespace {

std::vector<setting_key> host_keys() {
    return {
        {"publish", "listen", &settings::publish_listen,
         "Where senders fetch the policies of the domains looked after, over HTTPS: \"0.0.0.0:443\", "
         "\"[::]:443\". Each domain is answered with a certificate of its own. Empty: off."},
        {"publish", "plain-listen", &settings::publish_plain_listen,
         "The same without TLS, for a proxy that speaks it: \"127.0.0.1:8080\". The field Host chooses the "
         "domain. Empty: off."},
        {"publish", "http-listen", &settings::publish_http_listen,
         "Port 80 for http-01, and for nothing else: \"0.0.0.0:80\". Empty: off."},
        {"publish", "ask-listen", &settings::ask_listen,
         "Where Caddy asks whether it may get a certificate (on_demand_tls ask): \"127.0.0.1:8081\", then "
         "ask http://127.0.0.1:8081/ask. Empty: off."},
        {"publish",
         "carry-out",
         &settings::carry_out,
         "Whether this machine carries out the plans of the domains looked after, gets certificates and "
         "watches: \"automatic\" is yes where listen or plain-listen is set, and where the pages are on and "
         "the "
         "database is this machine's own; \"yes\" also where all policies are hosted elsewhere; \"no\" for a "
         "machine that only serves what another one of the same database "
         "publishes.",
         {"automatic", "yes", "no"}},
        {"publish",
         "leave",
         &settings::leave_to_us,
         "What the daemon may do by itself for a domain that domain add says nothing else of: \"nothing\" "
         "but "
         "watch and say; \"records\": serve policies, get certificates and write DNS, yet not change the "
         "mode "
         "and not remove anything; \"all\" that the plan allows at its time.",
         {"nothing", "records", "all"}},
        {"publish", "policy-host", &settings::policy_host_name,
         "What mta-sts.DOMAIN points at: the name of this policy host, such as \"mta-sts.example.net\" "
         "(CNAME), or its address. Needed for plans of domains that are hosted here."},
        {"publish", "addresses", &settings::policy_host_addresses,
         "The public addresses of this policy host, so that a name which points elsewhere is noticed before "
         "a certificate is asked for. Empty: those of policy-host."},
        {"publish", "rua", &settings::publish_rua,
         "Where reports go for a domain that domain add says nothing else of: \"mailto:…\" or \"https://…\". "
         "Empty: what is published already, else the addresses of [reports]."},
        {"publish", "key-file", &settings::sealing_key_file,
         "The key under which secrets are kept in the database: keys of certificates, of the account with "
         "the authority. serve makes it with mode 0600 where it is missing. Keep a copy apart from copies "
         "of the database; machines that share one need the same file. Empty: sealing.key beside the "
         "database, or in /var/lib/mailtight."},
    };
}

std::vector<setting_key> certificate_keys() {
    return {
        {"certificates", "directory", &settings::acme_directory,
         "The ACME directory of the authority that certificates of mta-sts.DOMAIN come from."},
        {"certificates", "contact", &settings::acme_contact,
         "Where the authority reaches you: mail addresses."},
        {"certificates", "agree-to-terms", &settings::acme_agree,
         "Whether you agree to the authority's terms of service. No certificate is asked for before."},
        {"certificates", "profile", &settings::acme_profile,
         "The certificate profile to ask for, such as \"shortlived\". Empty: the authority's default."},
        {"certificates", "challenges", &settings::acme_challenges,
         "How control of a name is shown, in the order to try: \"tls-alpn-01\" (publish.listen on port 443), "
         "\"http-01\" (publish.http-listen on port 80), \"dns-01\" ([dns-update])."},
        {"certificates", "eab-id", &settings::acme_eab_id,
         "The key identifier of an external account binding, where the authority asks for one."},
        {"certificates", "eab-key-file", &settings::acme_eab_key_file,
         "A file with its key, in base64url as the authority gave it."},
        {"certificates", "ca-file", &settings::acme_ca_file,
         "Roots (PEM) to trust for the directory itself, for an authority of your own. Empty: the same as "
         "for all else."},
        {"certificates", "orders-per-hour", &settings::acme_per_hour,
         "Orders an hour, below the authority's limit (Let's Encrypt: 300 in three hours)."},
        {"certificates", "folder", &settings::certificate_folder,
         "A folder kept by certbot, lego or another: certificates are read from it and again when they "
         "change, and none is asked for. Empty: they come from the directory above."},
    };
}

std::vector<setting_key> dns_update_keys() {
    return {
        {"dns-update", "servers", &settings::update_servers,
         "Servers that take dynamic updates (RFC 2136): \"NAME ADDRESS[:PORT] [zone=ZONE] [key=FILE]\" each. "
         "domain set --dns update:NAME chooses one. The file holds name:algorithm:base64, as tsig-keygen "
         "and keymgr know it, and must not be readable by others."},
        {"dns-update", "hook", &settings::dns_hook,
         "A command that changes records at any provider, with its first arguments: "
         "[\"/etc/mailtight/dns\"]. "
         "For domains with --dns hook."},
        {"dns-update",
         "hook-convention",
         &settings::dns_hook_convention,
         "What it is called with: \"own\": add|remove NAME TYPE TTL VALUE; \"lego\": present|cleanup FQDN "
         "VALUE, as lego's exec provider (TXT alone).",
         {"own", "lego"}},
        {"dns-update", "hook-timeout", &settings::dns_hook_timeout, "After so long the command is ended."},
    };
}

std::vector<setting_key> watch_keys() {
    return {
        {"watch", "enabled", &settings::watch_domains,
         "Watch the domains looked after and tell of changes for the worse ([alarms])."},
        {"watch", "full", &settings::watch_full,
         "Between two full checks of a domain, mail servers included; they are spread evenly."},
        {"watch", "cheap", &settings::watch_cheap, "Between two looks at the records and the file alone."},
        {"watch", "sub-domains", &settings::sub_domains,
         "Names below the domains looked after that have mail servers of their own: a policy does not cover "
         "them."},
        {"watch", "zone-transfer", &settings::zone_transfer,
         "Servers of dns-update.servers, by name, that give their zones (AXFR), so that names with mail "
         "servers of their own are found: with zone=ZONE that zone, else those of the domains whose records "
         "are written there."},
        {"watch", "keep-days", &settings::keep_watched,
         "Days for which old looks and the counts of fetches are kept. What was published is never dropped."},
    };
}

} // namespace

std::vector<setting_key> publish_keys() {
    auto all = host_keys();
    for (auto& more : {certificate_keys(), dns_update_keys(), watch_keys()})
        all.insert(all.end(), more.begin(), more.end());
    return all;
}

} // namespace mailtight::app
