// SPDX-License-Identifier: Apache-2.0
#include "dane/tlsa.h"

#include "base/crypto/signature.h"
#include "lab_chain.h"
#include "support/proves.h"

#include <rapidcheck/gtest.h>

#include <gmock/gmock.h>

namespace mailtight::dane {
namespace {
using testing::ElementsAre;
namespace lab = tests::lab_chain;

std::string bytes(std::size_t n, char c = 'x') {
    return std::string(n, c);
}

TEST(tlsa, text) {
    EXPECT_EQ((tlsa{3, 1, 1, "\xab\x01"}).to_string(), "3 1 1 AB01");
}

struct row {
    tlsa record;
    usability expected;
};
TEST(tlsa, is_usable_or_says_why_not) {
    PROVES("6698-4.1-a", "7672-3.1.3-a");
    using enum usability;
    const row rows[] = {
        {{3, 1, 1, bytes(32)}, usable},
        {{3, 1, 2, bytes(64)}, usable},
        {{2, 0, 1, bytes(32)}, usable},
        {{2, 1, 2, bytes(64)}, usable},
        {{3, 0, 0, lab::leaf.der}, usable},
        {{2, 1, 0, lab::root.spki_der}, usable},
        {{0, 1, 1, bytes(32)}, pkix_usage},
        {{1, 1, 1, bytes(32)}, pkix_usage},
        {{4, 1, 1, bytes(32)}, unknown_usage},
        {{255, 1, 1, bytes(32)}, unknown_usage},
        {{3, 2, 1, bytes(32)}, unknown_selector},
        {{3, 1, 3, bytes(32)}, unknown_matching},
        {{3, 1, 1, bytes(31)}, wrong_length},
        {{3, 1, 1, bytes(64)}, wrong_length},
        {{3, 1, 1, ""}, wrong_length},
        {{3, 1, 2, bytes(32)}, wrong_length},
        {{3, 0, 0, ""}, malformed},
        {{3, 0, 0, "no certificate"}, malformed},
        {{3, 0, 0, lab::leaf.der.substr(1)}, malformed},
        {{3, 1, 0, lab::leaf.der}, malformed}, // a certificate where a key belongs
        {{3, 1, 0, lab::leaf.spki_der + "x"}, malformed},
        {{3, 0, 0, lab::leaf.spki_der}, malformed},
    };
    for (const auto& r : rows) {
        EXPECT_EQ(judge(r.record), r.expected) << r.record.to_string();
        EXPECT_TRUE(explain(r.expected).ends_with('.'));
    }
}

TEST(tlsa, some_should_not_be_published) {
    PROVES("7671-10.1-a", "7672-3.1.3-a");
    EXPECT_TRUE(discouraged_because({0, 1, 1, bytes(32)}));
    EXPECT_TRUE(discouraged_because({1, 0, 2, bytes(64)}));
    EXPECT_TRUE(discouraged_because({3, 0, 0, lab::leaf.der}));
    EXPECT_TRUE(discouraged_because({2, 1, 0, lab::root.spki_der}));
    EXPECT_FALSE(discouraged_because({3, 1, 1, bytes(32)}));
    EXPECT_FALSE(discouraged_because({2, 0, 1, bytes(32)}));
}

TEST(tlsa, digest_agility_keeps_the_strongest_digest_and_whole_data) {
    PROVES("7671-9-a");
    const tlsa weak{3, 1, 1, bytes(32)};
    const tlsa strong{3, 1, 2, bytes(64)};
    const tlsa strong_broken{3, 1, 2, bytes(63)};
    const tlsa whole{3, 1, 0, lab::leaf.spki_der};
    const tlsa other_selector{3, 0, 1, bytes(32)};
    const tlsa other_usage{2, 1, 1, bytes(32)};
    EXPECT_THAT(effective({{weak, strong}}), ElementsAre(strong));
    EXPECT_THAT(effective({{weak, strong_broken}}), ElementsAre(weak)); // the malformed goes first
    EXPECT_THAT(effective({{weak, whole, strong}}), ElementsAre(whole, strong));
    EXPECT_THAT(effective({{weak, whole}}), ElementsAre(weak, whole));
    EXPECT_THAT(effective({{weak, other_selector, other_usage, strong}}),
                ElementsAre(other_selector, other_usage, strong));
    EXPECT_THAT(effective({{{0, 1, 1, bytes(32)}}}), ElementsAre());
    EXPECT_THAT(effective({}), ElementsAre());
}

TEST(signature, tells_who_signed) {
    EXPECT_TRUE(base::signed_by(lab::leaf, lab::inter.spki_der));
    EXPECT_TRUE(base::signed_by(lab::inter, lab::root.spki_der));
    EXPECT_TRUE(base::signed_by(lab::root, lab::root.spki_der));
    EXPECT_FALSE(base::signed_by(lab::leaf, lab::root.spki_der));
    EXPECT_FALSE(base::signed_by(lab::leaf, lab::other_root.spki_der));
    EXPECT_FALSE(base::signed_by(lab::leaf, ""));
    EXPECT_FALSE(base::signed_by(lab::leaf, "no key"));
    auto forged = lab::leaf;
    forged.der.back() = static_cast<char>(forged.der.back() ^ 1);
    EXPECT_FALSE(base::signed_by(forged, lab::inter.spki_der));
    forged.der = "no certificate";
    EXPECT_FALSE(base::signed_by(forged, lab::inter.spki_der));
}

RC_GTEST_PROP(tlsa_property, any_bytes_have_a_verdict,
              (std::uint8_t usage, std::uint8_t selector, std::uint8_t matching,
               const std::vector<std::uint8_t>& raw)) {
    const tlsa record{usage, selector, matching, std::string(raw.begin(), raw.end())};
    const auto verdict = match({{record}}, {{lab::leaf}}, {{"mx1.example.com"}}, lab::leaf.not_before);
    RC_ASSERT((verdict.result == verdict::outcome::all_unusable) == (judge(record) != usability::usable));
}

} // namespace
} // namespace mailtight::dane
