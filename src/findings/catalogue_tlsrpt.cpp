// SPDX-License-Identifier: Apache-2.0
// Codes of the `_smtp._tls` TXT record and the places that it sends reports to.
#include "findings/groups.h"

namespace mailtight::findings {
namespace {
using namespace column;

constexpr std::string_view no_reports = "Gmail, Outlook and the others send no reports: nobody tells you "
                                        "when mail cannot be delivered securely. Delivery "
                                        "itself is not touched.";

constexpr code_entry rows[] = {
    {"tlsrpt.absent", "The domain asks for no TLS reports", warn, warn, info, warn, no_reports,
     "Create a mailbox such as tls-report@{domain}, then publish the TXT record at _smtp._tls.{domain} as "
     "suggested "
     "below.",
     "RFC 8460 §3", "tlsrpt_record", seen_once},
    {"tlsrpt.multiple", "More than one TLS report record is published", error, error, error, error,
     no_reports, "Keep one record at {subject} and list all addresses in it, separated by commas.",
     "RFC 8460 §3", "tlsrpt_record", seen_once},
    {"tlsrpt.syntax", "The TLS report record is not written correctly", error, error, error, error,
     no_reports,
     "Replace the value of {subject} by v=TLSRPTv1; rua=mailto:tls-report@{domain} without quotes around it.",
     "RFC 8460 §3", "tlsrpt_record", seen_once},
    {"tlsrpt.rua-missing", "The TLS report record names no address", error, error, error, error, no_reports,
     "Add rua=mailto:tls-report@{domain} to the record at {subject}.", "RFC 8460 §3", "tlsrpt_record",
     seen_once},
    {"tlsrpt.rua-scheme", "A report address is neither mailto: nor https:", error, error, error, error,
     "Senders skip this address. If it is the only one, no reports are sent.",
     "Write mailto: before a mail address, and https: for an upload address.", "RFC 8460 §3", "tlsrpt_record",
     seen_once},
    {"tlsrpt.rua-unescaped", "A report address holds a character that must be encoded", error, error, error,
     error,
     "Senders may reject the whole record and send no reports. A size limit as in DMARC (!10m) does not "
     "exist here.",
     "Write %2C for a comma, %21 for an exclamation mark and %3B for a semicolon inside an address.",
     "RFC 8460 §3", "tlsrpt_record", seen_once},
    {"tlsrpt.rua-many", "Several report addresses are listed", info, info, info, info,
     "Each sender may use only one of them, usually the first: the others do not get every report.",
     "Put the most important address first, or distribute from one mailbox.", "RFC 8460 §3", "tlsrpt_record",
     seen_once},
    {"tlsrpt.rua-mail-undeliverable", "Reports cannot be mailed to an address of the record", error, error,
     error, error, "The domain of this address takes no mail, so that its reports are lost.",
     "Correct the address, or publish MX records for its domain.", "RFC 8460 §3", "tlsrpt_record", seen_once},
    {"tlsrpt.rua-https-failed", "Reports cannot be uploaded to an address of the record", warn, warn, warn,
     warn,
     "Senders that upload reports cannot connect, or may not trust the certificate: these reports are lost.",
     "Fix the web server behind {subject}, or use a mail address.", "RFC 8460 §3", "tlsrpt_record",
     seen_once},
    {"tlsrpt.doubled-name", "The TLS report record was entered below a doubled domain name", warn, warn, warn,
     error, "Senders look at _smtp._tls.{domain} and never at the doubled name: they send no reports.",
     "Your DNS provider appends the domain by itself. Enter _smtp._tls alone as the host name, and delete "
     "the record "
     "at {subject}.",
     "RFC 8460 §3", "tlsrpt_record", seen_once},
};
} // namespace

std::span<const code_entry> tlsrpt_codes() {
    return rows;
}

} // namespace mailtight::findings
