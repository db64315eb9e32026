// SPDX-License-Identifier: Apache-2.0
// One mail host: which questions are asked, in which order, and what the answers make of it.
#include "support/proves.h"
#include "unit/resolve/dane_world.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

using namespace mailtight;
using namespace mailtight::tests;
using model::dns_status;
using resolve::host_class;
using testing::ElementsAre;
using testing::HasSubstr;

namespace {

struct a_host : testing::Test {
    dns_world world;
    const std::string host = "mx.example.com", tlsa_name = "_25._tcp.mx.example.com";
    a_host() { world.mx("example.com", {{10, host}}); }
    resolve::mx_standing standing() { return look(world).mx.at(0); }
};

TEST_F(a_host, is_asked_for_its_addresses_and_then_for_tlsa) {
    PROVES("7672-2.2.2-a", "7672-2.2.3-a", "7672-2.2-a");
    with_dane(world);
    const auto seen = standing();
    EXPECT_THAT(world.asked, ElementsAre("MX example.com", "A mx.example.com", "TLSA " + tlsa_name));
    EXPECT_EQ(seen.dane, host_class::usable);
    EXPECT_EQ(seen.base, host);
    EXPECT_EQ(seen.records.size(), 1u);
    EXPECT_EQ(seen.reason, "");
}

TEST_F(a_host, is_asked_at_the_port_that_mail_goes_to) {
    PROVES("7672-2.2.3-a");
    with_dane(world);
    world.tlsa("_26._tcp.mx.example.com", {strong_tlsa});
    const auto seen = look(world, to_domain("example.com", 26)).mx.at(0);
    EXPECT_EQ(seen.records.at(0).matching, strong_tlsa.matching);
    EXPECT_THAT(world.asked, testing::Contains("TLSA _26._tcp.mx.example.com"));
    EXPECT_THAT(world.asked, testing::Not(testing::Contains("TLSA " + tlsa_name)));
}

TEST_F(a_host, in_an_unsigned_zone_is_never_asked_for_tlsa) {
    PROVES("7672-2.2.2-b", "7672-2.2-c");
    with_dane(world);
    world.addresses(host, {"192.0.2.1"}, unsigned_zone);
    EXPECT_EQ(standing().dane, host_class::none);
    EXPECT_THAT(world.asked, ElementsAre("MX example.com", "A mx.example.com"));
}

// The four cases of an alias, each with TLSA at the alias, at the last target and at a name between.
struct alias_case {
    const char* why;
    model::dnssec expansion, first;
    std::string base;
    std::vector<std::string> tlsa_asked;
};
TEST_F(a_host, that_is_an_alias_has_its_base_domain_where_the_rule_says) {
    PROVES("7672-2.2.2-c", "7672-2.1.3-a");
    using enum model::dnssec;
    const std::string expanded = "TLSA _25._tcp.end.example.net", own = "TLSA " + tlsa_name;
    const alias_case cases[] = {
        {"the whole chain is secure: the expanded name, then the name itself",
         secure,
         secure,
         "end.example.net",
         {expanded}},
        {"the chain ends insecure, its first step is secure: the name itself alone",
         insecure,
         secure,
         host,
         {own}},
        {"the chain ends insecure, and so does its first step: nothing", insecure, insecure, "", {}},
        {"nobody validated the first step: nothing", insecure, unknown, "", {}},
    };
    for (const auto& row : cases) {
        dns_world w;
        w.mx("example.com", {{10, host}});
        w.addresses(host, {"192.0.2.1"},
                    {.security = row.expansion, .chain = {"between.example.org", "end.example.net"}});
        w.cname(host, "between.example.org", {.security = row.first});
        for (const auto* name : {"end.example.net", "between.example.org", "mx.example.com"})
            w.tlsa(std::string("_25._tcp.") + name, {good_tlsa});
        const auto seen = look(w).mx.at(0);
        EXPECT_EQ(seen.base, row.base) << row.why;
        EXPECT_EQ(seen.dane, row.base.empty() ? host_class::none : host_class::usable) << row.why;
        EXPECT_EQ(seen.host, host) << "named as the MX record names it: " << row.why;
        std::vector<std::string> asked;
        for (const auto& question : w.asked)
            if (question.starts_with("TLSA"))
                asked.push_back(question);
        EXPECT_EQ(asked, row.tlsa_asked) << row.why;
        EXPECT_EQ(std::ranges::count(w.asked, "CNAME mx.example.com"), row.expansion == insecure ? 1 : 0)
            << "the first step is asked for only where it decides: " << row.why;
    }
}

TEST_F(a_host, that_is_a_secure_alias_falls_back_to_its_own_name) {
    PROVES("7672-2.2.2-c", "7672-2.2.3-b");
    world.addresses(host, {"192.0.2.1"}, {.chain = {"end.example.net"}});
    world.tlsa(tlsa_name, {good_tlsa});
    struct row {
        const char* why;
        std::vector<entry> there;
        dns_said how;
    };
    const row rows[] = {
        {"the expanded name has none", {}, {}},
        {"it does not exist", {}, {.status = dns_status::nx_domain}},
        {"its records are not signed", {good_tlsa}, unsigned_zone},
    };
    for (const auto& row : rows) {
        world.tlsa("_25._tcp.end.example.net", row.there, row.how);
        EXPECT_EQ(standing().base, host) << row.why;
    }
    world.tlsa("_25._tcp.end.example.net", {short_tlsa});
    EXPECT_EQ(standing().base, "end.example.net") << "the first secure RRset counts, usable or not";
    EXPECT_EQ(standing().dane, host_class::unusable_only);
}

TEST_F(a_host, keeps_its_base_domain_where_the_tlsa_name_is_an_alias) {
    PROVES("7672-2.2.3-b");
    with_dane(world);
    world.tlsa(tlsa_name, {good_tlsa}, {.chain = {"tlsa.provider.example"}});
    EXPECT_EQ(standing().base, host);
    EXPECT_EQ(standing().dane, host_class::usable);
}

TEST_F(a_host, whose_tlsa_question_fails_is_out_of_reach) {
    PROVES("7672-2.1.2-c", "7672-2.2-d");
    with_dane(world);
    const std::pair<const char*, dns_said> rows[] = {
        {"SERVFAIL", fails("SERVFAIL: Signature Expired (extended error 7)")},
        {"refused", fails("NOTIMP", dns_status::refused)},
        {"silence", fails("no answer in time", dns_status::timeout)},
        {"garbage", fails("", dns_status::malformed)},
        {"bogus", bogus},
        {"a chain without an end", fails("", dns_status::cname_loop)},
        {"an answer that validation refused, whatever its status", {.security = model::dnssec::bogus}},
    };
    for (const auto& [why, how] : rows) {
        world.tlsa(tlsa_name, {good_tlsa}, how);
        const auto seen = standing();
        EXPECT_EQ(seen.dane, host_class::error) << why;
        EXPECT_THAT(seen.records, testing::IsEmpty()) << why;
        EXPECT_EQ(seen.bogus, how.status == dns_status::bogus || how.security == model::dnssec::bogus) << why;
        EXPECT_THAT(seen.reason, HasSubstr("TLSA look-up of " + tlsa_name + " failed: ")) << why;
        EXPECT_THAT(seen.reason, HasSubstr(how.detail)) << why;
        EXPECT_FALSE(seen.reason.ends_with(": ")) << why;
    }
    // The second candidate may not stand in for a first that failed.
    world.addresses(host, {"192.0.2.1"}, {.chain = {"end.example.net"}});
    world.tlsa(tlsa_name, {good_tlsa});
    world.tlsa("_25._tcp.end.example.net", {}, fails("SERVFAIL"));
    EXPECT_EQ(standing().dane, host_class::error);
}

TEST_F(a_host, whose_first_alias_cannot_be_judged_is_out_of_reach) {
    PROVES("7672-2.1.3-a");
    world.addresses(host, {"192.0.2.1"}, {.security = model::dnssec::insecure, .chain = {"end.example.net"}});
    world.cname(host, "", fails("SERVFAIL"));
    EXPECT_EQ(standing().dane, host_class::error);
    EXPECT_THAT(standing().reason, HasSubstr("CNAME"));
}

TEST_F(a_host, with_an_insecure_or_empty_tlsa_answer_has_no_dane) {
    PROVES("7672-2.2-c", "7672-2.1.1-b");
    with_dane(world);
    const std::tuple<const char*, std::vector<entry>, dns_said> rows[] = {
        {"insecure", {good_tlsa}, unsigned_zone},
        {"nobody validated", {good_tlsa}, {.security = model::dnssec::unknown}},
        {"no data", {}, {}},
        {"no data, insecure", {}, unsigned_zone},
        {"no such name", {}, {.status = dns_status::nx_domain}},
    };
    for (const auto& [why, records, how] : rows) {
        world.tlsa(tlsa_name, records, how);
        EXPECT_EQ(standing().dane, host_class::none) << why;
        EXPECT_EQ(standing().base, "") << why;
        EXPECT_NE(standing().reason, "") << why;
    }
}

struct record_row {
    const char* why;
    std::vector<entry> records;
    host_class expected;
    std::string reason;
};
TEST_F(a_host, is_classed_by_the_records_that_count) {
    PROVES("7672-2.2-b", "7672-2.2.3-c", "7671-9-a", "6698-4.1-a", "7672-3.1.3-a");
    with_dane(world);
    const record_row rows[] = {
        {"one good", {good_tlsa}, host_class::usable, ""},
        {"a good one beside broken ones", {short_tlsa, pkix_tlsa, good_tlsa}, host_class::usable, ""},
        {"a stronger digest that is broken leaves the weaker one",
         {good_tlsa, {3, 1, 2, "short"}},
         host_class::usable,
         ""},
        {"two digests", {good_tlsa, strong_tlsa}, host_class::usable, ""},
        {"usage 2", {{2, 0, 1, std::string(32, 'k')}}, host_class::usable, ""},
        {"usages 0 and 1 are not for SMTP",
         {pkix_tlsa, {0, 0, 1, std::string(32, 'k')}},
         host_class::unusable_only,
         "Usages 0 and 1"},
        {"an unknown usage",
         {{9, 1, 1, std::string(32, 'k')}},
         host_class::unusable_only,
         "usage is unknown"},
        {"an unknown digest",
         {{3, 1, 7, std::string(32, 'k')}},
         host_class::unusable_only,
         "matching type is unknown"},
        {"a digest of the wrong length", {short_tlsa}, host_class::unusable_only, "length"},
        {"a key that is none", {{3, 1, 0, "no key"}}, host_class::unusable_only, "DER"},
    };
    for (const auto& row : rows) {
        world.tlsa(tlsa_name, row.records);
        const auto seen = standing();
        EXPECT_EQ(seen.dane, row.expected) << row.why;
        EXPECT_EQ(seen.records.size(), row.records.size()) << "all are kept: " << row.why;
        EXPECT_THAT(seen.reason, HasSubstr(row.reason)) << row.why;
        EXPECT_EQ(seen.reason.empty(), row.expected == host_class::usable) << row.why;
    }
}

struct family_row {
    const char* why;
    std::vector<std::string> a, aaaa;
    dns_said a_how, aaaa_how;
    host_class expected;
};
TEST_F(a_host, is_judged_by_the_address_family_that_answers) {
    PROVES("7672-2.1.2-b", "7672-2.1.1-b");
    world.tlsa(tlsa_name, {good_tlsa});
    const auto failing = fails("SERVFAIL");
    const family_row rows[] = {
        {"IPv4 alone", {"192.0.2.1"}, {}, {}, {}, host_class::usable},
        {"IPv6 alone", {}, {"2001:db8::1"}, {}, {}, host_class::usable},
        {"AAAA fails where A answers", {"192.0.2.1"}, {}, {}, failing, host_class::usable},
        {"A fails where AAAA answers", {}, {"2001:db8::1"}, failing, {}, host_class::usable},
        {"AAAA is bogus where A answers", {"192.0.2.1"}, {}, {}, bogus, host_class::usable},
        {"AAAA fails in an unsigned zone", {"192.0.2.1"}, {}, unsigned_zone, failing, host_class::none},
        {"one family secure, the other not",
         {"192.0.2.1"},
         {"2001:db8::1"},
         unsigned_zone,
         {},
         host_class::usable},
        {"no A, and AAAA fails", {}, {}, {}, failing, host_class::error},
        {"no AAAA, and A is bogus", {}, {}, bogus, {}, host_class::error},
        {"both fail", {}, {}, failing, failing, host_class::error},
        {"neither", {}, {}, {}, {}, host_class::no_address},
        {"no such name",
         {},
         {},
         {.status = dns_status::nx_domain},
         {.status = dns_status::nx_domain},
         host_class::no_address},
    };
    for (const auto& row : rows) {
        world.a(host, row.a, row.a_how);
        world.aaaa(host, row.aaaa, row.aaaa_how);
        EXPECT_EQ(standing().dane, row.expected) << row.why;
    }
}

TEST_F(a_host, that_is_an_address_has_no_dane_and_is_not_asked_for) {
    PROVES("7672-2.2-e");
    for (const auto* literal : {"192.0.2.1", "2001:db8::1"}) {
        world.mx("example.com", {{10, literal}});
        world.asked.clear();
        EXPECT_EQ(standing().dane, host_class::none) << literal;
        EXPECT_THAT(standing().reason, HasSubstr("address")) << literal;
        EXPECT_THAT(world.asked, testing::Each("MX example.com")) << literal;
    }
}

TEST_F(a_host, with_a_name_too_long_for_tlsa_has_none) {
    const std::string label(60, 'a');
    const auto longest = label + "." + label + "." + label + "." + label + ".com"; // 247 bytes
    world.mx("example.com", {{10, longest}});
    world.addresses(longest, {"192.0.2.1"});
    EXPECT_EQ(standing().dane, host_class::none);
    for (const auto& question : world.asked)
        EXPECT_LE(question.size(), 5u + 253u);
}

} // namespace
