// SPDX-License-Identifier: Apache-2.0
// What to change on each mail server software and at each hoster: the second half of the fixes in
// diagnosis_rules.cpp, shared by several rules. The room's own.
#pragma once

#include "advise/diagnosis_rules.h"

namespace mailtight::advise {

inline constexpr per_server offer_tls{
    .postfix =
        "smtpd_tls_security_level = may, and smtpd_tls_chain_files with key and certificate chain. With "
        "postscreen, tlsproxy must be on in master.cf; smtpd_discard_ehlo_keywords must not hold "
        "starttls.",
    .exim = "tls_advertise_hosts = *, with tls_certificate and tls_privatekey readable by Exim's user.",
    .sendmail =
        "confSERVER_CERT and confSERVER_KEY set, the key readable by its owner alone: otherwise sendmail "
        "does not offer STARTTLS.",
    .exchange =
        "the Receive connector needs Tls among its AuthMechanism values, and a certificate enabled by "
        "Enable-ExchangeCertificate -Services SMTP.",
    .google = "its own servers offer STARTTLS. Look for an old server among the MX records, or a gateway "
              "in front of them.",
    .microsoft =
        "its own servers offer STARTTLS. Look for an old server among the MX records, or a gateway in "
        "front of them."};

inline constexpr per_server name_in_certificate{
    .postfix =
        "a certificate with every MX name in smtpd_tls_chain_files, or one a name by tls_server_sni_maps "
        "(3.4 and later).",
    .exim = "a certificate with every MX name, or tls_certificate chosen by $tls_in_sni.",
    .sendmail = "a certificate with every MX name in confSERVER_CERT.",
    .exchange =
        "Fqdn and TlsCertificateName of the Receive connector must fit the MX name; where they do not, "
        "the self-signed certificate is offered.",
    .google = "MX records must name Google's own hosts (smtp.google.com), not an alias under your domain.",
    .microsoft =
        "the MX record must be the name that the admin centre shows, not an alias under your domain."};

inline constexpr per_server renew{
    .postfix =
        "let the renewal run 'postfix reload', and check that smtpd_tls_chain_files names the renewed file.",
    .exim = "let the renewal send SIGHUP to Exim, and check that tls_certificate names the renewed file.",
    .sendmail = "let the renewal restart sendmail.",
    .exchange = "enable the new certificate (Enable-ExchangeCertificate -Services SMTP) and enter it as "
                "TlsCertificateName of the connectors.",
    .google = "the certificate there is the hoster's own: most likely an MX record leads to another machine.",
    .microsoft =
        "the certificate there is the hoster's own: most likely an MX record leads to another machine."};

inline constexpr per_server send_chain{
    .postfix =
        "smtpd_tls_chain_files: key, certificate, intermediates, in this order; then 'postfix reload'.",
    .exim = "the file of tls_certificate: the certificate first, the intermediates behind it.",
    .sendmail = "the intermediates belong into the file of confCACERT.",
    .exchange = "import the intermediates into the machine's store of intermediate authorities.",
    .google = "the chain there is the hoster's own: most likely an MX record leads to another machine.",
    .microsoft = "the chain there is the hoster's own: most likely an MX record leads to another machine."};

inline constexpr per_server modern_tls{
    .postfix = "smtpd_tls_protocols = >=TLSv1.2, and the cipher lists at their defaults.",
    .exim = "tls_require_ciphers and openssl_options at their defaults.",
    .sendmail = "CipherList and ServerSSLOptions at their defaults.",
    .exchange = "enable TLS 1.2 in Schannel and restart the transport service."};

inline constexpr per_server mx_lines{
    .google =
        "mx: smtp.google.com, and for older set-ups mx: aspmx.l.google.com and mx: *.aspmx.l.google.com.",
    .microsoft =
        "mx: *.mail.protection.outlook.com covers one label. A name below mx.microsoft has two before "
        "it: list that name exactly."};

} // namespace mailtight::advise
