// SPDX-License-Identifier: Apache-2.0
// The tolerant reader of JSON: turns what the fast parser refuses into JSON that it takes, with a remark for
// every repair; the fields are then read in one place only. Never recursive, and what it writes is bounded.
// Pure; takes any bytes. Private to the reader.
#pragma once

#include "tlsrpt/read_report.h"
#include "tlsrpt/remarks.h"

#include <expected>
#include <string>
#include <string_view>

namespace mailtight::tlsrpt {

/// UTF-16 of either byte order, by its mark or by the NULs around the first brace.
bool looks_like_utf16(std::string_view bytes);
/// As UTF-8; halves of surrogate pairs and a last odd byte become U+FFFD, with a remark.
std::string from_utf16(std::string_view bytes, remarks& notes);

struct mended_json {
    std::string json; ///< strict: simdjson takes it
    bool cut = false; ///< it broke off, or went on in no way that is understood
    /// Where it broke off: these elements are not whole.
    bool inside_policy = false, inside_detail = false;
};
/// Nothing (an error) where the text does not begin as a JSON object.
std::expected<mended_json, read_error> mend_json(std::string_view text, const read_limits& limits,
                                                 remarks& notes);

} // namespace mailtight::tlsrpt
