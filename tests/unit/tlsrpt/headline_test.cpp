// SPDX-License-Identifier: Apache-2.0
// Sessions are counted once, whatever number of policies describe them.
#include "tlsrpt/report.h"

#include "support/proves.h"

#include <gtest/gtest.h>

#include <limits>

namespace mailtight::tlsrpt {
namespace {

policy_result result(std::string type, std::string domain, std::uint64_t success, std::uint64_t failure,
                     std::vector<std::string> patterns = {}) {
    policy_result p;
    p.type = std::move(type);
    p.domain = std::move(domain);
    p.success = success;
    p.failure = failure;
    p.mx_patterns = std::move(patterns);
    return p;
}

TEST(report_headline, counts_each_session_once) {
    PROVES("8460-4-e", "A22");
    constexpr auto most = std::numeric_limits<std::uint64_t>::max();
    struct {
        std::string what;
        std::vector<policy_result> policies;
        session_count all;
    } const rows[] = {
        {"nothing", {}, {0, 0}},
        {"one policy", {result("sts", "a.example", 5, 1)}, {5, 1}},
        {"Microsoft's two views of two sessions",
         {result("sts", "a.example", 2, 0), result("tlsa", "a.example", 2, 0)},
         {2, 0}},
        {"the larger view", {result("sts", "a.example", 2, 0), result("tlsa", "a.example", 1, 6)}, {1, 6}},
        {"as many sessions, worse seen by one",
         {result("sts", "a.example", 7, 0), result("tlsa", "a.example", 0, 7)},
         {0, 7}},
        {"the MX host's TLSA records, admitted by name",
         {result("sts", "a.example", 9, 0, {"mx1.host.example"}), result("tlsa", "mx1.host.example", 9, 0)},
         {9, 0}},
        {"and by wildcard; two hosts are one view",
         {result("sts", "a.example", 9, 0, {"*.host.example"}), result("tlsa", "mx1.host.example", 4, 0),
          result("tlsa", "mx2.host.example", 6, 0)},
         {10, 0}},
        {"two domains", {result("sts", "a.example", 10, 0), result("tlsa", "b.example", 20, 0)}, {30, 0}},
        {"no policy and unknown kinds are other sessions",
         {result("sts", "a.example", 1, 0), result("tlsa", "a.example", 1, 0),
          result("no-policy-found", "a.example", 3, 1), result("new-kind", "a.example", 5, 0)},
         {9, 1}},
        {"sums that overflow",
         {result("sts", "a.example", most, 1), result("sts", "a.example", 1, most)},
         {most, most}},
    };
    for (const auto& row : rows) {
        SCOPED_TRACE(row.what);
        report r;
        r.policies = row.policies;
        EXPECT_EQ(headline(r), row.all) << headline(r).success << " " << headline(r).failure;
    }
}

TEST(report_headline, of_one_domain) {
    report r;
    r.policies = {result("sts", "a.example", 5, 1), result("tlsa", "a.example", 4, 0),
                  result("sts", "b.example", 7, 0)};
    EXPECT_EQ(headline(r, "A.example"), (session_count{5, 1}));
    EXPECT_EQ(headline(r, "b.example"), (session_count{7, 0}));
    EXPECT_EQ(headline(r, "c.example"), (session_count{0, 0}));
    EXPECT_EQ(headline(r), (session_count{12, 1}));
}

} // namespace
} // namespace mailtight::tlsrpt
