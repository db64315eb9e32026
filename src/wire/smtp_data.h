// SPDX-License-Identifier: Apache-2.0
// The content of one mail as it comes over SMTP: the lines of DATA with their dots unstuffed (RFC 5321
// §4.5.2), or the chunks of BDAT (RFC 3030). A value that one smtp_server owns; it never holds more than its
// limit; it knows no error but "too large".
//
// SMTP smuggling (2023) lives from two servers that disagree where a mail ends. Here it ends at CRLF.CRLF and
// nowhere else: LF.LF, LF.CRLF and CRLF.LF are text. A bare LF in the text becomes CRLF, as Postfix does
// since 3.9 (smtpd_forbid_bare_newline = normalize): the owner sees one kind of line end, and a dot-stuffed
// line behind a bare LF is unstuffed too.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace mailtight::wire {

class smtp_data {
public:
    explicit smtp_data(std::size_t limit)
        : limit_(limit) {}

    /// Takes the bytes of DATA up to the end of the mail; says how many they were.
    std::size_t lines(std::string_view bytes);
    /// True behind the CRLF.CRLF.
    bool ended() const { return at_ == state::end; }
    /// Takes the bytes of one BDAT chunk; dots are nothing special there.
    void chunk(std::string_view bytes);

    /// More came than the limit allows; what was there is given up, what comes is thrown away.
    bool too_large() const { return too_large_; }
    const std::string& text() const { return text_; }
    /// For the next mail; large memory is given back.
    void clear();

private:
    enum class state {
        line,   ///< behind CRLF, or at the beginning: a dot may end the mail
        loose,  ///< behind a bare LF: a dot ends nothing
        text,   ///< inside a line
        dot,    ///< behind the dot of `line`
        dot_cr, ///< behind dot and CR of `line`
        loose_dot,
        loose_dot_cr,
        end,
    };
    void on_byte(char c);
    std::size_t on_text(std::string_view bytes);
    void keep(std::string_view bytes);

    std::size_t limit_;
    state at_ = state::line;
    bool after_cr_ = false; ///< in `text`: the last byte was a CR
    bool too_large_ = false;
    std::string text_;
};

} // namespace mailtight::wire
