// SPDX-License-Identifier: Apache-2.0
// Of the signatures of a mail, the one that decides for one report in it. The room's own; pure.
#pragma once

#include "intake/examine.h"
#include "intake/own_results.h"

#include <span>
#include <string>

namespace mailtight::intake {

/// Who the report and its mail say that they are of; canonical names or "".
struct reporter_names {
    std::string submitter; ///< TLS-Report-Submitter
    std::string contact;   ///< domain of contact-info
    std::string from;      ///< domain of From
};

struct chosen_signature {
    model::dkim_outcome outcome;
    signature_standing standing;
    /// The name that the signature stands for: the submitter or contact it agrees with, else the signing
    /// domain itself. "" where it agrees with nothing.
    std::string proven;
    bool covers_report_headers = false; ///< both TLS-Report-* fields are signed (8460-5.3-g)
};

/// A37: the first that passes and is aligned; else the failure that says most, hopeful ones (key not to be
/// had, expired) before wrong ones, aligned ones before foreign ones.
chosen_signature choose_signature(const mail::dkim_verdict& verdict, const reporter_names& reporter,
                                  const mail::dkim_keys& keys, std::span<const own_result> own);

} // namespace mailtight::intake
