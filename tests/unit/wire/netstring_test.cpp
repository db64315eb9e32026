// SPDX-License-Identifier: Apache-2.0
#include "wire/netstring.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <limits>
#include <string>

using namespace mailtight::wire;

namespace {

constexpr std::size_t limit = 100;
using state = netstring_read::state;

struct row {
    const char* why;
    std::string bytes;
    state what;
    std::string payload;
    std::size_t size = 0;
};

const std::vector<row>& rows() {
    static const std::vector<row> all = {
        {"a request of Postfix", "19:postfix example.com,", state::complete, "postfix example.com", 23},
        {"nothing in it", "0:,", state::complete, "", 3},
        {"the bytes of the framing inside it", "5:1:,2:,", state::complete, "1:,2:", 8},
        {"any bytes", std::string("3:\0\xff\n,", 6), state::complete, std::string("\0\xff\n", 3), 6},
        {"another one behind it", "1:a,1:b,", state::complete, "a", 4},
        {"as long as it may be", "100:" + std::string(100, 'x') + ",", state::complete, std::string(100, 'x'),
         105},

        {"nothing yet", "", state::partial, ""},
        {"the length may go on", "1", state::partial, ""},
        {"the length may end", "0", state::partial, ""},
        {"no payload yet", "1:", state::partial, ""},
        {"no comma yet", "1:a", state::partial, ""},
        {"no comma yet, and none of the payload", "0:", state::partial, ""},

        {"no length", ":,", state::broken, ""},
        {"no length, only a payload", "GET / HTTP/1.1\r\n", state::broken, ""},
        {"a leading zero", "01:a,", state::broken, ""},
        {"two zeros", "00:,", state::broken, ""},
        {"a sign", "+1:a,", state::broken, ""},
        {"a negative length", "-1:a,", state::broken, ""},
        {"a blank before it", " 1:a,", state::broken, ""},
        {"a blank inside the length", "1 :a,", state::broken, ""},
        {"a hexadecimal length", "0x1:a,", state::broken, ""},
        {"a letter in the length", "1a:a,", state::broken, ""},
        {"a line end behind the one before", "\n1:a,", state::broken, ""},
        {"no comma where it has to be", "1:ab", state::broken, ""},
        {"longer than it says", "1:abc,", state::broken, ""},
        {"shorter than it says, another behind it", "3:a,1:b,", state::broken, ""},

        {"one byte too long", "101:", state::too_long, ""},
        {"judged before its colon", "101", state::too_long, ""},
        {"more than any number holds", "99999999999999999999999999999999", state::too_long, ""},
        {"2 to the 64th", "18446744073709551616:", state::too_long, ""},
        {"2 to the 64th and 1", "18446744073709551617:a,", state::too_long, ""},
    };
    return all;
}

TEST(Netstring, Reads) {
    for (const auto& [why, bytes, what, payload, size] : rows()) {
        const auto got = read_netstring(bytes, limit);
        EXPECT_EQ(got.what, what) << why;
        EXPECT_EQ(got.payload, payload) << why;
        EXPECT_EQ(got.size, size) << why;
    }
}

// However it is cut: more bytes never change what was decided.
TEST(Netstring, EverySplit) {
    for (const auto& [why, bytes, what, payload, size] : rows()) {
        auto before = state::partial;
        for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
            const auto got = read_netstring(std::string_view(bytes).substr(0, cut), limit);
            if (before != state::partial)
                EXPECT_EQ(got.what, before) << why << ", " << cut;
            before = got.what;
        }
        EXPECT_EQ(before, what) << why;
    }
}

TEST(Netstring, CopiesNothing) {
    const std::string bytes = "3:abc,";
    EXPECT_EQ(read_netstring(bytes, limit).payload.data(), bytes.data() + 2);
}

TEST(Netstring, AnyLimit) {
    EXPECT_EQ(read_netstring("0:,", 0).what, state::complete);
    EXPECT_EQ(read_netstring("1:a,", 0).what, state::too_long);
    EXPECT_EQ(read_netstring("9:", 8).what, state::too_long);
    constexpr auto most = std::numeric_limits<std::size_t>::max();
    EXPECT_EQ(read_netstring("18446744073709551615", most).what, state::partial);
    EXPECT_EQ(read_netstring("18446744073709551616", most).what, state::too_long);
}

RC_GTEST_PROP(Netstring, RoundTrip, (const std::string& first, const std::string& second)) {
    std::string bytes;
    append_netstring(bytes, first);
    append_netstring(bytes, second);
    const auto one = read_netstring(bytes, first.size());
    RC_ASSERT(one.what == state::complete);
    RC_ASSERT(one.payload == first);
    const auto two = read_netstring(std::string_view(bytes).substr(one.size), second.size());
    RC_ASSERT(two.payload == second);
    RC_ASSERT(one.size + two.size == bytes.size());
}

} // namespace
