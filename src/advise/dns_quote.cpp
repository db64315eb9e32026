// SPDX-License-Identifier: Apache-2.0
#include "advise/dns_quote.h"

#include "base/text.h"

#include <fmt/format.h>

#include <algorithm>

namespace mailtight::advise {
namespace {

std::string decimal(char c) {
    return fmt::format("\\{:03}", static_cast<unsigned char>(c));
}

bool printable(char c) {
    return c >= ' ' && c <= '~';
}

} // namespace

std::string zone_text(std::string_view value) {
    constexpr std::size_t longest = 255;
    std::string out;
    do {
        out += out.empty() ? "\"" : " \"";
        for (const char c : value.substr(0, longest)) {
            if (c == '"' || c == '\\')
                out += '\\';
            out += printable(c) ? std::string(1, c) : decimal(c);
        }
        out += '"';
        value.remove_prefix(std::min(longest, value.size()));
    } while (!value.empty());
    return out;
}

std::string zone_name(std::string_view name) {
    std::string out;
    for (const char c : name)
        out += base::is_alnum(c) || c == '-' || c == '_' || c == '.' || c == '*' ? std::string(1, c)
                                                                                 : decimal(c);
    if (!out.ends_with('.'))
        out += '.';
    return out;
}

std::string json_string(std::string_view text) {
    // What is no UTF-8 has no place in any of the three languages.
    const std::string safe = base::is_utf8(text) ? std::string(text) : base::printable(text, text.size());
    std::string out = "\"";
    for (std::size_t i = 0; i < safe.size(); ++i) {
        const char c = safe[i];
        if (c == '"' || c == '\\')
            out += {'\\', c};
        else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
            out += fmt::format("\\u{:04x}", static_cast<unsigned char>(c));
        else if (safe.compare(i, 3, "\xe2\x80\xa8") == 0 || safe.compare(i, 3, "\xe2\x80\xa9") == 0) {
            out += safe[i + 2] == '\xa8' ? "\\u2028" : "\\u2029";
            i += 2;
        } else
            out += c;
    }
    return out + '"';
}

std::string hcl_string(std::string_view text) {
    const std::string quoted = json_string(text);
    std::string out;
    for (std::size_t i = 0; i < quoted.size(); ++i) {
        if ((quoted[i] == '$' || quoted[i] == '%') && i + 1 < quoted.size() && quoted[i + 1] == '{')
            out += quoted[i]; // `${` and `%{` begin a template unless the sign is doubled
        out += quoted[i];
    }
    return out;
}

} // namespace mailtight::advise
