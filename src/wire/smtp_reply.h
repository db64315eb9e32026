// SPDX-License-Identifier: Apache-2.0
// Reads SMTP replies (RFC 5321 §4.2) from bytes as they come: no I/O, no clock. A value that one conversation
// owns. Every limit of base/limits.h holds before anything is stored; what is wrong is an smtp_reply_error,
// never an exception.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mailtight::wire {

enum class smtp_reply_error {
    not_a_reply,    ///< a line does not begin with a code from 200 to 599
    bad_separator,  ///< neither space nor hyphen nor the end of the line after the code
    code_changed,   ///< the lines of one reply carry different codes (RFC 5321 §4.2.1)
    nul_byte,       ///< a NUL inside the reply
    line_too_long,  ///< longer than limits::smtp_line_bytes
    too_many_lines, ///< more than limits::smtp_reply_lines
};
/// What it means, for people.
std::string_view explain(smtp_reply_error error);

struct smtp_reply {
    int code = 0;
    std::vector<std::string> lines; ///< the text after code and separator, one a line; raw remote bytes
    bool positive() const { return code >= 200 && code < 300; }
    bool transient() const { return code >= 400 && code < 500; }
    bool permanent() const { return code >= 500; }
    /// All lines, joined by a space.
    std::string text() const;
};

/// Reads one reply after the other. A bare LF ends a line as CRLF does, since the senders that a checker
/// speaks for are as lenient.
class smtp_reply_reader {
public:
    /// Takes bytes until a reply is complete, wrong, or the bytes are used up; says how many it took. Takes
    /// nothing while a complete reply waits for take(), or after an error.
    std::size_t feed(std::string_view bytes);
    bool complete() const { return complete_; }
    std::optional<smtp_reply_error> error() const { return error_; }
    /// True where some bytes of a reply have come, but not all.
    bool in_the_middle() const { return !complete_ && (!line_.empty() || !reply_.lines.empty()); }
    /// The complete reply; the reader is ready for the next one.
    smtp_reply take();

private:
    void end_line();
    smtp_reply reply_;
    std::string line_;
    bool complete_ = false;
    std::optional<smtp_reply_error> error_;
};

/// The lines of an EHLO reply after the first (RFC 5321 §4.1.1.1), as they were written.
std::vector<std::string> ehlo_capabilities(const smtp_reply& reply);
/// True where a capability line begins with this keyword, ASCII case-insensitively.
bool has_capability(const std::vector<std::string>& capabilities, std::string_view keyword);

} // namespace mailtight::wire
