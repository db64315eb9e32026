// SPDX-License-Identifier: Apache-2.0
// Heads of requests where they lie: what is read, what is refused and why; and the reader of whole requests
// as an oracle.
#include "wire/http_head.h"

#include "wire/http_request.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <string>

namespace mailtight::wire {
namespace {

TEST(HttpHead, WhatIsReadOfAGoodOne) {
    struct row {
        const char* head;
        const char* method;
        const char* path;
        const char* host;
        bool close, body;
        const char* why;
    };
    for (const auto& one : {
             row{"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n", "GET", "/", "a.example", false, false,
                 "the least"},
             row{"\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", "GET", "/", "a", false, false,
                 "an empty line before it is passed over (RFC 9112 §2.2)"},
             row{"HEAD /x?y=1 HTTP/1.1\r\nhOST:\t A.Example:443 \r\n\r\n", "HEAD", "/x?y=1", "A.Example:443",
                 false, false, "names of fields have no case, values no space around them"},
             row{"GET http://b.example/x HTTP/1.1\r\nHost: a.example\r\n\r\n", "GET", "/x", "b.example",
                 false, false, "an absolute target wins (RFC 9112 §3.2.2)"},
             row{"GET https://b.example?q HTTP/1.1\r\nHost: a\r\n\r\n", "GET", "?q", "b.example", false,
                 false, "without a path"},
             row{"GET / HTTP/1.0\r\n\r\n", "GET", "/", "", true, false, "HTTP/1.0 needs no Host, and ends"},
             row{"GET / HTTP/1.0\r\nConnection: keep-alive\r\nHost: a\r\n\r\n", "GET", "/", "a", true, false,
                 "and goes not on"},
             row{"GET / HTTP/1.7\r\nHost: a\r\n\r\n", "GET", "/", "a", false, false, "a later minor version"},
             row{"GET / HTTP/1.1\r\nHost: a\r\nConnection: TE, Close\r\n\r\n", "GET", "/", "a", true, false,
                 "close in a list"},
             row{"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", "GET", "/", "a", false, false,
                 "an empty body is none"},
             row{"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n", "POST", "/", "a", false, true,
                 "a body"},
             row{"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", "POST", "/", "a", false,
                 true, "a body in chunks"},
             row{"OPTIONS * HTTP/1.1\r\nHost:\r\n\r\n", "OPTIONS", "*", "", false, false, "an empty Host"},
         }) {
        const auto read = read_http_head(one.head);
        EXPECT_EQ(read.refused, 0) << one.why;
        EXPECT_EQ(read.size, std::string_view(one.head).size()) << one.why;
        EXPECT_EQ(read.method, one.method) << one.why;
        EXPECT_EQ(read.path, one.path) << one.why;
        EXPECT_EQ(read.host, one.host) << one.why;
        EXPECT_EQ(read.close, one.close) << one.why;
        EXPECT_EQ(read.body, one.body) << one.why;
    }
}

TEST(HttpHead, WhatIsRefused) {
    const std::string host = "Host: a\r\n\r\n";
    struct row {
        std::string head;
        int status;
        const char* why;
    };
    for (const auto& [head, status, why] : {
             row{"\x16\x03\x01\x02", 400, "TLS where HTTP is spoken"},
             row{" GET / HTTP/1.1\r\n", 400, "a space first"},
             row{"GET / HTTP/1.1\n" + host, 400, "a bare LF"},
             row{"GET /\r\n", 400, "no version (HTTP/0.9)"},
             row{"GET / / HTTP/1.1\r\n" + host, 400, "a space in the target"},
             row{"GET  HTTP/1.1\r\n" + host, 400, "no target"},
             row{"G(T / HTTP/1.1\r\n" + host, 400, "a method that is no token"},
             row{"GET / http/1.1\r\n" + host, 400, "the version has a case"},
             row{"GET / HTTP/1.11\r\n" + host, 400, "two digits"},
             row{"PRI * HTTP/2.0\r\n\r\n", 505, "HTTP/2 without having been agreed"},
             row{"GET /\x80 HTTP/1.1\r\n" + host, 400, "a target beyond ASCII"},
             row{"GET / HTTP/1.1\r\n\r\n", 400, "no Host"},
             row{"GET / HTTP/1.1\r\nHost: a\r\n" + host, 400, "two of them"},
             row{"GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400, "space before the colon"},
             row{"GET / HTTP/1.1\r\nHost: a\r\n b\r\n\r\n", 400, "a folded field"},
             row{"GET / HTTP/1.1\r\nHost\r\n\r\n", 400, "no colon"},
             row{"GET / HTTP/1.1\r\n: a\r\n" + host, 400, "no name"},
             row{"GET / HTTP/1.1\r\nX: a\rb\r\n" + host, 400, "a bare CR in a value"},
             row{std::string("GET / HTTP/1.1\r\nX: a\0b\r\n", 25) + host, 400, "a NUL"},
             row{"GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 1\r\n" + host, 400, "two lengths"},
             row{"GET / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n" + host, 400,
                 "two ways to say it"},
             row{"GET / HTTP/1.1\r\nContent-Length: +1\r\n" + host, 400, "a length with a sign"},
             row{"GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400, "chunks before HTTP/1.1"},
             row{"GET /" + std::string(3'000, 'x') + " HTTP/1.1\r\n" + host, 414, "a long target"},
             row{"GET /" + std::string(9'000, 'x'), 414, "a request line without end"},
             row{"GET / HTTP/1.1\r\nX: " + std::string(9'000, 'x'), 431, "a field without end"},
             row{"GET / HTTP/1.1\r\n" +
                     [] {
                         std::string many;
                         for (int i = 0; i < 100; ++i)
                             many += "X: y\r\n";
                         return many;
                     }() +
                     host,
                 431, "a hundred fields"},
         })
        EXPECT_EQ(read_http_head(head).refused, status) << why;
}

TEST(HttpHead, HostNames) {
    char room[256];
    EXPECT_EQ(host_name_of("MTA-STS.Example.COM", room), "mta-sts.example.com");
    EXPECT_EQ(host_name_of("a.example:443", room), "a.example");
    EXPECT_EQ(host_name_of("a.example.:8443", room), "a.example");
    for (const char* bad : {"[::1]", "a:b", "a:1:2", "a b", "a\x80", "a/b", "a@b", "a:123456"})
        EXPECT_EQ(host_name_of(bad, room), "") << bad;
    EXPECT_EQ(host_name_of(std::string(253, 'a'), room).size(), 253U);
    EXPECT_EQ(host_name_of(std::string(254, 'a'), room), "") << "longer than a name can be";
}

/// Something like a request, often a good one.
rc::Gen<std::string> anything_like_a_head() {
    using rc::gen::weightedElement;
    const auto field = rc::gen::map(
        rc::gen::tuple(weightedElement<std::string>({{20, "X"},
                                                     {20, "Connection"},
                                                     {20, "User-Agent"},
                                                     {5, "Content-Length"},
                                                     {3, "Transfer-Encoding"},
                                                     {1, "host"},
                                                     {1, "Expect"},
                                                     {1, "Ho st"},
                                                     {1, ""}}),
                       weightedElement<std::string>({{40, ": "}, {20, ":"}, {1, " : "}, {1, ""}}),
                       weightedElement<std::string>({{20, "0"},
                                                     {20, "close"},
                                                     {20, "keep-alive, x"},
                                                     {5, "7"},
                                                     {5, "chunked"},
                                                     {1, "\x01"},
                                                     {5, "é"},
                                                     {5, "  "}}),
                       weightedElement<std::string>({{60, "\r\n"}, {1, "\n"}, {1, "\r\n "}})),
        [](const auto& parts) {
            return std::get<0>(parts) + std::get<1>(parts) + std::get<2>(parts) + std::get<3>(parts);
        });
    const auto line = rc::gen::map(
        rc::gen::tuple(
            weightedElement<std::string>({{20, "GET"}, {10, "HEAD"}, {10, "POST"}, {1, "G@T"}, {1, ""}}),
            weightedElement<std::string>({{20, " / "},
                                          {10, " /a?b "},
                                          {10, " http://h.example/x "},
                                          {2, " * "},
                                          {1, "  "},
                                          {1, " /a /b "}}),
            weightedElement<std::string>(
                {{20, "HTTP/1.1"}, {10, "HTTP/1.0"}, {1, "HTTP/2.0"}, {1, "HTTP/1.x"}}),
            weightedElement<std::string>({{40, "\r\n"}, {1, "\n"}})),
        [](const auto& parts) {
            return std::get<0>(parts) + std::get<1>(parts) + std::get<2>(parts) + std::get<3>(parts);
        });
    return rc::gen::map(rc::gen::pair(line, rc::gen::container<std::vector<std::string>>(field)),
                        [](const auto& parts) {
                            std::string all = parts.first + "Host: a.example\r\n";
                            for (const auto& one : parts.second)
                                all += one;
                            return all + "\r\n";
                        });
}

RC_GTEST_PROP(HttpHead, IsNeverMoreLenientThanTheReaderOfWholeRequests, ()) {
    const auto bytes = *anything_like_a_head();
    const auto head = read_http_head(bytes);
    http_request_reader oracle;
    oracle.feed(bytes);
    if (head.refused != 0 || head.size == 0)
        return;
    RC_CLASSIFY(true, "accepted");
    // It judges some things (targets, encodings that it does not know) more strictly still.
    if (!oracle.head_complete()) {
        RC_ASSERT(oracle.refused() == 400 || oracle.refused() == 501 || oracle.refused() == 417 ||
                  oracle.refused() == 411 || oracle.refused() == 413 || oracle.refused() == 405);
        return;
    }
    RC_ASSERT(oracle.request().method == head.method);
    char room[256];
    RC_ASSERT(oracle.request().host == host_name_of(head.host, room));
    if (!head.http10)
        RC_ASSERT(oracle.request().keep_alive == !head.close);
}

RC_GTEST_PROP(HttpHead, IsIncompleteUntilItsLastByte, ()) {
    const auto bytes = *anything_like_a_head();
    const auto whole = read_http_head(bytes);
    for (std::size_t cut = 0; cut < (whole.size > 0 ? whole.size : bytes.size()); ++cut) {
        const auto part = read_http_head(std::string_view(bytes).substr(0, cut));
        RC_ASSERT(part.size == 0U);
        RC_ASSERT(part.refused == 0 || part.refused == whole.refused);
    }
}

} // namespace
} // namespace mailtight::wire
