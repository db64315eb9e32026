// SPDX-License-Identifier: Apache-2.0
// Nothing from a remote side reaches a terminal, a log line or a page without passing here.
#include "base/text.h"
#include "base/utf8.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace mailtight::base {
namespace {

// Characters that a terminal obeys instead of showing, or that show nothing and so can hide or reorder text.
bool must_be_escaped(char32_t c) {
    return c < 0x20 || (c >= 0x7F && c <= 0x9F) // C0, DEL, C1
           || c == 0x00AD                       // soft hyphen
           || c == 0x061C                       // Arabic letter mark
           || c == 0x180E                       // Mongolian vowel separator
           || (c >= 0x200B && c <= 0x200F)      // zero width space and joiners, LRM, RLM
           || (c >= 0x2028 && c <= 0x202E)      // line and paragraph separator, bidi embeddings, overrides
           || (c >= 0x2060 && c <= 0x206F)      // word joiner, bidi isolates, deprecated format characters
           || c == 0xFEFF                       // byte order mark
           || (c >= 0xFFF9 && c <= 0xFFFB)      // interlinear annotation
           || (c & 0xFFFEU) == 0xFFFE           // noncharacters
           || (c >= 0xE0000 && c <= 0xE007F);   // tags
}

void escape(std::string& out, char32_t c) {
    switch (c) {
    case U'\n':
        out += "\\n";
        return;
    case U'\t':
        out += "\\t";
        return;
    case U'\r':
        out += "\\r";
        return;
    default:
        break;
    }
    const auto value = static_cast<std::uint32_t>(c);
    if (value < 0x80)
        fmt::format_to(std::back_inserter(out), "\\x{:02x}", value);
    else if (value <= 0xFFFF)
        fmt::format_to(std::back_inserter(out), "\\u{:04x}", value);
    else
        fmt::format_to(std::back_inserter(out), "\\U{:08x}", value);
}

} // namespace

std::string printable(std::string_view bytes, std::size_t limit) {
    std::string out;
    out.reserve(std::min(bytes.size(), limit));
    std::size_t at = 0;
    while (at < bytes.size()) {
        const auto c = utf8_at(bytes, at);
        const std::size_t length = c ? c->length : 1;
        if (at + length > limit) { // never cuts a character in two
            fmt::format_to(std::back_inserter(out), "… {} more bytes", bytes.size() - at);
            break;
        }
        if (!c)
            fmt::format_to(std::back_inserter(out), "\\x{:02x}", static_cast<std::uint8_t>(bytes[at]));
        else if (must_be_escaped(c->code_point))
            escape(out, c->code_point);
        else
            out += bytes.substr(at, length);
        at += length;
    }
    return out;
}

} // namespace mailtight::base
