// SPDX-License-Identifier: Apache-2.0
#include "mail/message_scan.h"

#include "base/text.h"
#include "mail/message_lines.h"

#include <algorithm>

namespace mailtight::mail {
namespace {

// Narrower than RFC 5322 §3.6.8, so that a line of JSON or of an HTML body is none.
constexpr bool is_name_char(char c) {
    return c > ' ' && c < '\x7f' && std::string_view(":\"{}[]<>(),;\\/=@").find(c) == std::string_view::npos;
}

// The name's length in a line that is a field, or 0.
std::size_t name_length(std::string_view line) {
    std::size_t end = 0;
    while (end < line.size() && is_name_char(line[end]))
        ++end;
    std::size_t colon = end;
    while (colon < line.size() && base::is_wsp(line[colon]))
        ++colon;
    return colon < line.size() && line[colon] == ':' ? end : 0;
}

// `--boundary`, then `--` at the last one, then blanks; 0: neither, 1: delimiter, 2: the last one.
int delimiter_kind(std::string_view line, std::string_view boundary) {
    line.remove_prefix(2);
    if (!line.starts_with(boundary))
        return 0;
    line.remove_prefix(boundary.size());
    if (base::trim(line).empty())
        return 1;
    return line.starts_with("--") && base::trim(line.substr(2)).empty() ? 2 : 0;
}

// Where the next line begins that starts with `--`, from the line that begins at `at`; or npos.
std::size_t next_dashes(std::string_view body, std::size_t at) {
    if (body.substr(at).starts_with("--"))
        return at;
    const std::size_t found = body.find("\n--", at);
    return found == body.npos ? body.npos : found + 1;
}

} // namespace

std::string_view raw_entity::field(std::string_view name) const {
    const auto found =
        std::ranges::find_if(fields, [&](const auto& f) { return base::iequals(f.name, name); });
    return found == fields.end() ? std::string_view() : found->value;
}

raw_entity scan_entity(std::string_view bytes, std::size_t header_bytes_max, body_start start) {
    raw_entity out;
    std::size_t body_at = bytes.npos; // of the first line that is no field and has none behind it
    bool in_field = false;
    bool ended = false; // by an empty line
    std::size_t at = 0;
    while (at < bytes.size()) {
        const auto [text, next] = line_at(bytes, at);
        if (text.empty()) {
            if (body_at == bytes.npos || start == body_start::after_empty_line)
                body_at = next;
            ended = true;
            break;
        }
        if (base::is_wsp(text.front()) && at > 0) {
            if (in_field) {
                auto& value = out.fields.back().value;
                value = std::string_view(value.data(), static_cast<std::size_t>(text.end() - value.begin()));
            }
        } else if (const std::size_t length = name_length(text); length > 0) {
            body_at = bytes.npos;
            out.cut = out.cut || next > header_bytes_max;
            in_field = !out.cut;
            if (in_field)
                out.fields.push_back({text.substr(0, length), text.substr(text.find(':') + 1)});
        } else {
            in_field = false;
            if (body_at == bytes.npos)
                body_at = at;
            if (text.starts_with("--") && start == body_start::tolerant)
                break; // a delimiter without the empty line before it
        }
        at = next;
    }
    if (ended || start == body_start::tolerant)
        out.body = bytes.substr(std::min(body_at, bytes.size()));
    return out;
}

scanned_parts scan_parts(std::string_view body, std::string_view boundary, std::size_t parts_max) {
    scanned_parts out;
    std::size_t begin = body.npos; // of the part that is open
    for (std::size_t at = next_dashes(body, 0); at != body.npos;) {
        const auto [text, next] = line_at(body, at);
        const int kind = delimiter_kind(text, boundary);
        if (kind != 0) {
            out.found = true;
            if (begin != body.npos)
                out.parts.push_back(begin < at ? without_line_end(body.substr(begin, at - begin))
                                               : std::string_view());
            begin = kind == 1 ? next : body.npos;
            if (kind == 2)
                return out;
            if (out.parts.size() >= parts_max) {
                out.cut = true;
                return out;
            }
        }
        at = next_dashes(body, next);
    }
    if (begin != body.npos && begin < body.size())
        out.parts.push_back(body.substr(begin));
    return out;
}

std::string_view guess_boundary(std::string_view body) {
    constexpr std::size_t longest = 200;
    const std::size_t at = next_dashes(body, 0);
    if (at == body.npos)
        return {};
    const auto text = base::trim(line_at(body, at).text.substr(2));
    const bool plausible = !text.empty() && text.size() <= longest && !text.ends_with("--") &&
                           text.find_first_of(" \t") == text.npos;
    return plausible ? text : std::string_view();
}

std::string unfold(std::string_view value) {
    value = base::trim(value);
    if (value.find('\n') == value.npos)
        return std::string(value);
    std::string out;
    out.reserve(value.size());
    for (std::size_t at = 0; at < value.size();) {
        const auto [text, next] = line_at(value, at);
        out += text;
        at = next;
    }
    return out;
}

} // namespace mailtight::mail
