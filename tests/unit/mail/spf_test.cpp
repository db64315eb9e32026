// SPDX-License-Identifier: Apache-2.0
#include "mail/spf.h"

#include <gtest/gtest.h>

#include <map>

namespace mailtight::mail {
namespace {

struct names {
    std::map<std::string, std::vector<std::string>> texts, mx, addresses;
};

spf_result judge(const names& dns, const std::string& sender) {
    spf_walk walk("sender.example", *base::ip_address::parse(sender));
    for (int asked = 0; auto question = walk.next(); ++asked) {
        if (asked > 200)
            return spf_result::temperror; // it would never end
        const auto find = [&](const auto& in) {
            const auto at = in.find(question->name);
            return at == in.end() ? std::vector<std::string>() : at->second;
        };
        switch (question->what) {
        case spf_walk::question::kind::texts:
            walk.texts_seen(find(dns.texts));
            break;
        case spf_walk::question::kind::mx:
            walk.mx_seen(find(dns.mx));
            break;
        case spf_walk::question::kind::addresses: {
            std::vector<base::ip_address> out;
            for (const auto& text : find(dns.addresses))
                out.push_back(*base::ip_address::parse(text));
            walk.addresses_seen(out);
            break;
        }
        }
    }
    return walk.result();
}

names with_record(std::string record) {
    return {.texts = {{"sender.example", {"unrelated", std::move(record)}}},
            .mx = {{"sender.example", {"mx1.sender.example", "mx2.sender.example"}}},
            .addresses = {{"sender.example", {"192.0.2.1", "2001:db8::1"}},
                          {"mx1.sender.example", {"192.0.2.10"}},
                          {"mx2.sender.example", {"192.0.2.20", "2001:db8::20"}}}};
}

TEST(spf, one_record) {
    struct row {
        const char* record;
        const char* sender;
        spf_result expected;
    };
    const row rows[] = {
        {"v=spf1 ip6:2001:db8::/32 -all", "2001:db8::5", spf_result::pass},
        {"v=spf1 ip6:2001:db8::/32 -all", "2001:db9::5", spf_result::fail},
        {"v=spf1 ip6:2001:db8::5 ~all", "2001:db8::6", spf_result::softfail},
        {"v=spf1 ip4:192.0.2.0/24 -all", "2001:db8::5", spf_result::fail}, // IPv6 was forgotten
        {"v=spf1 ip4:192.0.2.0/24 ?all", "192.0.2.77", spf_result::pass},
        {"v=spf1 a -all", "2001:db8::1", spf_result::pass},
        {"v=spf1 a//64 -all", "2001:db8::ffff", spf_result::pass},
        {"v=spf1 a/24 -all", "192.0.2.99", spf_result::pass},
        {"v=spf1 a/24//64 -all", "192.0.3.99", spf_result::fail},
        {"v=spf1 mx -all", "2001:db8::20", spf_result::pass}, // of the second host
        {"v=spf1 mx -all", "192.0.2.10", spf_result::pass},
        {"v=spf1 mx:elsewhere.example -all", "192.0.2.10", spf_result::fail},
        {"V=SPF1 A -ALL", "192.0.2.1", spf_result::pass},
        {"v=spf1", "192.0.2.1", spf_result::neutral},
        {"v=spf1 -ip4:192.0.2.1 +all", "192.0.2.1", spf_result::fail},
        {"v=spf10 +all", "192.0.2.1", spf_result::none},
        {"v=spf1 ip6:nonsense -all", "192.0.2.1", spf_result::permerror},
        {"v=spf1 a/33 -all", "192.0.2.1", spf_result::permerror},
        {"v=spf1 nonsense -all", "192.0.2.1", spf_result::permerror},
        {"v=spf1 exists:%{i}.sender.example -all", "192.0.2.1", spf_result::unknown},
        {"v=spf1 exp=why.sender.example unknown=1 -all", "192.0.2.1", spf_result::fail},
    };
    for (const auto& [record, sender, expected] : rows)
        EXPECT_EQ(to_string(judge(with_record(record), sender)), to_string(expected))
            << record << " for " << sender;
}

TEST(spf, records_that_lead_on) {
    auto dns = with_record("v=spf1 include:_spf.host.example -all");
    dns.texts["_spf.host.example"] = {"v=spf1 ip6:2001:db8:1::/48 -all"};
    EXPECT_EQ(judge(dns, "2001:db8:1::9"), spf_result::pass);
    // The included -all does not decide (RFC 7208 §5.2), ours does.
    EXPECT_EQ(judge(dns, "2001:db8:2::9"), spf_result::fail);
    dns.texts["_spf.host.example"] = {};
    EXPECT_EQ(judge(dns, "2001:db8:1::9"), spf_result::permerror);

    dns = with_record("v=spf1 redirect=_spf.host.example");
    dns.texts["_spf.host.example"] = {"v=spf1 ip6:2001:db8:1::/48 ~all"};
    EXPECT_EQ(judge(dns, "2001:db8:1::9"), spf_result::pass);
    EXPECT_EQ(judge(dns, "2001:db8:2::9"), spf_result::softfail);

    dns = with_record("v=spf1 include:sender.example -all"); // itself
    EXPECT_EQ(judge(dns, "192.0.2.1"), spf_result::permerror);
    dns = with_record("v=spf1 redirect=sender.example");
    EXPECT_EQ(judge(dns, "192.0.2.1"), spf_result::permerror);

    dns = with_record("v=spf1 +all");
    dns.texts["sender.example"].push_back("v=spf1 -all");
    EXPECT_EQ(judge(dns, "192.0.2.1"), spf_result::permerror);
    EXPECT_EQ(judge({}, "192.0.2.1"), spf_result::none);
}

TEST(spf, dns_that_does_not_answer_is_no_opinion) {
    spf_walk walk("sender.example", *base::ip_address::parse("2001:db8::1"));
    walk.texts_seen(std::nullopt);
    EXPECT_EQ(walk.result(), spf_result::temperror);
    EXPECT_FALSE(walk.next());
    spf_walk second("sender.example", *base::ip_address::parse("2001:db8::1"));
    second.texts_seen(std::vector<std::string>{"v=spf1 a -all"});
    ASSERT_EQ(second.next()->what, spf_walk::question::kind::addresses);
    second.mx_seen(std::vector<std::string>{"mx.sender.example"}); // nobody asked for that
    ASSERT_TRUE(second.next());
    second.addresses_seen(std::nullopt);
    EXPECT_EQ(second.result(), spf_result::temperror);
}

TEST(spf, a_domain_that_is_none) {
    EXPECT_EQ(spf_walk("not a domain", *base::ip_address::parse("192.0.2.1")).result(),
              spf_result::permerror);
    EXPECT_EQ(judge(with_record("v=spf1 a:-bad..name -all"), "192.0.2.1"), spf_result::permerror);
}

} // namespace
} // namespace mailtight::mail
