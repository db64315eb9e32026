// SPDX-License-Identifier: Apache-2.0
// The judgement for a person: calm, width-aware, everything remote made printable. Pure; ends with a newline.
#pragma once

#include "advise/advise.h"

#include <cstddef>
#include <string>

namespace mailtight::advise {

struct style {
    bool colour = false;
    std::size_t width = 80;
    bool whole_tables = false; ///< no cell is cut, however narrow: where stdout is no terminal
};
std::string check_text(const model::observation& seen, const judgement& judged, const style& how);
std::string lint_text(const lint_result& result, const style& how);

} // namespace mailtight::advise
