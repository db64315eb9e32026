// SPDX-License-Identifier: Apache-2.0
// The IANA special-purpose registries row by row: the first and last address of each range, and its
// neighbours.
#include "base/ip.h"

#include <gtest/gtest.h>

#include <algorithm>

using namespace mailtight::base;

namespace {

struct row {
    std::string_view address, reason; // "" : global
};

void judged_as(std::initializer_list<row> rows) {
    for (const auto& [text, reason] : rows) {
        const auto address = ip_address::parse(text);
        ASSERT_TRUE(address) << text;
        EXPECT_EQ(not_global_because(*address).value_or(""), reason) << text;
    }
}

TEST(NotGlobal, Ipv4SpecialPurposeRegistry) {
    judged_as({
        {"0.0.0.0", "this network"},
        {"0.255.255.255", "this network"},
        {"1.0.0.0", ""},
        {"9.255.255.255", ""},
        {"10.0.0.0", "private"},
        {"10.255.255.255", "private"},
        {"11.0.0.0", ""},
        {"100.63.255.255", ""},
        {"100.64.0.0", "shared by carriers"},
        {"100.127.255.255", "shared by carriers"},
        {"100.128.0.0", ""},
        {"126.255.255.255", ""},
        {"127.0.0.0", "loopback"},
        {"127.0.0.1", "loopback"},
        {"127.255.255.255", "loopback"},
        {"128.0.0.0", ""},
        {"169.253.255.255", ""},
        {"169.254.0.0", "link-local"},
        {"169.254.169.254", "link-local"}, // where clouds keep their credentials
        {"169.254.255.255", "link-local"},
        {"169.255.0.0", ""},
        {"172.15.255.255", ""},
        {"172.16.0.0", "private"},
        {"172.31.255.255", "private"},
        {"172.32.0.0", ""},
        {"191.255.255.255", ""},
        {"192.0.0.0", "protocol assignment"},
        {"192.0.0.8", "protocol assignment"},
        {"192.0.0.9", ""},  // PCP anycast
        {"192.0.0.10", ""}, // TURN anycast
        {"192.0.0.11", "protocol assignment"},
        {"192.0.0.170", "protocol assignment"}, // NAT64/DNS64 discovery
        {"192.0.0.255", "protocol assignment"},
        {"192.0.1.0", ""},
        {"192.0.2.0", "documentation"},
        {"192.0.2.255", "documentation"},
        {"192.0.3.0", ""},
        {"192.31.196.1", ""}, // AS112
        {"192.52.193.1", ""}, // AMT
        {"192.88.98.255", ""},
        {"192.88.99.0", "reserved (former 6to4)"},
        {"192.88.99.255", "reserved (former 6to4)"},
        {"192.88.100.0", ""},
        {"192.167.255.255", ""},
        {"192.168.0.0", "private"},
        {"192.168.255.255", "private"},
        {"192.169.0.0", ""},
        {"192.175.48.1", ""}, // AS112
        {"198.17.255.255", ""},
        {"198.18.0.0", "benchmarking"},
        {"198.19.255.255", "benchmarking"},
        {"198.20.0.0", ""},
        {"198.51.99.255", ""},
        {"198.51.100.0", "documentation"},
        {"198.51.100.255", "documentation"},
        {"198.51.101.0", ""},
        {"203.0.112.255", ""},
        {"203.0.113.0", "documentation"},
        {"203.0.113.255", "documentation"},
        {"203.0.114.0", ""},
        {"223.255.255.255", ""},
        {"224.0.0.0", "multicast"},
        {"233.251.255.255", "multicast"},
        {"233.252.0.0", "documentation (multicast)"},
        {"233.252.1.0", "multicast"},
        {"239.255.255.255", "multicast"},
        {"240.0.0.0", "reserved"},
        {"255.255.255.254", "reserved"},
        {"255.255.255.255", "broadcast"},
    });
}

TEST(NotGlobal, Ipv6SpecialPurposeRegistry) {
    judged_as({
        {"::", "unspecified"},
        {"::1", "loopback"},
        {"64:ff9b:1::", "local IPv4/IPv6 translation"},
        {"64:ff9b:1:ffff:ffff:ffff:808:808", "local IPv4/IPv6 translation"},
        {"64:ff9b:2::", "reserved"},
        {"64:ff9a:ffff::", "reserved"},
        {"100::", "discard-only"},
        {"100::ffff:ffff:ffff:ffff", "discard-only"},
        {"100:0:0:1::", "dummy prefix"},
        {"100:0:0:2::", "reserved"},
        {"1fff:ffff::", "reserved"},
        {"2000::", ""},
        {"2001:1::", "protocol assignment"},
        {"2001:1::1", ""}, // PCP anycast
        {"2001:1::2", ""}, // TURN anycast
        {"2001:1::3", ""}, // service registration anycast
        {"2001:1::4", "protocol assignment"},
        {"2001:2::", "benchmarking"},
        {"2001:2:0:ffff::", "benchmarking"},
        {"2001:2:1::", "protocol assignment"},
        {"2001:3::1", ""}, // AMT
        {"2001:4:111::", "protocol assignment"},
        {"2001:4:112::1", ""}, // AS112
        {"2001:4:113::", "protocol assignment"},
        {"2001:10::", "deprecated (ORCHID)"},
        {"2001:1f:ffff::", "deprecated (ORCHID)"},
        {"2001:20::", ""}, // ORCHIDv2
        {"2001:2f:ffff::", ""},
        {"2001:30::", ""}, // drone identifiers
        {"2001:40::", "protocol assignment"},
        {"2001:1ff:ffff::", "protocol assignment"},
        {"2001:200::", ""},
        {"2001:db7:ffff::", ""},
        {"2001:db8::", "documentation"},
        {"2001:db8:ffff:ffff::", "documentation"},
        {"2001:db9::", ""},
        {"2620:4f:8000::1", ""}, // AS112
        {"2a00:1450:4001::1a", ""},
        {"3ffe:ffff::", ""},
        {"3fff::", "documentation"},
        {"3fff:fff:ffff::", "documentation"},
        {"3fff:1000::", ""},
        {"4000::", "reserved"},
        {"5f00::", "segment routing"},
        {"5f01::", "reserved"},
        {"fbff:ffff::", "reserved"},
        {"fc00::", "private (unique local)"},
        {"fdff:ffff::1", "private (unique local)"},
        {"fe00::", "reserved"},
        {"fe80::", "link-local"},
        {"febf:ffff::1", "link-local"},
        {"fec0::", "private (site-local)"},
        {"feff:ffff::1", "private (site-local)"},
        {"ff00::", "multicast"},
        {"ff02::1", "multicast"},
        {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "multicast"},
    });
}

TEST(NotGlobal, WhatAnIpv6AddressCarriesDecides) {
    judged_as({
        {"::ffff:8.8.8.8", ""},
        {"::ffff:127.0.0.1", "loopback"},
        {"::ffff:169.254.169.254", "link-local"},
        {"::ffff:0.0.0.0", "this network"},
        {"64:ff9b::8.8.8.8", ""},
        {"64:ff9b::10.0.0.1", "private"},
        {"64:ff9b::192.168.1.1", "private"},
        {"64:ff9b::7f00:1", "loopback"},
        {"64:ff9b::1:808:808", "reserved"}, // beyond the /96
        {"::8.8.8.8", ""},                  // IPv4-compatible
        {"::127.0.0.1", "loopback"},
        {"::2", "this network"},
        {"2002:808:808::1", ""}, // 6to4 of 8.8.8.8
        {"2002:7f00:1::", "loopback"},
        {"2002:a00:1::1", "private"},
        {"2002:c0a8:101::1", "private"},
        {"2001:0:808:808::f7f7:f7f7", ""},                 // Teredo: server and client 8.8.8.8
        {"2001:0:a00:1::f7f7:f7f7", "private"},            // server 10.0.0.1
        {"2001:0:808:808::80ff:fffe", "loopback"},         // client 127.0.0.1
        {"2001:0:808:808:ffff:ffff:3f57:fefe", "private"}, // client 192.168.1.1
        {"::ffff:0:8.8.8.8", "reserved"},                  // SIIT's form is not routed
    });
}

TEST(AddressGuard, ListsNetworksThatHoldOnlyRefusedAddresses) {
    const address_guard strict;
    EXPECT_GE(strict.refused_networks().size(), 20U);
    for (const auto& network : strict.refused_networks()) {
        const std::string text = network.to_string();
        const auto first = ip_address::parse(text.substr(0, text.find('/')));
        ASSERT_TRUE(first) << text;
        EXPECT_TRUE(strict.refuses(*first)) << text;
    }
    const auto holds = [](const address_guard& guard, std::string_view address) {
        return std::ranges::any_of(guard.refused_networks(), [&](const auto& network) {
            return network.contains(*ip_address::parse(address));
        });
    };
    for (const char* address : {"10.1.2.3", "127.0.0.1", "169.254.169.254", "192.168.0.1", "::1", "fe80::1",
                                "fd00::1", "::ffff:10.0.0.1", "2001:db8::1"})
        EXPECT_TRUE(holds(strict, address)) << address;
    for (const char* address : {"8.8.8.8", "192.0.0.9", "2606:4700::1111", "2001:500:2::c"})
        EXPECT_FALSE(holds(strict, address)) << address;

    const address_guard lab({*ip_network::parse("127.0.0.0/8")});
    EXPECT_FALSE(holds(lab, "127.0.0.1"));
    EXPECT_TRUE(holds(lab, "10.0.0.1"));
}

TEST(AddressGuard, RefusesWhatIsNotGlobalUnlessAllowed) {
    const address_guard strict;
    EXPECT_EQ(strict.refuses(*ip_address::parse("8.8.8.8")), std::nullopt);
    EXPECT_EQ(strict.refuses(*ip_address::parse("10.0.0.1")), "10.0.0.1 is not a global address: private");
    EXPECT_EQ(strict.refuses(*ip_address::parse("::ffff:10.0.0.1")),
              "::ffff:10.0.0.1 is not a global address: private");

    const address_guard lab({*ip_network::parse("127.0.0.0/8"), *ip_network::parse("fd00::/8")});
    for (const auto* allowed : {"127.0.0.1", "127.9.9.9", "fd00::1", "8.8.8.8", "2a00::1"})
        EXPECT_EQ(lab.refuses(*ip_address::parse(allowed)), std::nullopt) << allowed;
    EXPECT_EQ(lab.refuses(*ip_address::parse("::ffff:127.0.0.1")), std::nullopt)
        << "the same host by its mapped form";
    for (const auto* refused : {"10.0.0.1", "::1", "fc00::1", "::ffff:10.0.0.1", "64:ff9b::127.0.0.1",
                                "2002:7f00:1::", "::127.0.0.1"})
        EXPECT_NE(lab.refuses(*ip_address::parse(refused)), std::nullopt) << refused;
}

} // namespace
