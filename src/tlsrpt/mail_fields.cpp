// SPDX-License-Identifier: Apache-2.0
#include "tlsrpt/mail_fields.h"

#include "base/encode.h"
#include "base/text.h"

#include <algorithm>

namespace mailtight::tlsrpt {
namespace {

constexpr std::size_t broken_word = 900; // leaves room for a field's name
constexpr std::size_t shown_bytes = 500; // of a name that somebody chose

bool is_atext(char c) {
    return base::is_alnum(c) || std::string_view("!#$%&'*+-/=?^_`{|}~").find(c) != std::string_view::npos;
}
bool is_visible(char c) {
    return c > ' ' && c < '\x7f';
}
bool is_ascii_text(std::string_view text) {
    return std::ranges::all_of(text, [](char c) { return c == ' ' || is_visible(c); });
}

// RFC 2047 §2: words of at most 75 characters that end between characters.
std::string encoded_words(std::string_view utf8) {
    constexpr std::size_t bytes = 42;
    std::string out;
    for (std::size_t at = 0; at < utf8.size();) {
        std::size_t end = std::min(utf8.size(), at + bytes);
        while (end < utf8.size() && end > at + 1 && (static_cast<unsigned char>(utf8[end]) & 0xC0U) == 0x80U)
            --end;
        out += out.empty() ? "=?utf-8?B?" : " =?utf-8?B?";
        out += base::base64(utf8.substr(at, end - at));
        out += "?=";
        at = end;
    }
    return out;
}

void append_quoted_printable(std::string& out, std::string_view text) {
    constexpr std::string_view hex = "0123456789ABCDEF";
    constexpr std::size_t width = 75; // and the `=` of a soft line end: RFC 2045 §6.7
    std::size_t column = 0;
    for (std::size_t at = 0; at < text.size(); ++at) {
        const char c = text[at];
        if (c == '\n') {
            out += "\r\n";
            column = 0;
            continue;
        }
        const bool ends_line = at + 1 == text.size() || text[at + 1] == '\n';
        // A From at the start of a line would get a `>` from what keeps it in an mbox.
        const bool from = column == 0 && text.substr(at).starts_with("From ");
        const bool plain = (is_visible(c) && c != '=' && !from) || (base::is_wsp(c) && !ends_line);
        const std::size_t size = plain ? 1 : 3;
        if (column + size > width) {
            out += "=\r\n";
            column = 0;
        }
        if (plain) {
            out += c;
        } else {
            const auto byte = static_cast<unsigned char>(c);
            out += '=';
            out += hex[byte >> 4U];
            out += hex[byte & 0xFU];
        }
        column += size;
    }
    out += "\r\n";
}

// True where nothing between here and the reader has a reason to change a line.
bool travels_as_it_is(std::string_view text) {
    for (const auto line : base::split(text, '\n'))
        if (line.size() > mail_line_best || !is_ascii_text(line) || line.ends_with(' ') ||
            line.starts_with("From "))
            return false;
    return true;
}

} // namespace

void append_field(std::string& out, std::string_view name, std::string_view value) {
    out += name;
    out += ':';
    std::size_t column = name.size() + 1;
    bool first = true;
    for (std::size_t at = 0; at < value.size();) {
        std::size_t end = at;
        while (end < value.size() && end - at < broken_word && value[end] != ' ' &&
               static_cast<unsigned char>(value[end]) > 0x20 && value[end] != '\x7f')
            ++end;
        if (end == at) {
            ++at;
            continue;
        }
        if (!first && column + 1 + (end - at) > mail_line_best) {
            out += "\r\n";
            column = 0;
        }
        out += ' ';
        for (const char c : value.substr(at, end - at))
            out += is_visible(c) ? c : '?';
        column += 1 + (end - at);
        first = false;
        at = end;
    }
    out += "\r\n";
}

std::string free_text(std::string_view text) {
    const std::string clean = base::printable(text, shown_bytes);
    return is_ascii_text(clean) ? clean : encoded_words(clean);
}

std::string display_name(std::string_view name) {
    const std::string clean = base::printable(base::trim(name), shown_bytes);
    if (!is_ascii_text(clean) || clean.find("=?") != std::string::npos)
        return encoded_words(clean);
    if (std::ranges::all_of(clean, [](char c) { return c == ' ' || is_atext(c); }))
        return clean;
    std::string out = "\"";
    for (const char c : clean) {
        if (c == '"' || c == '\\')
            out += '\\';
        out += c;
    }
    return out + '"';
}

std::string bare_address(std::string_view address) {
    std::string out;
    bool quoted = false;
    for (const char c : base::trim(address)) {
        if (c == '"')
            quoted = !quoted;
        if (is_visible(c) ? c != '<' && c != '>' : c == ' ' && quoted)
            out += c;
    }
    return out;
}

std::string dot_atom(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (is_atext(c))
            out += c;
        else if (c == '.' && !out.empty() && !out.ends_with('.'))
            out += c;
        else if (c != '.')
            out += '-';
    }
    while (out.ends_with('.'))
        out.pop_back();
    return out;
}

std::string file_name_parameter(std::string_view name) {
    std::string clean;
    for (const char c : name)
        if (is_visible(c) && c != '"' && c != '\\' && c != '/')
            clean += c;
    constexpr std::size_t around = sizeof(" filename=\"\"");
    if (clean.size() + around <= broken_word)
        return "filename=\"" + clean + '"';
    constexpr std::size_t piece = 60;
    std::string out;
    for (std::size_t at = 0, index = 0; at < clean.size(); at += piece, ++index)
        out += (index > 0 ? "; filename*" : "filename*") + std::to_string(index) + "=\"" +
               clean.substr(at, piece) + '"';
    return out;
}

void append_text_part(std::string& out, std::string_view text) {
    if (travels_as_it_is(text)) {
        out += "Content-Type: text/plain; charset=us-ascii\r\nContent-Transfer-Encoding: 7bit\r\n\r\n";
        for (const auto line : base::split(text, '\n')) {
            out += line;
            out += "\r\n";
        }
        return;
    }
    out += "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n";
    append_quoted_printable(out, text);
}

void append_base64(std::string& out, std::string_view bytes) {
    constexpr std::size_t line = 76; // RFC 2045 §6.8
    const std::string text = base::base64(bytes);
    out.reserve(out.size() + text.size() + 2 * (text.size() / line + 1));
    for (std::size_t at = 0; at < text.size(); at += line) {
        out.append(text, at, line);
        out += "\r\n";
    }
}

} // namespace mailtight::tlsrpt
