// SPDX-License-Identifier: Apache-2.0
// Header fields and text of a mail as it is written (RFC 5322, 2045, 2047, 2231): ASCII, folded, and nothing
// that stands in a value can end its field. Pure; takes any bytes. Private to the mail's builder.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace mailtight::tlsrpt {

inline constexpr std::size_t mail_line_best = 78;  ///< RFC 5322 §2.1.1
inline constexpr std::size_t mail_line_most = 998; ///< likewise

/// `NAME: VALUE` with CRLF, folded at blanks where a line would pass 78. Control characters become blanks,
/// other bytes beyond ASCII a question mark; a word too long for any line is broken.
void append_field(std::string& out, std::string_view name, std::string_view value);
/// A display name: atoms, a quoted string or encoded words, whichever the text needs.
std::string display_name(std::string_view name);
/// Free text of a field: encoded words where it is more than ASCII.
std::string free_text(std::string_view text);
/// A mail address as it may stand between angle brackets: without brackets, blanks outside of quotes and
/// controls.
std::string bare_address(std::string_view address);
/// What may stand on one side of a msg-id: a dot-atom.
std::string dot_atom(std::string_view text);
/// `filename="NAME"`; continuations (RFC 2231) only for a name that would not fit a line: many readers
/// understand the plain form best.
std::string file_name_parameter(std::string_view name);

/// A text part's headers and body: as it is where its lines are short and ASCII, else quoted-printable.
/// `text` is UTF-8 with LF line ends.
void append_text_part(std::string& out, std::string_view text);
/// In lines of 76.
void append_base64(std::string& out, std::string_view bytes);

} // namespace mailtight::tlsrpt
