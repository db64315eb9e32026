// SPDX-License-Identifier: Apache-2.0
// Mailboxes of the mbox kind (RFC 4155): messages in a row, each behind a line `From sender date`.
#include "base/text.h"
#include "mail/message.h"
#include "mail/message_lines.h"

#include <algorithm>

namespace mailtight::mail {
namespace {

// `From ` and a time of day: a sentence at the beginning of a line, left unquoted by mboxcl2 and by careless
// writers, seldom holds one.
bool is_separator(std::string_view line) {
    if (!line.starts_with("From "))
        return false;
    for (std::size_t at = line.find(':'); at != line.npos; at = line.find(':', at + 1))
        if (at >= 2 && at + 2 < line.size() && base::is_digit(line[at - 2]) && base::is_digit(line[at - 1]) &&
            base::is_digit(line[at + 1]) && base::is_digit(line[at + 2]))
            return true;
    return false;
}

// Where the next line begins, from the line at `at` on, that starts with `From `; or npos.
std::size_t next_from(std::string_view bytes, std::size_t at) {
    if (bytes.substr(at).starts_with("From "))
        return at;
    const std::size_t found = bytes.find("\nFrom ", at);
    return found == bytes.npos ? bytes.npos : found + 1;
}

// Whether the line that begins at `at` is the first or follows an empty one.
bool after_empty_line(std::string_view bytes, std::size_t at) {
    const auto before = without_line_end(bytes.substr(0, at));
    return before.empty() || before.ends_with('\n');
}

} // namespace

std::vector<std::string_view> split_mbox(std::string_view bytes) {
    std::vector<std::string_view> out;
    std::size_t begin = bytes.npos; // of the message that is open
    const auto close = [&](std::size_t end) {
        if (begin != bytes.npos && begin < end)
            out.push_back(bytes.substr(begin, end - begin));
    };
    for (std::size_t at = next_from(bytes, 0); at != bytes.npos;) {
        const auto [text, next] = line_at(bytes, at);
        if (is_separator(text) && after_empty_line(bytes, at)) {
            // The empty line before the separator belongs to it.
            close(static_cast<std::size_t>(without_line_end(bytes.substr(0, at)).size()));
            begin = next;
        }
        at = next_from(bytes, next);
    }
    const auto last = without_line_end(bytes);
    close(last.ends_with('\n') ? last.size() : bytes.size());
    return out;
}

bool looks_like_mbox(std::string_view bytes) {
    const std::size_t start = bytes.find_first_not_of("\r\n");
    if (start == bytes.npos)
        return false;
    const auto [text, next] = line_at(bytes, start);
    return is_separator(text) && looks_like_message(bytes.substr(next));
}

std::string unquote_mbox(std::string_view message) {
    std::string out;
    out.reserve(message.size());
    for (std::size_t at = 0; at < message.size();) {
        std::size_t end = message.find('\n', at);
        end = end == message.npos ? message.size() : end + 1;
        auto line = message.substr(at, end - at);
        const std::size_t text = line.find_first_not_of('>');
        if (text != line.npos && text > 0 && line.substr(text).starts_with("From "))
            line.remove_prefix(1);
        out += line;
        at = end;
    }
    return out;
}

} // namespace mailtight::mail
