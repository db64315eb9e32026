// SPDX-License-Identifier: Apache-2.0
// The arguments of MAIL and RCPT (RFC 5321 §4.1.2): a path in brackets and the parameters behind it. Pure;
// takes any bytes; nothing is longer than the command line it came from.
#pragma once

#include <cstddef>
#include <expected>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mailtight::wire {

enum class smtp_path_error {
    not_a_path,    ///< no `<`, no `>`, no `@`, or characters that have no place there
    bad_local,     ///< the part before the `@` is no Dot-string and no Quoted-string
    bad_domain,    ///< neither a host name nor an address literal
    not_ascii,     ///< SMTPUTF8 (RFC 6531) is not offered
    too_long,      ///< the path has more than 256 octets, or a recipient's local part more than 64
    bad_parameter, ///< not `KEYWORD` or `KEYWORD=value`
};
/// What it means, for people.
std::string_view explain(smtp_path_error error);

struct smtp_path {
    std::string address; ///< unquoted, without brackets and source route; "" for `<>`
    bool quoted = false; ///< the local part was a quoted string: it may hold any printable character
    std::vector<std::pair<std::string, std::string>> parameters; ///< keywords upper case
};

enum class smtp_path_kind {
    sender,    ///< `<>` is one (RFC 5321 §4.5.5)
    recipient, ///< `<Postmaster>` is one (RFC 5321 §4.1.1.3)
};

/// What stands behind `FROM:` or `TO:`. Spaces before the `<` are passed over: many clients write one. A
/// sender's local part may be longer than the 64 octets of RFC 5321 §4.5.3.1.1, since VERP makes such.
std::expected<smtp_path, smtp_path_error> parse_smtp_path(std::string_view text, smtp_path_kind kind);

} // namespace mailtight::wire
