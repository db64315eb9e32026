// SPDX-License-Identifier: Apache-2.0
// First publication, step by step, and every change of the policy after it.
#include "domains.h"

#include "support/proves.h"

namespace mailtight::plan::tests {
namespace {

constexpr std::uint64_t day = 86'400, week = 604'800;

TEST(first_publication, goes_in_this_order) {
    PROVES("8461-8.1-c", "G2-7", "G2-16");
    domain d;
    EXPECT_EQ(kinds(d.make()), (std::vector<std::string>{"report-way", "publish-tlsrpt", "point-host",
                                                         "certificate", "serve-policy", "verify-policy",
                                                         "check-mx", "publish-record", "verify-record"}));
    EXPECT_EQ(next_kind(d.make()), "report-way");
    EXPECT_EQ(d.make().next()->by, step_actor::person);
    d.report_way();
    EXPECT_EQ(next_kind(d.make()), "publish-tlsrpt");
    EXPECT_EQ(d.make().next()->records,
              (std::vector<record_change>{{.name = "_smtp._tls.example.com",
                                           .type = "TXT",
                                           .add = {"v=TLSRPTv1; rua=mailto:tls-report@example.com"},
                                           .remove = {},
                                           .ttl = 3'600}}));
    d.seen.tlsrpt.state = record_seen::what::one;
    d.seen.tlsrpt.rua = d.past.rua;
    EXPECT_EQ(next_kind(d.make()), "point-host");
    d.seen.host_resolves = d.seen.host_points_here = true;
    EXPECT_EQ(next_kind(d.make()), "certificate");
    d.past.certificate_here = true;
    const auto serve = d.make();
    ASSERT_EQ(next_kind(serve), "serve-policy");
    EXPECT_EQ(serve.next()->policy, body_of(sts::mode::testing, week, {"mx1.example.com"}));
    d.serve(serve.next()->policy, serve.next()->id, d.now);
    d.seen.policy.reset(); // not to be had yet
    EXPECT_EQ(next_kind(d.make()), "verify-policy");
    d.seen.policy = serve.next()->policy + " ";
    EXPECT_EQ(next_kind(d.make()), "verify-policy") << "byte for byte";
    d.seen.policy = serve.next()->policy;
    d.seen.mx[0].passes = false;
    EXPECT_EQ(next_kind(d.make()), "check-mx");
    d.seen.mx[0].passes = true;
    ASSERT_EQ(next_kind(d.make()), "publish-record");
    EXPECT_EQ(d.make().next()->records[0].add, std::vector{"v=STSv1; id=" + serve.next()->id});
    d.announce(serve.next()->id, d.now);
    d.seen.sts.on_all_servers = false;
    EXPECT_EQ(next_kind(d.make()), "verify-record");
    d.seen.sts.on_all_servers = true;
    EXPECT_TRUE(d.make().finished);
    EXPECT_EQ(d.make().from, "mode testing, max_age 604800 (7 days)");
    d.now += seconds(day);
    EXPECT_TRUE(d.make().finished);
}

} // namespace
} // namespace mailtight::plan::tests
