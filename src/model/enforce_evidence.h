// SPDX-License-Identifier: Apache-2.0
// Whether the evidence of reports and checks speaks for enforce, as plain facts: who keeps reports fills it,
// the planner reads it.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace mailtight::model {

struct enforce_evidence {
    std::optional<bool> ready; ///< nothing: it cannot be said yet
    struct reason {
        bool met = false;
        bool known = true;
        std::string code, text; ///< as in `report ready`
    };
    std::vector<reason> reasons;
    std::string sentence;
};

} // namespace mailtight::model
