// SPDX-License-Identifier: Apache-2.0
// The configuration for Exim that the package ships, for `doc exim`; made from the file when the program is
// built.
#pragma once

#include <string_view>

namespace mailtight::app {

std::string_view exim_snippet();

} // namespace mailtight::app
