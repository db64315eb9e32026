// SPDX-License-Identifier: Apache-2.0
// What people type where a domain is asked for: understood, or refused with a word that helps.
#include "base/limits.h"
#include "base/text.h"
#include "mail/domain_name.h"

#include <gmock/gmock.h>
#include <rapidcheck/gtest.h>

using namespace mailtight;
using namespace mailtight::mail;
using namespace std::string_view_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

namespace {

const std::string label63(63, 'a');

TEST(UnderstandDomain, PlainDomains) {
    struct row {
        std::string_view typed, name, display;
    };
    for (const auto& [typed, name, display] : {
             row{"example.com", "example.com", "example.com"},
             row{"EXAMPLE.Com", "example.com", "example.com"},
             row{"example.com.", "example.com", "example.com"},
             row{"  example.com\t\r\n", "example.com", "example.com"},
             row{"\u00a0example.com\u200b", "example.com", "example.com"},
             row{"\ufeffexample.com", "example.com", "example.com"},
             row{"\"example.com\"", "example.com", "example.com"},
             row{"'example.com.'", "example.com", "example.com"},
             row{"`example.com`", "example.com", "example.com"},
             row{"<example.com>", "example.com", "example.com"},
             row{"“ example.com ”", "example.com", "example.com"},
             row{"«example.com»", "example.com", "example.com"},
             row{"bücher.example", "xn--bcher-kva.example", "bücher.example"},
             row{"BÜCHER.EXAMPLE.", "xn--bcher-kva.example", "bücher.example"},
             row{"xn--bcher-kva.example", "xn--bcher-kva.example", "bücher.example"},
             row{"XN--BCHER-KVA.Example", "xn--bcher-kva.example", "bücher.example"},
             row{"straße.example", "xn--strae-oqa.example", "straße.example"},
             row{"例え。テスト", "xn--r8jz45g.xn--zckzah", "例え.テスト"}, // an ideographic dot
             row{"ｅｘａｍｐｌｅ．ｃｏｍ", "example.com", "example.com"},
             row{"例え.テスト。", "xn--r8jz45g.xn--zckzah", "例え.テスト"},
             row{"a_b.example.com", "a_b.example.com", "a_b.example.com"},
             row{"mta-sts.com", "mta-sts.com", "mta-sts.com"},       // a domain of its own
             row{"mta-sts.co.uk", "mta-sts.co.uk", "mta-sts.co.uk"}, // likewise
             row{"3com.example", "3com.example", "3com.example"},
             row{"1.example", "1.example", "1.example"},
         }) {
        const auto domain = understand_domain(typed);
        ASSERT_TRUE(domain) << typed << ": " << explain(domain.error());
        EXPECT_EQ(domain->name, name) << typed;
        EXPECT_EQ(domain->display, display) << typed;
        EXPECT_THAT(domain->notes, IsEmpty()) << typed;
    }
}

TEST(UnderstandDomain, MoreThanADomainIsUnderstoodWithAWordAboutIt) {
    struct row {
        std::string_view typed, name, note;
    };
    for (const auto& [typed, name, note] : {
             row{"user@example.com", "example.com", "mail address"},
             row{"user@EXAMPLE.com.", "example.com", "mail address"},
             row{"\"a@b c\"@example.com", "example.com", "mail address"},
             row{"@example.com", "example.com", "mail address"},
             row{"mailto:user@example.com?subject=x", "example.com", "mail address"},
             row{"MAILTO:user@example.com", "example.com", "mail address"},
             row{"A User <user@example.com>", "example.com", "mail address"},
             row{"<user@example.com>", "example.com", "mail address"},
             row{"käthe@bücher.example", "xn--bcher-kva.example", "mail address"},
             row{"https://example.com", "example.com", "URL"},
             row{"https://example.com/", "example.com", "URL"},
             row{"HTTPS://Example.COM:8443/a/b?c=d@e#f", "example.com", "URL"},
             row{"http://user:secret@example.com:80/", "example.com", "URL"},
             row{"//example.com/x", "example.com", "URL"},
             row{"https://bücher.example./x", "xn--bcher-kva.example", "URL"},
             row{"https://example.com?q", "example.com", "URL"},
             row{"smtp://mx.example.com:25", "mx.example.com", "URL"},
             row{"example.com:25", "example.com", "port"},
             row{"example.com/path", "example.com", "path"},
             row{"example.com:443/path", "example.com", "path"},
             row{"_mta-sts.example.com", "example.com", "without _mta-sts. in front"},
             row{"_MTA-STS.example.com.", "example.com", "without _mta-sts. in front"},
             row{"mta-sts.example.com", "example.com", "without mta-sts. in front"},
             row{"_smtp._tls.example.com", "example.com", "without _smtp._tls. in front"},
             row{"_dmarc.example.com", "example.com", "without _dmarc. in front"},
             row{"xn--n3h.example", "xn--n3h.example", "taken as it is"},
             row{"XN--0.example", "xn--0.example", "taken as it is"},
             row{"_mta-sts.sub.example.co.uk", "sub.example.co.uk", "without _mta-sts. in front"},
         }) {
        const auto domain = understand_domain(typed);
        ASSERT_TRUE(domain) << typed << ": " << explain(domain.error());
        EXPECT_EQ(domain->name, name) << typed;
        EXPECT_THAT(domain->notes, ElementsAre(HasSubstr(note))) << typed;
    }
    const auto policy = understand_domain("https://mta-sts.example.com/.well-known/mta-sts.txt");
    ASSERT_TRUE(policy);
    EXPECT_EQ(policy->name, "example.com");
    EXPECT_THAT(policy->notes,
                ElementsAre(HasSubstr("URL: mta-sts.example.com"), HasSubstr("without mta-sts.")));
}

TEST(UnderstandDomain, ARefusalSaysWhy) {
    const auto sixty_four = label63 + "a.example";
    const auto too_long = label63 + "." + label63 + "." + label63 + "." + std::string(62, 'b');
    const auto endless = std::string(100'000, 'a');
    std::string long_unicode;
    for (int i = 0; i < 200; ++i)
        long_unicode += "ü.";
    struct row {
        std::string_view typed;
        domain_error why;
    };
    for (const auto& [typed, why] : {
             row{"", domain_error::empty},
             row{"   ", domain_error::empty},
             row{"\"\"", domain_error::empty},
             row{"user@", domain_error::empty},
             row{"https://", domain_error::empty},
             row{"https:///path", domain_error::empty},
             row{".", domain_error::single_label},
             row{"com", domain_error::single_label},
             row{"localhost", domain_error::single_label},
             row{"user@localhost", domain_error::single_label},
             row{"example..com", domain_error::empty_label},
             row{".example.com", domain_error::empty_label},
             row{"example.com..", domain_error::empty_label},
             row{"bücher..example", domain_error::empty_label},
             row{"exam ple.com", domain_error::bad_character},
             row{"example.com example.org", domain_error::bad_character},
             row{"example.com,example.org", domain_error::bad_character},
             row{"*.example.com", domain_error::bad_character},
             row{"exa!mple.com", domain_error::bad_character},
             row{"-a.example.com", domain_error::bad_character},
             row{"a-.example.com", domain_error::bad_character},
             row{"example.com:smtp", domain_error::bad_character},
             row{"exa\0mple.com"sv, domain_error::bad_character},
             row{"exa\x1bmple.com", domain_error::bad_character},
             row{"b\xfc"
                 "cher.example",
                 domain_error::bad_character},
             row{"☃.example", domain_error::idna},
             row{"ab≠.example", domain_error::idna},
             row{"r3---ü.example", domain_error::idna},
             row{"192.0.2.1", domain_error::address},
             row{"192.0.2.1.", domain_error::address},
             row{"192.0.2.1:25", domain_error::address},
             row{"192.0.2.0/24", domain_error::address},
             row{"１９２.0.2.1", domain_error::address},
             row{"user@[192.0.2.1]", domain_error::address},
             row{"user@[IPv6:2001:db8::1]", domain_error::address},
             row{"https://192.0.2.1/x", domain_error::address},
             row{"https://[2001:db8::1]:443/x", domain_error::address},
             row{"2001:db8::1", domain_error::address},
             row{"fe80::1%eth0", domain_error::address},
             row{"::", domain_error::address},
             row{"192.0.2.300", domain_error::address},
             row{"10.1", domain_error::address},
             row{sixty_four, domain_error::label_too_long},
             row{too_long, domain_error::too_long},
             row{endless, domain_error::too_long},
             row{long_unicode, domain_error::too_long},
         }) {
        const auto domain = understand_domain(typed);
        ASSERT_FALSE(domain) << typed << " is " << domain->name;
        EXPECT_EQ(explain(domain.error()), explain(why)) << typed;
    }
}

TEST(UnderstandDomain, ALengthThatLeavesNoRoomForTheRecordsIsRefused) {
    // `_smtp._tls.` costs 11 of the 253 characters
    const auto of_length = [](std::size_t length) {
        return label63 + "." + label63 + "." + label63 + "." + std::string(length - 3 * 64, 'b');
    };
    ASSERT_TRUE(understand_domain(of_length(242)));
    EXPECT_EQ(understand_domain(of_length(242))->name, of_length(242));
    EXPECT_EQ(understand_domain(of_length(242) + ".")->name, of_length(242));
    EXPECT_EQ(understand_domain(of_length(243)).error(), domain_error::too_long_for_sts);
    EXPECT_EQ(understand_domain(of_length(253)).error(), domain_error::too_long_for_sts);
    EXPECT_EQ(understand_domain(of_length(254)).error(), domain_error::too_long);
}

TEST(UnderstandDomain, EveryErrorHasItsOwnWords) {
    std::vector<std::string_view> said;
    for (const auto error :
         {domain_error::empty, domain_error::too_long, domain_error::label_too_long,
          domain_error::empty_label, domain_error::bad_character, domain_error::idna,
          domain_error::single_label, domain_error::address, domain_error::too_long_for_sts}) {
        EXPECT_GT(explain(error).size(), 15U);
        EXPECT_THAT(said, testing::Not(testing::Contains(explain(error))));
        said.push_back(explain(error));
    }
}

RC_GTEST_PROP(UnderstandDomain, WhatIsUnderstoodIsANameAndUnderstoodAgain, ()) {
    static const std::vector<std::string> pieces{
        "example",     ".",    ".com", "mta-sts.", "_mta-sts.", "@",     "https://", ":",  "25",
        "/",           "ü",    "xn--", "[",        "]",         "<",     ">",        "\"", " ",
        "。",          "\x1b", "\xff", "mailto:",  "-",         "１",    "%",        "?",  "#",
        "_smtp._tls.", "a",    "例",   "co.uk",    "\u200b",    "\u202e"};
    std::string typed;
    for (const auto& piece : *rc::gen::container<std::vector<std::string>>(rc::gen::elementOf(pieces)))
        typed += piece;
    const auto domain = understand_domain(typed);
    if (!domain)
        return;
    RC_ASSERT(canonical_name(domain->name) == domain->name);
    RC_ASSERT(domain->name.size() <= 242U);
    const auto again = understand_domain(domain->name);
    RC_ASSERT(again.has_value());
    RC_ASSERT(again->name == domain->name);
    for (const auto& note : again->notes)
        RC_ASSERT(note.find("taken as it is") != std::string::npos);
    for (const auto& note : domain->notes)
        RC_ASSERT(base::printable(note) == note);
}

} // namespace
