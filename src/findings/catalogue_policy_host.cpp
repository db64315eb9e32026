// SPDX-License-Identifier: Apache-2.0
// Codes of the policy host: everything between the DNS name `mta-sts.D` and a complete HTTP answer.
#include "findings/groups.h"

namespace mailtight::findings {
namespace {
using namespace column;

constexpr code_entry rows[] = {
    {"policy-host.no-address", "The policy host has no address", error, error, error, no,
     "Senders read the record, look for the policy host and find nothing: no policy for them. Those that "
     "hold an "
     "older copy keep to it until it expires.",
     "Add an A, AAAA or CNAME record for {subject} that leads to the web server with the policy file.",
     "RFC 8461 §3.3", "policy_file", seen_once},
    {"policy-host.unreachable", "The policy host does not answer over HTTPS", error, error, error, no,
     "Senders cannot fetch the policy. New ones deliver unprotected; those with an older copy keep to it and "
     "report "
     "sts-policy-fetch-error.",
     "See that a web server listens on port 443 of every address of {subject} and that no firewall is in the "
     "way.",
     "RFC 8461 §3.3", "policy_file", seen_once},
    {"policy-host.ipv6-unreachable", "The policy host does not answer over IPv6", warn, warn, info, no,
     "Senders that prefer IPv6 wait in vain. Most then try IPv4; some give up and see no policy.",
     "Make the web server answer on its IPv6 address, or remove the AAAA record of {subject}.",
     "RFC 8461 §3.3", "policy_file", seen_once},
    {"policy-host.tls-too-old", "The policy host offers only TLS older than 1.2", error, error, error, no,
     "Gmail, Outlook and others refuse the connection, and so get no policy.",
     "Enable TLS 1.2 and 1.3 on the web server of {subject} and switch the older versions off.",
     "RFC 8461 §3.3, RFC 9325 §3.1.1", "policy_file", seen_once},
    {"policy-host.cert-expired", "The certificate of the policy host has expired", error, error, error, no,
     "Senders must not use a policy from this host. New ones deliver unprotected, those with an older copy "
     "report "
     "sts-webpki-invalid.",
     "Renew the certificate of {subject}, reload the web server, and find out why the automatic renewal "
     "failed.",
     "RFC 8461 §3.3", "policy_file", seen_once},
    {"policy-host.cert-not-yet-valid", "The certificate of the policy host is not valid yet", error, error,
     error, no, "Senders must not use a policy from this host until the certificate's first day.",
     "Install a certificate that is valid now, and check the clock of the machine that ordered it.",
     "RFC 8461 §3.3", "policy_file", seen_once},
    {"policy-host.cert-name-mismatch", "The certificate of the policy host is for another name", error, error,
     error, no,
     "Senders must not use a policy from this host: the certificate has to name {subject} itself, not the "
     "domain "
     "alone and not the hosting provider.",
     "Order a certificate that names {subject} (or *.{domain}) and install it for that name. Where the "
     "hosting is "
     "delegated, the provider has to do it.",
     "RFC 8461 §3.3, §8.2", "policy_file", seen_once},
    {"policy-host.cert-untrusted", "The certificate of the policy host comes from no public authority", error,
     error, error, no, "Senders do not trust it, and so get no policy.",
     "Install a certificate of a public authority for {subject}; Let's Encrypt issues them without charge.",
     "RFC 8461 §3.3", "policy_file", seen_once},
    {"policy-host.cert-chain-incomplete", "The policy host does not send its intermediate certificate", error,
     error, error, no,
     "Browsers often fix this by themselves, mail servers do not: they cannot verify the certificate and "
     "get no "
     "policy.",
     "Configure the full chain (often fullchain.pem) on the web server of {subject}, not the certificate "
     "alone.",
     "RFC 8461 §3.3, RFC 5246 §7.4.2", "policy_file", seen_once},
    {"policy-host.cert-self-signed", "The certificate of the policy host is self-signed", error, error, error,
     no, "Anybody could have made it: senders do not trust it and get no policy.",
     "Replace it by a certificate of a public authority for {subject}; Let's Encrypt issues them without "
     "charge.",
     "RFC 8461 §3.3", "policy_file", seen_once},
    {"policy-host.cert-expires-soon", "The certificate of the policy host expires soon", warn, warn, warn, no,
     "On the day after its last, senders stop accepting the policy.",
     "Renew it now and see that automatic renewal works and reloads the web server.", "RFC 8461 §3.3",
     "policy_file", seen_once},
    {"policy-host.redirect", "The policy host answers with a redirect", error, error, error, no,
     "Senders must not follow redirects when they fetch a policy: for them there is none.",
     "Serve the file itself at https://{subject}/.well-known/mta-sts.txt with status 200. Exempt this path "
     "from "
     "redirects to www or to a login page.",
     "RFC 8461 §3.3", "policy_file", seen_once},
    {"policy-host.http-status", "The policy host answers with something else than 200", error, error, error,
     no, "Only an answer with status 200 holds a policy: senders get none.",
     "Put mta-sts.txt into the directory .well-known of the web site {subject}. Some web servers hide "
     "directories "
     "that begin with a dot: allow this one.",
     "RFC 8461 §3.3", "policy_file", seen_once},
    {"policy-host.content-type", "The policy is not served as plain text", error, error, warn, no,
     "Several senders accept text/plain alone and throw the policy away otherwise.",
     "Have the web server send Content-Type: text/plain for this file.", "RFC 8461 §3.2", "policy_file",
     seen_once},
    {"policy-host.too-large", "The policy file is too large", error, error, error, no,
     "Senders stop reading at 64 KB, some at 10 KB, and then have no policy.",
     "Shorten the file: a wildcard covers many hosts of one provider, and comments do not belong in it.",
     "RFC 8461 §3.3, guides: up to 64 KB", "policy_file", seen_once},
    {"policy-host.slow", "The policy host is slow", warn, warn, info, no,
     "Some senders wait no longer than two to five seconds; for them there is no policy.",
     "Serve the file from memory or disk without an application behind it, and near to the network's edge.",
     "RFC 8461 §3.3", "policy_file", seen_once},
    {"policy-host.addresses-disagree", "The addresses of the policy host do not give the same answer", error,
     error, warn, no,
     "Which answer a sender gets depends on the address that it happens to use: some follow one policy, some "
     "another or none.",
     "Bring the same file and the same certificate to every server behind {subject}.", "RFC 8461 §3.3",
     "policy_file", seen_once},
    {"policy-host.agent-dependent", "The policy host answers by who asks", error, error, warn, no,
     "A protection against robots or a firewall rule turns some mail servers away: they get no policy, "
     "although a "
     "browser shows it.",
     "Exempt https://{subject}/.well-known/mta-sts.txt from bot protection and from rules about the "
     "User-Agent.",
     "RFC 8461 §3.3", "policy_file", seen_once},
    {"policy-host.blocked-address", "The policy host has an address that is not public", error, error, error,
     no, "Nobody outside can reach it: senders that pick this address get no policy.",
     "Publish only public addresses for {subject}; give the private one to your own network by other means.",
     "RFC 6890 §2", "policy_file", seen_once},
};
} // namespace

std::span<const code_entry> policy_host_codes() {
    return rows;
}

} // namespace mailtight::findings
