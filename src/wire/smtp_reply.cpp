// SPDX-License-Identifier: Apache-2.0
// One entry: smtp_reply_reader::feed. Bytes gather in line_ up to LF; each whole line is judged at once, so
// that a wrong reply is refused at its first wrong line.
#include "wire/smtp_reply.h"

#include "base/limits.h"
#include "base/text.h"

#include <algorithm>
#include <utility>

namespace mailtight::wire {

std::string_view explain(smtp_reply_error error) {
    switch (error) {
    case smtp_reply_error::not_a_reply:
        return "a line does not begin with a reply code from 200 to 599: this is not SMTP";
    case smtp_reply_error::bad_separator:
        return "the reply code is followed by neither a space nor a hyphen";
    case smtp_reply_error::code_changed:
        return "the lines of one reply carry different codes";
    case smtp_reply_error::nul_byte:
        return "the reply holds a NUL byte";
    case smtp_reply_error::line_too_long:
        return "a reply line is longer than 4096 bytes";
    case smtp_reply_error::too_many_lines:
        return "the reply has more than 256 lines";
    }
    return "unknown";
}

std::string smtp_reply::text() const {
    return base::join(lines, " ");
}

std::size_t smtp_reply_reader::feed(std::string_view bytes) {
    std::size_t taken = 0;
    while (taken < bytes.size() && !complete_ && !error_) {
        const auto rest = bytes.substr(taken);
        const auto end = rest.find('\n');
        const auto part = rest.substr(0, end);
        // One byte more than the limit is kept for the CR. Only what fits is looked at, so that the result is
        // the same however the bytes are cut.
        const auto room = base::limits::smtp_line_bytes + 1 - line_.size();
        if (part.substr(0, room).find('\0') != part.npos) {
            error_ = smtp_reply_error::nul_byte;
            break;
        }
        if (part.size() > room) {
            error_ = smtp_reply_error::line_too_long;
            break;
        }
        line_ += part;
        taken += part.size();
        if (end == rest.npos)
            break;
        ++taken;
        end_line();
    }
    return taken;
}

void smtp_reply_reader::end_line() {
    if (line_.ends_with('\r'))
        line_.pop_back();
    const std::string line = std::exchange(line_, {});
    if (line.size() > base::limits::smtp_line_bytes) {
        error_ = smtp_reply_error::line_too_long;
        return;
    }
    if (line.size() < 3 || line[0] < '2' || line[0] > '5' || !base::is_digit(line[1]) ||
        !base::is_digit(line[2])) {
        error_ = smtp_reply_error::not_a_reply;
        return;
    }
    const char separator = line.size() > 3 ? line[3] : ' ';
    if (separator != ' ' && separator != '-') {
        error_ = smtp_reply_error::bad_separator;
        return;
    }
    const int code = (line[0] - '0') * 100 + (line[1] - '0') * 10 + (line[2] - '0');
    if (!reply_.lines.empty() && code != reply_.code) {
        error_ = smtp_reply_error::code_changed;
        return;
    }
    if (reply_.lines.size() == base::limits::smtp_reply_lines) {
        error_ = smtp_reply_error::too_many_lines;
        return;
    }
    reply_.code = code;
    reply_.lines.push_back(line.size() > 4 ? line.substr(4) : std::string{});
    complete_ = separator == ' ';
}

smtp_reply smtp_reply_reader::take() {
    complete_ = false;
    return std::exchange(reply_, {});
}

std::vector<std::string> ehlo_capabilities(const smtp_reply& reply) {
    if (reply.lines.empty())
        return {};
    return {reply.lines.begin() + 1, reply.lines.end()};
}

bool has_capability(const std::vector<std::string>& capabilities, std::string_view keyword) {
    return std::ranges::any_of(capabilities, [&](std::string_view line) {
        // Some old servers write AUTH=LOGIN: the keyword ends at '=' too.
        return base::iequals(line.substr(0, line.find_first_of(" \t=")), keyword);
    });
}

} // namespace mailtight::wire
