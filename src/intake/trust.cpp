// SPDX-License-Identifier: Apache-2.0
// Entry point: judge_trust(), a table in words. Only `verified` and `authorised` count, so a doubt never ends
// in one of the two.
#include "intake/examine.h"

#include "base/text.h"

#include <fmt/format.h>

namespace mailtight::intake {

namespace {

using mail::dkim_result;
using model::trust;

// What somebody else wrote, made fit for a sentence.
std::string shown(std::string_view text) {
    return base::printable(text, 255);
}

trust_verdict rejected(std::string reason) {
    return {trust::rejected, std::move(reason)};
}

// The signature cannot be verified now, which is not the same as being wrong.
trust_verdict not_to_be_had(std::string reason, const signature_standing& standing, std::string_view domain) {
    if (!standing.vouched_by.empty())
        return {trust::verified, fmt::format("{}, but {} verified the signature of {} when the mail came in",
                                             reason, shown(standing.vouched_by), shown(domain))};
    return {trust::unverified, std::move(reason)};
}

trust_verdict judge_mail(const model::dkim_outcome& dkim, const signature_standing& standing) {
    const std::string domain = shown(dkim.domain);
    const std::string because = dkim.reason.empty() ? "" : ": " + shown(dkim.reason);
    if (dkim.result == dkim_result::none)
        return rejected("the mail carries no DKIM signature"); // 8460-3-k
    if (standing.uses_length)
        return rejected(
            fmt::format("the DKIM signature of {} covers only a part of the mail (l=)", domain)); // 8460-3-l
    if (!standing.aligned)
        return rejected(
            fmt::format("the DKIM signature is of {}, which is not the reporter's domain", domain)); // A37
    // A letter of the same domain, between whose lines somebody hid a report, and gave it a Content-Type.
    if (standing.form_unsigned && dkim.result != dkim_result::fail)
        return rejected(fmt::format("the DKIM signature of {} covers neither Content-Type nor the TLS-Report "
                                    "fields, so it does not show that what was signed is a report",
                                    domain));
    switch (dkim.result) {
    case dkim_result::pass:
        if (standing.by_from_only) // A37: accepted with a mark
            return {trust::verified,
                    fmt::format("DKIM signature of {} verified; it agrees with the From address "
                                "alone, so the report is taken as of {}",
                                domain, domain)};
        return {trust::verified, fmt::format("DKIM signature of {} verified", domain)};
    case dkim_result::temperror:
        return not_to_be_had(fmt::format("the DKIM key of {} could not be had{}", domain, because), standing,
                             dkim.domain);
    case dkim_result::expired:
        return not_to_be_had(fmt::format("the DKIM signature of {} is past its expiry (x=)", domain),
                             standing, dkim.domain);
    case dkim_result::permerror:
        if (standing.key_missing)
            return not_to_be_had(fmt::format("the DKIM key of {} is not in the DNS (any more)", domain),
                                 standing, dkim.domain);
        return rejected(fmt::format("the DKIM signature of {} cannot be used{}", domain, because));
    case dkim_result::neutral: // t=y, a foreign service type, From not signed
        return rejected(fmt::format("the DKIM signature of {} counts as none{}", domain, because));
    case dkim_result::fail:
        // A gateway of our own that added a banner after it had verified the mail breaks the signature (A37).
        if (!standing.vouched_by.empty())
            return not_to_be_had("the mail was changed on its way", standing, dkim.domain);
        return rejected(fmt::format("the DKIM signature of {} is wrong{}", domain, because));
    case dkim_result::none:
        break;
    }
    return rejected("the mail carries no DKIM signature");
}

} // namespace

trust_verdict judge_trust(const circumstances& how, const model::dkim_outcome& dkim,
                          const signature_standing& standing) {
    if (dkim.mail)
        return judge_mail(dkim, standing);
    if (how.by_administrator)
        return {trust::authorised, "imported by an administrator"};
    if (how.way == model::way_in::https && !how.domain_of_token.empty()) // A39
        return {trust::authorised, fmt::format("posted to the secret URL of {}", shown(how.domain_of_token))};
    return {trust::unverified, how.way == model::way_in::https ? "posted to a URL without a domain's token"
                                                               : "read from a file, not imported"};
}

} // namespace mailtight::intake
