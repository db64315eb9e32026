// SPDX-License-Identifier: Apache-2.0
// What each mail server is told, judged by an independent reader of Postfix's grammar.
#include "support/postfix_grammar.h"
#include "support/proves.h"
#include "support/reply_cases.h"
#include "support/reply_rules.h"

#include <gtest/gtest.h>

namespace mailtight::resolve {

namespace {

using tests::parse_postfix_policy;
using tests::postfix_version;

constexpr dialect all_dialects[] = {dialect::tlspol,         dialect::tlspol_tlsrpt, dialect::postfix,
                                    dialect::postfix_legacy, dialect::postfix_3_10,  dialect::sendmail};

std::string said(dialect d, const tls_decision& decision, reply_options options = {}) {
    const reply r = render(d, decision, options);
    switch (r.what) {
    case reply::status::ok:
        return r.text;
    case reply::status::not_found:
        return "NOTFOUND";
    case reply::status::temp:
        return "TEMP " + r.text;
    case reply::status::perm:
        break;
    }
    return "PERM " + r.text;
}

TEST(reply, enforce_with_known_hosts) {
    PROVES("8461-4-a", "8461-4.1-a");
    const auto decision =
        enforcing({"mx1.shop.example", "*.Mail.shop.example"},
                  {"MX1.shop.example", "a.mail.shop.example", "a.b.mail.shop.example", "evil.example"});
    // Names of hosts that are admitted leave no choice to an unsigned MX answer: neither evil.example nor
    // what is two labels below mail.shop.example is among them.
    EXPECT_EQ(said(dialect::postfix, decision),
              "secure match=mx1.shop.example:a.mail.shop.example servername=hostname");
    EXPECT_EQ(said(dialect::postfix_legacy, decision), "secure match=mx1.shop.example:a.mail.shop.example");
    EXPECT_EQ(
        said(dialect::postfix_3_10, decision),
        "secure match=mx1.shop.example:a.mail.shop.example servername=hostname policy_type=sts "
        "policy_domain=shop.example mx_host_pattern=mx1.shop.example "
        "mx_host_pattern=*.mail.shop.example { policy_string = version: STSv1 } { policy_string = mode: "
        "enforce } { policy_string = mx: mx1.shop.example } { policy_string = mx: *.mail.shop.example } "
        "{ policy_string = max_age: 604800 }");
    // postfix-tlspol's answers and Sendmail's are the patterns.
    EXPECT_EQ(said(dialect::tlspol, decision),
              "secure match=mx1.shop.example:.mail.shop.example servername=hostname");
    EXPECT_EQ(said(dialect::sendmail, decision),
              "secure match=mx1.shop.example:.mail.shop.example servername=hostname");
    EXPECT_TRUE(said(dialect::tlspol_tlsrpt, decision)
                    .starts_with("secure match=mx1.shop.example:.mail.shop.example servername=hostname "
                                 "policy_type=sts policy_domain=shop.example "));
}

TEST(reply, a_wildcard_stands_for_one_label_even_where_postfix_takes_more) {
    PROVES("8461-4.1-b");
    const auto names = [](const tls_decision& decision) {
        return parse_postfix_policy(said(dialect::postfix, decision), postfix_version::v3_4)->match;
    };
    const auto accepts = [&](const tls_decision& decision, std::string_view certificate) {
        return std::ranges::any_of(names(decision), [&](const std::string& part) {
            return tests::postfix::certificate_name_fits(part, certificate);
        });
    };
    const auto looked_up =
        enforcing({"*.example.com"}, {"mail.example.com", "a.b.example.com", "example.com"});
    EXPECT_TRUE(accepts(looked_up, "mail.example.com"));
    EXPECT_FALSE(accepts(looked_up, "a.b.example.com"));
    EXPECT_FALSE(accepts(looked_up, "example.com"));
    // Without the hosts, the pattern is all there is, as loose as those versions read it.
    EXPECT_TRUE(accepts(enforcing({"*.example.com"}), "mail.example.com"));
    EXPECT_FALSE(accepts(enforcing({"*.example.com"}), "example.com"));
}

TEST(reply, no_host_is_admitted) {
    PROVES("8461-5-a", "8461-4-a");
    const auto decision = enforcing({"mx1.shop.example"}, {"mx9.elsewhere.example"});
    for (const dialect d : {dialect::postfix, dialect::postfix_legacy, dialect::postfix_3_10}) {
        const reply r = render(d, decision, {});
        EXPECT_EQ(r.what, reply::status::temp); // waits, is never bounced
        EXPECT_EQ(r.text, "MTA-STS policy of shop.example is enforced and admits none of its MX hosts "
                          "(mx9.elsewhere.example); it names mx1.shop.example");
    }
    // Sendmail compares the host with the list itself.
    EXPECT_EQ(said(dialect::sendmail, decision), "secure match=mx1.shop.example servername=hostname");
}

TEST(reply, hosts_that_are_not_known) {
    EXPECT_EQ(said(dialect::postfix, enforcing({"a.example", "*.b.example"})),
              "secure match=a.example:.b.example servername=hostname");
    auto many = enforcing({"*.b.example"}, {"x.b.example"});
    for (int i = 0; i < 70; ++i)
        many.mx.push_back({"mx" + std::to_string(i) + ".b.example", "", host_class::none});
    EXPECT_EQ(said(dialect::postfix, many), "secure match=.b.example servername=hostname")
        << "with more hosts than are looked at, a list of names could leave some out";
}

TEST(reply, what_is_not_enforced) {
    PROVES("8461-5-c");
    auto testing = enforcing({"mx1.shop.example"}, {"mx1.shop.example"});
    testing.what = decision::testing;
    testing.policy->value.mode = sts::mode::testing;
    auto none = decided(decision::none);
    none.policy = held(sts::mode::none, {});
    auto failed = decided(decision::no_policy);
    failed.fault = sts::policy_fault::fetch_error;
    for (const dialect d : all_dialects)
        for (const auto& decision : {testing, none, failed, decided(decision::no_policy)})
            EXPECT_EQ(said(d, decision), "NOTFOUND") << to_string(d);
    EXPECT_EQ(to_socketmap(render(dialect::postfix, none, {})), "9:NOTFOUND ,") << "with its blank";
}

TEST(reply, an_exempt_domain_is_free_of_the_mail_servers_own_dane) {
    auto exempt = decided(decision::no_policy);
    exempt.exception = model::policy_override{.domain = "shop.example"};
    EXPECT_EQ(said(dialect::postfix, exempt), "may");
    EXPECT_EQ(said(dialect::postfix_3_10, exempt), "may");
    EXPECT_EQ(said(dialect::sendmail, exempt), "NOTFOUND");
    EXPECT_EQ(said(dialect::postfix, exempt, {.mta_has_dane = false}), "NOTFOUND");
}

TEST(reply, dane_before_the_policy) {
    PROVES("8461-2-a");
    auto both = with_dane(true);
    both.policy = held(sts::mode::enforce, {"mx1.shop.example"});
    auto some = both;
    some.dane_only = false;
    for (const dialect d : all_dialects) {
        // Nothing said to Postfix lets a certificate that PKIX likes stand in for a TLSA record.
        // Sendmail puts its own DANE first where it has one; where it has none, the policy is kept at least.
        const bool sendmail = d == dialect::sendmail;
        const char* const policy = "secure match=mx1.shop.example servername=hostname";
        EXPECT_EQ(said(d, both), sendmail ? policy : "dane-only") << to_string(d);
        EXPECT_EQ(said(d, some), sendmail ? policy : "dane") << to_string(d);
    }
}

TEST(reply, dane_for_a_mail_server_that_has_none) {
    constexpr reply_options no_dane{.mta_has_dane = false};
    auto both = with_dane(false);
    both.policy = held(sts::mode::enforce, {"mx1.shop.example"});
    EXPECT_EQ(said(dialect::postfix, both, no_dane), "secure match=mx1.shop.example servername=hostname");
    EXPECT_EQ(said(dialect::sendmail, both, no_dane), "secure match=mx1.shop.example servername=hostname");
    EXPECT_EQ(said(dialect::postfix, with_dane(true), no_dane), "encrypt");
    EXPECT_EQ(said(dialect::sendmail, with_dane(true), no_dane), "NOTFOUND");
    EXPECT_EQ(said(dialect::postfix, with_dane(false), no_dane), "NOTFOUND")
        << "hosts without TLSA may have no TLS at all";
    auto lifted = both;
    lifted.exception =
        model::policy_override{.domain = "shop.example", .what = model::policy_override::kind::testing};
    EXPECT_EQ(said(dialect::postfix, lifted, no_dane), "NOTFOUND");
}

TEST(reply, an_unknown_state_is_never_no_policy) {
    auto unknown = decided(decision::unknown);
    unknown.reason = "SERVFAIL for MX of shop.example (DNSSEC Bogus)";
    for (const dialect d : all_dialects) {
        EXPECT_EQ(said(d, unknown), d == dialect::sendmail ? "TEMP " + unknown.reason : "dane");
        EXPECT_EQ(said(d, unknown, {.mta_has_dane = false}), "TEMP " + unknown.reason);
    }
    auto host = unknown;
    host.mx_known = true;
    host.mx = {{"mx1.shop.example", "", host_class::error}, {"mx2.shop.example", "", host_class::no_address}};
    EXPECT_EQ(said(dialect::postfix, host), "dane");
    // DANE is known here: what is unknown is the policy, which the mail server cannot find out.
    auto policy = host;
    policy.mx[0].dane = host_class::none;
    EXPECT_EQ(said(dialect::postfix, policy), "TEMP " + unknown.reason);
    auto required = unknown;
    required.exception =
        model::policy_override{.domain = "shop.example", .what = model::policy_override::kind::require};
    EXPECT_EQ(said(dialect::postfix, required), "TEMP " + unknown.reason);
    // Nor is a policy given up that is held: with `dane` a host without TLSA would get plain text.
    auto enforced = unknown;
    enforced.policy = held(sts::mode::enforce, {"mx1.shop.example"});
    for (const dialect d : all_dialects)
        EXPECT_EQ(said(d, enforced), "TEMP " + unknown.reason);
}

TEST(reply, reasons_are_short_and_printable) {
    struct row {
        std::string reason, shown;
    };
    const row rows[] = {
        {"plain words", "plain words"},
        {"two\r\nlines\tand a tab", "two lines and a tab"},
        {std::string("zero\0byte", 9), "zero byte"},
        {"caf\xc3\xa9 \xff", "caf? ?"},
        {"\x80\x81", "?"},
        {"\x01", "the TLS policy of shop.example cannot be known at the moment"},
        {"", "the TLS policy of shop.example cannot be known at the moment"},
        {" \n ", "the TLS policy of shop.example cannot be known at the moment"},
        {std::string(200, 'x'), std::string(177, 'x') + "..."},
        {std::string(180, 'x'), std::string(180, 'x')},
    };
    for (const auto& [reason, shown] : rows) {
        auto unknown = decided(decision::unknown);
        unknown.reason = reason;
        EXPECT_EQ(said(dialect::sendmail, unknown), "TEMP " + shown);
    }
}

TEST(reply, nothing_of_a_policy_gets_out_of_its_place) {
    struct row {
        std::string pattern;
        std::string why;
    };
    const row hostile[] = {
        {"hostname", "Postfix would take the certificate of whatever host DNS names"},
        {"nexthop", "an order too"},
        {"dot-nexthop", "an order too"},
        {"HostName", "in any case"},
        {"localhost", "no public host has one label"},
        {"a.example:evil.example", "another name"},
        {"a.example servername=evil.example", "another attribute"},
        {"a.example,tafile=/etc/passwd", "a comma separates too"},
        {"a.example\tciphers=null", "so does a tab"},
        {"a.example\nmay", "and a line end"},
        {"{a.example}", "braces"},
        {"a.example}", "half of them"},
        {"a=b.example", "an equals sign"},
        {"*", "no name"},
        {"*.", "no name"},
        {"**.example", "no grammar"},
        {"*.*.example", "no grammar"},
        {".example", "Postfix would take every name below"},
        {"a.*.example", "no grammar"},
        {"a..example", "an empty label"},
        {"a.example.", "a final dot"},
        {"-a.example", "a hyphen in front"},
        {"a-.example", "a hyphen at the end"},
        {"192.0.2.1", "an address"},
        {"*.2.1", "a part of one"},
        {"[192.0.2.1]", "an address literal"},
        {"b\xc3\xbc"
         "cher.example",
         "no A-label"},
        {std::string("a.exam\0ple", 10), "a zero byte"},
        {std::string(64, 'a') + ".example", "a label of 64"},
        {std::string(250, 'a') + ".example", "a label of 250"},
        {[] {
             std::string name;
             for (int i = 0; i < 60; ++i)
                 name += "abcd.";
             return name + "example";
         }(),
         "more than 253 bytes"},
        {"", "nothing"},
    };
    for (const auto& [pattern, why] : hostile) {
        SCOPED_TRACE(pattern + " (" + why + ")");
        const auto alone = enforcing({pattern}), beside = enforcing({pattern, "good.example"});
        for (const dialect d : all_dialects) {
            EXPECT_EQ(render(d, alone, {}).what, reply::status::temp);
            EXPECT_TRUE(said(d, beside).starts_with("secure match=good.example"));
            EXPECT_EQ(tests::broken_rule(d, beside, render(d, beside, {})), "");
            EXPECT_EQ(tests::broken_rule(d, alone, render(d, alone, {})), "");
        }
        // The same as the name of a host that a pattern pretends to admit.
        auto host = enforcing({"*.example", "good.example"}, {pattern, "good.example"});
        host.mx[0].admitted_by = "*.example";
        EXPECT_EQ(tests::broken_rule(dialect::postfix, host, render(dialect::postfix, host, {})), "");
    }
}

TEST(reply, lines_that_postfix_cannot_quote_are_left_out) {
    struct row {
        std::string line;
        bool kept;
    };
    const row rows[] = {
        {"x-note: a=b, c:d \"quoted\" \\ back", true},
        {"x-note: gr\xc3\xbc\xc3\x9f"
         "e",
         true},
        {"x-note: closing } brace", false},
        {"x-note: opening { brace", false},
        {"x-note: { both }", false},
        {"x-note: bell \x07", false},
        {"x-note: \xff", false},
        {"x-note: \xc2\x85 next line", false},
        {std::string("x-note: zero \0", 14), false},
        {"} policy_ttl=1 {", false},
    };
    for (const auto& [line, kept] : rows) {
        SCOPED_TRACE(line);
        auto decision = enforcing({"mx1.shop.example"});
        decision.policy->body =
            "version: STSv1\r\nmode:\tenforce\r\nmx: mx1.shop.example\r\n" + line + "\r\nmax_age: 604800\r\n";
        const auto parsed =
            parse_postfix_policy(said(dialect::postfix_3_10, decision), postfix_version::v3_10);
        ASSERT_TRUE(parsed) << parsed.error();
        EXPECT_EQ(parsed->policy_string.size(), kept ? 5 : 4);
        EXPECT_EQ(parsed->policy_string[1], "mode: enforce") << "a tab of the grammar becomes a blank";
        EXPECT_EQ(std::ranges::count(parsed->policy_string, line), kept ? 1 : 0);
        EXPECT_FALSE(parsed->single.contains("policy_ttl"));
    }
}

TEST(reply, the_attributes_of_3_10_come_whole_or_not_at_all) {
    // A pin has no text: the lines are made of it.
    auto pinned = enforcing({"mx1.shop.example"});
    pinned.policy->body.clear();
    auto parsed = parse_postfix_policy(said(dialect::postfix_3_10, pinned), postfix_version::v3_10);
    ASSERT_TRUE(parsed) << parsed.error();
    EXPECT_EQ(parsed->policy_string.size(), 4);
    // A domain that Postfix takes for no host name.
    for (const std::string domain : {"",
                                     "b\xc3\xbc"
                                     "cher.example",
                                     "a b.example", "x..example"}) {
        auto odd = enforcing({"mx1.shop.example"});
        odd.hop.domain = domain;
        EXPECT_EQ(said(dialect::postfix_3_10, odd), "secure match=mx1.shop.example servername=hostname");
    }
    // A policy as long as one may be: kept, and not reported.
    std::vector<std::string> patterns;
    std::string body = "version: STSv1\nmode: enforce\nmax_age: 604800\n";
    for (int i = 0; body.size() < 65'000; ++i) {
        patterns.push_back("m" + std::to_string(i) + ".example");
        body += "mx: " + patterns.back() + "\n";
    }
    auto huge = enforcing(patterns);
    huge.policy->body = body;
    EXPECT_EQ(tests::broken_rule(dialect::postfix, huge, render(dialect::postfix, huge, {})), "");
    EXPECT_TRUE(said(dialect::postfix_3_10, huge).ends_with("servername=hostname"));
}

TEST(reply, older_versions_are_never_told_what_they_refuse) {
    const auto decision = enforcing({"mx1.shop.example", "*.b.example"});
    const auto read_by = [&](dialect d, postfix_version version) {
        return parse_postfix_policy(said(d, decision), version).has_value();
    };
    EXPECT_TRUE(read_by(dialect::postfix_legacy, postfix_version::v2_11));
    EXPECT_TRUE(read_by(dialect::postfix, postfix_version::v3_4));
    EXPECT_TRUE(read_by(dialect::tlspol, postfix_version::v3_4));
    EXPECT_TRUE(read_by(dialect::postfix_3_10, postfix_version::v3_10));
    // The oracle can say no: what one dialect holds is refused by the versions before it.
    EXPECT_FALSE(read_by(dialect::postfix, postfix_version::v2_11));
    EXPECT_FALSE(read_by(dialect::postfix_3_10, postfix_version::v3_9));
}

TEST(reply, dialects_by_map_name) {
    EXPECT_EQ(dialect_of("QUERY"), dialect::tlspol);
    EXPECT_EQ(dialect_of("querywithtlsrpt"), dialect::tlspol_tlsrpt);
    EXPECT_EQ(dialect_of("Postfix-3.10"), dialect::postfix_3_10);
    EXPECT_EQ(dialect_of("STS"), dialect::sendmail);
    for (const std::string_view unknown : {"", "postfix-3.1", "JSON", "sts ", "query2"})
        EXPECT_EQ(dialect_of(unknown), std::nullopt) << unknown;
    for (const dialect d : all_dialects)
        EXPECT_EQ(dialect_of(to_string(d)), d);
}

} // namespace

} // namespace mailtight::resolve
