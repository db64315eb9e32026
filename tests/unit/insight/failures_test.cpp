// SPDX-License-Identifier: Apache-2.0
#include "insight/failures.h"
#include "rows.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>

#include <numeric>

namespace mailtight::insight {
namespace {

using tests::ago;
using tests::failure;
using tests::reporter;

TEST(GroupFailures, joins_reporters_and_counts_the_ones_that_see_nothing) {
    auto late = failure("microsoft.com", "certificate-expired", "mx1.example.com", 12, 1);
    late.receiving_ips = {"198.51.100.1"};
    late.last_report = 9;
    auto early = failure("google.com", "certificate-expired", "mx1.example.com", 30, 3);
    early.receiving_ips = {"198.51.100.1", "198.51.100.2"};
    early.last_report = 7;
    const std::vector rows{late, early, failure("mail.ru", "starttls-not-supported", "mx2.example.com", 50)};
    const std::vector reporters{reporter("google.com"), reporter("microsoft.com"), reporter("mail.ru"),
                                reporter("posteo.de"), reporter("silent.example", true, 0)};
    const auto groups = group_failures(rows, reporters, {});
    ASSERT_EQ(groups.size(), 2U);
    EXPECT_EQ(groups[0].result_type, "starttls-not-supported") << "the most sessions first";
    EXPECT_EQ(groups[0].reporters_fine, 3U) << "a reporter without sessions is no witness";
    const auto& expired = groups[1];
    EXPECT_EQ(expired.count, 42U);
    EXPECT_EQ(expired.held_back, 42U);
    EXPECT_EQ(expired.reporters, (std::vector<std::string>{"microsoft.com", "google.com"}));
    EXPECT_EQ(expired.reporters_fine, 2U);
    EXPECT_EQ(expired.first, ago(3));
    EXPECT_EQ(expired.last, ago(1));
    EXPECT_EQ(expired.last_report, 9);
    EXPECT_EQ(expired.receiving_ips, (std::vector<std::string>{"198.51.100.1", "198.51.100.2"}));
    EXPECT_EQ(expired.diagnosis.rule, "certificate-expired");
    EXPECT_TRUE(expired.diagnosis.who.starts_with("2 of 4 reporters see it")) << expired.diagnosis.who;
}

TEST(GroupFailures, keeps_reasons_and_policy_kinds_apart_but_not_the_witnesses) {
    auto with_reason = failure("google.com", "certificate-not-trusted", "mx1.example.com");
    with_reason.reason_code = "self-signed certificate";
    auto dane = failure("microsoft.com", "certificate-not-trusted", "mx1.example.com");
    dane.policy_type = "tlsa";
    const std::vector rows{with_reason, failure("mail.ru", "Certificate-Not-Trusted", "mx1.example.com"),
                           dane};
    const std::vector reporters{reporter("google.com"), reporter("microsoft.com"), reporter("mail.ru")};
    const auto groups = group_failures(rows, reporters, {});
    ASSERT_EQ(groups.size(), 3U) << "sts and tlsa describe the same sessions, so they are not added";
    for (const auto& group : groups) {
        EXPECT_EQ(group.reporters_fine, 0U);
        EXPECT_TRUE(group.diagnosis.who.starts_with("All 3 reporters")) << "whatever reason each gives";
    }
}

TEST(GroupFailures, judges_by_the_policy_in_the_report_though_it_was_mended_since) {
    store::policy_row then, since;
    then.domain = since.domain = "example.com";
    then.type = since.type = "sts";
    then.reporters = since.reporters = {"google.com"};
    then.strings = {"version: STSv1", "mode: testing", "mx: mx1.example.com", "max_age: 604800"};
    since.strings = {"version: STSv1", "mode: testing", "mx: mx1.example.com", "mx: mx2.example.com",
                     "max_age: 604800"};
    then.text = 4;
    since.text = 5;
    then.last = ago(3);
    since.last = ago(1);
    auto row = failure("google.com", "validation-failure", "mx2.example.com", 7, 3);
    row.policy_text = 4;
    const std::vector rows{row};
    EXPECT_EQ(group_failures(rows, {}, std::vector{then}, {})[0].diagnosis.rule, "mx-not-in-policy");
    EXPECT_EQ(group_failures(rows, {}, std::vector{since, then}, {})[0].diagnosis.rule, "mx-not-in-policy")
        << "the next report came with the policy that was mended";
}

TEST(GroupFailures, judges_by_the_policy_that_the_reporter_saw) {
    store::policy_row seen, other;
    seen.domain = other.domain = "example.com";
    seen.type = other.type = "sts";
    seen.strings = {"version: STSv1", "mode: enforce", "mx: mx1.example.com", "max_age: 604800"};
    seen.reporters = {"google.com"};
    seen.last = ago(5);
    other.strings = {"version: STSv1", "mode: enforce", "mx: mx1.example.com", "mx: mx2.example.com",
                     "max_age: 604800"};
    other.reporters = {"microsoft.com"};
    other.last = ago(1);
    const std::vector policies{seen, other};
    const std::vector reporters{reporter("google.com"), reporter("microsoft.com")};
    const std::vector by_google{failure("google.com", "validation-failure", "mx2.example.com")};
    EXPECT_EQ(group_failures(by_google, reporters, policies)[0].diagnosis.rule, "mx-not-in-policy");
    const std::vector by_microsoft{failure("microsoft.com", "validation-failure", "mx2.example.com")};
    EXPECT_EQ(group_failures(by_microsoft, reporters, policies)[0].diagnosis.rule, "validation-failure-bare");
    known_today now;
    now.mx = {"mx1.example.com", "mx2.example.com"};
    now.policy = "version: STSv1\nmode: enforce\nmx: *.example.com\nmax_age: 604800\n";
    EXPECT_EQ(group_failures(by_google, reporters, policies, now)[0].diagnosis.rule, "mx-in-policy-since");
}

TEST(GroupFailures, fates_follow_the_mode) {
    auto testing = failure("google.com", "certificate-expired", "mx1.example.com", 3);
    testing.policy_mode = "testing";
    auto unknown = testing;
    unknown.policy_mode = "";
    const auto groups = group_failures(std::vector{testing, unknown}, {}, {});
    ASSERT_EQ(groups.size(), 1U);
    EXPECT_EQ(groups[0].delivered, 3U);
    EXPECT_EQ(groups[0].unknown, 3U);
    EXPECT_EQ(groups[0].held_back, 0U);
}

RC_GTEST_PROP(GroupFailures, loses_no_session,
              (std::vector<std::tuple<std::uint8_t, std::uint8_t, std::uint16_t>> kinds)) {
    std::vector<store::failure_row> rows;
    std::uint64_t total = 0;
    for (const auto& [by, mx, count] : kinds) {
        rows.push_back(failure("r" + std::to_string(by % 4), "certificate-expired",
                               "mx" + std::to_string(mx % 3), count));
        total += count;
    }
    const auto groups = group_failures(rows, {}, {});
    std::uint64_t sum = 0, fates = 0;
    for (const auto& group : groups) {
        sum += group.count;
        fates += group.held_back + group.delivered + group.unknown;
    }
    RC_ASSERT(sum == total && fates == total);
    RC_ASSERT(std::ranges::is_sorted(groups, std::ranges::greater{}, &failure_group::count));
}

TEST(DaysWords, one_day_or_several) {
    EXPECT_EQ(days_words(ago(2), ago(2)), "15 May 2026");
    EXPECT_EQ(days_words(ago(3), ago(1)), "14 to 16 May 2026");
}

} // namespace
} // namespace mailtight::insight
