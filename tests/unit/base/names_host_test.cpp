// SPDX-License-Identifier: Apache-2.0
// RFC 9525 §6.3, the rule of RFC 8461 §3.3 and §4.2, row by row.
#include "base/crypto/certificate.h"
#include "support/proves.h"

#include <gtest/gtest.h>

using mailtight::base::dns_name_matches;

namespace {

struct row {
    std::string_view presented, host, reason;
};

TEST(DnsNameMatches, Good) {
    PROVES("8461-3.3-f", "8461-4.2-c");
    for (const auto& [presented, host, reason] : {
             row{"mx1.example.com", "mx1.example.com", "the same"},
             row{"MX1.EXAMPLE.COM", "mx1.example.com", "ASCII case is no difference"},
             row{"mx1.example.com", "Mx1.Example.Com", "on either side"},
             row{"*.example.com", "mx1.example.com", "the star is one whole label"},
             row{"*.EXAMPLE.com", "mta-sts.example.com", "a policy host below a wildcard"},
             row{"*.example.com", "xn--mx-fka.example.com", "the label may be an A-label"},
             row{"xn--bcher-kva.example", "XN--BCHER-KVA.example", "A-labels compare as ASCII"},
             row{"*.mx.example.com", "a.mx.example.com", "deeper, still one label"},
             row{"_mx.example.com", "_mx.example.com", "underscores are seen in the wild"},
         })
        EXPECT_TRUE(dns_name_matches(presented, host)) << presented << " / " << host << ": " << reason;
}

TEST(DnsNameMatches, Bad) {
    PROVES("8461-3.3-f", "8461-4.2-c");
    for (const auto& [presented, host, reason] : {
             row{"mx2.example.com", "mx1.example.com", "another host"},
             row{"example.com", "mta-sts.example.com", "the domain is not its policy host"},
             row{"*.example.com", "example.com", "the star never stands for nothing"},
             row{"*.example.com", "a.b.example.com", "nor for two labels"},
             row{"*.example.com", ".example.com", "nor for an empty one"},
             row{"mx*.example.com", "mx1.example.com", "a star within a label means nothing"},
             row{"*mx.example.com", "1mx.example.com", "nor at its end"},
             row{"m*x.example.com", "m1x.example.com", "nor in its middle"},
             row{"*.*.example.com", "a.b.example.com", "one star only"},
             row{"mx.*.example.com", "mx.a.example.com", "only the left-most label"},
             row{"example.*", "example.com", "never the last"},
             row{"*", "com", "a star alone is no pattern"},
             row{"*.", "com", "nor with a dot"},
             row{"**.example.com", "mx.example.com", "two stars are no star"},
             row{"*.example.com", "*.example.com", "a host has no star"},
             row{"mx.example.com.", "mx.example.com", "certificates write no final dot"},
             row{".example.com", "mx.example.com", "a leading dot is no wildcard"},
             row{"", "", "nothing matches nothing"},
             row{"mx.example.com", "", "no host"},
             row{"", "mx.example.com", "no name"},
             row{"192.0.2.1", "192.0.2.1", "an address is no DNS-ID"},
             row{"*.0.2.1", "192.0.2.1", "even by wildcard"},
             row{"2001:db8::1", "2001:db8::1", "of either family"},
             row{"bücher.example", "bücher.example", "U-labels have no place in a certificate"},
             row{"a b.example", "a b.example", "nor have spaces"},
             row{"example.com\\x00.evil.example", "example.com", "an escaped NUL cuts nothing"},
             row{"mx.example.co", "mx.example.com", "a shorter name"},
             row{"*.xample.com", "mx.example.com", "labels are compared whole"},
         })
        EXPECT_FALSE(dns_name_matches(presented, host)) << presented << " / " << host << ": " << reason;
}

TEST(DnsNameMatches, LongNamesAreJudgedToTheLimits) {
    const std::string label(63, 'a');
    const std::string longest = label + "." + label + "." + label + "." + std::string(61, 'b'); // 253
    EXPECT_TRUE(dns_name_matches(longest, longest));
    EXPECT_FALSE(dns_name_matches(longest + "b", longest + "b"));
    EXPECT_FALSE(dns_name_matches(label + "a.example", label + "a.example"));
}

} // namespace
