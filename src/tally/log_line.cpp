// SPDX-License-Identifier: Apache-2.0
// parse_log_line(): the priority, then a date that says which form follows.
#include "tally/log_date.h"
#include "tally/postfix_log.h"

#include "base/text.h"

#include <algorithm>
#include <charconv>

namespace mailtight::tally {
namespace {

using base::is_digit;

/// `<22>` is taken off; false where something else begins so.
bool take_priority(std::string_view& text) {
    if (!text.starts_with('<'))
        return true;
    const auto end = text.substr(0, 5).find('>');
    if (end == std::string_view::npos || end < 2 || !std::ranges::all_of(text.substr(1, end - 1), is_digit))
        return false;
    text.remove_prefix(end + 1);
    return true;
}

/// Up to the next blank, which is taken too.
std::string_view take_word(std::string_view& text) {
    const auto end = std::min(text.find(' '), text.size());
    const auto word = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    return word;
}

std::uint32_t pid_of(std::string_view digits) {
    std::uint32_t pid = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), pid);
    return error == std::errc{} && end == digits.data() + digits.size() ? pid : 0;
}

/// `postfix/smtp[1234]:` or `postfix/smtp:`.
bool take_tag(std::string_view word, log_line& into) {
    if (word.size() < 2 || !word.ends_with(':'))
        return false;
    word.remove_suffix(1);
    into.pid = 0;
    if (word.ends_with(']')) {
        const auto open = word.rfind('[');
        if (open == std::string_view::npos || open == 0)
            return false;
        into.pid = pid_of(word.substr(open + 1, word.size() - open - 2));
        word = word.substr(0, open);
    }
    into.program = word;
    return true;
}

/// What follows the date in a file, or on the system's own socket, where no host is named.
std::optional<log_line> behind_date(std::string_view text, std::optional<base::utc_seconds> at) {
    log_line out;
    out.at = at;
    const auto first = take_word(text);
    if (!take_tag(first, out)) {
        out.host = first;
        if (!take_tag(take_word(text), out))
            return std::nullopt;
    }
    out.text = text;
    return out;
}

/// `[id name="value"]…` of RFC 5424 §6.3, or `-`; a `]` inside a value has a backslash in front.
bool skip_structured_data(std::string_view& text) {
    if (text.starts_with('-')) {
        text.remove_prefix(1);
        return text.empty() || text[0] == ' ';
    }
    bool any = false;
    while (text.starts_with('[')) {
        std::size_t at = 1;
        for (bool quoted = false; at < text.size() && (quoted || text[at] != ']'); ++at) {
            if (text[at] == '\\')
                ++at;
            else if (text[at] == '"')
                quoted = !quoted;
        }
        if (at >= text.size())
            return false;
        text.remove_prefix(at + 1);
        any = true;
    }
    return any && (text.empty() || text[0] == ' ');
}

/// Behind `<PRI>1 `.
std::optional<log_line> as_rfc5424(std::string_view text, std::chrono::seconds zone) {
    log_line out;
    if (text.starts_with("- "))
        text.remove_prefix(2);
    else if (out.at = take_iso_date(text, zone); !out.at)
        return std::nullopt;
    out.host = take_word(text);
    out.program = take_word(text);
    out.pid = pid_of(take_word(text));
    take_word(text); // MSGID
    if (out.program.empty() || !skip_structured_data(text))
        return std::nullopt;
    if (text.starts_with(' '))
        text.remove_prefix(1);
    if (text.starts_with("\xef\xbb\xbf"))
        text.remove_prefix(3);
    out.text = text;
    return out;
}

} // namespace

std::optional<log_line> parse_log_line(std::string_view line, base::utc_seconds now,
                                       std::chrono::seconds zone) {
    while (!line.empty() && (line.back() == '\n' || line.back() == '\r' || line.back() == '\0'))
        line.remove_suffix(1);
    const bool has_priority = line.starts_with('<');
    if (!take_priority(line) || line.empty())
        return std::nullopt;
    if (has_priority && line.starts_with("1 "))
        return as_rfc5424(line.substr(2), zone);
    const auto at = is_digit(line[0]) ? take_iso_date(line, zone) : take_old_date(line, now, zone);
    if (!at)
        return std::nullopt;
    return behind_date(line, at);
}

} // namespace mailtight::tally
