// SPDX-License-Identifier: Apache-2.0
// Names below a protected domain that take mail: each is told with what to do, and many are told in one.
#include "advise/text.h"
#include "codes.h"

#include <gmock/gmock.h>

namespace mailtight::tests {
namespace {

using testing::HasSubstr;

TEST(names_below, each_is_told_with_its_fix) {
    auto seen = healthy();
    ASSERT_TRUE(codes_of(seen).empty());
    seen.unprotected_below = {"a.example.org", "b.example.org"};
    const auto judged = advise::judge(seen);
    EXPECT_EQ(codes_of(judged.findings), (codes{"subdomain.unprotected", "subdomain.unprotected"}));
    EXPECT_EQ(advise::to_string(judged.verdict), "protected") << "the domain itself is";
    const auto* first = find(judged, "subdomain.unprotected");
    ASSERT_TRUE(first);
    EXPECT_EQ(first->subject, "a.example.org");
    EXPECT_EQ(first->fix, "mailtight domain add a.example.org --like " + seen.domain);
}

TEST(names_below, many_are_told_in_one) {
    auto seen = healthy();
    for (int i = 100; i < 150; ++i)
        seen.unprotected_below.push_back("n" + std::to_string(i) + ".example.org");
    const auto judged = advise::judge(seen);
    ASSERT_EQ(judged.findings.size(), 11U);
    const auto& rest = judged.findings.back();
    EXPECT_EQ(rest.subject, "*." + seen.domain);
    EXPECT_THAT(rest.message, HasSubstr("40 more names"));
    EXPECT_THAT(rest.evidence, testing::AllOf(HasSubstr("n110."), HasSubstr("n149.")));
    EXPECT_THAT(rest.fix, HasSubstr("--like " + seen.domain));
}

TEST(names_below, nothing_where_the_domain_itself_has_no_policy) {
    auto seen = without_sts();
    const auto before = codes_of(seen);
    seen.unprotected_below = {"a.example.org"};
    EXPECT_EQ(codes_of(seen), before);
}

/// What a look sees of a name that nobody has registered.
model::observation nobody() {
    using model::dns_status;
    model::observation seen;
    seen.domain = seen.display = "example.com";
    seen.checked_at = look_time();
    seen.sts_txt = txt("_mta-sts.example.com", {});
    seen.tlsrpt_txt = txt("_smtp._tls.example.com", {});
    seen.apex_txt = txt("example.com", {});
    seen.dmarc_txt = txt("_dmarc.example.com", {});
    seen.wildcard_txt = txt("_x7f3k.example.com", {});
    seen.zone_soa = answer("com", "SOA");
    seen.policy_host = addresses("mta-sts.example.com", {});
    seen.mx_set = answer<model::mx_set_fact>("example.com", "MX", dns_status::nx_domain);
    seen.implicit_mx = true;
    model::mx_host_fact itself;
    itself.host = "example.com";
    itself.addresses = addresses("example.com", {});
    seen.mx = {itself};
    seen.smtp_tried = true;
    return seen;
}

TEST(no_such_domain, is_said_first_and_nothing_is_offered) {
    const auto judged = advise::judge(nobody());
    EXPECT_EQ(codes_of(judged.findings), codes{"domain.absent"});
    EXPECT_EQ(advise::to_string(judged.verdict), "absent");
    EXPECT_EQ(judged.exit_status(), 1);
    EXPECT_EQ(judged.ready_to_enforce, false);
    EXPECT_TRUE(judged.mx.empty());
    EXPECT_TRUE(judged.suggestion.records.empty());
    EXPECT_TRUE(judged.suggestion.policy.empty());
    EXPECT_TRUE(judged.suggestion.needs.empty());
    EXPECT_TRUE(judged.also_recommended.empty());
    EXPECT_EQ(codes_of(advise::judge(nobody(), {.without = {"domain.absent"}}).findings), codes{});
    const auto text = advise::check_text(nobody(), judged, {});
    EXPECT_THAT(text, testing::StartsWith("example.com: DOES NOT EXIST\nThis domain does not exist in DNS."));
    EXPECT_THAT(text, testing::Not(HasSubstr("To publish")));
    EXPECT_THAT(text, testing::Not(HasSubstr("v=STSv1")));
}

TEST(no_such_domain, is_not_said_of_a_name_that_is_there) {
    using model::dns_status;
    struct row {
        const char* why;
        std::function<void(model::observation&)> change;
    };
    const row rows[] = {
        {"an empty non-terminal: the name exists without records",
         [](auto& o) {
             for (auto* status : {&o.mx_set.status, &o.apex_txt.status, &o.mx.at(0).addresses.a.status,
                                  &o.mx.at(0).addresses.aaaa.status})
                 *status = dns_status::no_data;
         }},
        {"a domain with addresses and no MX record",
         [](auto& o) {
             o.mx_set.status = dns_status::no_data;
             o.mx.at(0).addresses = addresses("example.com", {"192.0.2.25"});
         }},
        {"an alias whose target does not exist", [](auto& o) { o.mx_set.chain = {"gone.example.net"}; }},
        {"DNS gave no answer", [](auto& o) { o.mx_set.status = dns_status::servfail; }},
        {"a server that says NXDOMAIN of an empty non-terminal: a record stands below",
         [](auto& o) { o.sts_txt = txt("_mta-sts.example.com", {"v=STSv1; id=1"}); }},
        {"the same: only a policy host stands below",
         [](auto& o) { o.policy_host = addresses("mta-sts.example.com", {"192.0.2.80"}); }},
        {"the same: only DMARC stands below",
         [](auto& o) { o.dmarc_txt = txt("_dmarc.example.com", {"v=DMARC1; p=none"}); }},
        {"the zone of the name is there", [](auto& o) { o.zone_soa = answer("example.com", "SOA"); }},
        {"the question for its texts failed: nothing is certain",
         [](auto& o) { o.apex_txt.status = dns_status::timeout; }},
    };
    for (const row& r : rows) {
        SCOPED_TRACE(r.why);
        auto seen = nobody();
        r.change(seen);
        EXPECT_FALSE(advise::no_such_domain(seen));
        EXPECT_EQ(find(advise::judge(seen), "domain.absent"), nullptr);
    }
    auto below = nobody(); // DMARC of the organisational domain says nothing of the name below it
    below.domain = "mail.example.com";
    below.dmarc_txt = txt("_dmarc.example.com", {"v=DMARC1; p=none"});
    EXPECT_TRUE(advise::no_such_domain(below));
}

} // namespace
} // namespace mailtight::tests
