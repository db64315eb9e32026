// SPDX-License-Identifier: Apache-2.0
// Canonical bytes of a policy: the size is known before anything is allocated.
#include "base/limits.h"
#include "base/tag_list.h"
#include "base/text.h"
#include "sts/policy.h"
#include "sts/policy_line.h"

#include <algorithm>

namespace mailtight::sts {
namespace {
constexpr std::string_view version_line =
    "version: STSv1\r\n";                           // first: the administrator guides want it there
constexpr std::string_view line_end_bytes = "\r\n"; // A1

// What a reader takes for the same unknown field again.
bool writable(const std::pair<std::string, std::string>& extension) {
    const auto& [name, text] = extension;
    return base::is_tag_name(name) && key_of(name) == policy_key::other && is_extension_text(text) &&
           text.front() != ' ' && text.back() != ' ';
}
} // namespace

std::string_view explain(write_error error) {
    switch (error) {
    case write_error::mx_missing:
        return "A policy in mode enforce or testing needs at least one mx pattern.";
    case write_error::mx_invalid:
        return "An mx pattern is neither a host name in ASCII nor *. and a host name.";
    case write_error::max_age_too_large:
        return "The max_age is beyond 31557600 seconds, the most that RFC 8461 allows.";
    case write_error::too_large:
        return "The policy would be larger than 65536 bytes; senders stop reading there.";
    case write_error::extension_invalid:
        return "An extension field is not a key and printable text, or its key belongs to the standard.";
    }
    return "";
}

std::expected<std::string, write_error> format_policy(const policy& value) {
    if (value.mode != mode::none && value.mx.empty()) // 8461-3.2-n
        return std::unexpected(write_error::mx_missing);
    if (!std::ranges::all_of(value.mx, valid_mx_pattern)) // 8461-3.2-l, 8461-3.2-q
        return std::unexpected(write_error::mx_invalid);
    if (value.max_age > base::limits::max_age_max) // A4
        return std::unexpected(write_error::max_age_too_large);
    if (!std::ranges::all_of(value.extensions, writable))
        return std::unexpected(write_error::extension_invalid);

    const std::string seconds = std::to_string(value.max_age);
    std::size_t size = version_line.size();
    const auto measure = [&size](std::size_t key, std::size_t text) {
        size += key + 2 + text + line_end_bytes.size();
    };
    measure(4, to_string(value.mode).size());
    measure(7, seconds.size());
    for (const auto& pattern : value.mx)
        measure(2, pattern.size());
    for (const auto& [name, text] : value.extensions)
        measure(name.size(), text.size());
    if (size > base::limits::policy_bytes) // A10
        return std::unexpected(write_error::too_large);

    std::string out;
    out.reserve(size);
    const auto line = [&out](std::string_view key, std::string_view text) {
        out += key;
        out += ": ";
        out += text;
        out += line_end_bytes;
    };
    out += version_line;
    line("mode", to_string(value.mode));
    for (const auto& pattern : value.mx) // 8461-3.2-k
        line("mx", base::lower(pattern));
    line("max_age", seconds);
    for (const auto& [name, text] : value.extensions)
        line(name, text);
    return out;
}

} // namespace mailtight::sts
