// SPDX-License-Identifier: Apache-2.0
// tcp_table(5), the questions as Postfix's client sends them.
#include "wire/tcp_table.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <string>

using namespace mailtight::wire;

namespace {

using kind = tcp_table_request::kind;

TEST(TcpTable, Requests) {
    struct row {
        const char* why;
        std::string line;
        kind what;
        std::string key;
    };
    for (const auto& [why, line, what, key] : {
             row{"as sent", "get example.com", kind::get, "example.com"},
             row{"what stands for itself", "get [mx.example.com]:587", kind::get, "[mx.example.com]:587"},
             row{"any case of the digits", "get a%2Fb%2fc", kind::get, "a/b/c"},
             row{"encoded where it need not be", "get %65xample.com", kind::get, "example.com"},
             row{"UTF-8 as Postfix sends it", "get b%C3%BCcher.example", kind::get,
                 "b\xc3\xbc"
                 "cher.example"},
             row{"UTF-8 as a person types it",
                 "get b\xc3\xbc"
                 "cher.example",
                 kind::get,
                 "b\xc3\xbc"
                 "cher.example"},
             row{"any byte", "get a%00%0A%20b", kind::get, std::string("a\0\n b", 5)},
             row{"the sign itself", "get 100%25", kind::get, "100%"},
             row{"not ours to do, but a request", "put example.com secure%20match=a", kind::put,
                 "example.com"},
             row{"a put of nothing", "put example.com ", kind::put, "example.com"},

             row{"nothing", "", kind::broken, ""},
             row{"no key", "get", kind::broken, ""},
             row{"an empty key", "get ", kind::broken, ""},
             row{"another verb", "GET example.com", kind::broken, ""},
             row{"HTTP", "GET / HTTP/1.1", kind::broken, ""},
             row{"a tab between", "get\texample.com", kind::broken, ""},
             row{"two blanks", "get  example.com", kind::broken, ""},
             row{"two keys", "get a b", kind::broken, ""},
             row{"a blank behind", "get a ", kind::broken, ""},
             row{"a blank before", " get a", kind::broken, ""},
             row{"a carriage return", "get a\r", kind::broken, ""},
             row{"a control byte", "get a\x01", kind::broken, ""},
             row{"DEL", "get a\x7f", kind::broken, ""},
             row{"NUL", std::string("get a\0", 6), kind::broken, ""},
             row{"one digit", "get a%2", kind::broken, ""},
             row{"no digit", "get a%", kind::broken, ""},
             row{"no hexadecimal digit", "get a%2g", kind::broken, ""},
             row{"a sign among the digits", "get a%+2", kind::broken, ""},
             row{"a put without a value", "put example.com", kind::broken, ""},
             row{"a put without a key", "put  x", kind::broken, ""},
             row{"a put of two values", "put a b c", kind::broken, ""},
         }) {
        const auto got = read_tcp_table_request(line);
        EXPECT_EQ(got.what, what) << why;
        EXPECT_EQ(got.key, key) << why;
    }
}

TEST(TcpTable, Replies) {
    EXPECT_EQ(tcp_table_reply(200, "secure match=a.example:b.example"),
              "200 secure%20match=a.example:b.example\n");
    EXPECT_EQ(tcp_table_reply(500, "not found"), "500 not%20found\n");
    EXPECT_EQ(tcp_table_reply(400, "100% of it\n200 secure"), "400 100%25%20of%20it%0A200%20secure\n")
        << "no text can make a second reply";
    EXPECT_EQ(tcp_table_reply(400, ""), "400 \n");
    EXPECT_EQ(tcp_table_reply(400, "\xc3\xbc"), "400 %C3%BC\n");
}

TEST(TcpTable, KeepsTheLimitOfTheClient) {
    const std::string longest(tcp_table_line - 5, 'x');
    EXPECT_EQ(tcp_table_reply(200, longest).size(), tcp_table_line);
    for (const auto& text :
         {longest + "x", std::string(tcp_table_line / 3, ' '), std::string(1'000'000, 'x')}) {
        const auto reply = tcp_table_reply(200, text);
        EXPECT_TRUE(reply.starts_with("400 ")) << "half an answer would be another answer";
        EXPECT_LE(reply.size(), 200u);
        EXPECT_TRUE(reply.ends_with('\n'));
    }
}

RC_GTEST_PROP(TcpTable, RoundTrip, (const std::string& text)) {
    const auto line = tcp_table_reply(200, text);
    RC_ASSERT(line.find('\n') == line.size() - 1);
    RC_ASSERT(percent_decode(std::string_view(line).substr(4, line.size() - 5)) == text);
    if (!text.empty()) {
        const auto asked = read_tcp_table_request("get " + line.substr(4, line.size() - 5));
        RC_ASSERT(asked.what == kind::get);
        RC_ASSERT(asked.key == text);
    }
}

RC_GTEST_PROP(TcpTable, DecodesOnlyWhatIsALine, (const std::string& text)) {
    const auto decoded = percent_decode(text);
    if (decoded) {
        RC_ASSERT(decoded->size() <= text.size());
        RC_ASSERT(text.find_first_of(std::string_view(" \t\r\n\0", 5)) == text.npos);
    }
}

} // namespace
