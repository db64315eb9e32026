// SPDX-License-Identifier: Apache-2.0
// The target of an HTTP request (RFC 9112 §3.2) and the host it is for, read so that two readers cannot
// differ about them: what could be written in two ways is refused instead of being made even. Pure; takes any
// bytes.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace mailtight::wire {

struct http_target {
    std::string path;  ///< decoded; "*" for `OPTIONS *`
    std::string query; ///< as written, without the `?`
    std::string host;  ///< of an absolute form, like read_http_host() gives it; "" for the other forms
};

/// Origin form, absolute form (http and https) and, for OPTIONS, `*`. Refused: other forms, characters that a
/// path has no place for (RFC 3986 §3.3), broken percent signs, encoded slashes, backslashes and control
/// characters, what is no UTF-8 when decoded, empty segments, and `.` or `..` in any spelling.
std::optional<http_target> read_http_target(std::string_view text, std::string_view method);

/// `uri-host [":" port]` -> lower case, without port and final dot; an IPv6 literal keeps its brackets.
std::optional<std::string> read_http_host(std::string_view text);

} // namespace mailtight::wire
