// SPDX-License-Identifier: Apache-2.0
// The mail that carries a report (RFC 8460 §5.3; 3.G7), unsigned, ready to be signed and sent: a
// multipart/report of a text for people and the gzip body. Pure.
#pragma once

#include "base/time.h"

#include <string>
#include <string_view>
#include <vector>

namespace mailtight::tlsrpt {

struct report_mail {
    std::string from_name, from; ///< the contact's address; its domain is the submitter (8460-5.3-f)
    std::string to;
    std::string report_domain; ///< whose TLSRPT record asked
    std::string report_id;     ///< LEFT@RIGHT; also the Message-ID with `message_unique` on the left
    std::string message_unique;
    std::string file_name;
    std::vector<std::string> text; ///< paragraphs for a person
    std::string_view body;         ///< gzip
    base::utc_seconds date{};
    std::vector<std::pair<std::string, std::string>> more; ///< header fields besides
};
/// CRLF line ends, no line beyond 998 bytes, everything ASCII. `TLS-Required: No` (RFC 8689) and
/// `Auto-Submitted: auto-generated` (RFC 3834) are always there. Header values cannot bring line ends in.
std::string compose(const report_mail& what);

} // namespace mailtight::tlsrpt
