// SPDX-License-Identifier: Apache-2.0
#include "io/source_address.h"

#include <gtest/gtest.h>

namespace mailtight::io {
namespace {

TEST(source_address, of_loopback_is_loopback) {
    EXPECT_EQ(source_address_to(*base::ip_address::parse("127.0.0.9"))->to_string(), "127.0.0.1");
    const auto v6 = source_address_to(*base::ip_address::parse("::1"));
    if (v6) // a host may have no IPv6 at all
        EXPECT_EQ(v6->to_string(), "::1");
}

TEST(source_address, without_a_way_there_is_none) {
    // Broadcast needs leave.
    EXPECT_FALSE(source_address_to(*base::ip_address::parse("255.255.255.255")));
}

} // namespace
} // namespace mailtight::io
