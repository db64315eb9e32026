// SPDX-License-Identifier: Apache-2.0
// A sender's fetch against real TLS servers on loopback: what each answer means, and that nothing holds it up
// beyond its time.
#include "base/limits.h"
#include "resolve/address_order.h"
#include "resolve/policy_fetch.h"
#include "support/dns_world.h"
#include "support/proves.h"
#include "unit/probe/probe_world.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

using namespace mailtight;
using namespace std::chrono_literals;
using sts::policy_fault;
using testing::HasSubstr;
using tests::authority;
using tests::peer;
using tests::server_tls;
using tests::test_server;

using tests::answering, tests::good_tls, tests::with_length;

namespace {

const std::string& host = tests::policy_host;
const std::string& ok = tests::ok_text_plain;
const std::string body = "version: STSv1\r\nmode: enforce\r\nmx: mx1.example.com\r\nmax_age: 604800\r\n";
struct fetching : tests::world {
    tests::dns_world dns;
    resolve::policy_fetch_options fetch_options;
    io::loop::clock::duration took{};

    fetching() { dns.addresses(host, {"127.0.0.1"}); }
    sts::policy_sighting get(std::uint16_t port) {
        options.https_port = port;
        const auto fetch = resolve::policy_fetcher(context(), dns, fetch_options);
        const auto begin = loop.now();
        auto seen = loop.block_on(fetch("example.com"));
        took = loop.now() - begin;
        EXPECT_EQ(seen.value.has_value(), seen.detail.empty()) << "a failure says why: " << seen.detail;
        EXPECT_EQ(seen.value.has_value(), !seen.body.empty());
        return seen;
    }
};

TEST(policy_fetch, brings_the_policy_as_it_was_served) {
    PROVES("8461-3.2-a", "8461-7.1-b");
    tests::note head;
    const auto leaf = authority::get().leaf(host);
    server_tls tls(leaf, {&authority::get().middle});
    test_server server([&](peer& client) {
        client.start_tls(tls);
        head.set(client.head());
        client.send(with_length(body));
    });
    fetching w;
    const auto seen = w.get(server.port());
    ASSERT_TRUE(seen.value);
    EXPECT_EQ(seen.value->mode, sts::mode::enforce);
    EXPECT_THAT(seen.value->mx, testing::ElementsAre("mx1.example.com"));
    EXPECT_EQ(seen.body, body);
    EXPECT_THAT(head.get(),
                testing::StartsWith("GET /.well-known/mta-sts.txt HTTP/1.1\r\nHost: " + host + "\r\n"));
    EXPECT_THAT(tls.names_seen(), testing::ElementsAre(host));
    EXPECT_THAT(w.dns.asked, testing::ElementsAre("A " + host));
}

struct answer_row {
    const char* why;
    std::string answer;
    std::optional<policy_fault> fault; ///< nothing: a policy
    std::string words;
};
TEST(policy_fetch, takes_a_policy_by_status_200_as_plain_text_and_nothing_else) {
    PROVES("8461-3.2-b", "8461-3.2-c", "8461-3.3-h", "8461-3.3-i", "8461-3.3-m");
    using enum policy_fault;
    const auto status = [&](const std::string& line, const std::string& more = "") {
        return with_length(body, "HTTP/1.1 " + line + "\r\nContent-Type: text/plain\r\n" + more);
    };
    const auto as = [&](const std::string& type) { return with_length(body, "HTTP/1.1 200 OK\r\n" + type); };
    const auto padded = [&](std::size_t size) {
        return body + "x: " + std::string(size - body.size() - 5, 'x') + "\r\n";
    };
    const answer_row rows[] = {
        {"a policy", with_length(body), {}, ""},
        {"LF alone", with_length("version: STSv1\nmode: none\nmax_age: 0\n"), {}, ""},
        {"parameters", as("Content-Type: Text/Plain; charset=iso-8859-1; x=y\r\n"), {}, ""},
        {"65,536 bytes", with_length(padded(65'536)), {}, ""},
        {"65,537 bytes", with_length(padded(65'537)), fetch_error, "65536"},
        {"HTML", as("Content-Type: text/html\r\n"), invalid, "text/html"},
        {"no type", as(""), invalid, "without a Content-Type"},
        {"a type that would break a line of a log", as("Content-Type: a\tb\x1b[1m\r\n"), fetch_error,
         "no proper HTTP"},
        {"no policy", with_length("<html>not found</html>"), invalid, "no MTA-STS policy"},
        {"nothing", with_length(""), invalid, "empty"},
        {"no mx", with_length("version: STSv1\nmode: enforce\nmax_age: 1\n"), invalid, "no mx"},
        {"a bad mode", with_length("version: STSv1\nmode: all\nmax_age: 1\nmx: a.example\n"), invalid,
         "line 2"},
        {"201", status("201 Created"), fetch_error, "201"},
        {"203", status("203 Non-Authoritative"), fetch_error, "203"},
        {"204", "HTTP/1.1 204 No Content\r\n\r\n", fetch_error, "204"},
        {"206", status("206 Partial Content"), fetch_error, "206"},
        {"304", "HTTP/1.1 304 Not Modified\r\n\r\n", fetch_error, "304"},
        {"404", status("404 Not Found"), fetch_error, "404"},
        {"500", status("500 Oops"), fetch_error, "500"},
        {"a redirect to a policy", status("301 Moved", "Location: https://www.example.com/p\r\n"),
         fetch_error, "https://www.example.com/p"},
        {"no HTTP", "220 mx.example.com ESMTP\r\n", fetch_error, "no proper HTTP"},
        {"hangs up", "", fetch_error, "no proper HTTP"},
        {"a lying length", ok + "Content-Length: 999\r\n\r\n" + body, fetch_error, "no proper HTTP"},
        {"gzip unasked", as("Content-Type: text/plain\r\nContent-Encoding: gzip\r\n"), fetch_error,
         "Content-Encoding"},
    };
    for (const auto& row : rows) {
        test_server server(answering(row.answer));
        fetching w;
        const auto seen = w.get(server.port());
        EXPECT_EQ(seen.value.has_value(), !row.fault) << row.why << ": " << seen.detail;
        if (row.fault)
            EXPECT_EQ(seen.fault, *row.fault) << row.why << ": " << seen.detail;
        EXPECT_THAT(seen.detail, HasSubstr(row.words)) << row.why;
        EXPECT_EQ(seen.detail.find_first_of("\r\n\x1b"), std::string::npos) << row.why;
        EXPECT_EQ(server.connections(), 1) << row.why << ": nothing is followed or tried again";
    }
}

TEST(policy_fetch, takes_any_media_type_where_told_so) {
    PROVES("8461-3.2-b");
    test_server server(answering(with_length(body, "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n")));
    fetching w;
    EXPECT_EQ(w.get(server.port()).fault, policy_fault::invalid);
    w.fetch_options.any_content_type = true;
    EXPECT_TRUE(w.get(server.port()).value);
}

TEST(policy_fetch, asks_each_time_whatever_the_last_answer_said_of_caches) {
    PROVES("8461-3.3-j");
    std::atomic<int> asked = 0;
    test_server server([&](peer& client) {
        client.start_tls(good_tls());
        client.head();
        client.send(with_length("version: STSv1\nmode: none\nmax_age: " + std::to_string(++asked) + "\n",
                                ok + "Cache-Control: max-age=86400\r\nETag: \"x\"\r\n"));
    });
    fetching w;
    EXPECT_EQ(w.get(server.port()).value->max_age, 1u);
    EXPECT_EQ(w.get(server.port()).value->max_age, 2u);
}

TEST(policy_fetch, asks_nothing_behind_a_certificate_that_does_not_pass) {
    PROVES("8461-3.3-a", "8461-3.3-b", "8461-3.3-c", "8461-3.3-e", "8461-3.3-f");
    auto& ca = authority::get();
    struct row {
        const char* why;
        tests::certificate_wish wish;
        const tests::identity* issuer;
        bool send_middle;
        std::string words; ///< "" : it passes
    };
    const std::string domain = "example.com";
    const row rows[] = {
        {"for the host", {.dns_names = {host}}, &ca.middle, true, ""},
        {"a wildcard label", {.dns_names = {"*.example.com"}}, &ca.middle, true, ""},
        {"for the domain only", {.dns_names = {domain}}, &ca.middle, true, "not " + host},
        {"a wildcard inside a label", {.dns_names = {"mta*.example.com"}}, &ca.middle, true, "not " + host},
        {"common name only", {.common_name = host}, &ca.middle, true, "no dNSName"},
        {"expired", {.dns_names = {host}, .not_after = tests::world_past}, &ca.middle, true, "expired"},
        {"not yet valid",
         {.dns_names = {host}, .not_before = tests::world_now + std::chrono::days(1)},
         &ca.middle,
         true,
         "not valid before"},
        {"signed by itself", {.common_name = host, .dns_names = {host}}, nullptr, false, "signed by itself"},
        {"without its intermediate", {.dns_names = {host}}, &ca.middle, false, "not sent"},
    };
    for (const auto& row : rows) {
        const auto leaf = tests::issue(row.wish, row.issuer);
        std::vector<const tests::identity*> chain;
        if (row.send_middle)
            chain.push_back(&ca.middle);
        server_tls tls(leaf, chain);
        tests::note head;
        {
            test_server server([&](peer& client) {
                if (!client.start_tls(tls))
                    return;
                head.set("asked: " + client.head());
                client.send(with_length(body));
            });
            fetching w;
            const auto seen = w.get(server.port());
            EXPECT_EQ(seen.value.has_value(), row.words.empty()) << row.why << ": " << seen.detail;
            if (!row.words.empty())
                EXPECT_EQ(seen.fault, policy_fault::webpki_invalid) << row.why;
            EXPECT_THAT(seen.detail, HasSubstr(row.words)) << row.why;
        }
        EXPECT_EQ(head.get() == "asked: ", !row.words.empty()) << row.why;
    }
}

TEST(policy_fetch, that_finds_an_old_server_does_not_look_twice) {
    const auto leaf = authority::get().leaf(host);
    server_tls tls(leaf, {&authority::get().middle});
    tls.only(TLS1_VERSION, TLS1_1_VERSION);
    test_server server([&](peer& client) { client.start_tls(tls); });
    fetching w;
    const auto seen = w.get(server.port());
    EXPECT_EQ(seen.fault, policy_fault::fetch_error) << "the certificate was never judged";
    EXPECT_THAT(seen.detail, HasSubstr("TLS handshake"));
    EXPECT_EQ(server.connections(), 1);
}

TEST(policy_fetch, ends_in_time_wherever_the_host_hangs) {
    PROVES("8461-3.3-m");
    const auto begin = [](peer& c) {
        c.start_tls(good_tls());
        c.head();
    };
    const std::pair<const char*, std::function<void(peer&)>> rows[] = {
        {"before TLS", [](peer& c) { c.rest(); }},
        {"in the middle of the handshake",
         [](peer& c) {
             c.send(std::string("\x16\x03\x03\x00\x7a\x02", 6));
             c.rest();
         }},
        {"after the handshake",
         [](peer& c) {
             c.start_tls(good_tls());
             c.rest();
         }},
        {"after the request",
         [&](peer& c) {
             begin(c);
             c.rest();
         }},
        {"in the head",
         [&](peer& c) {
             begin(c);
             c.send("HTTP/1.1 200 OK\r\nContent-Type: te");
             c.rest();
         }},
        {"in the body",
         [&](peer& c) {
             begin(c);
             c.send(ok + "Content-Length: 6000\r\n\r\nversion: STSv1\r\n");
             c.rest();
         }},
        {"in a chunk",
         [&](peer& c) {
             begin(c);
             c.send(ok + "Transfer-Encoding: chunked\r\n\r\n5\r\nvers");
             c.rest();
         }},
        {"never, byte by byte",
         [&](peer& c) {
             begin(c);
             c.send(ok + "Content-Length: 60000\r\n\r\n");
             for (int i = 0; i < 500 && c.send("x"); ++i)
                 std::this_thread::sleep_for(20ms);
         }},
    };
    for (const auto& [where, serve] : rows) {
        test_server server(serve);
        fetching w;
        w.options.fetch_time = 250ms;
        const auto seen = w.get(server.port());
        EXPECT_FALSE(seen.value) << where;
        EXPECT_EQ(seen.fault, policy_fault::fetch_error) << where;
        EXPECT_THAT(seen.detail, HasSubstr("in time")) << where;
        EXPECT_GE(w.took, 240ms) << where;
        EXPECT_LT(w.took, 5s) << where;
    }
}

TEST(policy_fetch, that_finds_no_address_says_why) {
    fetching w;
    w.dns.addresses(host, {}, tests::fails("SERVFAIL: Signature Expired (extended error 7)"));
    EXPECT_THAT(w.get(1).detail, HasSubstr("Signature Expired"));
    w.dns.addresses(host, {});
    EXPECT_EQ(w.get(1).detail, host + " has no address");
    EXPECT_EQ(w.get(1).fault, policy_fault::fetch_error);
    w.dns.addresses(host, {"127.0.0.1"});
    w.guard = {};
    EXPECT_THAT(w.get(1).detail, HasSubstr("not connected to: the address is"));
}

TEST(policy_fetch, goes_on_to_the_next_address_where_one_cannot_be_talked_to) {
    test_server good(answering(with_length(body)));
    fetching w;
    w.dns.addresses(host, {"127.0.0.2", "127.0.0.1"}); // nobody listens at the first
    EXPECT_TRUE(w.get(good.port()).value);

    // One that hangs up in the handshake.
    test_server cuts([](peer& c) { c.cut(); }, "127.0.0.3", good.port());
    w.dns.addresses(host, {"127.0.0.3", "127.0.0.1"});
    EXPECT_TRUE(w.get(good.port()).value);
    EXPECT_EQ(cuts.connections(), 1);

    w.dns.addresses(host, {"127.0.0.2", "127.0.0.4"});
    const auto none = w.get(good.port());
    EXPECT_EQ(none.fault, policy_fault::fetch_error);
    EXPECT_THAT(none.detail, HasSubstr("127.0.0.2")) << "the first that was tried";
    w.dns.addresses(host, {"127.0.0.2", "127.0.0.3"});
    EXPECT_THAT(w.get(good.port()).detail, HasSubstr("127.0.0.3")) << "the one that came farthest";
}

TEST(policy_fetch, does_not_wait_for_a_silent_address) {
    test_server good(answering(with_length(body)));
    test_server silent([](peer& c) { c.rest(); }, "127.0.0.2", good.port());
    fetching w;
    w.dns.addresses(host, {"127.0.0.2", "127.0.0.1"});
    w.fetch_options.head_start = 50ms;
    w.options.fetch_time = 800ms;
    EXPECT_TRUE(w.get(good.port()).value);
    EXPECT_GE(w.took, 45ms);
    EXPECT_LT(w.took, 700ms);
    w.loop.run(); // the silent one runs out of time by itself
}

TEST(policy_fetch, asks_no_other_address_behind_an_answer) {
    test_server missing(answering("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"));
    test_server other(answering(with_length(body)), "127.0.0.2", missing.port());
    fetching w;
    w.dns.addresses(host, {"127.0.0.1", "127.0.0.2"});
    EXPECT_THAT(w.get(missing.port()).detail, HasSubstr("404"));
    EXPECT_EQ(other.connections(), 0);
}

TEST(policy_fetch, tries_no_more_addresses_than_it_may) {
    test_server good(answering(with_length(body)));
    fetching w;
    w.dns.addresses(host, {"127.0.0.2", "127.0.0.3", "127.0.0.4", "127.0.0.5", "127.0.0.1"});
    EXPECT_FALSE(w.get(good.port()).value);
    EXPECT_EQ(good.connections(), 0);
    w.fetch_options.addresses = 5;
    EXPECT_TRUE(w.get(good.port()).value);
}

TEST(address_order, takes_the_families_in_turn) {
    const auto addresses = [](const std::vector<std::string>& texts) {
        std::vector<base::ip_address> out;
        for (const auto& text : texts)
            out.push_back(*base::ip_address::parse(text));
        return out;
    };
    const auto order = [&](const std::vector<std::string>& given, std::size_t most) {
        std::vector<std::string> out;
        for (const auto& address : resolve::in_order_of_trial(addresses(given), most))
            out.push_back(address.to_string());
        return out;
    };
    using testing::ElementsAre;
    EXPECT_THAT(order({"192.0.2.1", "192.0.2.2", "192.0.2.3", "2001:db8::1", "2001:db8::2"}, 9),
                ElementsAre("2001:db8::1", "192.0.2.1", "2001:db8::2", "192.0.2.2", "192.0.2.3"));
    EXPECT_THAT(order({"192.0.2.1", "192.0.2.2"}, 1), ElementsAre("192.0.2.1"));
    EXPECT_THAT(order({}, 4), ElementsAre());
}

} // namespace
