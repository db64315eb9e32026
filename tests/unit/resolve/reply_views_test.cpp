// SPDX-License-Identifier: Apache-2.0
// A decision as JSON, whose keys are a contract, and for people.
#include "base/text.h"
#include "support/reply_cases.h"

#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mailtight::resolve {

namespace {

using ::testing::HasSubstr;
using ::testing::Not;

tls_decision whole() {
    auto made = enforcing({"*.shop.example"}, {"mx1.shop.example", "mx9.elsewhere.example"});
    made.source = decision_source::cache;
    made.mx[0].admitted_by = "*.shop.example";
    made.next_check_at = noon + std::chrono::minutes{5};
    made.fault = sts::policy_fault::webpki_invalid;
    made.fault_detail = "expired yesterday";
    made.notes = {"The latest look for the policy failed (sts-webpki-invalid): expired yesterday",
                  "Not admitted by the policy: mx9.elsewhere.example"};
    mx_standing broken;
    broken.host = "mx9.elsewhere.example";
    broken.dane = host_class::error;
    broken.reason = "SERVFAIL for TLSA (EDE 6, DNSSEC Bogus)";
    made.dane_hosts.push_back(broken);
    return made;
}

TEST(reply_json, has_the_keys_of_the_contract) {
    const auto json = boost::json::parse(to_json(whole(), {}, noon));
    EXPECT_EQ(json.at("domain"), "shop.example");
    EXPECT_EQ(json.at("decision"), "enforce");
    EXPECT_EQ(json.at("source"), "cache");
    EXPECT_EQ(json.at("id"), "20260101");
    EXPECT_EQ(json.at("fetched_at").as_string(), base::format_utc(noon - std::chrono::hours{1}));
    EXPECT_EQ(json.at("expires_at").as_string(), base::format_utc(noon + std::chrono::hours{100}));
    EXPECT_EQ(json.at("next_check_at").as_string(), base::format_utc(noon + std::chrono::minutes{5}));
    ASSERT_EQ(json.at("mx").as_array().size(), 2u);
    EXPECT_EQ(json.at("mx").at(0).at("host"), "mx1.shop.example");
    EXPECT_EQ(json.at("mx").at(0).at("admitted_by"), "*.shop.example");
    EXPECT_EQ(json.at("mx").at(1).at("admitted_by"), "");
    EXPECT_EQ(json.at("replies").at("postfix"), "secure match=mx1.shop.example servername=hostname");
    EXPECT_EQ(json.at("replies").at("postfix-legacy"), "secure match=mx1.shop.example");
    EXPECT_EQ(json.at("replies").at("sendmail"), "secure match=.shop.example servername=hostname");
    EXPECT_EQ(json.at("replies").at("QUERY"), "secure match=.shop.example servername=hostname");
    EXPECT_TRUE(json.at("replies").at("postfix-3.10").as_string().ends_with("max_age: 604800 }"));
    EXPECT_TRUE(json.at("replies").at("QUERYwithTLSRPT").as_string().ends_with("max_age: 604800 }"));
    EXPECT_EQ(json.at("replies").at("exim"), "enforce *.shop.example");
    ASSERT_EQ(json.at("errors").as_array().size(), 2u);
    EXPECT_EQ(json.at("errors").at(0).at("code"), "sts-webpki-invalid");
    EXPECT_THAT(std::string(json.at("errors").at(0).at("message").as_string()),
                HasSubstr("expired yesterday"));
    EXPECT_EQ(json.at("errors").at(1).at("code"), "dane-lookup-failed");
    EXPECT_EQ(json.at("errors").at(1).at("subject"), "mx9.elsewhere.example");
    EXPECT_EQ(json.at("policy").at("mode"), "enforce");
    EXPECT_EQ(json.at("good_for").to_number<int>(), 300);
}

TEST(reply_json, says_null_where_there_is_nothing) {
    const auto json = boost::json::parse(to_json(decided(decision::no_policy), {}, noon));
    for (const auto* key : {"id", "fetched_at", "expires_at", "next_check_at", "policy", "dane", "override"})
        EXPECT_TRUE(json.at(key).is_null()) << key;
    EXPECT_EQ(json.at("replies").at("postfix"), "NOTFOUND");
    EXPECT_TRUE(json.at("mx").as_array().empty());
    EXPECT_TRUE(json.at("errors").as_array().empty());

    auto unknown = decided(decision::unknown);
    unknown.reason = "SERVFAIL";
    const auto other = boost::json::parse(to_json(unknown, {.mta_has_dane = false}, noon));
    EXPECT_EQ(other.at("replies").at("postfix"), "TEMP SERVFAIL");
    EXPECT_EQ(other.at("errors").at(0).at("code"), "unknown");
}

TEST(reply_json, shows_the_exception) {
    auto exempt = decided(decision::no_policy);
    exempt.exception = model::policy_override{.domain = "shop.example",
                                              .why = "their certificate; ticket 7",
                                              .by = "anna",
                                              .since = noon,
                                              .until = noon + std::chrono::hours{1}};
    const auto json = boost::json::parse(to_json(exempt, {}, noon));
    EXPECT_EQ(json.at("override").at("kind"), "exempt");
    EXPECT_EQ(json.at("override").at("why"), "their certificate; ticket 7");
    EXPECT_EQ(json.at("override").at("until").as_string(), base::format_utc(noon + std::chrono::hours{1}));
}

TEST(reply_explain, tells_what_holds_and_why) {
    const auto text = explain(whole(), {}, noon);
    EXPECT_TRUE(text.starts_with("shop.example: enforce (cache)\n")) << text;
    EXPECT_THAT(text, HasSubstr("expired yesterday"));
    EXPECT_THAT(text, HasSubstr("mx1.shop.example: admitted by *.shop.example"));
    EXPECT_THAT(text, HasSubstr("mx9.elsewhere.example: not admitted by the policy"));
    EXPECT_THAT(text, HasSubstr("SERVFAIL for TLSA"));
    EXPECT_THAT(text, HasSubstr(base::format_utc(noon + std::chrono::hours{100}) + " (in 4 days 4 h)"));
    EXPECT_THAT(text, HasSubstr("(1 h ago)"));
    EXPECT_THAT(text, HasSubstr("mode: enforce"));
    EXPECT_THAT(text, HasSubstr("postfix-legacy  secure match=mx1.shop.example\n"));
    const auto replies = text.find("\nReplies\n");
    ASSERT_NE(replies, text.npos);
    for (const auto line : base::split(std::string_view(text).substr(0, replies), '\n'))
        EXPECT_LE(line.size(), 80u) << line;
}

TEST(reply_explain, is_as_wide_as_the_reader_wants) {
    auto wordy = whole();
    wordy.notes.push_back("one two three four five six seven eight nine ten eleven twelve thirteen fourteen");
    for (const std::size_t wanted : {0u, 40u, 60u, 78u, 120u, 200u, 100'000u}) {
        const auto text = explain(wordy, {}, noon, wanted);
        std::size_t widest = 0;
        for (const auto line : base::split(std::string_view(text).substr(0, text.find("\nReplies\n")), '\n'))
            widest = std::max(widest, line.size());
        EXPECT_LE(widest, std::clamp<std::size_t>(wanted, 40, 200)) << text;
        EXPECT_GT(widest, std::min<std::size_t>(wanted, 90) * 3 / 4) << text;
    }
}

TEST(reply_explain, claims_nothing_that_was_not_looked_at) {
    auto silent = enforcing({"*.shop.example"}, {});
    silent.mx_known = false;
    EXPECT_THAT(explain(silent, {}, noon), HasSubstr("the patterns of the policy stand"));
    for (const auto what : {decision::no_policy, decision::unknown})
        EXPECT_THAT(explain(decided(what), {}, noon), Not(HasSubstr("Mail hosts")))
            << "without a policy there are no patterns";

    auto retiring = enforcing({}, {"mx1.shop.example"});
    retiring.what = decision::none;
    retiring.policy->value.mode = sts::mode::none;
    const auto text = explain(retiring, {}, noon);
    EXPECT_THAT(text, HasSubstr("mx1.shop.example; DANE: none"));
    EXPECT_THAT(text, Not(HasSubstr("admitted"))) << "mode none judges no host";
}

TEST(reply_explain, an_exception_is_not_taken_for_what_the_domain_says) {
    auto pinned = enforcing({"mx1.shop.example"}, {"mx1.shop.example"});
    pinned.exception = model::policy_override{.what = model::policy_override::kind::pin};
    pinned.expires_at = {};
    const auto text = explain(pinned, {}, noon);
    EXPECT_THAT(text,
                HasSubstr("Policy, pinned here\n  mode       enforce\n  mx         mx1.shop.example\n"));

    auto exempt = decided(decision::no_policy);
    exempt.source = decision_source::override_;
    EXPECT_THAT(explain(exempt, {}, noon), HasSubstr("An exception made here frees it"));

    auto required = decided(decision::unknown);
    required.source = decision_source::override_;
    EXPECT_THAT(explain(required, {}, noon), HasSubstr("an exception made here asks for more"));
    EXPECT_THAT(explain(decided(decision::unknown), {}, noon), HasSubstr("cannot be known at the moment"));
}

TEST(reply_explain, shows_nothing_that_a_terminal_obeys) {
    auto hostile = whole();
    hostile.policy->body = "version: STSv1\n\x1b]0;owned\x07\n\xe2\x80\xae"
                           "elif\nmx: \x9b"
                           "31m\n";
    hostile.policy->id = "\x1b[31m";
    hostile.mx[0].host = "\x1b[2J";
    hostile.notes = {"\x1b[5m"};
    hostile.dane_hosts[0].reason = "\r\x1b[1A";
    hostile.dane_hosts[0].host = "\x07";
    hostile.hop.domain = "\x1b[7m";
    const auto text = explain(hostile, {}, noon);
    for (const char c : text)
        EXPECT_TRUE(c == '\n' || static_cast<unsigned char>(c) >= 0x20) << static_cast<int>(c);
    EXPECT_THAT(text, Not(HasSubstr("\xe2\x80\xae")));
    EXPECT_TRUE(base::is_utf8(text));
}

TEST(reply_explain, a_key_without_a_policy_says_why) {
    auto literal = decided(decision::no_policy);
    literal.hop = {mail::next_hop::kind::address_literal, "", 25};
    literal.source = decision_source::key;
    const auto text = explain(literal, {}, noon);
    EXPECT_TRUE(text.starts_with("This destination: no-policy (key)\n")) << text;
    EXPECT_THAT(text, HasSubstr(std::string(mail::explain(mail::next_hop::kind::address_literal))));
}

} // namespace

} // namespace mailtight::resolve
