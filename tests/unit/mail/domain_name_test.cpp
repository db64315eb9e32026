// SPDX-License-Identifier: Apache-2.0
#include "mail/domain_name.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

using namespace mailtight;
using namespace mailtight::mail;
using namespace std::string_view_literals;

namespace {

std::string repeated(std::string_view text, int times) {
    std::string out;
    while (times-- > 0)
        out += text;
    return out;
}

const std::string label63(63, 'a');
const std::string name253 = label63 + "." + label63 + "." + label63 + "." + std::string(61, 'b');

TEST(CanonicalName, Good) {
    struct row {
        std::string_view name, canonical;
    };
    for (const auto& [name, canonical] : {
             row{"MX1.Example.COM", "mx1.example.com"},
             row{"mx1.example.com.", "mx1.example.com"},
             row{"_mta-sts.example.com", "_mta-sts.example.com"},
             row{"localhost", "localhost"},
             row{"xn--bcher-kva.example", "xn--bcher-kva.example"},
             row{"-mx-.example.com", "-mx-.example.com"},
             row{"1.2.3.4", "1.2.3.4"}, // whether it is an address is another question
             row{name253, name253},
         })
        EXPECT_EQ(canonical_name(name), canonical) << name;
    EXPECT_EQ(canonical_name(name253 + "."), name253);
}

TEST(CanonicalName, Bad) {
    struct row {
        std::string_view name, reason;
    };
    const auto too_long = name253 + "b", long_label = label63 + "a.example";
    for (const auto& [name, reason] : {
             row{"", "empty"},
             row{".", "the root is no host (the target of a null MX)"},
             row{"..", "an empty label"},
             row{".example.com", "an empty first label"},
             row{"a..example.com", "an empty label within"},
             row{"example.com..", "only one final dot goes"},
             row{"*.example.com", "a star"},
             row{"mx 1.example.com", "a space"},
             row{"mx1.example.com\n", "a line end"},
             row{"mx\0.example.com"sv, "NUL"},
             row{"bücher.example", "U-labels do not come from DNS"},
             row{"mx1.example.com:25", "a port"},
             row{"[192.0.2.1]", "an address literal"},
             row{too_long, "254 characters"},
             row{long_label, "a label of 64"},
         })
        EXPECT_EQ(canonical_name(name), std::nullopt) << name << ": " << reason;
}

RC_GTEST_PROP(CanonicalName, IsItsOwnCanonicalForm, ()) {
    const auto typed = *rc::gen::container<std::string>(rc::gen::elementOf(std::string("aZ0-_...*ü")));
    if (const auto name = canonical_name(typed))
        RC_ASSERT(canonical_name(*name) == name);
}

TEST(Idna, TurnsULabelsIntoALabelsAndBack) {
    struct row {
        std::string_view unicode, ascii;
    };
    for (const auto& [unicode, ascii] : {
             row{"bücher.example", "xn--bcher-kva.example"},
             row{"straße.example", "xn--strae-oqa.example"}, // nontransitional: not strasse
             row{"faß.example", "xn--fa-hia.example"},
             row{"βόλος.example", "xn--nxasmm1c.example"},
             row{"例え.テスト", "xn--r8jz45g.xn--zckzah"},
             row{"παράδειγμα.δοκιμή", "xn--hxajbheg2az3al.xn--jxalpdlp"},
             row{"example.рф", "example.xn--p1ai"},
             row{"plain.example", "plain.example"},
         }) {
        EXPECT_EQ(to_ascii(unicode), ascii) << unicode;
        EXPECT_EQ(to_unicode(ascii), unicode) << ascii;
    }
}

TEST(Idna, MapsWhatPeopleType) {
    struct row {
        std::string_view typed, ascii, reason;
    };
    for (const auto& [typed, ascii, reason] : {
             row{"BÜCHER.Example", "xn--bcher-kva.example", "upper case"},
             row{"bu\u0308cher.example", "xn--bcher-kva.example", "decomposed"},
             row{"ｅｘａｍｐｌｅ.com", "example.com", "fullwidth letters"},
             row{"XN--BCHER-KVA.example", "xn--bcher-kva.example", "an A-label in upper case"},
             row{"_mta-sts.bücher.example", "_mta-sts.xn--bcher-kva.example",
                 "plain labels stay as they are"},
             row{"r3---sn.example", "r3---sn.example", "hyphens that only IDNA minds"},
         })
        EXPECT_EQ(to_ascii(typed), ascii) << reason;
}

TEST(Idna, RefusesWhatIdna2008Refuses) {
    struct row {
        std::string_view typed, reason;
    };
    const auto long_unicode = repeated("ü", 64) + ".example";
    const auto endless = repeated("ü", 100'000);
    for (const auto& [typed, reason] : {
             row{"xn--a.example", "punycode that decodes to nothing allowed"},
             row{"xn--0.example", "broken punycode"},
             row{"xn--ab-niv.example", "the A-label of a sign of mathematics"},
             row{"☃.example", "a symbol"},
             row{"xn--n3h.example", "the A-label of a symbol"},
             row{"r3---ü.example", "hyphens in the third and fourth place"},
             row{"-ü.example", "a hyphen in front"},
             row{"😀.example", "an emoji"},
             row{"\u0308a.example", "a combining mark in front"},
             row{"ab\u2260.example", "a sign of mathematics"},
             row{"\xfc"
                 "ber.example",
                 "Latin-1"},
             row{"bü\0cher.example"sv, "NUL"},
             row{"℀.example", "maps to a slash"},
             row{long_unicode, "a label too long as A-label"},
             row{endless, "far too long"},
             row{"bü cher.example", "a space"},
             row{"", "empty"},
         })
        EXPECT_EQ(to_ascii(typed), std::nullopt) << typed.substr(0, 80) << ": " << reason;
}

TEST(Idna, WhatCannotBeDecodedStays) {
    for (const auto name : {"xn--0.example"sv, "xn--a.example"sv, "xn--.example"sv, "a\0b"sv, "..."sv, ""sv})
        EXPECT_EQ(to_unicode(name), name);
    EXPECT_EQ(to_unicode("xn--0.xn--bcher-kva"), "xn--0.bücher") << "label by label";
}

RC_GTEST_PROP(Idna, DisplayLeadsBackToTheName, ()) {
    std::string typed;
    for (const auto& piece : *rc::gen::container<std::vector<std::string>>(rc::gen::elementOf(
             std::vector<std::string>{"a", "b", "ü", "ß", "例", "д", "-", "xn--", ".", "1", "ά"})))
        typed += piece;
    if (const auto name = to_ascii(typed))
        RC_ASSERT(to_ascii(to_unicode(*name)) == name);
}

TEST(PublicSuffix, GivesTheOrganizationalDomain) {
    struct row {
        std::string_view name, organizational;
    };
    for (const auto& [name, organizational] : {
             row{"example.com", "example.com"},
             row{"a.b.example.com", "example.com"},
             row{"a.b.example.co.uk", "example.co.uk"},
             row{"MX.Example.CO.UK.", "example.co.uk"},
             row{"co.uk", "co.uk"}, // a public suffix gives itself
             row{"com", "com"},
             row{"localhost", "localhost"},
             row{"a.b.kobe.jp", "a.b.kobe.jp"},      // *.kobe.jp: b.kobe.jp is a suffix
             row{"x.city.kobe.jp", "city.kobe.jp"},  // !city.kobe.jp
             row{"mx.example.test", "example.test"}, // no such top-level domain: one label
             row{"a.b.xn--bcher-kva.example", "xn--bcher-kva.example"},
             row{"mail.食狮.公司.cn", "食狮.公司.cn"},
             row{"mail.xn--85x722f.xn--55qx5d.cn", "xn--85x722f.xn--55qx5d.cn"}, // the same in A-labels
             row{"", ""},
         })
        EXPECT_EQ(organizational_domain(name), organizational) << name;
    const auto endless = repeated("a.", 100'000) + "com";
    EXPECT_EQ(organizational_domain(endless), endless) << "no domain name: as it came";
}

TEST(PublicSuffix, KnowsTheSuffixes) {
    for (const auto suffix :
         {"com"sv, "co.uk"sv, "CO.UK"sv, "kobe.jp"sv, "x.kobe.jp"sv, "github.io"sv, "anything"sv})
        EXPECT_TRUE(is_public_suffix(suffix)) << suffix;
    for (const auto name : {"example.com"sv, "city.kobe.jp"sv, "a.test"sv, ""sv, "co\0uk"sv})
        EXPECT_FALSE(is_public_suffix(name)) << name;
}

TEST(Names, BelowAndAbove) {
    EXPECT_TRUE(is_within("example.com", "example.com"));
    EXPECT_TRUE(is_within("MX.Example.com", "example.COM"));
    EXPECT_TRUE(is_within("a.b.example.com", "example.com"));
    EXPECT_FALSE(is_within("badexample.com", "example.com")) << "whole labels only";
    EXPECT_FALSE(is_within("example.com", "mx.example.com"));
    EXPECT_FALSE(is_within("example.com", ""));
    EXPECT_FALSE(is_within("", "example.com"));
    EXPECT_EQ(parent("a.b.c"), "b.c");
    EXPECT_EQ(parent("com"), "");
    EXPECT_EQ(parent(""), "");
}

} // namespace
