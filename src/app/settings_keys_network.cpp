// SPDX-License-Identifier: Apache-2.0
#include "app/settings_keys.h"

namespace mailtight::app {

std::vector<setting_key> network_keys() {
    return {
        {"dns", "servers", &settings::dns_servers,
         "Name servers to ask, as ADDRESS or ADDRESS:PORT. Empty: those of /etc/resolv.conf."},
        {"dns",
         "mode",
         &settings::dns_mode,
         "How DNSSEC is validated. \"forwarding\": the servers above validate, and their AD bit is believed "
         "(only over a trusted path such as loopback). \"validating\": ask them and validate here. "
         "\"recursive\": ask the authoritative servers from the root on. \"automatic\": forwarding where "
         "every server is on loopback, else validating.",
         {"automatic", "forwarding", "validating", "recursive"}},
        {"dns", "trust-anchor", &settings::dns_trust_anchor,
         "File with the DNSSEC trust anchor. Empty: the system's root key."},
        {"dns", "root-hints", &settings::dns_root_hints,
         "File with the root name servers, for mode \"recursive\". Empty: built in."},
        {"dns", "timeout", &settings::dns_timeout, "For one question, retries included."},
        {"dns", "authoritative-port", &settings::dns_port,
         "Port of the authoritative servers when each is asked directly; another one only in a test world."},

        {"network", "allow-net", &settings::allow_net,
         "Networks that may be connected to although they are not globally routable. Addresses learnt from "
         "DNS that are private, loopback, link-local and so on are refused otherwise."},
        {"network", "ca-file", &settings::ca_file,
         "PEM file with the trusted roots. Empty: those of the system."},
        {"network", "connect-timeout", &settings::connect_timeout, "For one TCP connection."},
        {"network", "smtp-timeout", &settings::smtp_timeout,
         "For each reply of a mail server; tarpits and greylisting are slow."},
        {"network", "https-timeout", &settings::https_timeout,
         "For a whole policy fetch (RFC 8461 section 3.3 suggests one minute)."},
        {"network", "smtp-port", &settings::smtp_port,
         "Port of the MX hosts; another one only in a test world."},
        {"network", "https-port", &settings::https_port,
         "Port of the policy hosts; another one only in a test world."},
        {"network", "ehlo-name", &settings::ehlo_name,
         "The name that we give in EHLO. Empty: this host's name."},

        {"check", "smtp-control", &settings::smtp_control,
         "A mail server known to accept connections. It is asked only when every MX of a run is silent, to "
         "tell a closed port 25 of ours from a dead server of theirs. Empty: never asked."},
        {"check", "state-directory", &settings::state_directory,
         "Where the last result of each domain is kept, for check --changed. Empty: "
         "$XDG_STATE_HOME/mailtight, or ~/.local/state/mailtight."},

        {"scan", "in-flight", &settings::scan_in_flight,
         "Domains looked at simultaneously by scan. 0: 2000 for DNS only, 500 with probes."},
        {"scan", "smtp-connections", &settings::smtp_connections,
         "SMTP connections open simultaneously, over all hosts."},
        {"scan", "connections-per-host", &settings::connections_per_host,
         "Simultaneous SMTP connections to one address."},

        {"doctor", "signed-name", &settings::signed_name,
         "A zone with DNSSEC and an SOA record: a resolver that validates must say that it is secure."},
        {"doctor", "forged-name", &settings::forged_name,
         "A name with an address whose DNSSEC is wrong on purpose: a resolver that validates must refuse "
         "it."},
    };
}

} // namespace mailtight::app
