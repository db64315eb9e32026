// SPDX-License-Identifier: Apache-2.0
// Names of marks at domains looked after that commands set and the daemon reads.
#pragma once

#include <string_view>

namespace mailtight::app {

inline constexpr std::string_view report_way_mark = "report-way";   ///< reports arrive
inline constexpr std::string_view checked_mx_mark = "checked-mx";   ///< of MX hosts not testable from here
inline constexpr std::string_view forced_mark = "forced";           ///< enforce without evidence
inline constexpr std::string_view renew_mark = "renew-certificate"; ///< a person wants it now

} // namespace mailtight::app
