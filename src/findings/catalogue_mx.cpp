// SPDX-License-Identifier: Apache-2.0
// Codes of the MX records and of the servers behind them.
#include "findings/groups.h"

namespace mailtight::findings {
namespace {
using namespace column;

// What a server that fails validation means, by the mode of the policy.
constexpr std::string_view refused =
    "With a policy in enforce, Gmail, Outlook and other strict senders do not deliver to this server: they "
    "try the "
    "next one, hold the mail back and return it after days. In testing they deliver and report it.";

// And where there is no encryption at all, what everybody else does.
constexpr std::string_view in_clear =
    "With a policy in enforce, Gmail, Outlook and other strict senders do not deliver to this server: they "
    "try the next one, hold the mail back and return it after days. All others, and those in testing, "
    "deliver in clear text, which anybody on the way can read and change.";

constexpr code_entry rows[] = {
    {"mx.none", "The domain has no MX record", warn, warn, warn, info,
     "Senders then try the domain's own address, if it has one. Many refuse to, and spam filters distrust "
     "it.",
     "Publish an MX record for {domain} that names the mail server; where the domain takes no mail, publish "
     "the null "
     "MX \"0 .\".",
     "RFC 5321 §5.1", "mail_servers", seen_once},
    {"mx.null", "The domain takes no mail", warn, warn, info, info,
     "Its null MX tells senders not to deliver at all. A policy in enforce or testing has nothing to "
     "protect.",
     "If that is meant, retire MTA-STS with mode: none. If not, replace the null MX by the MX records of "
     "your mail "
     "provider.",
     "RFC 7505 §3", "mail_servers", seen_once},
    {"mx.lookup-failed", "The look-up of a mail server failed", error, error, error, error,
     "Senders cannot find the server either: mail waits and is returned after days.",
     "Check the name servers and the DNSSEC signatures of {subject}.", "RFC 5321 §5.1", "mail_servers",
     seen_once},
    {"mx.no-address", "A mail server has no address", error, error, warn, warn,
     "Senders skip it. If it is the only one, mail is returned.",
     "Add an A or AAAA record for {subject}, or remove the MX record.", "RFC 5321 §5.1", "mail_servers",
     seen_once},
    {"mx.is-cname", "An MX record points to an alias", error, error, warn, warn,
     "The standards forbid it. Senders compare policy and certificate with the name in the MX record and not "
     "with the "
     "target of the alias, and some do not deliver at all.",
     "Point the MX record at the real host name, or give {subject} addresses of its own.",
     "RFC 5321 §5.1, RFC 2181 §10.3", "mail_servers", seen_once},
    {"mx.is-address", "An MX record holds an address in place of a name", error, error, warn, warn,
     "An address can match neither the policy nor a certificate: strict senders do not deliver there.",
     "Give the server a name with an A or AAAA record, and put that name into the MX record.",
     "RFC 5321 §5.1, RFC 8461 §4.1", "mail_servers", seen_once},
    {"mx.not-in-policy", "A mail server is not in the policy", error, error, no, no,
     "In enforce, Gmail and Outlook do not deliver to this server: Outlook returns the mail with 5.4.8, "
     "Gmail holds "
     "it back and returns it after days. In testing they deliver and report it.",
     "Add the line mx: {subject} to the policy and give the record a new id. The administrator guides of "
     "Google want "
     "an mx line for every MX record.",
     "RFC 8461 §4.1, Google's administrator guide", "mail_servers", seen_once},
    {"mx.none-in-policy", "None of the mail servers is in the policy", error, error, no, no,
     "In enforce, Gmail, Outlook and every other strict sender delivers nothing at all to {domain}: the mail "
     "waits "
     "and is returned. In testing they deliver and report every connection.",
     "Publish the suggested policy, which names the present MX hosts, and give the record a new id. Until "
     "then set "
     "the mode to testing.",
     "RFC 8461 §4.1, Google's administrator guide", "mail_servers", seen_once},
    {"mx.policy-entry-unused", "The policy names a server that is no MX", info, info, no, no,
     "It does no harm while servers are moved. Later it admits a host that is no longer yours.",
     "Remove the line mx: {subject} when no MX record needs it any more, with a new id.", "RFC 8461 §3.2",
     "mail_servers", seen_once},
    {"mx.unreachable", "A mail server could not be tested", warn, warn, warn, warn,
     "No conversation was possible, so its encryption and its certificate are unknown. If senders fare the "
     "same, they "
     "use the other servers or wait.",
     "See that {subject} answers on port 25 of each of its addresses, and look again from another network if "
     "it turns "
     "this one away.",
     "RFC 5321 §4.5.4", "mail_servers", seen_once},
    {"mx.no-starttls", "A mail server does not offer encryption", error, error, warn, warn, in_clear,
     "Switch on STARTTLS on {subject} with a certificate for that name (Postfix: smtpd_tls_security_level = "
     "may).",
     "RFC 8461 §4, RFC 3207 §4", "mail_servers", seen_once},
    {"mx.starttls-refused", "A mail server offers encryption and does not carry it out", error, error, warn,
     warn, refused,
     "Read the log of {subject}: usually the key or certificate cannot be read, or a filter before the "
     "server "
     "interferes.",
     "RFC 8461 §4, RFC 3207 §4", "mail_servers", seen_once},
    {"mx.tls-too-old", "A mail server offers only TLS older than 1.2", error, error, warn, warn, refused,
     "Enable TLS 1.2 and 1.3 on {subject}.", "RFC 8461 §7.2, RFC 9325 §3.1.1, Google's administrator guide",
     "mail_servers", seen_once},
    {"mx.cert-expired", "The certificate of a mail server has expired", error, error, warn, warn, refused,
     "Renew the certificate of {subject} and reload the mail server, which keeps the old one in memory until "
     "then.",
     "RFC 8461 §4.2", "mail_servers", seen_once},
    {"mx.cert-not-yet-valid", "The certificate of a mail server is not valid yet", error, error, warn, warn,
     refused, "Install a certificate that is valid now on {subject}.", "RFC 8461 §4.2", "mail_servers",
     seen_once},
    {"mx.cert-name-mismatch", "The certificate of a mail server is for another name", error, error, warn,
     warn, refused,
     "Install a certificate that names {subject}, the host in the MX record; the mail domain alone does not "
     "suffice. Or point the MX record at the name that the certificate has.",
     "RFC 8461 §4.2, RFC 9525 §6.3", "mail_servers", seen_once},
    {"mx.cert-untrusted", "The certificate of a mail server comes from no public authority", error, error,
     warn, warn, refused,
     "Install a certificate of a public authority on {subject}; Let's Encrypt issues them without charge.",
     "RFC 8461 §4.2", "mail_servers", seen_once},
    {"mx.cert-chain-incomplete", "A mail server does not send its intermediate certificate", error, error,
     warn, warn, refused,
     "Configure the full chain on {subject} (often fullchain.pem; Postfix: smtpd_tls_chain_files), not the "
     "certificate alone.",
     "RFC 8461 §4.2", "mail_servers", seen_once},
    {"mx.cert-self-signed", "The certificate of a mail server is self-signed", error, error, warn, warn,
     refused,
     "Replace the certificate of {subject}, often the one that came with the installation, by one of a "
     "public "
     "authority; Let's Encrypt issues them without charge.",
     "RFC 8461 §4.2", "mail_servers", seen_once},
    {"mx.cert-expires-soon", "The certificate of a mail server expires soon", warn, warn, warn, info,
     "After its last day strict senders no longer deliver to this server under a policy in enforce.",
     "Renew it now and see that automatic renewal works and reloads the mail server.", "RFC 8461 §4.2",
     "mail_servers", seen_once},
    {"mx.cert-cn-only", "The certificate of a mail server has its name in the old place only", error, error,
     warn, warn, refused,
     "Order a new certificate: {subject} has to stand among its subject alternative names; the common name "
     "no longer "
     "counts.",
     "RFC 8461 §4.2, RFC 9525 §2", "mail_servers", seen_once},
    {"mx.requires-sni", "A mail server insists on being told its name", warn, warn, warn, warn,
     "Senders without MTA-STS often do not send the name (SNI). They cannot encrypt, and fall back to plain "
     "text or "
     "fail.",
     "Configure a default certificate on {subject} for connections without SNI or with an unknown name.",
     "RFC 8461 §7.1", "mail_servers", seen_once},
    {"mx.addresses-disagree", "The addresses of a mail server do not behave alike", error, error, warn, warn,
     "Some deliveries pass and some fail, depending on the address that the sender picks: the hardest fault "
     "to see "
     "from inside.",
     "Bring certificate and configuration of every server behind {subject} to the state of the good one.",
     "RFC 8461 §4.2", "mail_servers", seen_once},
    {"mx.untestable", "The mail servers could not be tested from here", warn, warn, warn, warn,
     "Port 25 is closed for this machine, as in most homes, offices and clouds. It says nothing about the "
     "domain.",
     "Run the check on a machine with port 25 open to the outside, such as the mail server itself.",
     "RFC 5321 §4.5.4", "mail_servers", seen_once},
};
} // namespace

std::span<const code_entry> mx_codes() {
    return rows;
}

} // namespace mailtight::findings
