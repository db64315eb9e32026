// SPDX-License-Identifier: Apache-2.0
// The plain text of a mail, 76 columns wide and without colour. The room's own.
#pragma once

#include "advise/page.h"

namespace mailtight::insight {

inline constexpr advise::style letter_style{.colour = false, .width = 76};

/// A header value: one line, nothing that could end it.
std::string subject_line(std::string_view text);
/// The general part of a fix, and its lines for the server at hand, each wrapped behind `first`.
void fix_lines(advise::page& to, std::string_view first, std::string_view fix);

} // namespace mailtight::insight
