// SPDX-License-Identifier: Apache-2.0
#include "sts/policy_line.h"

#include "base/tag_list.h"
#include "base/text.h"
#include "sts/policy.h"

namespace mailtight::sts {

// 8461-3.2-p: exact.
policy_key key_of(std::string_view name) {
    if (name == "mx")
        return policy_key::mx;
    if (name == "max_age")
        return policy_key::max_age;
    if (name == "mode")
        return policy_key::mode;
    if (name == "version")
        return policy_key::version;
    return policy_key::other;
}

// 8461-3.2-d, A1: CRLF and LF, mixed if need be.
bool policy_line_reader::read(policy_line& out) {
    if (next_ >= body_.size())
        return false;
    const std::string_view rest = body_.substr(next_);
    const std::size_t lf = rest.find('\n');
    std::string_view line = rest.substr(0, lf);
    std::size_t taken = lf == rest.npos ? rest.size() : lf + 1;
    line_end end = lf == rest.npos ? line_end::none : line_end::lf;
    if (const std::size_t cr = line.find('\r'); cr != line.npos) {
        if (end == line_end::lf && cr + 1 == line.size()) {
            end = line_end::crlf;
        } else {
            end = line_end::cr;
            taken = cr + 1;
        }
        line = line.substr(0, cr);
    }
    out = {line, ++number_, next_, end};
    next_ += taken;
    return true;
}

// 8461-3.2-o: nothing between the key and the colon.
std::optional<policy_field> split_field(std::string_view line) {
    const std::size_t colon = line.find(':');
    if (colon == line.npos || !base::is_tag_name(line.substr(0, colon)))
        return std::nullopt;
    std::size_t begin = colon + 1;
    std::size_t end = line.size();
    while (begin < end && base::is_wsp(line[begin]))
        ++begin;
    while (end > begin && base::is_wsp(line[end - 1]))
        --end;
    const std::string_view name = line.substr(0, colon);
    return policy_field{key_of(name), name, line.substr(begin, end - begin)};
}

bool is_blank(std::string_view line) {
    return line.find_first_not_of(" \t") == line.npos;
}

// 8461-3.2-s. The blanks at both ends are gone already.
bool is_extension_text(std::string_view value) {
    bool ascii = true;
    for (char c : value) {
        if ((c >= 0 && c < ' ') || c == '\x7f')
            return false;
        ascii = ascii && c >= 0;
    }
    return !value.empty() && (ascii || base::is_utf8(value));
}

std::optional<std::uint64_t> read_max_age(std::string_view value) {
    if (value.empty() || value.size() > 10)
        return std::nullopt;
    std::uint64_t seconds = 0;
    for (char c : value) {
        if (!base::is_digit(c))
            return std::nullopt;
        seconds = seconds * 10 + static_cast<std::uint64_t>(c - '0');
    }
    return seconds;
}

// 8461-3.2-j, 8461-3.2-q: RFC 5321 Domain, perhaps behind `*.`.
bool valid_mx_pattern(std::string_view pattern) {
    if (pattern.starts_with("*."))
        pattern.remove_prefix(2);
    bool label_may_end = false; // behind a letter or digit; a label begins and ends with one
    bool label_begins = true;
    for (char c : pattern) {
        if (base::is_alnum(c)) {
            label_may_end = true;
            label_begins = false;
        } else if (c == '-' && !label_begins) {
            label_may_end = false;
        } else if (c == '.' && label_may_end) {
            label_may_end = false;
            label_begins = true;
        } else {
            return false;
        }
    }
    return label_may_end;
}

} // namespace mailtight::sts
