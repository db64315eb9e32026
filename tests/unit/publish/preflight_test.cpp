// SPDX-License-Identifier: Apache-2.0
#include "publish/preflight.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mailtight::publish {
namespace {

using model::dns_status;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

base::ip_address ip(const char* text) {
    return base::ip_address::parse(text).value();
}

preflight_rules rules() {
    return {.looked_after = true,
            .ours = {ip("192.0.2.1"), ip("2001:db8::1")},
            .identities = {"ca.example", "ca.example.net"},
            .account = "https://ca.example/acct/1",
            .kinds = {challenge_kind::tls_alpn_01, challenge_kind::http_01}};
}

model::address_fact leads_to(std::initializer_list<const char*> texts, std::vector<std::string> chain = {}) {
    model::address_fact fact;
    fact.a.status = fact.aaaa.status = dns_status::no_data;
    fact.a.type = "A";
    fact.aaaa.type = "AAAA";
    fact.a.chain = fact.aaaa.chain = std::move(chain);
    for (const auto* text : texts) {
        fact.addresses.push_back(ip(text));
        (fact.addresses.back().is_v4() ? fact.a : fact.aaaa).status = dns_status::ok;
    }
    return fact;
}

preflight_facts good() {
    preflight_facts seen{.host = "mta-sts.example.com",
                         .addresses = leads_to({"192.0.2.1", "2001:db8::1"}, {"policy.host.example"}),
                         .sibling = leads_to({})};
    seen.sibling.a.status = seen.sibling.aaaa.status = dns_status::nx_domain;
    seen.caa.status = dns_status::no_data;
    return seen;
}

preflight_facts with_caa(std::vector<model::caa_fact::entry> records) {
    auto seen = good();
    seen.caa.status = dns_status::ok;
    seen.caa.found_at = "example.com";
    seen.caa.records = std::move(records);
    return seen;
}

TEST(Preflight, GoesOnWhereEverythingLeadsHere) {
    EXPECT_EQ(judge(good(), rules()).in_the_way, "");
    EXPECT_EQ(judge(good(), rules()).kinds, rules().kinds);
}

TEST(Preflight, NeverForANameThatIsNotLookedAfter) {
    auto given = rules();
    given.looked_after = false;
    EXPECT_THAT(judge(good(), given).in_the_way, HasSubstr("no domain that is looked after"));
}

TEST(Preflight, AddressesInTheWay) {
    struct row {
        model::address_fact addresses;
        const char* words;
        const char* why;
    };
    auto failing = leads_to({"192.0.2.1"});
    failing.aaaa.status = dns_status::servfail;
    for (const auto& [addresses, words, why] : {
             row{leads_to({}), "no address yet", "nothing there"},
             row{leads_to({"198.51.100.7"}), "which is not this host", "another host"},
             row{leads_to({"198.51.100.7"}, {"old.provider.example"}),
                 "through the CNAME old.provider.example", "another's name"},
             row{leads_to({"192.0.2.1", "2001:db8::bad"}), "take away the AAAA record of others",
                 "a stray AAAA fails http-01: IPv6 is asked first"},
             row{leads_to({"192.0.2.1", "198.51.100.7"}), "take away the A record of others", "a stray A"},
             row{failing, "AAAA servfail", "an authority refuses what it cannot look up"},
         }) {
        auto seen = good();
        seen.addresses = addresses;
        EXPECT_THAT(judge(seen, rules()).in_the_way, HasSubstr(words)) << why;
    }
}

TEST(Preflight, AWildcardsAnswerIsNamedWhereItLeadsElsewhere) {
    auto seen = good();
    seen.addresses = seen.sibling = leads_to({"198.51.100.7"});
    EXPECT_THAT(judge(seen, rules()).in_the_way, HasSubstr("only because a wildcard"));
    // One that leads here cannot be told from a record that says the same, and does no harm.
    seen.addresses = seen.sibling = leads_to({"192.0.2.1"});
    EXPECT_EQ(judge(seen, rules()).in_the_way, "");
    // A wildcard beside a record of the host's own says nothing about that.
    seen = good();
    seen.sibling = leads_to({"198.51.100.7"});
    EXPECT_EQ(judge(seen, rules()).in_the_way, "");
}

TEST(Preflight, WithoutKnownAddressesOnlyThatThereAreAnyCounts) {
    auto given = rules();
    given.ours.clear();
    auto seen = good();
    seen.addresses = leads_to({"198.51.100.7"});
    EXPECT_EQ(judge(seen, given).in_the_way, "");
    seen.addresses = leads_to({});
    EXPECT_NE(judge(seen, given).in_the_way, "");
}

TEST(Preflight, Dns01NeedsNoAddress) {
    auto given = rules();
    given.kinds.push_back(challenge_kind::dns_01);
    auto seen = good();
    seen.addresses = leads_to({});
    const auto verdict = judge(seen, given);
    EXPECT_EQ(verdict.in_the_way, "");
    EXPECT_THAT(verdict.kinds, ElementsAre(challenge_kind::dns_01)) << "before the name leads here";
}

TEST(Preflight, CaaThatAdmits) {
    struct row {
        std::vector<model::caa_fact::entry> records;
        const char* why;
    };
    for (const auto& [records, why] : {
             row{{{0, "issue", "ca.example"}}, "named"},
             row{{{0, "issue", "other.example"}, {0, "issue", "CA.Example."}}, "one of several, in any case"},
             row{{{0, "issue", "ca.example.net"}}, "another name of the same authority"},
             row{{{0, "iodef", "mailto:a@example.com"}}, "nothing said of issuing"},
             row{{{0, "issuewild", ";"}}, "of wildcard certificates alone"},
             row{{{128, "issue", " ca.example ; accounturi=https://ca.example/acct/1 "}}, "our account"},
             row{{{0, "issue", "ca.example; validationmethods=tls-alpn-01,http-01"}}, "our kinds"},
         })
        EXPECT_EQ(judge(with_caa(records), rules()).in_the_way, "") << why;
}

TEST(Preflight, CaaThatForbids) {
    struct row {
        std::vector<model::caa_fact::entry> records;
        const char* words;
    };
    for (const auto& [records, words] : {
             row{{{0, "issue", ";"}}, "do not admit ca.example: add example.com CAA 0 issue"},
             row{{{0, "issue", ""}}, "do not admit"},
             row{{{0, "issue", "other.example"}}, "do not admit"},
             row{{{0, "issue", "ca.example; accounturi=https://ca.example/acct/2"}}, "correct accounturi"},
             row{{{0, "issue", "ca.example; validationmethods=dns-01"}}, "validationmethods"},
             row{{{128, "tbs", "x"}, {0, "issue", "ca.example"}}, "must understand or refuse"},
         })
        EXPECT_THAT(judge(with_caa(records), rules()).in_the_way, HasSubstr(words));
    auto seen = good();
    seen.caa.status = dns_status::servfail;
    EXPECT_THAT(judge(seen, rules()).in_the_way, HasSubstr("cannot be looked up"));
}

TEST(Preflight, CaaMayLeaveSomeKindsOfProof) {
    const auto verdict = judge(with_caa({{0, "issue", "ca.example; validationmethods=http-01"}}), rules());
    EXPECT_EQ(verdict.in_the_way, "");
    EXPECT_THAT(verdict.kinds, ElementsAre(challenge_kind::http_01));
}

TEST(Preflight, OfANameOfOursSaysWhatToDoWithoutAPolicyHost) {
    auto seen = good();
    seen.host = "pages.example.com";
    seen.addresses = leads_to({});
    auto with = rules();
    with.policy_host = false;
    EXPECT_THAT(judge(seen, with).in_the_way,
                AllOf(HasSubstr("give it the addresses of this machine"), Not(HasSubstr("policy host"))));
}

TEST(Preflight, KindsThatCanSucceedAreThoseWhosePortIsBoundHere) {
    using enum challenge_kind;
    const std::vector all{tls_alpn_01, http_01, dns_01};
    EXPECT_THAT(kinds_here(all, true, true, true), ElementsAre(tls_alpn_01, http_01, dns_01));
    EXPECT_THAT(kinds_here(all, true, false, true), ElementsAre(tls_alpn_01, dns_01));
    EXPECT_THAT(kinds_here(all, false, true, false), ElementsAre(http_01));
    // A container, or a router in front, may lead both ports to others of ours.
    EXPECT_THAT(kinds_here(all, false, false, false), ElementsAre(tls_alpn_01, http_01));
    EXPECT_THAT(kinds_here({dns_01}, true, true, false), ElementsAre());
}

} // namespace
} // namespace mailtight::publish
