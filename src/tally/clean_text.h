// SPDX-License-Identifier: Apache-2.0
// Text from a mail server or, through it, from the other side, made fit for a report: well-formed UTF-8 of a
// bounded length without controls. Pure; takes any bytes.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace mailtight::tally {

/// Every byte that is not part of well-formed UTF-8 becomes U+FFFD; nothing else changes.
std::string mend_utf8(std::string_view bytes);
/// Valid UTF-8 as I-JSON allows it (RFC 7493 §2.1): what is none and noncharacters become U+FFFD, control
/// characters a blank; no blanks at the ends. Cut after `most` bytes, between characters.
std::string clean_text(std::string_view bytes, std::size_t most);
/// The first line of an EHLO reply, without its code: `250-mx1.b.example\r\n250 STARTTLS` is `mx1.b.example`.
std::string_view first_of_ehlo(std::string_view reply);

} // namespace mailtight::tally
