// SPDX-License-Identifier: Apache-2.0
#include "insight/table.h"

#include "advise/diagnose.h"
#include "advise/page.h"
#include "base/text.h"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace mailtight::insight {

namespace {

namespace json = boost::json;

constexpr std::size_t gap = 2, narrowest = 8;

/// A cell's text: numbers in plain digits, lists joined, null empty.
std::string plain(const json::value& cell, std::string_view separator) {
    switch (cell.kind()) {
    case json::kind::null:
        return {};
    case json::kind::string:
        return std::string(cell.get_string());
    case json::kind::bool_:
        return cell.get_bool() ? "yes" : "no";
    case json::kind::array: {
        std::string all;
        for (const auto& one : cell.get_array()) {
            if (!all.empty())
                all += separator;
            all += plain(one, separator);
        }
        return all;
    }
    case json::kind::double_:
        return fmt::format("{}", cell.get_double());
    case json::kind::int64:
    case json::kind::uint64:
    case json::kind::object:
        break;
    }
    return json::serialize(cell);
}

std::string for_the_eye(const json::value& cell) {
    if (cell.is_uint64())
        return advise::grouped(cell.get_uint64());
    if (cell.is_int64() && cell.get_int64() >= 0)
        return advise::grouped(static_cast<std::uint64_t>(cell.get_int64()));
    return base::printable(plain(cell, ", "), 300);
}

/// At most `width` columns; what is left out is shown by an ellipsis.
std::string cut(const std::string& text, std::size_t width) {
    if (base::display_width(text) <= width)
        return text;
    std::string kept;
    std::size_t end = text.size();
    do {
        --end;
        while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U)
            --end;
        kept = text.substr(0, end);
    } while (end > 0 && base::display_width(kept) + 1 > width);
    return kept + "…";
}

} // namespace

std::string table_text(const table& what, const advise::style& how) {
    advise::page to(how);
    if (what.rows.empty()) {
        to.wrapped("", what.nothing);
        return to.take();
    }
    std::vector<std::size_t> shown; // columns for the eye
    for (std::size_t i = 0; i < what.columns.size(); ++i)
        if (!what.columns[i].heading.empty())
            shown.push_back(i);
    std::vector<std::vector<std::string>> cells;
    std::vector<std::size_t> widths;
    for (const auto i : shown)
        widths.push_back(base::display_width(what.columns[i].heading));
    for (const auto& row : what.rows) {
        auto& mine = cells.emplace_back();
        for (std::size_t k = 0; k < shown.size(); ++k) {
            mine.push_back(for_the_eye(row[shown[k]]));
            widths[k] = std::max(widths[k], base::display_width(mine.back()));
        }
    }
    const auto kind_of = [&](std::size_t k) { return what.columns[shown[k]].what; };
    std::vector<bool> hidden(shown.size()), below(shown.size());
    const auto in_line = [&](std::size_t k) { return !hidden[k] && !below[k]; };
    const auto fits = [&] {
        std::size_t total = 0;
        for (std::size_t k = 0; k < shown.size(); ++k)
            total += in_line(k) ? widths[k] + gap : 0;
        return how.whole_tables || total <= how.width + gap;
    };
    for (std::size_t k = 0; k < shown.size() && !fits(); ++k)
        below[k] = kind_of(k) == column::kind::remark;
    const auto all_alike = [&](std::size_t k) {
        return cells.size() > 1 &&
               std::ranges::all_of(cells, [&](const auto& row) { return row[k] == cells.front()[k]; });
    };
    for (std::size_t k = shown.size(); k-- > 0 && !fits();)
        hidden[k] = kind_of(k) == column::kind::text && all_alike(k);
    while (!fits()) {
        std::size_t widest = shown.size();
        for (std::size_t k = 0; k < shown.size(); ++k)
            if (in_line(k) && kind_of(k) == column::kind::text && widths[k] > narrowest &&
                (widest == shown.size() || widths[k] > widths[widest]))
                widest = k;
        if (widest == shown.size())
            break;
        --widths[widest];
    }
    const auto line = [&](const auto& text_of) {
        std::string out;
        for (std::size_t k = 0; k < shown.size(); ++k) {
            if (!in_line(k))
                continue;
            const std::string text = cut(text_of(k), widths[k]);
            const std::string blanks(widths[k] - std::min(widths[k], base::display_width(text)), ' ');
            if (!out.empty())
                out += std::string(gap, ' ');
            out += kind_of(k) == column::kind::number ? blanks + text : text + blanks;
        }
        return out;
    };
    to.line(to.paint(advise::ink::bold, line([&](std::size_t k) { return what.columns[shown[k]].heading; })));
    for (const auto& row : cells) {
        to.line(line([&](std::size_t k) { return row[k]; }));
        for (std::size_t k = 0; k < shown.size(); ++k)
            if (below[k] && !row[k].empty())
                to.wrapped("    ", row[k], advise::ink::dim);
    }
    return to.take();
}

std::string json_line(const json::value& what) {
    std::string out;
    const auto members = [&](const auto& all, char open, char close, const auto& write) {
        out += open;
        bool first = true;
        for (const auto& one : all) {
            if (!std::exchange(first, false))
                out += ',';
            write(one);
        }
        out += close;
    };
    // Answers of ours nest a few levels; nothing from outside is handed in as a tree.
    switch (what.kind()) {
    case json::kind::double_:
        return fmt::format("{}", what.get_double());
    case json::kind::object:
        members(what.get_object(), '{', '}',
                [&](const auto& one) { out += json::serialize(one.key()) + ':' + json_line(one.value()); });
        return out;
    case json::kind::array:
        members(what.get_array(), '[', ']', [&](const auto& one) { out += json_line(one); });
        return out;
    default:
        return json::serialize(what);
    }
}

json::array table_json(const table& what) {
    json::array all;
    for (const auto& row : what.rows) {
        json::object one;
        for (std::size_t i = 0; i < what.columns.size(); ++i)
            if (!what.columns[i].key.empty())
                one[what.columns[i].key] = row[i];
        all.push_back(std::move(one));
    }
    return all;
}

std::string table_ndjson(const table& what) {
    std::string out;
    for (const auto& row : table_json(what)) {
        out += json_line(row);
        out += '\n';
    }
    return out;
}

std::string csv_cell(std::string_view text) {
    std::string cell;
    constexpr std::string_view begins_formula = "=+-@\t\r"; // 8460-7-b
    if (!text.empty() && begins_formula.contains(text.front()))
        cell = "'";
    cell += text;
    if (cell.find_first_of(",\"\r\n") == std::string::npos)
        return cell;
    std::string quoted = "\"";
    for (const char c : cell) {
        if (c == '"')
            quoted += '"';
        quoted += c;
    }
    return quoted + '"';
}

std::string table_csv(const table& what) {
    std::string out;
    const auto line = [&](const auto& text_of) {
        bool first = true;
        for (std::size_t i = 0; i < what.columns.size(); ++i) {
            if (what.columns[i].key.empty())
                continue;
            if (!std::exchange(first, false))
                out += ',';
            out += csv_cell(text_of(i));
        }
        out += "\r\n";
    };
    line([&](std::size_t i) { return what.columns[i].key; });
    for (const auto& row : what.rows)
        line([&](std::size_t i) { return plain(row[i], " "); });
    return out;
}

} // namespace mailtight::insight
