// SPDX-License-Identifier: Apache-2.0
// What a terminal must never be sent, and what it may.
#include "base/text.h"
#include "base/utf8.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <limits>

using namespace mailtight::base;
using namespace std::string_view_literals;

namespace {

struct row {
    std::string_view bytes, shown, reason;
};

TEST(Printable, ShowsTextAsItIs) {
    for (const auto text : {"v=STSv1; id=20260102030405;"sv, "bücher.example"sv, "例え.テスト"sv,
                            "日本語 😀 ✓"sv, "back\\slash"sv, "~"sv, "\u00a0"sv, ""sv})
        EXPECT_EQ(printable(text), text);
}

TEST(Printable, EscapesWhatATerminalObeysOrHides) {
    for (const auto& [bytes, shown, reason] : {
             row{"a\nb", "a\\nb", "a forged second log line"},
             row{"a\r\nb", "a\\r\\nb", "the line overwritten"},
             row{"a\tb", "a\\tb", "columns moved"},
             row{"a\0b"sv, "a\\x00b", "NUL"},
             row{"\a\b\v\f", "\\x07\\x08\\x0b\\x0c", "bell and the rest of C0"},
             row{"\x1b[2J\x1b]0;title\x07", "\\x1b[2J\\x1b]0;title\\x07", "CSI and OSC sequences"},
             row{"\x7f", "\\x7f", "DEL"},
             row{"\xc2\x9b"
                 "2J",
                 "\\u009b2J", "CSI as one C1 character"},
             row{"\xc2\x80\xc2\x9f\xc2\x85", "\\u0080\\u009f\\u0085", "C1, with its next-line"},
             row{"\x9b"
                 "2J",
                 "\\x9b2J", "CSI as a raw byte"},
             row{"moc.\u202eelpmaxe", "moc.\\u202eelpmaxe", "right-to-left override"},
             row{"\u202a\u202b\u202c\u202d", "\\u202a\\u202b\\u202c\\u202d", "the other embeddings"},
             row{"\u2066\u2067\u2068\u2069", "\\u2066\\u2067\\u2068\\u2069", "isolates"},
             row{"\u200e\u200f\u061c", "\\u200e\\u200f\\u061c", "marks of direction"},
             row{"a\u200bb\u200c\u200d\u2060\ufeff\u00ad", "a\\u200bb\\u200c\\u200d\\u2060\\ufeff\\u00ad",
                 "nothing to see, and yet another name"},
             row{"\u2028\u2029", "\\u2028\\u2029", "line and paragraph separators"},
             row{"\U000e0041\U000e007f", "\\U000e0041\\U000e007f", "tags"},
             row{"\ufffe\U0010ffff", "\\ufffe\\U0010ffff", "noncharacters"},
         })
        EXPECT_EQ(printable(bytes), shown) << reason;
}

TEST(Printable, ShowsBytesThatAreNoUtf8) {
    for (const auto& [bytes, shown, reason] : {
             row{"\xff\xfe", "\\xff\\xfe", "never in UTF-8"},
             row{"b\xfc"
                 "cher",
                 "b\\xfccher", "Latin-1"},
             row{"\xc3", "\\xc3", "cut at the end"},
             row{"\xe2\x82", "\\xe2\\x82", "cut at the end"},
             row{"\xc3(", "\\xc3(", "cut by a letter"},
             row{"\xc0\xaf", "\\xc0\\xaf", "an overlong slash"},
             row{"\xe0\x80\xaf", "\\xe0\\x80\\xaf", "an overlong slash of three"},
             row{"\xc0\x9b", "\\xc0\\x9b", "an overlong escape"},
             row{"\xed\xa0\x80", "\\xed\\xa0\\x80", "a surrogate"},
             row{"\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80", "beyond U+10FFFF"},
             row{"\xf8\x88\x80\x80\x80", "\\xf8\\x88\\x80\\x80\\x80", "five bytes"},
             row{"\x80", "\\x80", "a continuation alone"},
         })
        EXPECT_EQ(printable(bytes), shown) << reason;
}

TEST(Printable, ShowsNoMoreThanItsLimitAndCountsTheRest) {
    EXPECT_EQ(printable("abcdef", 6), "abcdef");
    EXPECT_EQ(printable("abcdef", 4), "abcd… 2 more bytes");
    EXPECT_EQ(printable("abc", 0), "… 3 more bytes");
    EXPECT_EQ(printable("", 0), "");
    EXPECT_EQ(printable("aü", 2), "a… 2 more bytes") << "no character is cut in two";
    EXPECT_EQ(printable(std::string(5000, 'x')), std::string(2000, 'x') + "… 3000 more bytes");
}

/// Bytes in which the interesting ones are common.
rc::Gen<std::string> hostile_bytes() {
    static const std::vector<std::string> pieces{
        "a",        "\n",       "\x1b",     "\xc2\x9b", "\xe2\x80\xae", "\xe2\x80",
        "\xf0\x9f", "\x98\x80", "\xed\xa0", "\x80",     "\xff",         "ü"};
    return rc::gen::map(rc::gen::container<std::vector<std::string>>(
                            rc::gen::oneOf(rc::gen::elementOf(pieces), rc::gen::arbitrary<std::string>())),
                        [](const std::vector<std::string>& parts) { return join(parts, ""); });
}

RC_GTEST_PROP(Printable, NeverYieldsAControlCharacter, ()) {
    const auto shown = printable(*hostile_bytes(), *rc::gen::inRange<std::size_t>(0, 100));
    for (std::size_t i = 0; i < shown.size();) {
        const auto c = utf8_at(shown, i);
        RC_ASSERT(c.has_value());
        RC_ASSERT(c->code_point >= 0x20U && !(c->code_point >= 0x7FU && c->code_point <= 0x9FU));
        RC_ASSERT(!(c->code_point >= 0x2028U && c->code_point <= 0x202EU));
        i += c->length;
    }
}

RC_GTEST_PROP(Printable, TwiceIsOnce, ()) {
    constexpr auto all = std::numeric_limits<std::size_t>::max() / 2;
    const auto once = printable(*hostile_bytes(), all);
    RC_ASSERT(printable(once, all) == once);
}

TEST(Utf8, FindsTheFirstBadByte) {
    EXPECT_EQ(first_invalid_utf8("ok ü 例 😀"), std::string_view::npos);
    EXPECT_EQ(first_invalid_utf8(""), std::string_view::npos);
    EXPECT_EQ(first_invalid_utf8("\xef\xbb\xbfversion"), std::string_view::npos)
        << "a byte order mark is UTF-8";
    EXPECT_EQ(first_invalid_utf8("ab\xff"), 2U);
    EXPECT_EQ(first_invalid_utf8("ü\xc3"), 2U);
    EXPECT_EQ(first_invalid_utf8("\xf4\x8f\xbf\xbf"), std::string_view::npos) << "U+10FFFF is the last";
    EXPECT_EQ(first_invalid_utf8("\xf4\x90\x80\x80"), 0U);
    EXPECT_FALSE(is_utf8("\xed\xbf\xbf"));
    EXPECT_TRUE(is_utf8("\xee\x80\x80"));
}

RC_GTEST_PROP(Utf8, EveryCharacterIsReadAsWritten, ()) {
    const auto c = *rc::gen::suchThat(rc::gen::inRange<std::uint32_t>(0, 0x110000),
                                      [](std::uint32_t v) { return v < 0xD800 || v > 0xDFFF; });
    std::string text;
    append_utf8(text, c);
    const auto read = utf8_at(text, 0);
    RC_ASSERT((read && read->length == text.size() && static_cast<std::uint32_t>(read->code_point) == c));
    for (std::size_t cut = 1; cut < text.size(); ++cut)
        RC_ASSERT(!utf8_at(std::string_view(text).substr(0, cut), 0));
}

} // namespace
