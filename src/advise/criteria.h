// SPDX-License-Identifier: Apache-2.0
// The five criteria that the administrator guides set for mail servers, per MX host. They are facts: neither
// the mode nor the policy changes them.
#pragma once

#include "advise/advise.h"
#include "advise/reading.h"

namespace mailtight::advise {

/// One entry an MX host, in the order of preference; none for a domain without mail.
std::vector<mx_judgement> judge_mail_servers(const reading& r);

/// True where there are mail servers, all of them were looked at, and each criterion of each is a pass.
bool every_criterion_passes(const std::vector<mx_judgement>& hosts, const model::observation& seen);

} // namespace mailtight::advise
