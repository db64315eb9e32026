// SPDX-License-Identifier: Apache-2.0
// Names below a protected domain that take mail: each is told with what to do, and many are told in one.
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

} // namespace
} // namespace mailtight::tests
