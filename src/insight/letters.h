// SPDX-License-Identifier: Apache-2.0
// Mails that people read: notices of alarms, and the weekly digest; and a notice as JSON for webhooks. Pure.
#pragma once

#include "insight/alarms.h"
#include "insight/failures.h"
#include "insight/readiness.h"
#include "store/questions.h"

#include <span>
#include <string>
#include <vector>

namespace mailtight::insight {

using store::day;

/// A mail for people about notices: subject and text.
struct letter {
    std::string subject, text;
};
letter write_notices(std::span<const notice> notices);
/// JSON of one notice, for webhooks.
std::string notice_json(const notice& what);

struct digest_domain {
    std::string domain;
    std::vector<store::day_row> days; ///< last 14
    std::vector<store::reporter_row> reporters;
    std::vector<failure_group> failures; ///< last 7
    insight::readiness readiness;
};
letter write_digest(std::span<const digest_domain> domains, day from, day to);

} // namespace mailtight::insight
