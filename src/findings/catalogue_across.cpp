// SPDX-License-Identifier: Apache-2.0
// Codes that concern several parts at once, or the life of the set-up.
#include "findings/groups.h"

namespace mailtight::findings {
namespace {
using namespace column;

constexpr code_entry rows[] = {
    {"domain.absent", "The domain does not exist in DNS", error, error, error, error,
     "Nobody can send mail to it, and nothing can be published for it: records of a domain that does not "
     "exist "
     "have no zone to stand in.",
     "Check the spelling of {domain}. If it is right, look at the registrar whether the domain has expired, "
     "is on "
     "hold, or was never delegated to name servers.",
     "RFC 8020 §2", "across", seen_once},
    {"subdomain.unprotected", "The policy of the main domain does not cover this sub-domain", warn, warn,
     warn, warn,
     "Senders look for a policy at exactly the domain of the address, never at its parent: mail to this "
     "sub-domain is "
     "not protected.",
     "Publish a record, a policy host and a policy for {domain} itself, as suggested below.", "RFC 8461 §3.4",
     "across", seen_once},
    {"delegation.half", "Only half of MTA-STS is delegated to the provider", error, error, error, error,
     "The record is the provider's, but there is no policy host: senders see MTA-STS announced and find no "
     "policy.",
     "Add the second alias that your provider names, for mta-sts.{domain}; both belong together.",
     "RFC 8461 §8.2", "across", seen_once},
    {"caa.forbids-issuer", "The CAA records forbid the authority that issued the certificate", warn, warn,
     info, info,
     "The certificate of the policy host works now, but its authority must refuse to renew it. When it "
     "expires, "
     "senders get no policy any more.",
     "Add a CAA record that allows the authority, at {subject}, or change to an authority that is allowed.",
     "RFC 8659 §4.2", "across", seen_once},
    {"reports.none-arriving", "No TLS reports arrive", info, warn, info, info,
     "Without reports you do not learn what senders experience, and cannot know whether enforce is safe.",
     "Check the address in the record at _smtp._tls.{domain} and whether its mailbox takes mail from "
     "outside.",
     "RFC 8460 §3", "across", needs_history},
    {"reports.failures", "Senders report failures", error, warn, info, info,
     "Mail from the senders named was not delivered securely; in enforce it was not delivered at all.",
     "Look at the failures by type, fix the cause, and stay in or go back to testing until they end.",
     "RFC 8460 §4.3", "across", needs_history},
};
} // namespace

std::span<const code_entry> across_codes() {
    return rows;
}

} // namespace mailtight::findings
