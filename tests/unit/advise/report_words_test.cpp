// SPDX-License-Identifier: Apache-2.0
// The sentence that opens a report, word for word, and what becomes of failed sessions.
#include "advise/diagnose.h"
#include "support/proves.h"
#include "tlsrpt/write_report.h"

#include <gtest/gtest.h>

namespace mailtight::advise {
namespace {

using namespace std::chrono;

constexpr sys_days may_3 = year(2026) / 5 / 3;

tlsrpt::policy_result sts(std::uint64_t success, std::uint64_t failure, std::string mode = "enforce") {
    tlsrpt::policy_result made;
    made.type = "sts";
    made.domain = "example.com";
    made.success = success;
    made.failure = failure;
    made.strings = {"version: STSv1", "mode: " + mode, "mx: mx1.example.com", "max_age: 604800"};
    made.mx_patterns = {"mx1.example.com"};
    return made;
}
tlsrpt::failure_detail detail(std::string type, std::uint64_t count, std::string mx = "mx1.example.com") {
    tlsrpt::failure_detail made;
    made.result_type = std::move(type);
    made.count = count;
    made.receiving_mx = std::move(mx);
    return made;
}
tlsrpt::report report(std::vector<tlsrpt::policy_result> policies) {
    tlsrpt::report made;
    made.organization_name = "Google";
    made.start = may_3;
    made.end = may_3 + hours(24) - seconds(1);
    made.policies = std::move(policies);
    return made;
}

TEST(OpeningSentence, of_a_good_day) {
    EXPECT_EQ(opening_sentence(report({sts(1204, 0)})),
              "Google: 1,204 sessions on 3 May 2026, all as your policy asks. Nothing to do.");
    EXPECT_EQ(opening_sentence(report({sts(1, 0)})),
              "Google: 1 session on 3 May 2026, all as your policy asks. Nothing to do.");
    EXPECT_EQ(opening_sentence(report({sts(0, 0)})), "Google: no sessions on 3 May 2026. Nothing to do.");
    EXPECT_EQ(opening_sentence(report({})), "Google: no sessions on 3 May 2026. Nothing to do.");
    auto none = sts(20, 0);
    none.type = "no-policy-found";
    none.strings.clear();
    EXPECT_EQ(opening_sentence(report({none})), "Google: 20 sessions on 3 May 2026, all over TLS; this "
                                                "reporter found no policy to apply. Nothing to do.");
    EXPECT_EQ(opening_sentence(report({none, sts(4, 0)})),
              "Google: 24 sessions on 3 May 2026, all over TLS, and as your policy asks where the reporter "
              "found one. "
              "Nothing to do.");
}

TEST(OpeningSentence, of_a_day_with_failures) {
    auto policy = sts(98, 2);
    policy.details = {detail("certificate-expired", 2)};
    EXPECT_EQ(opening_sentence(report({policy})), "Google: 100 sessions on 3 May 2026, 2 of them failed (2.0 "
                                                  "%) and the sender held the mail back. What to fix: The "
                                                  "certificate has expired (mx1.example.com).");
    policy = sts(98, 2, "testing");
    policy.details = {detail("certificate-expired", 2)};
    EXPECT_EQ(opening_sentence(report({policy})), "Google: 100 sessions on 3 May 2026, 2 of them failed (2.0 "
                                                  "%), the mail was delivered all the same. What to fix: "
                                                  "The certificate has expired (mx1.example.com).");
    policy = sts(0, 7);
    policy.details = {detail("certificate-expired", 3), detail("starttls-not-supported", 4, "")};
    EXPECT_EQ(opening_sentence(report({policy})), "Google: 7 sessions on 3 May 2026, all of them failed and "
                                                  "the sender held the mail back. What to fix: The mail "
                                                  "server offers no encryption, and more below.");
    policy = sts(1, 1);
    EXPECT_EQ(opening_sentence(report({policy})),
              "Google: 2 sessions on 3 May 2026, 1 of them failed (50.0 %) and the "
              "sender held the mail back. The report does not say why.");
    policy.details = {detail("dane-required", 1)};
    policy.type = "tlsa";
    EXPECT_EQ(opening_sentence(report({policy})),
              "Google: 2 sessions on 3 May 2026, 1 of them failed (50.0 %) and the sender held the mail "
              "back. Probably "
              "nothing to do here: The sender insists on DANE (mx1.example.com).");
    policy = sts(999'999, 1);
    policy.strings.clear();
    policy.details = {detail("certificate-expired", 1)};
    EXPECT_EQ(opening_sentence(report({policy})),
              "Google: 1,000,000 sessions on 3 May 2026, 1 of them failed (under 0.1 %); what became of the "
              "mail is not "
              "said. What to fix: The certificate has expired (mx1.example.com).");
}

TEST(OpeningSentence, counts_sessions_once_and_of_the_domain_asked_for) {
    auto tlsa = sts(5, 0);
    tlsa.type = "tlsa";
    auto other = sts(100, 0);
    other.domain = "example.net";
    EXPECT_TRUE(opening_sentence(report({sts(3, 0), tlsa})).starts_with("Google: 5 sessions "));
    EXPECT_TRUE(
        opening_sentence(report({sts(3, 0), other}), "example.com").starts_with("Google: 3 sessions "));
}

TEST(OpeningSentence, of_the_made_up_report_asks_for_something) {
    const auto sentence = opening_sentence(tlsrpt::example_report(may_3));
    EXPECT_NE(sentence.find("What to fix: "), std::string::npos) << sentence;
}

TEST(OpeningSentence, names_the_reporter_as_well_as_it_can) {
    auto of = report({sts(2, 0)});
    of.organization_name = "  ";
    of.contact_info = "tls@mail.example";
    EXPECT_TRUE(opening_sentence(of).starts_with("mail.example: 2 sessions"));
    of.contact_info.clear();
    EXPECT_TRUE(opening_sentence(of).starts_with("A reporter without a name: 2 sessions"));
    of.organization_name = std::string(100'000, 'x');
    EXPECT_LT(opening_sentence(of).size(), 300U);
}

TEST(PeriodWords, say_the_day_or_the_days) {
    const auto words = [](sys_seconds from, sys_seconds to) {
        tlsrpt::report of;
        of.start = from;
        of.end = to;
        return period_words(of);
    };
    const sys_seconds day = may_3;
    EXPECT_EQ(words(day, day + hours(24) - seconds(1)), "on 3 May 2026");
    EXPECT_EQ(words(day, day), "on 3 May 2026");
    EXPECT_EQ(words(day + hours(6), day + hours(12)), "on 3 May 2026 from 06:00 to 12:00 UTC");
    EXPECT_EQ(words(day, day + hours(71)), "from 3 to 5 May 2026");
    EXPECT_EQ(words(day, day + hours(24 * 40)), "from 3 May to 12 June 2026");
    EXPECT_EQ(words(sys_days(year(2026) / 12 / 31), sys_days(year(2027) / 1 / 1)),
              "from 31 December 2026 to 1 January 2027");
    EXPECT_EQ(words(day + hours(48), day), "on 5 May 2026") << "an end before the start counts as no end";
    tlsrpt::report of;
    EXPECT_EQ(period_words(of), "on a day that the report does not name");
    of.start = day;
    of.inferred = {"start"};
    EXPECT_EQ(period_words(of), "on 3 May 2026 (the day is not in the report itself)");
}

TEST(Grouped, thousands) {
    EXPECT_EQ(grouped(0), "0");
    EXPECT_EQ(grouped(999), "999");
    EXPECT_EQ(grouped(1000), "1,000");
    EXPECT_EQ(grouped(UINT64_MAX), "18,446,744,073,709,551,615");
}

TEST(FateOf, by_policy_mode_and_result) {
    struct {
        std::string_view type, mode, result;
        fate became;
    } const table[] = {
        {"sts", "enforce", "certificate-expired", fate::held_back},
        {"sts", "testing", "certificate-expired", fate::delivered},
        {"sts", "none", "certificate-expired", fate::delivered},
        {"sts", "", "certificate-expired", fate::unknown},
        {"sts", "", "sts-policy-fetch-error", fate::delivered},      // nothing to apply
        {"sts", "enforce", "sts-policy-fetch-error", fate::unknown}, // the older policy may have applied
        {"tlsa", "", "certificate-expired", fate::held_back},
        {"tlsa", "", "tlsa-invalid", fate::unknown},
        {"no-policy-found", "", "starttls-not-supported", fate::delivered},
        {"novel", "", "starttls-not-supported", fate::unknown},
    };
    for (const auto& one : table)
        EXPECT_EQ(fate_of(one.type, one.mode, one.result), one.became) << one.type << one.mode << one.result;
}

TEST(FateOfFailures, adds_up_to_the_total_whatever_the_details_say) {
    PROVES("8460-4-d");
    auto policy = sts(0, 5);
    policy.details = {detail("certificate-expired", 3), detail("sts-policy-fetch-error", 4)};
    auto fate = fate_of_failures(policy);
    EXPECT_EQ(fate.held_back, 3U);
    EXPECT_EQ(fate.unknown, 2U) << "the details add up to more than the total (8460-4-d)";
    policy.details = {detail("sts-policy-fetch-error", 1)};
    fate = fate_of_failures(policy);
    EXPECT_EQ(fate.held_back, 4U) << "what no detail describes goes by the mode";
    EXPECT_EQ(fate.unknown, 1U);
    EXPECT_EQ(fate_words(fate), "4 held back and 1 with unknown outcome");
    EXPECT_EQ(fate_words({}), "");
}

} // namespace
} // namespace mailtight::advise
