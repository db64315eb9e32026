// SPDX-License-Identifier: Apache-2.0
#include "mail/dkim_fields.h"

#include "base/crypto/sha256_stream.h"
#include "base/text.h"
#include "mail/message_lines.h"

#include <algorithm>

namespace mailtight::mail {
namespace {

bool is_name_char(char c) {
    return c > ' ' && c < '\x7f' && c != ':';
}
// The name before the colon, or "" where the line is no field.
std::string_view field_name(std::string_view text) {
    const std::size_t colon = text.find(':');
    if (colon == text.npos)
        return {};
    std::size_t end = colon;
    while (end > 0 && base::is_wsp(text[end - 1]))
        --end;
    const auto name = text.substr(0, end);
    return std::ranges::all_of(name, is_name_char) ? name : std::string_view();
}

// Each run of blanks becomes one space; none at the end.
void append_collapsed(std::string& out, std::string_view text) {
    bool gap = false;
    for (const char c : text) {
        if (base::is_wsp(c)) {
            gap = true;
            continue;
        }
        if (gap)
            out += ' ';
        gap = false;
        out += c;
    }
}

void append_relaxed_field(std::string& out, std::string_view raw) {
    const std::size_t colon = raw.find(':');
    out += base::lower(base::trim(raw.substr(0, colon)));
    out += ':';
    bool gap = false;
    bool any = false;
    for (std::size_t at = colon + 1; at < raw.size(); ++at) {
        const char c = raw[at];
        if (c == '\n' || (c == '\r' && at + 1 < raw.size() && raw[at + 1] == '\n'))
            continue; // unfolded: the blank behind it stays
        if (base::is_wsp(c)) {
            gap = true;
            continue;
        }
        if (gap && any)
            out += ' ';
        gap = false;
        any = true;
        out += c;
    }
    out += "\r\n";
}

void append_simple_field(std::string& out, std::string_view raw) {
    for (std::size_t at = 0; at < raw.size();) {
        const auto [text, next] = line_at(raw, at);
        out += text;
        if (at + text.size() < next)
            out += "\r\n";
        at = next;
    }
    out += "\r\n";
}

} // namespace

dkim_message split_for_dkim(std::string_view message) {
    dkim_message out;
    std::size_t at = std::min(message.find_first_not_of("\r\n"), message.size()); // as read_message() does
    bool in_field = false;
    while (at < message.size()) {
        const auto [text, next] = line_at(message, at);
        if (text.empty()) {
            at = next;
            break;
        }
        if (base::is_wsp(text.front())) {
            if (in_field) {
                auto& raw = out.fields.back().raw;
                raw = std::string_view(raw.data(), static_cast<std::size_t>(text.end() - raw.begin()));
            }
        } else {
            const auto name = field_name(text);
            in_field = !name.empty();
            if (in_field)
                out.fields.push_back({name, text});
        }
        at = next;
    }
    out.header_bytes = at;
    out.body = message.substr(at);
    return out;
}

void append_canonical(std::string& out, std::string_view raw_field, dkim_canon how) {
    if (how == dkim_canon::relaxed)
        append_relaxed_field(out, raw_field);
    else
        append_simple_field(out, raw_field);
}

std::string canonical_body_hash(std::string_view body, dkim_canon how) {
    constexpr std::size_t chunk = 16 * 1024;
    base::sha256_stream hash;
    std::string ready;
    ready.reserve(chunk + 1024);
    std::size_t empty_lines = 0; // held back: those at the end do not count
    bool any = false;
    for (std::size_t at = 0; at < body.size();) {
        auto [text, next] = line_at(body, at);
        at = next;
        if (how == dkim_canon::relaxed)
            while (!text.empty() && base::is_wsp(text.back()))
                text.remove_suffix(1);
        if (text.empty()) {
            ++empty_lines;
            continue;
        }
        any = true;
        for (; empty_lines > 0; --empty_lines) {
            ready += "\r\n";
            if (ready.size() >= chunk) {
                hash.update(ready);
                ready.clear();
            }
        }
        if (how == dkim_canon::simple || (text.find(' ') == text.npos && text.find('\t') == text.npos))
            ready += text;
        else
            append_collapsed(ready, text);
        ready += "\r\n";
        if (ready.size() >= chunk) {
            hash.update(ready);
            ready.clear();
        }
    }
    if (!any && how == dkim_canon::simple)
        ready += "\r\n"; // §3.4.3: an empty body is one line end; §3.4.4: is nothing
    hash.update(ready);
    return hash.finish();
}

bool dkim_field_index::less_name::operator()(std::string_view a, std::string_view b) const {
    return std::ranges::lexicographical_compare(a, b, {}, base::to_lower, base::to_lower);
}

dkim_field_index::dkim_field_index(const dkim_message& message)
    : message_(message) {
    for (std::size_t i = 0; i < message.fields.size(); ++i)
        places_[message.fields[i].name].push_back(i);
}

std::size_t dkim_field_index::count(std::string_view name) const {
    const auto found = places_.find(name);
    return found == places_.end() ? 0 : found->second.size();
}

const dkim_field* dkim_field_index::selection::next(std::string_view name, const dkim_field* except) {
    const auto found = index_.places_.find(name);
    if (found == index_.places_.end())
        return nullptr;
    const auto& places = found->second;
    auto& taken = taken_[&places];
    while (taken < places.size()) {
        const auto* field = &index_.message_.fields[places[places.size() - ++taken]];
        if (field != except)
            return field;
    }
    return nullptr;
}

} // namespace mailtight::mail
