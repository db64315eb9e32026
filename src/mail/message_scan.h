// SPDX-License-Identifier: Apache-2.0
// Where a message's parts begin and end: header blocks and multipart delimiters, as views into the caller's
// bytes. This cut is ours rather than the library's because it must be linear on any bytes and must not
// recurse; what stands inside a field is the library's (message_values.h). Pure; takes any bytes.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace mailtight::mail {

struct raw_field {
    std::string_view name;
    std::string_view value; ///< foldings included
};

struct raw_entity {
    std::vector<raw_field> fields;
    std::string_view body;
    bool cut = false; ///< the header is longer than the limit: later fields are left out
    /// The raw value of the first field of that name, ASCII case-insensitively, or "".
    std::string_view field(std::string_view name) const;
};
/// Where a body may begin. Of a whole mail only behind the first empty line: DKIM sees it there too, and a
/// line smuggled into the header must not become part of a body whose signature holds. Inside of a body that
/// is signed as a whole, a missing empty line costs nothing: the first line that is no field, and that no
/// field follows, begins the body.
enum class body_start { after_empty_line, tolerant };
/// A line of the header that is no field is passed over.
raw_entity scan_entity(std::string_view bytes, std::size_t header_bytes_max, body_start start);

struct scanned_parts {
    std::vector<std::string_view> parts;
    bool found = false; ///< a delimiter is there
    bool cut = false;   ///< more parts than wanted
};
/// RFC 2046 §5.1.1. What stands before the first delimiter and behind the last is left out; without a last
/// one, the last part goes on to the end, as in a message cut short.
scanned_parts scan_parts(std::string_view body, std::string_view boundary, std::size_t parts_max);
/// The boundary that the body itself shows, for headers that lost theirs; or "".
std::string_view guess_boundary(std::string_view body);

/// The value in one line: line ends dropped where a folding was, blanks at both ends dropped.
std::string unfold(std::string_view value);

} // namespace mailtight::mail
