// SPDX-License-Identifier: Apache-2.0
// What `doctor` says of one thing: how it is, what was seen, and what to do.
#pragma once

#include <string>
#include <string_view>

namespace mailtight::app {

struct check_row {
    std::string check;
    enum class state { good, bad, unknown } result = state::unknown;
    std::string seen;
    std::string fix;   ///< a sentence, wrapped where it is shown
    std::string lines; ///< configuration to copy, shown as it is
};
std::string_view word(check_row::state state);

} // namespace mailtight::app
