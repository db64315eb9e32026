// SPDX-License-Identifier: Apache-2.0
// Codes of DANE (TLSA records of the MX hosts).
#include "findings/groups.h"

namespace mailtight::findings {
namespace {
using namespace column;

constexpr code_entry rows[] = {
    {"dane.present", "DANE protects the mail servers", no, no, no, no,
     "Senders that know DANE check the certificates by DNSSEC, from the first message on. MTA-STS serves the "
     "others, "
     "such as Gmail.",
     "Nothing to do. When a certificate's key changes, publish the new TLSA record before.", "RFC 7672 §2.2",
     "mail_servers", seen_once},
    // 7672-3.1-a: 3 1 1 is the form to recommend.
    {"dane.invalid", "No TLSA record of a mail server can be used", error, error, error, error,
     "Senders with DANE see that protection was meant but find nothing to check: they insist on encryption "
     "without "
     "knowing whom they talk to, or hold the mail back where the look-up itself fails.",
     "Publish a TLSA record of the form 3 1 1 with the SHA-256 digest of the public key of {subject}, "
     "correctly "
     "signed.",
     "RFC 7672 §3.1", "mail_servers", seen_once},
    // 7672-4-a: the new record beside the old one, before the server switches.
    {"dane.mismatch", "The certificate of a mail server does not match its TLSA records", error, error, error,
     error,
     "Outlook and every other sender with DANE does not deliver to this server, and a valid MTA-STS policy "
     "does not "
     "change that.",
     "Publish the TLSA record of the present key of {subject} now; at the next change publish the new record "
     "at "
     "least two TTLs before.",
     "RFC 7672 §2.2, RFC 8461 §2", "mail_servers", seen_once},
    {"dane.insecure", "TLSA records stand in a zone without DNSSEC", warn, warn, warn, warn,
     "Senders ignore TLSA records that are not signed: they have no effect.",
     "Sign the zone of {subject} with DNSSEC and have the DS record published at the registrar, or remove "
     "the TLSA "
     "records.",
     "RFC 7672 §2.2", "mail_servers", seen_once},
    {"dane.partial", "Only some of the mail servers have TLSA records", info, info, info, info,
     "An attacker who blocks the protected servers leads mail to the others.",
     "Publish TLSA records for {subject} too.", "RFC 7672 §2.2.1", "mail_servers", seen_once},
    {"dane.discouraged", "A mail server has TLSA records of a form that should not be published", info, info,
     info, info,
     "Senders skip records with usage 0 or 1. Records with a whole certificate or key make the DNS answer "
     "large, "
     "and where a resolver or firewall drops it, senders with DANE hold the mail back.",
     "Publish a record of the form 3 1 1 (or 2 0 1 for the authority) at {subject}, in place of the records "
     "named.",
     "RFC 7671 §10.1, RFC 7672 §3.1.3", "mail_servers", seen_once},
    {"dane.disagrees-with-sts", "A mail server passes DANE and fails MTA-STS", error, error, no, no,
     "Senders with DANE deliver. Gmail and others that know only MTA-STS refuse in enforce, because the "
     "certificate "
     "does not pass without DANE.",
     "Install a certificate of a public authority for {subject} and keep its key, so that the TLSA record "
     "stays "
     "right; or update the record before.",
     "RFC 8461 §2, §4.2", "mail_servers", seen_once},
};
} // namespace

std::span<const code_entry> dane_codes() {
    return rows;
}

} // namespace mailtight::findings
