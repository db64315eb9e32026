// SPDX-License-Identifier: Apache-2.0
// The text of a report's mail: for the person who opens the mailbox and has never heard of TLS reports. Pure.
#pragma once

#include "deliver/compose.h"

#include <string>
#include <vector>

namespace mailtight::deliver {

/// Paragraphs: who reports about what day, the totals, the most frequent failures with what to do first, and
/// where to learn more. `content` is nothing where the report is too large to be read again for this.
std::vector<std::string> letter_text(const reporter& who, const model::outgoing_report& what,
                                     const tlsrpt::report* content);

} // namespace mailtight::deliver
