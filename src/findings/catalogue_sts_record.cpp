// SPDX-License-Identifier: Apache-2.0
// Codes of the `_mta-sts` TXT record and of the DNS around it.
#include "findings/groups.h"

namespace mailtight::findings {
namespace {
using namespace column;

constexpr code_entry rows[] = {
    {"sts-record.absent", "The domain does not announce MTA-STS", error, error, error, warn,
     "Gmail, Outlook and the other senders that know MTA-STS find no policy. They deliver without checking "
     "who "
     "answers, and somebody between can read or redirect the mail unnoticed.",
     "Publish the policy file first, then the TXT record at _mta-sts.{domain}. The suggestion below has "
     "both, ready "
     "to copy.",
     "RFC 8461 §3.1", "sts_record", seen_once},
    {"sts-record.multiple", "More than one MTA-STS record is published", error, error, error, error,
     "With more than one record senders must act as if there were none: the domain is not protected, "
     "although it "
     "looks set up.",
     "Keep the record with the id of the present policy and delete every other one at {subject}.",
     "RFC 8461 §3.1", "sts_record", seen_once},
    {"sts-record.syntax", "The MTA-STS record is not written correctly", error, error, error, error,
     "Senders throw away a record that they cannot read, and deliver as if the domain had no MTA-STS.",
     "Replace the value of the TXT record {subject} with exactly v=STSv1; id=... without quotes around it, "
     "with "
     "an id of 1 to 32 letters and digits; the date and time of the change is a good one.",
     "RFC 8461 §3.1", "sts_record", seen_once},
    {"sts-record.id-missing", "The MTA-STS record has no id", error, error, error, error,
     "A record without an id is invalid: senders act as if there were none.",
     "Set the value of {subject} to v=STSv1; id=... with an id of 1 to 32 letters and digits; the date and "
     "time of "
     "the change is a good one.",
     "RFC 8461 §3.1", "sts_record", seen_once},
    {"sts-record.id-invalid", "The id of the MTA-STS record is not valid", error, error, error, error,
     "Senders treat the record as broken and act as if there were none.",
     "Use 1 to 32 letters and digits for the id, nothing else: no hyphens, dots or spaces.", "RFC 8461 §3.1",
     "sts_record", seen_once},
    {"sts-record.unrelated-txt", "Other TXT records stand beside the MTA-STS record", warn, warn, warn, warn,
     "Senders that follow the standard skip them. A few careless ones stumble, and then see no policy.",
     "Move the other text away from {subject}; only the MTA-STS record belongs at this name.",
     "RFC 8461 §3.1", "sts_record", seen_once},
    {"sts-record.wildcard", "A wildcard DNS record answers for the MTA-STS name", info, info, info, info,
     "Every name below the domain gives this answer, so that the record looks published where it was never "
     "entered, and sub-domains seem to have it too.",
     "Enter an explicit TXT record at _mta-sts.{domain}, or narrow the wildcard.",
     "RFC 4592 §2.2, RFC 8461 §3.1", "sts_record", seen_once},
    {"sts-record.doubled-name", "The MTA-STS record was entered below a doubled domain name", warn, warn,
     warn, error,
     "Senders look at _mta-sts.{domain} and never at the doubled name: for them the record does not exist.",
     "Your DNS provider appends the domain by itself. Enter _mta-sts alone as the host name, and delete the "
     "record "
     "at {subject}.",
     "RFC 8461 §3.1", "sts_record", seen_once},
    {"sts-record.cname-dangling", "The MTA-STS name is an alias that leads nowhere", error, error, error,
     error, "Senders follow the alias, find no record at its end, and act as if the domain had no MTA-STS.",
     "Correct the CNAME at _mta-sts.{domain}: ask the provider that it should point to for the exact target, "
     "or "
     "replace it by a TXT record.",
     "RFC 8461 §3.1, §8.2", "sts_record", seen_once},
    {"sts-record.cname-loop", "The MTA-STS name is an alias that leads back to itself", error, error, error,
     error, "No sender can resolve it, so none sees a policy.",
     "Remove the CNAME at _mta-sts.{domain} and enter the TXT record itself, or point it at the provider's "
     "record.",
     "RFC 8461 §3.1, RFC 1034 §3.6.2", "sts_record", seen_once},
    {"sts-record.servers-disagree", "The name servers of the domain give different answers", warn, warn, warn,
     warn,
     "Which record a sender sees depends on the server that it happens to ask: some use the old policy, some "
     "the "
     "new one, some none.",
     "Wait for the zone to be transferred (usually minutes). If it stays so, have the DNS provider fix the "
     "server "
     "that shows the old answer.",
     "RFC 1034 §4.3.5", "sts_record", seen_once},
    {"sts-record.lookup-failed", "The look-up of the MTA-STS record failed", error, error, error, error,
     "A sender that cannot look up the record has no policy to follow, and one that holds an old copy keeps "
     "using "
     "it until that expires. When the whole zone fails, mail waits at the senders.",
     "Check the name servers and the DNSSEC signatures of {domain}, and look again.",
     "RFC 8461 §3.1, RFC 4035 §5", "sts_record", seen_once},
    {"sts-record.obsolete-name", "A record of an old draft of MTA-STS is published", info, info, info, warn,
     "No sender looks at this name any more: it has no effect.",
     "Publish the record at _mta-sts.{domain}, and delete the one at {subject}.", "RFC 8461 §3.1",
     "sts_record", seen_once},
};
} // namespace

std::span<const code_entry> sts_record_codes() {
    return rows;
}

} // namespace mailtight::findings
