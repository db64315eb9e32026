// SPDX-License-Identifier: Apache-2.0
// Why deliveries fail: every rule by which a failure in a TLS report is explained. Read from top to bottom;
// within a result type the special stands before the general, and the first that fits speaks.
// diagnosis_rules.h says how a condition is written.
//
// Two things no rule does: blame the sender for a server that offers no STARTTLS, and speak of an attack
// where the report holds no evidence of one.
#include "advise/diagnosis_rules.h"
#include "advise/server_fixes.h"

namespace mailtight::advise {
namespace {

// How to check: a command a line, ready to be pasted

constexpr std::string_view look_at_domain = "mailtight check {DOMAIN}";
constexpr std::string_view look_at_server =
    "mailtight check {DOMAIN}\n"
    "openssl s_client -starttls smtp -connect {CONNECT} -servername {MX} -showcerts </dev/null";
constexpr std::string_view look_at_name =
    "mailtight check {DOMAIN}\n"
    "openssl s_client -starttls smtp -connect {CONNECT} -servername {MX} -verify_hostname {MX} </dev/null";
constexpr std::string_view look_at_versions =
    "openssl s_client -starttls smtp -connect {CONNECT} -servername {MX} -tls1_2 </dev/null\n"
    "openssl s_client -starttls smtp -connect {CONNECT} -servername {MX} -tls1_3 </dev/null";
constexpr std::string_view look_at_greeting = "mailtight check {DOMAIN}\n"
                                              "openssl s_client -starttls smtp -connect {CONNECT} "
                                              "-servername {MX} </dev/null  # from outside your network";
constexpr std::string_view look_at_file = "mailtight check {DOMAIN}\n"
                                          "curl -4 -sSi https://mta-sts.{DOMAIN}/.well-known/mta-sts.txt\n"
                                          "curl -6 -sSi https://mta-sts.{DOMAIN}/.well-known/mta-sts.txt";
constexpr std::string_view look_at_text =
    "curl -sS https://mta-sts.{DOMAIN}/.well-known/mta-sts.txt | mailtight policy lint -";
constexpr std::string_view look_at_policy_host = "mailtight check {DOMAIN}\n"
                                                 "openssl s_client -connect mta-sts.{DOMAIN}:443 -servername "
                                                 "mta-sts.{DOMAIN} -verify_hostname mta-sts.{DOMAIN} "
                                                 "</dev/null";
constexpr std::string_view look_at_tlsa = "mailtight check {DOMAIN}\ndig +dnssec TLSA _25._tcp.{MX}";
constexpr std::string_view look_at_chain_of_trust = "delv MX {DOMAIN}\ndelv TLSA _25._tcp.{MX}";

constexpr std::string_view negotiation =
    "validation-failure certificate-not-trusted certificate-host-mismatch";
constexpr std::string_view by_reason = "validation-failure certificate-not-trusted";
constexpr std::string_view fetching = "sts-webpki-invalid sts-policy-fetch-error";

constexpr std::string_view likely = "likely", possible = "possible", certain = "certain";

const std::vector<rule>& table() {
    static const std::vector<rule> rows{
        // ---- the MX host is not in the policy; reporters have no result type for it ----
        {"mx-in-policy-since", negotiation,
         "policy type sts and MX outside policy and policy older and MX inside policy of today",
         "The sender still follows an older policy",
         "{mx} is in the policy of today, but not in the one that {reporter} applied: the sender keeps "
         "an older text in its cache.",
         certain,
         "If the id of the _mta-sts record was not changed together with the policy, change it now: "
         "senders fetch the policy again only then. If it was, wait: caches follow within a day.",
         nullptr, "dig +short TXT _mta-sts.{DOMAIN}  # is the id another than before the change?",
         "policy.changed-without-id"},
        {"mx-wildcard-depth", negotiation, "policy type sts and MX outside policy and MX one wildcard deep",
         "A wildcard of the policy covers one label only",
         "{mx} looks as if the policy ({patterns}) covered it, but a wildcard stands for exactly one "
         "label at the left.",
         certain, "Add the line mx: {mx} to the policy and change the id of the _mta-sts record.", &mx_lines,
         look_at_domain, "mx.not-in-policy"},
        {"mx-former", negotiation,
         "policy type sts and MX outside policy and MX given and no MX among those of today",
         "The sender went to an MX host that the domain no longer has",
         "{mx} is neither in the policy ({patterns}) nor among the MX records of today. The sender had "
         "an older DNS answer, or the records changed since.",
         likely,
         "If {mx} was yours until lately, nothing more is to be done; next time, keep old names in the "
         "policy until the TTL of the MX records has passed. If it was never yours, find out who can "
         "change your zone.",
         nullptr, "dig +short MX {DOMAIN}  # and at each name server of the zone: @NAME", "mx.not-in-policy"},
        {"mx-not-in-policy", negotiation, "policy type sts and MX outside policy",
         "The MX host is not in the policy",
         "The sender went to {mx}, which the policy in the report does not list ({patterns}). Mostly the "
         "MX records changed and the policy did not, or its id stayed the same.",
         certain,
         "Put every MX name, old and new, into the policy, and change the id of the _mta-sts record. "
         "Take old names out only after the max_age of the former policy.",
         &mx_lines, look_at_domain, "mx.not-in-policy"},
        {"mx-not-in-policy-told", negotiation,
         "reason has MX_HOSTS_MISMATCH | mtasts-policy-mx-mismatch | sts-mx-not-in-policy | mx mismatch "
         "| 5.4.8 | 4.4.8 | not in policy | not listed in policy | does not match policy mx",
         "The MX host is not in the policy",
         "{reporter} says so itself: \"{reason}\". Mostly the MX records changed and the policy did not, "
         "or its id stayed the same.",
         likely,
         "Compare the MX records with the policy's mx lines. Put every MX name, old and new, into the "
         "policy, and change the id of the _mta-sts record.",
         &mx_lines, look_at_domain, "mx.not-in-policy"},

        // ---- DANE; before the certificate rules, since under DANE the TLSA record decides ----
        {"dane-mismatch", "tlsa-invalid validation-failure certificate-not-trusted",
         "reason has DANE_NO_MATCH | no matching DANE TLSA | TLSA mismatch | no TLSA records match | "
         "DANE authentication",
         "The certificate does not match the TLSA records",
         "The key or certificate {at mx} is not the one that its TLSA records announce (\"{reason}\"). "
         "Mostly it was renewed with a new key before the record was published.",
         likely,
         "Publish a TLSA record for the key in use now. From then on: publish the new record, wait two "
         "TTLs, change the key, and only then remove the old record; or keep the key on renewal (3 1 1), "
         "with the authority's key (2 1 1) as a second record.",
         nullptr, look_at_domain, "dane.mismatch"},
        {"tlsa-unusable", "tlsa-invalid", "reason has unusable | unsupported | malformed | parameters",
         "The TLSA records cannot be used",
         "The TLSA records {at mx} have parameters or a form that {reporter} cannot use (\"{reason}\").",
         likely,
         "Publish 3 1 1 with the SHA-256 of the server's public key, at _25._tcp. before the name of the "
         "MX host.",
         nullptr, look_at_tlsa, "dane.invalid"},
        {"tlsa-invalid", "tlsa-invalid", "", "No TLSA record fits the server",
         "None of the TLSA records {at mx} fits what the server presents: the key was changed without "
         "its record, the record stands at another name, or its parameters are wrong.",
         likely,
         "Publish a TLSA record (3 1 1) for the key in use now. From then on: publish first, wait two "
         "TTLs, change the key, then remove the old record.",
         nullptr, look_at_domain, "dane.mismatch"},
        {"dnssec-expired", "dnssec-invalid validation-failure",
         "reason has signature expired | RRSIG expired | signatures have expired",
         "DNSSEC signatures have expired",
         "The signatures of a zone on the way to {mx} are past their date, so every answer of it is refused.",
         likely, "Have the zone signed again, and see why the automatic signing stopped.", nullptr,
         look_at_chain_of_trust, "mx.lookup-failed"},
        {"dnssec-invalid", "dnssec-invalid", "", "DNSSEC validation failed",
         "{reporter} could not validate the DNS answers on the way to {mx}: expired signatures, a DS "
         "record that does not fit (often after a change of the DNS provider), or a server that does not "
         "answer. The fault may lie in your zone or in the zone of the MX host.",
         likely,
         "Follow the chain from the root with two resolvers and fix signing or the DS record. As long "
         "as it is broken, senders with DANE do not deliver.",
         nullptr, look_at_chain_of_trust, "mx.lookup-failed"},
        {"dane-required", "dane-required", "", "The sender insists on DANE",
         "{reporter} is configured to deliver here with DANE only, and found no validated TLSA record "
         "{at mx}.",
         certain,
         "Nothing is broken here. To serve this sender, publish TLSA records in the signed zone of the "
         "MX host; where that is your hoster's zone, ask the hoster. Or ask {reporter} to drop the "
         "demand.",
         nullptr, look_at_tlsa, "", false},

        // ---- STARTTLS ----
        {"starttls-hidden", "starttls-not-supported", "greeting has XXXXXXXA | XXXXXXXX | XXXX",
         "Something on the way hides STARTTLS",
         "The answer to EHLO came with its keywords crossed out: a firewall that inspects SMTP stands "
         "before {mx}.",
         likely,
         "Switch the inspection of SMTP off in the firewall (Cisco ASA: remove 'inspect esmtp', or "
         "allow-tls in it).",
         nullptr, look_at_greeting, "mx.no-starttls"},
        {"starttls-refused", "starttls-not-supported",
         "reason has smtp-starttls-reply-code | TLS not available | 454 | 501 | 502 | 503 | STARTTLS "
         "refused | STARTTLS rejected",
         "The server offers STARTTLS and refuses it",
         "{mx} lists STARTTLS and then answers it with an error (\"{reason}\"). Mostly the key or the "
         "certificate cannot be read.",
         likely,
         "Read the mail server's log at the moment of a STARTTLS, and fix key, certificate or their rights.",
         &offer_tls, look_at_greeting, "mx.starttls-refused"},
        {"starttls-at-google", "starttls-not-supported", "MX at Google Workspace",
         "No STARTTLS at a hoster that offers it",
         "{mx} belongs to Google, whose servers offer STARTTLS. A proxy or firewall between {reporter} "
         "and Google, or a relay under the same name, is the likely reason.",
         possible, "Look whether other reporters see it too. If not, nothing is to be done on your side.",
         nullptr, look_at_greeting, "mx.no-starttls"},
        {"starttls-at-microsoft", "starttls-not-supported", "MX at Microsoft 365",
         "No STARTTLS at a hoster that offers it",
         "{mx} belongs to Microsoft, whose servers offer STARTTLS. A proxy or firewall between "
         "{reporter} and Microsoft, or a relay under the same name, is the likely reason.",
         possible, "Look whether other reporters see it too. If not, nothing is to be done on your side.",
         nullptr, look_at_greeting, "mx.no-starttls"},
        {"starttls-not-supported", "starttls-not-supported", "", "The mail server offers no encryption",
         "{mx} did not offer STARTTLS. Mostly TLS is switched off on one MX host or one of its addresses "
         "(a backup MX, an AAAA record that leads to another machine), its key cannot be read, or a "
         "firewall removes the offer.",
         likely, "Switch STARTTLS on for every MX host and each of its addresses.", &offer_tls,
         look_at_greeting, "mx.no-starttls"},

        // ---- certificates of the mail server; some senders give the reason alone (validation-failure) ----
        {"certificate-not-yet-valid", "validation-failure certificate-not-trusted certificate-expired",
         "reason has is before | CERT_NOT_YET_VALID | certificate is not yet valid",
         "The certificate is not valid yet",
         "The certificate {at mx} begins in the future: it was put in place too early, or a clock is wrong.",
         likely,
         "Compare the first day of the certificate with the clocks of the server and of the machine that "
         "issues it.",
         &renew, look_at_server, "mx.cert-not-yet-valid"},
        {"certificate-expired", "certificate-expired", "", "The certificate has expired",
         "The certificate {at mx} is past its last day. The renewal failed, or it worked and the mail "
         "server still holds the old one, or one address of several was left out.",
         certain,
         "Renew it, have the mail server load it after each renewal, and look at every address of every "
         "MX host.",
         &renew, look_at_server, "mx.cert-expired"},
        {"certificate-expired-by-reason", by_reason,
         "reason has CERT_HAS_EXPIRED | has expired | certificate expired",
         "A certificate in the chain has expired",
         "{reporter} says \"{reason}\": the certificate {at mx}, or an intermediate that it sends along, "
         "is past its last day.",
         likely,
         "Renew the certificate and send the authority's current intermediates; have the mail server "
         "load both after each renewal.",
         &renew, look_at_server, "mx.cert-expired"},
        {"certificate-host-mismatch-by-reason", by_reason,
         "reason has HOSTNAME_MISMATCH | hostname mismatch | host name mismatch | name mismatch | does "
         "not match host | not valid for any names | certificate is valid for | subject does not match | "
         "certificate name | doesn't match host",
         "The certificate does not carry the name of the MX host",
         "{reporter} says \"{reason}\": the certificate {at mx} was issued for other names.", likely,
         "Issue a certificate with each MX name among its names.", &name_in_certificate, look_at_name,
         "mx.cert-name-mismatch"},
        {"certificate-host-mismatch", "certificate-host-mismatch", "",
         "The certificate does not carry the name of the MX host",
         "The certificate {at mx} was issued for other names: mostly for the web site, or for the "
         "machine's own name. The same happens where the MX record is an alias of yours for a hoster's "
         "server.",
         certain,
         "Issue a certificate with each MX name among its names, or let the MX record name the host that "
         "the certificate is for.",
         &name_in_certificate, look_at_name, "mx.cert-name-mismatch"},
        {"private-authority", by_reason,
         "reason has SELF_SIGNED_CERT_IN_CHAIN | self signed certificate in certificate chain | self "
         "signed certificate in chain | untrusted root",
         "The certificate comes from a private authority",
         "The chain {at mx} ends at a root that no public list holds: an authority of your own or of "
         "your hoster.",
         likely, "Use a certificate of a public authority on the MX hosts.", &send_chain, look_at_server,
         "mx.cert-untrusted"},
        {"self-signed", by_reason, "reason has self signed | DEPTH_ZERO_SELF_SIGNED_CERT",
         "The certificate is self-signed",
         "The certificate {at mx} vouches for itself. Mostly it is the one that the installation made, "
         "because another was never set or could not be read.",
         likely, "Use a certificate of a public authority on the MX hosts.", &send_chain, look_at_server,
         "mx.cert-self-signed"},
        {"chain-incomplete", by_reason,
         "reason has UNABLE_TO_GET_ISSUER_CERT | UNABLE_TO_GET_ISSUER_CERT_LOCALLY | "
         "UNABLE_TO_VERIFY_LEAF_SIGNATURE | unable to get local issuer certificate | unable to get "
         "issuer certificate | unable to verify the first certificate | unknown issuer | unknown "
         "authority | unable to verify leaf signature | incomplete chain",
         "The chain of the certificate is not complete",
         "The sender found no way from the certificate {at mx} to a root that it trusts (\"{reason}\"). "
         "Mostly the server does not send the intermediate certificate; else the authority is unknown to "
         "this sender.",
         likely, "Let the server send the certificate and its intermediates, in this order.", &send_chain,
         look_at_server, "mx.cert-chain-incomplete"},
        {"certificate-revoked", by_reason, "reason has revoked | CERT_REVOKED", "The certificate is revoked",
         "The authority has withdrawn the certificate {at mx}.", likely,
         "Issue a new certificate with a new key, and ask the authority why the old one was withdrawn.",
         &renew, look_at_server, "mx.cert-untrusted"},
        {"certificate-purpose", by_reason,
         "reason has INVALID_PURPOSE | unsupported certificate purpose | incompatible key usage | "
         "unsuitable certificate purpose | INVALID_EXTENSION",
         "The certificate is not made for servers",
         "{reporter} says \"{reason}\": the certificate {at mx} lacks the purpose 'TLS server'.", likely,
         "Issue a certificate with the extended key usage serverAuth.", &renew, look_at_server,
         "mx.cert-untrusted"},
        {"certificate-weak", by_reason,
         "reason has EE_KEY_TOO_SMALL | CA_KEY_TOO_SMALL | CA_MD_TOO_WEAK | key too small | key too weak "
         "| md too weak | dh key too small | insecure algorithm | sha1 | weak signature",
         "A key or signature is too weak",
         "{reporter} says \"{reason}\": a key {at mx} is too short, or a signature in the chain uses SHA-1.",
         likely, "Issue a certificate with RSA of 2048 bits or more, or ECDSA P-256, signed with SHA-256.",
         &renew, look_at_server, "mx.cert-untrusted"},
        {"chain-faulty", by_reason,
         "reason has PATH_LENGTH_EXCEEDED | path length | name constraint | PERMITTED_VIOLATION | "
         "EXCLUDED_VIOLATION | INVALID_CA | invalid CA certificate | CERT_CHAIN_TOO_LONG | "
         "CERT_SIGNATURE_FAILURE | PROXY_PATH_LENGTH_EXCEEDED | certificate chain too long",
         "The chain of the certificate breaks its authority's rules",
         "{reporter} says \"{reason}\": a certificate that the server sends along may not have issued "
         "the next one. Mostly a wrong or foreign intermediate stands in the file.",
         likely, "Put exactly the authority's intermediates into the chain, and nothing else.", &send_chain,
         look_at_server, "mx.cert-untrusted"},
        {"certificate-not-trusted", "certificate-not-trusted", "",
         "The sender does not trust the certificate",
         "{reporter} found no way from the certificate {at mx} to a root that it trusts: the "
         "intermediate is missing, the certificate is self-signed or of a private authority, or the root "
         "is not, or no longer, in the sender's list.",
         likely, "Use a certificate of a public authority and send it with its intermediates.", &send_chain,
         look_at_server, "mx.cert-untrusted"},

        // ---- the handshake ----
        {"tls-version", "validation-failure",
         "reason has unsupported protocol | protocol version | no protocols available | "
         "TLSV1_ALERT_PROTOCOL_VERSION | inappropriate fallback | version too low",
         "No common TLS version",
         "{mx} and the sender have no TLS version in common (\"{reason}\"): mostly the server offers "
         "nothing newer than TLS 1.1.",
         likely, "Offer TLS 1.2 and 1.3.", &modern_tls, look_at_versions, "mx.tls-too-old"},
        {"plain-after-starttls", "validation-failure",
         "reason has wrong version number | first record does not look like a TLS handshake | unknown "
         "protocol",
         "The server speaks plain text after STARTTLS",
         "After STARTTLS {mx} answered with something that is no TLS (\"{reason}\"): a proxy or filter "
         "before the server breaks the exchange, or the server writes an error as text.",
         likely, "Look at the mail server's log at that moment, and at what stands before it.", &offer_tls,
         look_at_greeting, "mx.starttls-refused"},
        {"no-shared-cipher", "validation-failure",
         "reason has no shared cipher | no ciphers | handshake failure | SSLV3_ALERT_HANDSHAKE_FAILURE | "
         "insufficient security | no common",
         "Server and sender agree on no cipher",
         "The handshake with {mx} ended without a cipher in common (\"{reason}\"): a cipher list that is "
         "too narrow, or a certificate of a kind that the sender cannot use.",
         likely, "Leave the cipher lists at their defaults; with an ECDSA certificate, add an RSA one.",
         &modern_tls, look_at_versions, "mx.tls-too-old"},
        {"name-not-recognised", "validation-failure", "reason has unrecognized name | unrecognised name",
         "The server refuses the name that the sender asks for",
         "The sender named {mx} in the handshake, as MTA-STS demands, and the server refused it "
         "(\"{reason}\").",
         likely, "Let the server answer unknown names with its usual certificate, and know each MX name.",
         &name_in_certificate, look_at_name, "mx.requires-sni"},
        {"connection-broken", "validation-failure",
         "reason has EOF | unexpected eof | connection reset | reset by peer | broken pipe | timeout | "
         "timed out | deadline exceeded | lost connection | SSL_ERROR_SYSCALL | connection closed",
         "The connection broke during the handshake",
         "The connection to {mx} ended before TLS was up (\"{reason}\"): an overloaded server, a limit "
         "on connections, a firewall, or a path that drops large packets.",
         possible,
         "Look for the sender in the mail server's log; look at connection limits and at the firewall.",
         nullptr, look_at_greeting, "mx.starttls-refused"},
        {"validation-failure-microsoft", "validation-failure",
         "reason has VALIDATION_FAILURE | 5.7.5 | 4.7.5", "The certificate or the handshake did not pass",
         "{reporter} gives its general code (\"{reason}\"): the certificate {at mx} did not pass, or TLS "
         "did not come up. It names no details.",
         possible,
         "Look at each MX host: certificate with its name, full chain, TLS 1.2 or later. Where all are "
         "right, compare the MX records with the policy.",
         &send_chain, look_at_server, "mx.cert-untrusted"},
        {"validation-failure-other", "validation-failure", "reason given", "TLS or its check failed",
         "{reporter} says \"{reason}\" about {mx}. No rule knows these words; they are the sender's own.",
         possible,
         "Look at each MX host: its name in the policy, certificate with its name, full chain, TLS 1.2 "
         "or later.",
         nullptr, look_at_server, ""},
        {"validation-failure-bare", "validation-failure", "",
         "TLS or its check failed, the report does not say why",
         "{reporter} gives no reason for {mx}. The commonest are an MX host that the policy does not "
         "list, an incomplete chain, and TLS older than 1.2.",
         possible,
         "Compare the MX records with the policy first; then look at each MX host: certificate with its "
         "name, full chain, TLS 1.2 or later.",
         nullptr, look_at_domain, ""},

        // ---- the policy host: its certificate ----
        {"policy-host-certificate-expired", fetching,
         "reason has has expired | CERT_HAS_EXPIRED | certificate expired | tls-certificate-expired",
         "The certificate of the policy host has expired",
         "The web server at mta-sts.{domain} shows a certificate past its last day (\"{reason}\"). "
         "Senders then get no policy.",
         likely, "Renew it, and have the web server load it after each renewal.", nullptr,
         look_at_policy_host, "policy-host.cert-expired"},
        {"policy-host-name", fetching,
         "reason has certificate is valid for | not valid for any names | hostname mismatch | "
         "HOSTNAME_MISMATCH | name mismatch | does not match | no alternative certificate subject name",
         "The certificate of the policy host is for another name",
         "The web server at mta-sts.{domain} shows a certificate for other names (\"{reason}\"). With an "
         "alias to a hoster, the hoster has not issued one for your name yet.",
         likely,
         "Issue a certificate for exactly mta-sts.{domain}; behind an alias, have the hoster switch it on.",
         nullptr, look_at_policy_host, "policy-host.cert-name-mismatch"},
        {"policy-host-self-signed", fetching, "reason has self signed",
         "The certificate of the policy host is self-signed",
         "The web server at mta-sts.{domain} shows a certificate that no public authority issued "
         "(\"{reason}\").",
         likely, "Use a certificate of a public authority for mta-sts.{domain}.", nullptr,
         look_at_policy_host, "policy-host.cert-self-signed"},
        {"policy-host-chain", fetching,
         "reason has unknown authority | unknown issuer | unable to get local issuer | "
         "UNABLE_TO_GET_ISSUER_CERT_LOCALLY | unable to verify the first certificate | untrusted",
         "The chain of the policy host is not complete",
         "The sender found no way from the certificate of mta-sts.{domain} to a root that it trusts "
         "(\"{reason}\"). Browsers fetch a missing intermediate by themselves, senders do not.",
         likely, "Let the web server send the certificate with its intermediates.", nullptr,
         look_at_policy_host, "policy-host.cert-chain-incomplete"},
        {"policy-host-tls", fetching,
         "reason has protocol version | handshake failure | unsupported protocol | tls-handshake | tls "
         "alert | no shared cipher",
         "The policy host and the sender agree on no TLS",
         "No TLS came up with mta-sts.{domain} (\"{reason}\"): the web server offers nothing newer than "
         "TLS 1.1, or knows nothing of this name.",
         likely,
         "Offer TLS 1.2 and 1.3 for mta-sts.{domain}, and look at the hoster's settings for the name.",
         nullptr, look_at_policy_host, "policy-host.tls-too-old"},
        {"sts-webpki-invalid", "sts-webpki-invalid", "", "The certificate of the policy host does not pass",
         "The certificate of mta-sts.{domain} has expired, carries another name or lacks its chain; with "
         "an alias, the hoster may have no certificate for your name.",
         likely,
         "Issue a certificate for exactly mta-sts.{domain}, send it with its intermediates, and load it "
         "after each renewal.",
         nullptr, look_at_policy_host, "policy-host.cert-untrusted"},

        // ---- fetching the policy ----
        {"policy-not-there", "sts-policy-fetch-error sts-policy-invalid", "reason has 404 | 410 | not found",
         "The policy file is not there",
         "mta-sts.{domain} answers that there is no such file (\"{reason}\"). The path is wrong, the web "
         "server leaves out folders that begin with a dot, or the file was removed while the _mta-sts "
         "record stayed.",
         certain,
         "Serve the policy at https://mta-sts.{domain}/.well-known/mta-sts.txt. If MTA-STS is to end: "
         "serve mode none first, then remove the record, and the host last.",
         nullptr, look_at_file, "policy-host.http-status"},
        {"policy-forbidden", "sts-policy-fetch-error",
         "reason has 401 | 403 | 406 | 429 | forbidden | captcha | too many requests",
         "The web server turns the sender away",
         "mta-sts.{domain} refused the request (\"{reason}\"): mostly a firewall for web sites or a "
         "check for robots.",
         likely,
         "Exempt the path /.well-known/mta-sts.txt from such checks: everybody may fetch it, in any number.",
         nullptr, look_at_file, "policy-host.http-status"},
        {"policy-redirect", "sts-policy-fetch-error sts-policy-invalid",
         "reason has redirect | 301 | 302 | 303 | 307 | 308", "The policy host redirects",
         "mta-sts.{domain} sends the request elsewhere (\"{reason}\"), which senders do not follow.", certain,
         "Serve the file at this address itself, with status 200.", nullptr, look_at_file,
         "policy-host.redirect"},
        {"policy-host-error", "sts-policy-fetch-error",
         "reason has 500 | 502 | 503 | 504 | 520 | 521 | 522 | 523 | 524 | 525 | 526 | bad gateway | "
         "service unavailable",
         "The policy host reports a fault of its own",
         "mta-sts.{domain} answered with an error of the server (\"{reason}\").", likely,
         "Read the web server's log; behind a proxy, look at the server behind it.", nullptr, look_at_file,
         "policy-host.http-status"},
        {"policy-content-type", "sts-policy-fetch-error sts-policy-invalid",
         "reason has content-type | media type | text/html | mime type",
         "The policy is served with the wrong type",
         "mta-sts.{domain} does not say text/plain for the file (\"{reason}\"). Often it is a web page "
         "in its place.",
         certain, "Serve the file as text/plain.", nullptr, look_at_file, "policy-host.content-type"},
        {"policy-too-large", "sts-policy-fetch-error sts-policy-invalid",
         "reason has too-large | too long | exceeds", "The answer is too large for a policy",
         "What mta-sts.{domain} sends is longer than senders read (\"{reason}\"): mostly a web page in "
         "place of the file.",
         likely, "Serve the policy file itself, below 64 kB.", nullptr, look_at_file,
         "policy-host.too-large"},
        {"policy-host-dns", "sts-policy-fetch-error",
         "reason has dns-nxdomain | nxdomain | no such host | name or service not known | could not "
         "resolve | no address | servfail | dns",
         "The policy host has no address",
         "The sender found no address for mta-sts.{domain} (\"{reason}\"): the name is missing, or its "
         "name servers did not answer.",
         likely,
         "Publish A or AAAA, or the alias, for mta-sts.{domain}. If MTA-STS was removed, remove the "
         "_mta-sts record too.",
         nullptr, "dig +short A mta-sts.{DOMAIN}\ndig +short AAAA mta-sts.{DOMAIN}",
         "policy-host.no-address"},
        {"policy-host-slow", "sts-policy-fetch-error",
         "reason has timeout | timed out | tcp-timeout | deadline exceeded | i/o timeout",
         "The policy host did not answer in time",
         "mta-sts.{domain} did not answer within the sender's limit (\"{reason}\"): a firewall drops the "
         "packets, or one address is dead. Mostly it is the IPv6 one.",
         likely, "Try the file over IPv4 and over IPv6; fix the address that hangs, or remove it from DNS.",
         nullptr, look_at_file, "policy-host.unreachable"},
        {"policy-host-unreachable", "sts-policy-fetch-error",
         "reason has connection refused | refused | unreachable | no route | connection reset | EOF | "
         "tcp | network",
         "The policy host cannot be reached",
         "No connection to mta-sts.{domain} came up (\"{reason}\"): nothing listens on port 443 at one "
         "of its addresses, or a firewall stands before it.",
         likely, "Let the web server answer on port 443 at every address of the name, IPv4 and IPv6.",
         nullptr, look_at_file, "policy-host.unreachable"},
        {"sts-policy-fetch-error", "sts-policy-fetch-error", "", "The policy could not be fetched",
         "{reporter} found the _mta-sts record and could not get the file from mta-sts.{domain}. Usual "
         "reasons: no address, 404, a redirect, a check for robots, an IPv6 address that is dead.",
         likely,
         "The file must come with status 200 and as text/plain, over IPv4 and IPv6, without redirect, to "
         "anybody.",
         nullptr, look_at_file, "policy-host.unreachable"},
        {"sts-policy-invalid", "sts-policy-invalid", "", "The policy text is not valid",
         "{reporter} fetched the file of mta-sts.{domain} and cannot use it: a missing version, mode or "
         "max_age, no mx line, a max_age beyond 31557600, quotes around values, a byte order mark, or a "
         "web page in place of the text.",
         likely,
         "Write the file anew (mailtight policy new {DOMAIN}), and change the id of the _mta-sts record.",
         nullptr, look_at_text, "policy.syntax"},

        // ---- everything else: the list of result types can grow (8460-4.3-a) ----
        {"unknown-result", "", "", "A failure of a kind that is not registered",
         "{reporter} reports \"{result}\"{for mx}: a word of its own. What it means is not known here.",
         possible,
         "Look at the domain as a whole. If all is well, ask {reporter}: the report names its contact.",
         nullptr, look_at_domain, "", false},
    };
    return rows;
}

} // namespace

std::span<const rule> rule_table() {
    return table();
}

std::span<const diagnosis_rule> diagnosis_rules() {
    static const std::vector<diagnosis_rule> rows = [] {
        std::vector<diagnosis_rule> all;
        for (const rule& one : table())
            all.push_back({one.name, one.result_type, one.when, one.title});
        return all;
    }();
    return rows;
}

} // namespace mailtight::advise
