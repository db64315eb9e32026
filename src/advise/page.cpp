// SPDX-License-Identifier: Apache-2.0
#include "advise/page.h"

#include "base/text.h"

#include <fmt/format.h>

#include <algorithm>

namespace mailtight::advise {

namespace {

/// Columns that a text with our own colour codes takes.
std::size_t visible_width(std::string_view painted) {
    std::string plain;
    for (std::size_t i = 0; i < painted.size(); ++i) {
        if (painted[i] != '\x1b') {
            plain += painted[i];
            continue;
        }
        while (i < painted.size() && painted[i] != 'm')
            ++i;
    }
    return base::display_width(plain);
}

std::string_view code_of(ink colour) {
    switch (colour) {
    case ink::bold:
        return "1";
    case ink::dim:
        return "2";
    case ink::red:
        return "1;31";
    case ink::yellow:
        return "33";
    case ink::green:
        return "32";
    case ink::blue:
        return "36";
    case ink::plain:
        break;
    }
    return "0";
}

} // namespace

std::string page::paint(ink colour, std::string_view text) const {
    if (!how_.colour || colour == ink::plain)
        return std::string(text);
    return fmt::format("\x1b[{}m{}\x1b[0m", code_of(colour), text);
}

void page::line(std::string_view text) {
    out_ += text.substr(0, text.find_last_not_of(' ') + 1);
    out_ += '\n';
}

void page::heading(std::string_view text) {
    line();
    line(paint(ink::bold, text));
}

void page::wrapped(std::string_view first, std::string_view text, ink colour) {
    const std::size_t indent = visible_width(first);
    const std::string later(indent, ' ');
    bool begin = true;
    for (const auto& each :
         base::wrap(text, std::max<std::size_t>(how_.width - std::min(how_.width, indent), 20))) {
        line((begin ? std::string(first) : later) + paint(colour, each));
        begin = false;
    }
}

std::string shown(std::string_view remote) {
    return base::printable(remote, 600);
}

std::string padded(std::string_view text, std::size_t width) {
    const std::size_t has = base::display_width(text);
    return std::string(text) + std::string(width > has ? width - has : 0, ' ');
}

} // namespace mailtight::advise
