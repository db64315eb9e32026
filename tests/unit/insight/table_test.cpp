// SPDX-License-Identifier: Apache-2.0
#include "base/text.h"
#include "insight/table.h"
#include "support/proves.h"

#include <boost/json.hpp>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace mailtight::insight {
namespace {

/// Reads RFC 4180 back, cell by cell; an oracle of its own.
std::vector<std::vector<std::string>> read_csv(const std::string& text) {
    std::vector<std::vector<std::string>> rows;
    std::size_t i = 0;
    while (i < text.size()) {
        auto& row = rows.emplace_back();
        for (bool more = true; more;) {
            std::string& cell = row.emplace_back();
            if (i < text.size() && text[i] == '"') {
                for (++i; i < text.size(); ++i) {
                    if (text[i] == '"' && i + 1 < text.size() && text[i + 1] == '"')
                        ++i;
                    else if (text[i] == '"')
                        break;
                    cell += text[i];
                }
                ++i;
            } else
                while (i < text.size() && text[i] != ',' && text[i] != '\r')
                    cell += text[i++];
            more = i < text.size() && text[i] == ',';
            if (more)
                ++i;
        }
        i += 2; // CRLF
    }
    return rows;
}

TEST(CsvCell, quotes_and_disarms) {
    PROVES("8460-7-b");
    struct {
        std::string_view text, cell, why;
    } const table[] = {
        {"", "", "empty"},
        {"plain", "plain", ""},
        {"a,b", "\"a,b\"", "the delimiter"},
        {"say \"x\"", "\"say \"\"x\"\"\"", "quotes doubled"},
        {"a\nb", "\"a\nb\"", "a line end"},
        {"a\rb", "\"a\rb\"", "a bare CR"},
        {"=1+1", "'=1+1", "a formula"},
        {"+1", "'+1", "a formula"},
        {"-1", "'-1", "a formula"},
        {"@SUM(A1)", "'@SUM(A1)", "a formula"},
        {"\t=1", "'\t=1", "a tab in front"},
        {"\r=1", "\"'\r=1\"", "a CR in front"},
        {"=cmd|' /C calc'!A0,x", "\"'=cmd|' /C calc'!A0,x\"", "both"},
        {"a=1", "a=1", "not in front"},
    };
    for (const auto& one : table)
        EXPECT_EQ(csv_cell(one.text), one.cell) << one.why;
}

table sample() {
    return {{{"name", "Name", {}},
             {"count", "Count", column::kind::number},
             {"", "Eye", {}},
             {"hidden", "", {}},
             {"list", "List", {}}},
            {{"first", 1204, "e", "h", boost::json::array{"a", "b"}},
             {"x,\"y\"", nullptr, "", true, boost::json::array{}}},
            "Nothing."};
}

TEST(TableText, aligns_and_groups) {
    EXPECT_EQ(table_text(sample(), {}), "Name   Count  Eye  List\n"
                                        "first  1,204  e    a, b\n"
                                        "x,\"y\"\n");
    EXPECT_EQ(table_text(table{{{"a", "A", {}}}, {}, "Nothing."}, {}), "Nothing.\n");
}

TEST(TableText, fits_the_screen_and_shows_no_control_characters) {
    table wide{{{"a", "A", {}}, {"n", "N", column::kind::number}}, {}, ""};
    for (const auto& [name, count] :
         std::vector<std::pair<std::string, int>>{{std::string(200, 'x') + "\x1b[31m", 12345},
                                                  {"\x1b]0;title\x07", 1},
                                                  {"日本語日本語日本語日本語", 2}})
        wide.rows.push_back({boost::json::string(name), count});
    const std::string text = table_text(wide, {.colour = false, .width = 30});
    EXPECT_EQ(text.find('\x1b'), std::string::npos);
    EXPECT_NE(text.find("12,345"), std::string::npos) << "numbers are never cut";
    EXPECT_NE(text.find("xxx…"), std::string::npos);
    for (const auto line : base::split(text, '\n'))
        EXPECT_LE(base::display_width(line), 30U) << line;
}

TEST(TableText, what_says_least_gives_way_first) {
    table of{{{"d", "Day", column::kind::whole},
              {"r", "Reporter", {}},
              {"s", "State", {}},
              {"w", "Why", column::kind::remark}},
             {{"2026-05-16", "Google Inc.", "counted", ""},
              {"2026-05-17", "Microsoft Corporation", "counted", "a reason of some length"}},
             ""};
    const auto shown = [&](std::size_t width) { return table_text(of, {.width = width}); };
    EXPECT_EQ(shown(80), "Day         Reporter               State    Why\n"
                         "2026-05-16  Google Inc.            counted\n"
                         "2026-05-17  Microsoft Corporation  counted  a reason of some length\n");
    EXPECT_EQ(shown(50), "Day         Reporter               State\n"
                         "2026-05-16  Google Inc.            counted\n"
                         "2026-05-17  Microsoft Corporation  counted\n"
                         "    a reason of some length\n");
    EXPECT_EQ(shown(40), "Day         Reporter\n"
                         "2026-05-16  Google Inc.\n"
                         "2026-05-17  Microsoft Corporation\n"
                         "    a reason of some length\n");
    EXPECT_NE(shown(22).find("2026-05-17  Microsoft…\n"), std::string::npos) << "a day stays whole\n"
                                                                             << shown(22);
    EXPECT_EQ(table_text(of, {.width = 10, .whole_tables = true}), shown(200));
}

TEST(JsonLine, writes_numbers_as_people_do) {
    EXPECT_EQ(
        json_line({{"share", 0.0538}, {"small", 0.0001}, {"count", 3}, {"list", {0.5, nullptr, "x\"y"}}}),
        R"({"share":0.0538,"small":0.0001,"count":3,"list":[0.5,null,"x\"y"]})");
}

TEST(TableNdjson, one_object_a_line) {
    EXPECT_EQ(table_ndjson(sample()),
              "{\"name\":\"first\",\"count\":1204,\"hidden\":\"h\",\"list\":[\"a\",\"b\"]}\n"
              "{\"name\":\"x,\\\"y\\\"\",\"count\":null,\"hidden\":true,\"list\":[]}\n");
}

TEST(TableCsv, has_a_head_and_every_key) {
    EXPECT_EQ(table_csv(sample()), "name,count,hidden,list\r\nfirst,1204,h,a b\r\n\"x,\"\"y\"\"\",,yes,\r\n");
}

RC_GTEST_PROP(TableCsv, reads_back, (std::vector<std::string> texts)) {
    PROVES("8460-7-b");
    table made{{{"a", "A", {}}, {"b", "B", {}}}, {}, ""};
    for (const auto& text : texts)
        made.rows.push_back({boost::json::string(text), "end"});
    const auto rows = read_csv(table_csv(made));
    RC_ASSERT(rows.size() == texts.size() + 1);
    for (std::size_t i = 0; i < texts.size(); ++i) {
        RC_ASSERT(rows[i + 1].size() == 2U);
        const std::string& cell = rows[i + 1][0];
        const bool formula = !texts[i].empty() && std::string("=+-@\t\r").contains(texts[i].front());
        RC_ASSERT(cell == (formula ? "'" : "") + texts[i]);
    }
}

} // namespace
} // namespace mailtight::insight
