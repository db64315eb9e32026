// SPDX-License-Identifier: Apache-2.0
// Which parts of a mail are, or may be, reports. Labels only ever add a part, the bytes decide (A45).
// The room's own; pure.
#pragma once

#include "mail/message.h"

#include <optional>
#include <string>
#include <string_view>

namespace mailtight::intake {

enum class part_claim {
    none,     ///< neither by label nor by bytes: text, a footer, a picture
    by_bytes, ///< unlabelled, but begins as a report or its container does
    by_label, ///< media type or file name says so, or the mail is a multipart/report
};
part_claim claim_of(const mail::message& whole, const mail::message_part& part);

/// The bytes behind base64 that nobody declared (a lost Content-Transfer-Encoding), or nothing.
std::optional<std::string> undeclared_base64(std::string_view bytes);

/// Whether a mail says of another one what became of it (RFC 3464), by its header.
bool is_delivery_status(std::string_view mail);

} // namespace mailtight::intake
