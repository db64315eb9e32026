// SPDX-License-Identifier: Apache-2.0
// The HTTP client against servers that behave, misbehave and lie.
#include "io/http_client.h"
#include "support/fixed_resolver.h"
#include "support/tls_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

using namespace mailtight;
using namespace std::chrono_literals;
using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;
using testing::Pair;
using tests::peer;
using tests::server_tls;
using tests::test_server;

namespace {

const auto v4_here = *base::ip_address::parse("127.0.0.1");
const auto v6_here = *base::ip_address::parse("::1");
const base::address_guard strict;
const base::system_clock wall;

struct authority {
    tests::identity root = tests::make_root();
    tests::identity leaf = tests::make_leaf(root, {"reports.example"});
    tests::identity stranger = tests::make_leaf(root, {"other.example"});
    tests::root_file trusted{{&root}};
    io::tls_client client{trusted.path()};
};
authority& ca() {
    static authority all;
    return all;
}

io::http_answer ask(io::http_call call, const base::address_guard& guard = strict,
                    std::vector<base::ip_address> addresses = {v4_here}) {
    io::loop on;
    tests::fixed_resolver dns;
    dns.hosts["reports.example"] = std::move(addresses);
    return on.block_on(io::http_request(on, dns, ca().client, guard, wall, std::move(call)));
}

std::string url(std::uint16_t port, std::string_view scheme = "https", std::string_view path = "/x") {
    return std::string(scheme) + "://reports.example:" + std::to_string(port) + std::string(path);
}

TEST(Url, Good) {
    struct row {
        const char* text;
        const char* host;
        std::uint16_t port;
        const char* target;
        bool tls;
    };
    for (const auto& [text, host, port, target, tls] : {
             row{"https://reports.example/tlsrpt", "reports.example", 443, "/tlsrpt", true},
             row{"HTTPS://Reports.Example/T", "reports.example", 443, "/T", true},
             row{"https://reports.example", "reports.example", 443, "/", true},
             row{"https://reports.example:8443/a?b=c%20d", "reports.example", 8443, "/a?b=c%20d", true},
             row{"https://reports.example:/a", "reports.example", 443, "/a", true},
             row{"https://reports.example?q", "reports.example", 443, "/?q", true},
             row{"https://reports.example/a#part", "reports.example", 443, "/a", true},
             row{"https://reports.example./a", "reports.example.", 443, "/a", true},
             row{"http://127.0.0.1:80/a@b", "127.0.0.1", 80, "/a@b", false},
             row{"https://[2001:db8::1]:444/", "2001:db8::1", 444, "/", true},
         }) {
        const auto parts = io::parse_url(text);
        ASSERT_TRUE(parts) << text;
        EXPECT_EQ(parts->host, host) << text;
        EXPECT_EQ(parts->port, port) << text;
        EXPECT_EQ(parts->target, target) << text;
        EXPECT_EQ(parts->tls, tls) << text;
    }
}

TEST(Url, Bad) {
    struct row {
        const char* text;
        const char* why;
    };
    for (const auto& [text, why] : {
             row{"", "nothing"},
             row{"reports.example/x", "no scheme"},
             row{"ftp://reports.example/", "another scheme"},
             row{"mailto:a@b", "another scheme"},
             row{"https://", "no host"},
             row{"https:///path", "no host"},
             row{"https://user@reports.example/", "a user"},
             row{"https://reports.example@evil.example/", "a host that is a user"},
             row{"https://reports.example:0/", "no such port"},
             row{"https://reports.example:70000/", "no such port"},
             row{"https://reports.example:8x/", "no number"},
             row{"https://reports.example/a b", "a blank would end the target"},
             row{"https://reports.example/a\r\nX: y", "a line end would begin a field"},
             row{"https://reports.example/\xc3\xa4", "not percent-encoded"},
             row{"https://r%65ports.example/", "an encoded host"},
             row{"https://[::1/", "no end of the bracket"},
             row{"https://[127.0.0.1]/", "brackets are for IPv6"},
             row{"https://::1/", "IPv6 without brackets"},
         })
        EXPECT_FALSE(io::parse_url(text)) << why;
}

TEST(HttpClient, PostsAndReadsTheAnswer) {
    std::string head, body;
    server_tls tls(ca().leaf);
    test_server server([&](peer& client) {
        if (!client.start_tls(tls))
            return;
        head = client.head();
        body = client.line();
        client.send("HTTP/1.1 201 Created\r\nX-Kept: Yes\r\nContent-Length: 4\r\n\r\ndone");
    });
    const auto answer = ask({.url = url(server.port(), "https", "/tlsrpt/t?x=1"),
                             .fields = {{"Content-Type", "application/tlsrpt+json"}},
                             .body = "{}\n",
                             .exempt = true});
    EXPECT_EQ(answer.status, 201) << answer.error;
    EXPECT_EQ(answer.body, "done");
    EXPECT_EQ(answer.address, "127.0.0.1");
    EXPECT_FALSE(answer.certificate_fault);
    EXPECT_THAT(answer.fields, Contains(Pair("x-kept", "Yes")));
    EXPECT_THAT(head, AllOf(testing::StartsWith("POST /tlsrpt/t?x=1 HTTP/1.1\r\nHost: reports.example:"),
                            HasSubstr("\r\nContent-Type: application/tlsrpt+json\r\n"),
                            HasSubstr("\r\nContent-Length: 3\r\n"), HasSubstr("\r\nConnection: close\r\n"),
                            HasSubstr("\r\nUser-Agent: mailtight\r\n")));
    EXPECT_EQ(body, "{}\n");
    EXPECT_THAT(tls.names_seen(), testing::ElementsAre("reports.example"));
}

TEST(HttpClient, ABadCertificateIsAFaultThatCanBeIgnored) {
    server_tls tls(ca().stranger);
    int served = 0;
    test_server server([&](peer& client) {
        if (!client.start_tls(tls))
            return;
        if (client.head().empty())
            return;
        ++served;
        client.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    });
    io::http_call call{.method = "GET", .url = url(server.port()), .exempt = true};
    const auto refused = ask(call);
    EXPECT_EQ(refused.status, 0);
    EXPECT_TRUE(refused.certificate_fault);
    EXPECT_THAT(refused.error, HasSubstr("127.0.0.1"));
    EXPECT_EQ(served, 0) << "not a byte of the request went there";
    call.ignore_certificate = true;
    const auto taken = ask(call);
    EXPECT_EQ(taken.status, 200) << taken.error;
    EXPECT_TRUE(taken.certificate_fault) << "and it is still told";
}

TEST(HttpClient, FollowsNoRedirect) {
    test_server server([&](peer& client) {
        client.head();
        client.send("HTTP/1.1 302 Found\r\nLocation: https://evil.example/\r\nContent-Length: 0\r\n\r\n");
    });
    const auto answer = ask({.method = "GET", .url = url(server.port(), "http"), .exempt = true});
    EXPECT_EQ(answer.status, 302);
    EXPECT_THAT(answer.fields, Contains(Pair("location", "https://evil.example/")));
    EXPECT_EQ(server.connections(), 1);
}

TEST(HttpClient, TheGuardIsAskedForEveryAddress) {
    test_server server([](peer&) {});
    const auto answer = ask({.url = url(server.port())}, strict, {v4_here, v6_here});
    EXPECT_EQ(answer.status, 0);
    EXPECT_THAT(answer.error, HasSubstr("loopback"));
    const auto literal = ask({.url = "https://127.0.0.1:" + std::to_string(server.port()) + "/"});
    EXPECT_THAT(literal.error, HasSubstr("loopback")) << "an address in the URL is no way around it";
    EXPECT_THAT(ask({.url = "https://localhost/"}).error, HasSubstr("loopback"));
    EXPECT_EQ(server.connections(), 0);
}

TEST(HttpClient, TriesTheNextAddress) {
    test_server server([&](peer& client) {
        client.head();
        client.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    });
    // Nobody listens at ::1 on that port.
    const auto answer = ask({.url = url(server.port(), "http"), .exempt = true}, strict, {v4_here, v6_here});
    EXPECT_EQ(answer.status, 200) << answer.error;
    EXPECT_EQ(answer.address, "127.0.0.1");
}

TEST(HttpClient, TheFamilyIsChosenAndTold) {
    server_tls tls(ca().leaf);
    const auto serve = [&](peer& client) {
        if (client.start_tls(tls) && !client.head().empty())
            client.send("HTTP/1.1 503 Later\r\nRetry-After: 120\r\nContent-Length: 0\r\n\r\n");
    };
    test_server at_v4(serve);
    test_server at_v6(serve, "::1", at_v4.port());
    const base::address_guard lenient(
        {*base::ip_network::parse("127.0.0.0/8"), *base::ip_network::parse("::1")});
    struct row {
        io::families over;
        const char* address;
    };
    for (const auto& [over, address] :
         {row{io::families::any, "::1"}, row{io::families::v4_first, "127.0.0.1"},
          row{io::families::v4_only, "127.0.0.1"}, row{io::families::v6_only, "::1"}}) {
        const auto answer =
            ask({.method = "GET", .url = url(at_v4.port()), .over = over}, lenient, {v4_here, v6_here});
        EXPECT_EQ(answer.status, 503) << answer.error;
        EXPECT_EQ(answer.address, address);
        EXPECT_EQ(answer.over_v6, std::string_view(address) == "::1");
        EXPECT_FALSE(answer.blocked);
        EXPECT_THAT(answer.fields, Contains(Pair("retry-after", "120")));
    }
    const auto none = ask({.url = url(at_v4.port()), .over = io::families::v4_only}, lenient, {v6_here});
    EXPECT_EQ(none.status, 0);
    EXPECT_THAT(none.error, HasSubstr("over IPv4"));
    EXPECT_FALSE(none.blocked);
    EXPECT_TRUE(ask({.url = url(at_v4.port())}, strict, {v4_here, v6_here}).blocked);
}

TEST(HttpClient, ReadsARefusalThatComesBeforeTheBodyIsSent) {
    test_server server([&](peer& client) {
        client.head();
        client.send("HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        std::this_thread::sleep_for(100ms); // then closes with bytes unread
    });
    const auto answer =
        ask({.url = url(server.port(), "http"), .body = std::string(200'000, 'x'), .exempt = true});
    EXPECT_EQ(answer.status, 413) << answer.error;
}

TEST(HttpClient, WhatIsNoAnswerIsSaid) {
    struct row {
        const char* sends;
        const char* says;
    };
    for (const auto& [sends, says] : {
             row{"", "the connection ended before the answer was complete"},
             row{"220 mx ESMTP\r\n", "does not begin with an HTTP/1 status line"},
             row{"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf",
                 "ended before the answer was complete"},
             row{"HTTP/1.1 200 OK\r\nContent-Length: 2000\r\n\r\n", "larger than the limit"},
         }) {
        test_server server([text = sends](peer& client) {
            client.head();
            client.send(text);
        });
        const auto answer =
            ask({.method = "GET", .url = url(server.port(), "http"), .exempt = true, .reply_bytes = 1'000});
        EXPECT_EQ(answer.status, 0);
        EXPECT_THAT(answer.error, HasSubstr(says)) << sends;
    }
}

TEST(HttpClient, KeepsItsTime) {
    std::atomic<bool> over = false;
    test_server server([&](peer& client) {
        client.head();
        while (!over && client.send("HTTP/1.1 100 Continue\r\n\r\n"))
            std::this_thread::sleep_for(10ms);
    });
    const auto began = std::chrono::steady_clock::now();
    const auto answer = ask({.url = url(server.port(), "http"), .exempt = true, .time = 300ms});
    over = true;
    EXPECT_EQ(answer.status, 0);
    EXPECT_THAT(answer.error, HasSubstr("in time"));
    EXPECT_LT(std::chrono::steady_clock::now() - began, 10s);
}

TEST(HttpClient, SendsNothingThatCannotBeSaid) {
    EXPECT_THAT(ask({.url = "http://reports.example/"}).error, HasSubstr("only https"));
    EXPECT_THAT(ask({.url = "gopher://reports.example/"}).error, HasSubstr("no http or https URL"));
    EXPECT_THAT(ask({.url = "https://reports.example/", .fields = {{"X", "a\r\nY: b"}}}).error,
                HasSubstr("cannot be sent"));
    EXPECT_THAT(ask({.url = "https://reports.example/", .fields = {{"Content-Length", "5"}}}).error,
                HasSubstr("cannot be sent"));
    EXPECT_THAT(ask({.method = "GET /", .url = "https://reports.example/"}).error,
                HasSubstr("method cannot be asked"));
    EXPECT_THAT(ask({.url = "https://unknown.example/"}).error, HasSubstr("has no address in DNS"));
}

} // namespace
