// SPDX-License-Identifier: Apache-2.0
#include "base/text.h"
#include "base/utf8.h"
#include "base/width_table.h"

#include <algorithm>
#include <span>

namespace mailtight::base {
namespace {

bool within(std::span<const code_point_range> ranges, char32_t c) {
    const auto it = std::ranges::lower_bound(ranges, c, {}, &code_point_range::last);
    return it != ranges.end() && c >= it->first;
}

} // namespace

std::size_t display_width(std::string_view utf8) {
    std::size_t width = 0;
    for (std::size_t at = 0; at < utf8.size();) {
        const auto c = utf8_at(utf8, at);
        if (!c) { // a stray byte is shown as one replacement character
            ++width;
            ++at;
            continue;
        }
        at += c->length;
        if (c->code_point < 0x300) // the whole of Latin, without a search
            width += c->code_point < 0x20 || (c->code_point >= 0x7F && c->code_point < 0xA0) ? 0 : 1;
        else if (!within(zero_width_ranges, c->code_point))
            width += within(wide_ranges, c->code_point) ? 2 : 1;
    }
    return width;
}

std::vector<std::string> wrap(std::string_view utf8, std::size_t width) {
    std::vector<std::string> lines;
    for (const auto paragraph : split(utf8, '\n')) {
        std::string line;
        std::size_t columns = 0;
        for (const auto word : split(paragraph, ' ')) {
            if (word.empty())
                continue;
            const auto word_columns = display_width(word);
            if (!line.empty() && columns + 1 + word_columns > width) {
                lines.push_back(std::move(line));
                line.clear();
                columns = 0;
            }
            if (!line.empty()) {
                line += ' ';
                ++columns;
            }
            line += word;
            columns += word_columns;
        }
        lines.push_back(std::move(line));
    }
    return lines;
}

} // namespace mailtight::base
