// SPDX-License-Identifier: Apache-2.0
// A bounce (RFC 3464) of a report that we mailed: who could not be reached, and whether for good. Pure; takes
// any bytes. Only what has the Message-ID of a mail of ours is believed, and it only ever suppresses the
// address that this mail went to. A report's id anybody can work out, the tag in front of it only who got
// the mail.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace mailtight::deliver {

struct bounce {
    std::string tag; ///< of the Message-ID in the returned headers: what stands before the report's id
    std::string report_id;
    std::string recipient;  ///< Final-Recipient, else Original-Recipient
    bool permanent = false; ///< Action: failed with a status 5.x.x
    std::string words;      ///< Diagnostic-Code, printable, bounded
};
std::optional<bounce> read_bounce(std::string_view message);

} // namespace mailtight::deliver
