// SPDX-License-Identifier: Apache-2.0
// What mail servers and policies said, as a report may repeat it: every text one line of valid UTF-8,
// bounded, in the form that RFC 8460 §4.4 gives its field, so that no reader has to mend anything. Pure;
// takes any bytes. Private to the composing of reports.
#pragma once

#include "model/delivery.h"

#include <cstddef>
#include <string>
#include <string_view>

namespace mailtight::deliver {

/// One line, without controls and noncharacters, blanks at the ends dropped, cut between characters.
std::string one_line(std::string_view text, std::size_t bytes_max);
/// `otherwise` stands where the policy names no domain.
model::applied_policy clean_policy(const model::applied_policy& of, const std::string& otherwise);
/// `sending_address` false: without it (8460-8-a).
model::session_fault clean_fault(const model::session_fault& of, bool sending_address);
/// 3.G6: canonical, or "" where it is none.
std::string clean_address(const std::string& text);

} // namespace mailtight::deliver
