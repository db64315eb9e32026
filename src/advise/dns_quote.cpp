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
    // Names and TXT values of DNS are ASCII. Anything else is hostile or a mistake, and is shown as such: no
    // invalid UTF-8, no line separator, no bidirectional override passes.
    const bool ascii = std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
    const std::string safe = ascii ? std::string(text) : base::printable(text, text.size());
    std::string out = "\"";
    for (const char c : safe) {
        if (c == '"' || c == '\\')
            out += {'\\', c};
        else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
            out += fmt::format("\\u{:04x}", static_cast<unsigned char>(c));
        else
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
