// SPDX-License-Identifier: Apache-2.0
#include "base/text.h"

#include <gmock/gmock.h>
#include <rapidcheck/gtest.h>

using namespace mailtight::base;
using namespace std::string_view_literals;
using testing::ElementsAre;

namespace {

TEST(Lower, TouchesAsciiOnly) {
    EXPECT_EQ(lower("AZaz09@[`{"), "azaz09@[`{");
    EXPECT_EQ(lower("ÄÖ"), "ÄÖ");
    EXPECT_EQ(lower("A\0B"sv), "a\0b"sv);
}

TEST(Iequals, KnowsNoLocale) {
    EXPECT_TRUE(iequals("MX1.Example", "mx1.eXAMPLE"));
    EXPECT_TRUE(iequals("", ""));
    EXPECT_FALSE(iequals("mx1", "mx1."));
    EXPECT_FALSE(iequals("k", "\u212a")) << "the Kelvin sign is no k";
    EXPECT_FALSE(iequals("@", "`")) << "one bit apart like letters, and none";
    EXPECT_TRUE(iends_with("a.EXAMPLE.com", ".example.COM"));
    EXPECT_TRUE(iends_with("a", ""));
    EXPECT_FALSE(iends_with("com", ".com"));
}

TEST(Trim, TakesBlanksFromBothEnds) {
    EXPECT_EQ(trim(" \t\r\na b\n\r\t "), "a b");
    EXPECT_EQ(trim(""), "");
    EXPECT_EQ(trim(" \n "), "");
    EXPECT_EQ(trim("\va\f"), "\va\f") << "vertical tab and form feed are no blanks here";
}

TEST(Split, KeepsEmptyParts) {
    EXPECT_THAT(split("a,,b", ','), ElementsAre("a", "", "b"));
    EXPECT_THAT(split("", ','), ElementsAre(""));
    EXPECT_THAT(split(",", ','), ElementsAre("", ""));
    EXPECT_THAT(split("a", ','), ElementsAre("a"));
    EXPECT_EQ(join({}, ", "), "");
    EXPECT_EQ(join({"a"}, ", "), "a");
    EXPECT_EQ(join({"a", "", "b"}, ", "), "a, , b");
}

RC_GTEST_PROP(Split, JoinUndoesIt, (const std::string& text)) {
    std::vector<std::string> parts;
    for (const auto part : split(text, 'a'))
        parts.emplace_back(part);
    RC_ASSERT(join(parts, "a") == text);
}

TEST(Nearest, FindsTheWordThatWasMeant) {
    const std::vector<std::string_view> modes{"enforce", "testing", "none"};
    struct row {
        std::string_view typed, meant;
    };
    for (const auto& [typed, meant] : {
             row{"enforce", "enforce"},
             row{"enforced", "enforce"},
             row{"enfroce", "enforce"}, // neighbours exchanged: one mistake
             row{"ENFORCE", "enforce"},
             row{"test", ""}, // three letters are missing, a third of four is one
             row{"tseting", "testing"},
             row{"non", "none"},
             row{"nnoe", "none"},
             row{"no", ""}, // too short to tell
             row{"", ""},
             row{"report", ""},
         })
        EXPECT_EQ(nearest(typed, modes), meant) << typed;
    EXPECT_EQ(nearest("check", {}), "");
    EXPECT_EQ(nearest(std::string(100'000, 'a'), {std::string_view("enforce")}), "")
        << "at once, whatever its length";
}

TEST(DisplayWidth, CountsColumns) {
    struct row {
        std::string_view text;
        std::size_t columns;
    };
    for (const auto& [text, columns] : {
             row{"", 0},
             row{"example.com", 11},
             row{"bücher", 6},
             row{"bu\u0308cher", 6}, // a combining diaeresis
             row{"例え.jp", 7},
             row{"ｅｘ", 4}, // fullwidth
             row{"한글", 4},
             row{"\u1112\u1161\u11ab", 2}, // the same syllable in parts
             row{"✓ …", 3},
             row{"\u200b", 0},
             row{"😀", 2},
             row{"—", 1},
         })
        EXPECT_EQ(display_width(text), columns) << text;
    EXPECT_EQ(display_width("a\xff\xfe"), 3U) << "stray bytes take a column each";
}

TEST(Wrap, BreaksAtSpaces) {
    EXPECT_THAT(wrap("one two three", 7), ElementsAre("one two", "three"));
    EXPECT_THAT(wrap("one two three", 8), ElementsAre("one two", "three"));
    EXPECT_THAT(wrap("one two three", 100), ElementsAre("one two three"));
    EXPECT_THAT(wrap("extraordinary a b", 5), ElementsAre("extraordinary", "a b"))
        << "a long word stays whole";
    EXPECT_THAT(wrap("a\n\nb", 5), ElementsAre("a", "", "b")) << "newlines are kept";
    EXPECT_THAT(wrap("", 5), ElementsAre(""));
    EXPECT_THAT(wrap("a b", 0), ElementsAre("a", "b"));
    EXPECT_THAT(wrap("例え 例え", 4), ElementsAre("例え", "例え")) << "columns count, not bytes";
    EXPECT_THAT(wrap("bücher bücher", 13), ElementsAre("bücher bücher"));
}

RC_GTEST_PROP(Wrap, LosesNoWordAndFillsNoLineBeyondItsWidth, ()) {
    const auto text = *rc::gen::container<std::string>(rc::gen::elementOf(std::string("ab  ")));
    const auto width = *rc::gen::inRange<std::size_t>(1, 12);
    std::string letters, rejoined;
    for (const auto word : split(text, ' '))
        letters += word;
    for (const auto& line : wrap(text, width)) {
        RC_ASSERT(line.size() <= width || line.find(' ') == std::string::npos);
        for (const auto word : split(line, ' '))
            rejoined += word;
    }
    RC_ASSERT(rejoined == letters);
}

} // namespace
