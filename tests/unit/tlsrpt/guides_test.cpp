// SPDX-License-Identifier: Apache-2.0
// The examples of the administrator guides: neither error nor warning.
#include "support/proves.h"
#include "tlsrpt/record.h"

namespace mailtight::tlsrpt {
namespace {

TEST(guides, one_address) {
    PROVES("G3-41");
    for (const auto* text : {"v=TLSRPTv1; rua=mailto:tlsrpt@yourdomain.com",
                             "v=TLSRPTv1; rua=mailto:tls-report@solarmora.com"}) {
        const auto judged = judge_record(text);
        EXPECT_TRUE(judged.valid);
        EXPECT_TRUE(judged.issues.empty());
    }
}

TEST(guides, two_addresses_separated_by_a_comma) {
    PROVES("G2-21", "G3-42");
    const auto judged =
        judge_record("v=TLSRPTv1; rua=mailto:tlsrpt@yourdomain.com,mailto:mta-sts@yourdomain.com");
    ASSERT_TRUE(judged.valid);
    ASSERT_EQ(judged.value->rua.size(), 2u);
    EXPECT_EQ(judged.value->rua[0].address, "tlsrpt@yourdomain.com");
    EXPECT_EQ(judged.value->rua[1].address, "mta-sts@yourdomain.com");
    // Worth a remark for those who wonder why one mailbox stays empty; it is neither error nor warning.
    ASSERT_EQ(judged.issues.size(), 1u);
    EXPECT_EQ(judged.issues[0].problem, record_problem::rua_many);
}

TEST(guides, reports_by_upload) {
    PROVES("G2-22");
    const auto judged = judge_record("v=TLSRPTv1; rua=https://reports.solarmora.com/v1/tlsrpt");
    EXPECT_TRUE(judged.valid && judged.issues.empty());
}

} // namespace
} // namespace mailtight::tlsrpt
