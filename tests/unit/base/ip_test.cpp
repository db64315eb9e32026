// SPDX-License-Identifier: Apache-2.0
#include "base/ip.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>

using namespace mailtight::base;

namespace {

ip_address address(std::string_view text) {
    const auto parsed = ip_address::parse(text);
    if (!parsed)
        throw std::invalid_argument("no address: " + std::string(text));
    return *parsed;
}

rc::Gen<ip_address> any_address() {
    // Zero bytes are common, so that runs of zeros of every length and place are tried.
    const auto byte = rc::gen::weightedOneOf<std::uint8_t>(
        {{3, rc::gen::just<std::uint8_t>(0)}, {2, rc::gen::arbitrary<std::uint8_t>()}});
    return rc::gen::oneOf(rc::gen::map(rc::gen::container<std::array<std::uint8_t, 4>>(byte),
                                       [](const auto& bytes) { return ip_address::v4(bytes); }),
                          rc::gen::map(rc::gen::container<std::array<std::uint8_t, 16>>(byte),
                                       [](const auto& bytes) { return ip_address::v6(bytes); }));
}

TEST(IpAddress, IsWrittenAsRfc5952Says) {
    struct row {
        std::string_view read, written, reason;
    };
    for (const auto& [read, written, reason] : {
             row{"192.0.2.1", "192.0.2.1", "dotted quad"},
             row{"0.0.0.0", "0.0.0.0", "dotted quad"},
             row{"2001:0db8::0001", "2001:db8::1", "§4.1 leading zeros go"},
             row{"2001:db8:0:0:0:0:2:1", "2001:db8::2:1", "§4.2.1 shortened as much as can be"},
             row{"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1",
                 "§4.2.2 one group of zeros is not shortened"},
             row{"2001:db8::1:1:1:1:1", "2001:db8:0:1:1:1:1:1", "§4.2.2 even where it came shortened"},
             row{"2001:0:0:1:0:0:0:1", "2001:0:0:1::1", "§4.2.3 the longest run"},
             row{"2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1", "§4.2.3 the first of equal runs"},
             row{"2001:DB8::AbCd", "2001:db8::abcd", "§4.3 lower case"},
             row{"0:0:0:0:0:0:0:0", "::", "all zeros"},
             row{"0:0:0:0:0:0:0:1", "::1", "zeros in front"},
             row{"1:0:0:0:0:0:0:0", "1::", "zeros at the end"},
             row{"1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8", "none"},
             row{"::ffff:c000:0201", "::ffff:192.0.2.1", "§5 IPv4-mapped"},
             row{"::FFFF:192.0.2.1", "::ffff:192.0.2.1", "§5 IPv4-mapped"},
             row{"64:ff9b::c000:221", "64:ff9b::192.0.2.33", "RFC 6052 §2.4"},
             row{"::192.0.2.1", "::c000:201", "the compatible form is out of use: as any address"},
             row{"1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:102:304", "a quad may stand for the last two groups"},
             row{"1::2:3:4:5:6:7", "1:0:2:3:4:5:6:7", "a run of one"},
         })
        EXPECT_EQ(address(read).to_string(), written) << read << ": " << reason;
}

TEST(IpAddress, RefusesWhatIsNone) {
    struct row {
        std::string_view text, reason;
    };
    using namespace std::string_view_literals;
    for (const auto& [text, reason] : {
             row{"", "empty"},
             row{"1.2.3", "three parts"},
             row{"1.2.3.4.5", "five parts"},
             row{"1.2.3.256", "beyond a byte"},
             row{"1.2.3.1000", "beyond a byte"},
             row{"01.2.3.4", "a leading zero may mean octal"},
             row{"1.2.3.00", "a leading zero may mean octal"},
             row{"1.2.3.", "an empty part"},
             row{"1..2.3", "an empty part"},
             row{"1.2.3.4.", "a final dot"},
             row{"1.2.3.-4", "a sign"},
             row{"0x1.2.3.4", "hexadecimal"},
             row{"16909060", "one number"},
             row{" 1.2.3.4", "a space in front"},
             row{"1.2.3.4 ", "a space behind"},
             row{"1.2.3.4\0"sv, "a NUL behind"},
             row{"1.2.3.4/32", "a network"},
             row{"[1.2.3.4]", "brackets"},
             row{"::1%lo", "a zone"},
             row{"[::1]", "brackets"},
             row{":", "one colon"},
             row{":::", "three colons"},
             row{"1:::2", "three colons"},
             row{"1::2::3", "two gaps"},
             row{"1:2:3:4:5:6:7", "seven groups"},
             row{"1:2:3:4:5:6:7:8:9", "nine groups"},
             row{"1:2:3:4:5:6:7::8", "a gap that stands for nothing"},
             row{"::1:2:3:4:5:6:7:8", "a gap that stands for nothing"},
             row{"1:2:3:4:5:6:7:", "an empty last group"},
             row{":1:2:3:4:5:6:7", "an empty first group"},
             row{"12345::", "five digits"},
             row{"g::", "no hexadecimal digit"},
             row{"::1.2.3", "a short quad"},
             row{"1.2.3.4::", "a quad in front"},
             row{"::1.2.3.4:5", "a quad in the middle"},
             row{"1:2:3:4:5:6:7:1.2.3.4", "a quad where one group is left"},
             row{"0000:0000:0000:0000:0000:0000:0000:0000:0000", "too long"},
         })
        EXPECT_FALSE(ip_address::parse(text)) << text << ": " << reason;
}

TEST(IpAddress, KnowsItsFamilyAndBytes) {
    using namespace std::string_view_literals;
    EXPECT_TRUE(address("192.0.2.1").is_v4());
    EXPECT_EQ(address("192.0.2.1").bytes(), "\xc0\x00\x02\x01"sv);
    EXPECT_TRUE(address("::ffff:192.0.2.1").is_v6()) << "a mapped address stays IPv6";
    EXPECT_EQ(address("::ffff:192.0.2.1").bytes(), "\0\0\0\0\0\0\0\0\0\0\xff\xff\xc0\x00\x02\x01"sv);
    EXPECT_NE(address("0.0.0.0"), address("::")) << "the same bytes, another family";
}

RC_GTEST_PROP(IpAddress, TextAndBackIsTheSame, ()) {
    const auto a = *any_address();
    RC_ASSERT(ip_address::parse(a.to_string()) == a);
}

RC_GTEST_PROP(IpAddress, AgreesWithTheSystemOnWhatIsAnAddress, ()) {
    // Half of them addresses in the system's spelling, damaged in one place.
    auto text = *rc::gen::weightedOneOf<std::string>(
        {{1, rc::gen::container<std::string>(rc::gen::elementOf(std::string("0123456789abcdefABF.:::")))},
         {3, rc::gen::map(any_address(), [](const ip_address& a) { return a.to_string(); })}});
    if (!text.empty() && *rc::gen::arbitrary<bool>())
        text[*rc::gen::inRange<std::size_t>(0, text.size())] =
            *rc::gen::elementOf(std::string("0123456789abcdefg.:%/ "));
    std::array<char, 16> bytes{};
    const auto ours = ip_address::parse(text);
    const bool v4 = inet_pton(AF_INET, text.c_str(), bytes.data()) == 1;
    const bool v6 = !v4 && inet_pton(AF_INET6, text.c_str(), bytes.data()) == 1;
    RC_ASSERT(ours.has_value() == (v4 || v6));
    if (ours)
        RC_ASSERT(ours->bytes() == std::string_view(bytes.data(), v4 ? 4 : 16));
}

TEST(IpNetwork, HoldsWhatItsPrefixSays) {
    struct row {
        std::string_view network, inside, outside;
    };
    for (const auto& [network, inside, outside] : {
             row{"127.0.0.0/8", "127.255.255.255", "128.0.0.0"},
             row{"10.1.2.3/8", "10.0.0.0", "11.0.0.0"}, // host bits are dropped
             row{"192.0.2.128/25", "192.0.2.255", "192.0.2.127"},
             row{"192.0.2.1", "192.0.2.1", "192.0.2.0"},
             row{"0.0.0.0/0", "255.255.255.255", "::"}, // a family is never the other
             row{"::/0", "ffff::", "1.2.3.4"},
             row{"2001:db8::/32", "2001:db8:ffff::1", "2001:db9::"},
             row{"fe80::/10", "febf::1", "fec0::"},
             row{"::1", "::1", "::2"},
             row{"127.0.0.0/8", "127.0.0.1", "::ffff:127.0.0.1"},
         }) {
        const auto parsed = ip_network::parse(network);
        ASSERT_TRUE(parsed) << network;
        EXPECT_TRUE(parsed->contains(address(inside))) << network << " " << inside;
        EXPECT_FALSE(parsed->contains(address(outside))) << network << " " << outside;
    }
    EXPECT_EQ(ip_network::parse("10.1.2.3/8")->to_string(), "10.0.0.0/8");
    EXPECT_EQ(ip_network::parse("::1")->to_string(), "::1/128");
    for (const auto* bad : {"", "/8", "10.0.0.0/", "10.0.0.0/33", "::/129", "10.0.0.0/-1", "10.0.0.0/08",
                            "10.0.0.0/8/8", "10.0.0.0/8 ", "example.com/8", "10/8"})
        EXPECT_FALSE(ip_network::parse(bad)) << bad;
}

RC_GTEST_PROP(IpNetwork, ContainsAnAddressWhereTheLeadingBitsAgree, ()) {
    const auto a = *any_address();
    const unsigned width = a.is_v4() ? 32 : 128;
    const auto prefix = *rc::gen::inRange<unsigned>(1, width + 1);
    const auto network = ip_network::parse(a.to_string() + "/" + std::to_string(prefix));
    RC_ASSERT(network.has_value());
    const auto with_bit_turned = [&](unsigned bit) {
        std::array<std::uint8_t, 16> bytes{};
        std::ranges::copy(a.bytes(), bytes.begin());
        bytes[bit / 8] ^= static_cast<std::uint8_t>(0x80U >> (bit % 8));
        return a.is_v6() ? ip_address::v6(bytes) : ip_address::v4({bytes[0], bytes[1], bytes[2], bytes[3]});
    };
    RC_ASSERT(network->contains(a));
    RC_ASSERT(!network->contains(with_bit_turned(*rc::gen::inRange<unsigned>(0, prefix))));
    if (prefix < width)
        RC_ASSERT(network->contains(with_bit_turned(*rc::gen::inRange<unsigned>(prefix, width))));
}

} // namespace
