// SPDX-License-Identifier: Apache-2.0
// What stands inside header fields, by gmime: encoded words and charsets (RFC 2047), parameters with
// continuations (RFC 2231), dates, addresses, quoted-printable. The one file that knows the library; none of
// its types leaves it. Any thread; takes any bytes, and looks at the first 16 KiB of a value at most.
#pragma once

#include "base/time.h"

#include <optional>
#include <string>
#include <string_view>

namespace mailtight::mail {

/// An unfolded value with its encoded words and foreign charsets as UTF-8.
std::string decode_words(std::string_view value);

/// A media type with the parameters that matter here, decoded.
struct content_type {
    std::string media_type; ///< `type/subtype`, lower case; "" where the field is missing or broken
    std::string boundary, report_type, name;
    bool is(std::string_view type) const; ///< `multipart` of `multipart/mixed`
};
content_type read_content_type(std::string_view value);
/// The file name of a Content-Disposition, decoded, or "".
std::string read_disposition_name(std::string_view value);

std::optional<base::utc_seconds> read_mail_date(std::string_view value);
/// The domain of the first address as written, or "".
std::string first_address_domain(std::string_view value);

std::string decode_quoted_printable(std::string_view text);

} // namespace mailtight::mail
