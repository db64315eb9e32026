// SPDX-License-Identifier: Apache-2.0
// From what the two record parsers say to finding codes; used by `check` and by `record lint`, so that both
// say the same. One code a cause, the causes first.
#pragma once

#include "findings/finding.h"
#include "sts/record.h"
#include "tlsrpt/record.h"

#include <optional>
#include <string>
#include <vector>

namespace mailtight::advise {

struct record_fault {
    std::string code;
    std::string message;
    std::optional<findings::severity> severity;
};
std::vector<record_fault> sts_faults(const sts::record_judgement& judged);
std::vector<record_fault> tlsrpt_faults(const tlsrpt::record_judgement& judged);

} // namespace mailtight::advise
