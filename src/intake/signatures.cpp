// SPDX-License-Identifier: Apache-2.0
// Entry point: choose_signature(). What a signature proves is the name it is aligned with: a report that
// calls itself another's and is only signed by its own sender is taken as the sender's.
#include "intake/signatures.h"

#include "mail/domain_name.h"

#include <algorithm>

namespace mailtight::intake {

namespace {

using mail::dkim_result;

chosen_signature describe(const mail::dkim_signature_verdict& signature, const reporter_names& reporter,
                          const mail::dkim_keys& keys, std::span<const own_result> own) {
    chosen_signature out;
    out.outcome = {.result = signature.result,
                   .domain = signature.domain,
                   .selector = signature.selector,
                   .reason = signature.reason,
                   .mail = true};
    auto& standing = out.standing;
    standing.uses_length = signature.uses_length;
    standing.form_unsigned = !signature.covers_form;
    out.covers_report_headers = signature.covers_report_headers;
    const auto agrees = [&](const std::string& with) {
        return !with.empty() && mail::dkim_aligned(signature.domain, with);
    };
    // The order matters: the strongest claim that the signature backs is the name that is proven.
    if (agrees(reporter.submitter)) {
        out.proven = reporter.submitter;
    } else if (agrees(reporter.contact)) {
        out.proven = reporter.contact;
    } else if (agrees(reporter.from)) {
        out.proven = mail::canonical_name(signature.domain).value_or("");
        standing.by_from_only = true;
    }
    standing.aligned = !out.proven.empty();
    if (signature.result == dkim_result::permerror)
        standing.key_missing = keys.find(signature.selector + "._domainkey." + signature.domain).what ==
                               mail::dkim_key_answer::status::absent;
    const auto vouched = std::ranges::find_if(own, [&](const own_result& result) {
        return mail::canonical_name(signature.domain) == result.domain;
    });
    if (vouched != own.end())
        standing.vouched_by = vouched->server;
    return out;
}

// Smaller is better.
int rank(const chosen_signature& of) {
    const auto& standing = of.standing;
    const bool hopeful = of.outcome.result == dkim_result::temperror ||
                         of.outcome.result == dkim_result::expired || standing.key_missing;
    const bool whole = !standing.uses_length && !standing.form_unsigned;
    const bool passed = of.outcome.result == dkim_result::pass && whole;
    if (standing.aligned && passed)
        return standing.by_from_only ? 1 : 0;
    if (standing.aligned && whole && !standing.vouched_by.empty())
        return 2;
    if (standing.aligned && hopeful)
        return 3;
    if (standing.aligned)
        return 4;
    return passed ? 5 : 6;
}

} // namespace

chosen_signature choose_signature(const mail::dkim_verdict& verdict, const reporter_names& reporter,
                                  const mail::dkim_keys& keys, std::span<const own_result> own) {
    chosen_signature best;
    best.outcome.mail = true; // result: none
    bool any = false;
    for (const auto& signature : verdict.signatures) {
        auto next = describe(signature, reporter, keys, own);
        if (!any || rank(next) < rank(best))
            best = std::move(next);
        any = true;
    }
    return best;
}

} // namespace mailtight::intake
