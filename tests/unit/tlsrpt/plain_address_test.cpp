// SPDX-License-Identifier: Apache-2.0
// The quick look at an address never calls canonical what the real parser would write otherwise (RFC 5952).
#include "tlsrpt/plain_address.h"

#include "base/ip.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <array>
#include <string>

namespace mailtight::tlsrpt {
namespace {

bool is_canonical(std::string_view text) {
    const auto address = base::ip_address::parse(text);
    return address && address->to_string() == text;
}

TEST(plain_address, the_usual_ones_are_told_at_once) {
    for (const std::string_view text :
         {"192.0.2.1", "198.51.100.250", "255.255.255.255", "10.0.0.10", "10.0.0.1", "2001:db8::1",
          "2001:db8:5e::25", "2001:db8:0:1:1:1:1:1", "2001:db8:1234:5678:9abc:def0:1234:5678", "fe80::1:2",
          "2001:db8::"}) {
        EXPECT_TRUE(is_plain_address(text)) << text;
        EXPECT_TRUE(is_canonical(text)) << text;
    }
}

struct bad {
    std::string_view text, why;
};
TEST(plain_address, what_is_odd_is_left_to_the_parser) {
    for (const auto& [text, why] : std::to_array<bad>({
             {"", "nothing"},
             {"192.0.2.256", "above 255"},
             {"192.0.2.01", "a zero in front"},
             {"192.0.02.1", "a zero in front"},
             {"192.0.2.1.", "a dot behind"},
             {".192.0.2.1", "a dot before"},
             {"192.0..2.1", "nothing between dots"},
             {"192.0.2001", "three numbers"},
             {"192.0.2.1.5", "five numbers"},
             {"1920.0.2.1", "four digits"},
             {"192.0.2.1a", "a letter"},
             {"192/0.2.1.1", "a sign beside the digits"},
             {"192.0.2.\xb1", "no ASCII"},
             {"2001:DB8::1", "capital letters"},
             {"2001:db8::0001", "zeros in front"},
             {"2001:db8:0:0:1:1:1:1", "zero groups that are not shortened"},
             {"2001:db8::1:1:1:1:1", "one group shortened"},
             {"2001:db8:0::1", "a zero group before the gap"},
             {"2001:db8::0:1", "a zero group behind the gap"},
             {"2001:db8::1::1", "two gaps"},
             {"2001:db8:::1", "three colons"},
             {":2001:db8::1", "one colon before"},
             {"2001:db8::1:", "one colon behind"},
             {"2001:db8:1:1:1:1:1", "seven groups"},
             {"2001:db8:1:1:1:1:1:1:1", "nine groups"},
             {"2001:db8::12345", "five digits"},
             {"2001:db8::g", "no hexadecimal digit"},
             {"2001:db8::\xb1", "no ASCII"},
             {"::ffff:c000:201", "IPv4 within, which is written with dots"},
             {"64:ff9b::c000:201", "IPv4 within, which is written with dots"},
             {"2001:db8::1%eth0", "a zone"},
         }))
        EXPECT_FALSE(is_plain_address(text)) << text << ": " << why;
}

RC_GTEST_PROP(plain_address, says_yes_to_canonical_texts_only, ()) {
    const std::string letters = "0001259afF:::..g\x80 ";
    const auto text = *rc::gen::container<std::string>(rc::gen::elementOf(letters));
    if (is_plain_address(text))
        RC_ASSERT(is_canonical(text));
}

RC_GTEST_PROP(plain_address, knows_the_usual_and_is_never_wrong, ()) {
    std::array<std::uint8_t, 16> bytes{};
    for (auto& byte : bytes) // many zeros, so that gaps are met with
        byte = *rc::gen::element<std::uint8_t>(0, 0, 0, 1, 0x10, *rc::gen::arbitrary<std::uint8_t>());
    bytes[0] = 0x20;
    const auto v6 = base::ip_address::v6(bytes).to_string();
    auto full = bytes;
    for (auto& byte : full)
        byte |= 1U;
    RC_ASSERT(is_plain_address(base::ip_address::v6(full).to_string()));
    const auto v4 = base::ip_address::v4({bytes[1], bytes[2], bytes[3], bytes[4]}).to_string();
    RC_ASSERT(is_plain_address(v4) == (v4.size() >= 8));
    if (is_plain_address(v6)) // not where zero groups stand beside a longer gap
        RC_ASSERT(is_canonical(v6));
    // One character put wrong.
    auto changed = *rc::gen::element(v4, v6);
    changed[*rc::gen::inRange<std::size_t>(0, changed.size())] =
        *rc::gen::element('0', '1', ':', '.', '/', 'a', 'g', '\xff');
    if (is_plain_address(changed))
        RC_ASSERT(is_canonical(changed));
}

} // namespace
} // namespace mailtight::tlsrpt
