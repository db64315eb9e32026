// SPDX-License-Identifier: Apache-2.0
// The policy host's HTTP, byte for byte, without a socket: what is given, what is refused, and who is
// counted.
#include "publish/policy_session.h"
#include "support/proves.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <chrono>

namespace mailtight::publish {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

constexpr std::string_view policy =
    "version: STSv1\r\nmode: enforce\r\nmx: mx.example.com\r\nmax_age: 604800\r\n";
const std::string head_of_it = "HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\n"
                               "Content-Length: 68\r\nCache-Control: max-age=60\r\n";
const std::string date = "Date: Sun, 01 Mar 2026 12:00:00 GMT\r\n";

struct fixed_clock final : base::clock {
    base::utc_seconds now() const override {
        using namespace std::chrono;
        return sys_days{2026y / March / 1} + 12h;
    }
};

struct link final : io::request_link {
    void send(std::string_view) override {}
    void read_on() override {}
    void finish() override { finished = true; }
    bool open() const override { return !finished; }
    bool finished = false;
};

struct heard {
    std::string bytes;
    bool finished = false;
    std::size_t used = 0;
    friend bool operator==(const heard&, const heard&) = default;
};

struct world {
    explicit world(policy_session_options options = {})
        : sessions(host, &fetches, clock, std::move(options)) {
        host.put_policy({.domain = "example.com", .body = std::string(policy), .id = "20260301"});
        host.put_policy({.domain = "other.example", .body = "version: STSv1\nmode: none\nmax_age: 86400\n"});
        host.put_token("tok-en_1", "tok-en_1.thumb");
    }
    static io::peer from(const char* address) {
        io::peer who;
        who.address = io::endpoint{*base::ip_address::parse(address), 5'025};
        return who;
    }
    /// The conversation as a server holds it, in pieces of that size.
    static heard talk(io::request_session& session, const link& way, std::string_view bytes,
                      std::size_t piece = std::string_view::npos) {
        heard all;
        std::string kept;
        while (!bytes.empty() && !way.finished) {
            kept += bytes.substr(0, piece);
            bytes.remove_prefix(std::min(piece, bytes.size()));
            for (std::size_t used = 1; used > 0 && !kept.empty() && !way.finished;) {
                used = session.received(kept, all.bytes);
                kept.erase(0, used);
                all.used += used;
            }
        }
        all.finished = way.finished;
        return all;
    }
    heard tls(std::string_view bytes, std::string_view name = "mta-sts.example.com",
              std::size_t piece = std::string_view::npos) {
        auto way = std::make_shared<link>();
        const auto session = sessions.over_tls()(way, {from("192.0.2.77"), name});
        return talk(*session, *way, bytes, piece);
    }
    heard with(const io::make_session& make, std::string_view bytes, const char* address = "192.0.2.77") {
        auto way = std::make_shared<link>();
        const auto session = make(way, from(address));
        return talk(*session, *way, bytes);
    }

    policy_host host{{}};
    fetch_counter fetches;
    fixed_clock clock;
    policy_sessions sessions;
};

std::string get(std::string_view more = "", std::string_view method = "GET",
                std::string_view target = "/.well-known/mta-sts.txt",
                std::string_view host = "mta-sts.example.com") {
    return std::string(method) + " " + std::string(target) + " HTTP/1.1\r\nHost: " + std::string(host) +
           "\r\n" + std::string(more) + "\r\n";
}

TEST(PolicySession, GivesThePolicyByteForByte) {
    PROVES("8461-3.2-a", "8461-9-a", "8461-8.2-d");
    world w;
    EXPECT_EQ(w.tls(get()).bytes, head_of_it + date + "\r\n" + std::string(policy));
    EXPECT_EQ(w.tls(get("", "HEAD")).bytes, head_of_it + date + "\r\n") << "HEAD: the same without the body";
    EXPECT_FALSE(w.tls(get()).finished) << "the connection goes on";
    EXPECT_EQ(w.tls(get("Connection: close\r\n")),
              (heard{head_of_it + "Connection: close\r\n" + date + "\r\n" + std::string(policy), true,
                     get("Connection: close\r\n").size()}));
    EXPECT_THAT(w.tls("GET /.well-known/mta-sts.txt HTTP/1.0\r\n\r\n").bytes, StartsWith(head_of_it))
        << "HTTP/1.0 without Host: the name of the handshake says it";
    EXPECT_THAT(w.tls(get("", "GET", "https://mta-sts.example.com/.well-known/mta-sts.txt")).bytes,
                StartsWith(head_of_it))
        << "the absolute form";
    EXPECT_THAT(w.tls(get("", "GET", "/.well-known/mta-sts.txt", "MTA-STS.EXAMPLE.COM:443")).bytes,
                StartsWith(head_of_it))
        << "case and port of Host";
    EXPECT_THAT(w.tls(get("Accept-Encoding: gzip\r\nIf-None-Match: *\r\nRange: bytes=0-1\r\n")).bytes,
                StartsWith(head_of_it))
        << "no compression, no 304, no part: only 200 makes a policy";
}

TEST(PolicySession, RefusesEverythingElse) {
    PROVES("8461-3.2-a", "8461-3.3-h");
    world w;
    struct row {
        std::string request;
        const char* status;
        bool ends;
        const char* why;
    };
    for (const auto& [request, status, ends, why] : {
             row{get("", "GET", "/"), "404", false, "another path"},
             row{get("", "GET", "/.well-known/mta-sts.txt/"), "404", false, "nearly the path"},
             row{get("", "GET", "/.well-known/mta-sts.txt?x=1"), "404", false, "a query"},
             row{get("", "GET", "/.well-known/MTA-STS.txt"), "404", false, "paths have a case"},
             row{get("", "GET", "/.well-known/%6dta-sts.txt"), "404", false, "the path as it is written"},
             row{get("", "GET", "//.well-known/mta-sts.txt"), "404", false, "two slashes"},
             row{get("", "GET", "/x/../.well-known/mta-sts.txt"), "404", false, "nothing is made of dots"},
             row{get("", "GET", "/.well-known/mta-sts.txt", "mta-sts.other.example"), "421", false,
                 "the host of another name, which is served too"},
             row{get("", "GET", "/.well-known/mta-sts.txt", ""), "421", false, "an empty Host"},
             row{get("", "GET", "http://mta-sts.other.example/.well-known/mta-sts.txt"), "421", false,
                 "the host of the target"},
             row{get("", "POST"), "405", false, "another method"},
             row{get("", "OPTIONS"), "405", false, "one more"},
             row{get("Content-Length: 3\r\n", "PUT") + "abc", "405", true, "a body ends the connection"},
             row{get("", "POST", "/"), "404", false, "what is not there has no methods"},
             row{"GET /.well-known/mta-sts.txt HTTP/1.1\r\n\r\n", "400", true, "no Host"},
             row{"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "505", true, "HTTP/2"},
             row{"\x16\x03\x01\x02\x03", "400", true, "no HTTP at all"},
             row{"GET /" + std::string(10'000, 'x'), "414", true, "a target without end"},
             row{get("X: " + std::string(10'000, 'x')), "431", true, "fields without end"},
         }) {
        const auto said = w.tls(request);
        EXPECT_THAT(said.bytes, StartsWith("HTTP/1.1 " + std::string(status))) << why;
        EXPECT_EQ(said.finished, ends) << why;
        EXPECT_EQ(said.bytes.contains("Connection: close\r\n"), ends) << why;
        EXPECT_EQ(said.bytes.contains("Allow: GET, HEAD\r\n"), std::string_view(status) == "405") << why;
        EXPECT_FALSE(said.bytes.contains("Location")) << "never a redirect";
        EXPECT_FALSE(said.bytes.contains("STSv1")) << "and no policy";
    }
    EXPECT_EQ(w.sessions.counted().given, 0U);
    EXPECT_TRUE(w.fetches.take().empty());
}

TEST(PolicySession, WhatIsChangedIsServedAtOnce) {
    world w;
    w.host.put_policy(
        {.domain = "example.com", .body = "version: STSv1\nmode: none\nmax_age: 86400\n", .id = "2"});
    EXPECT_THAT(w.tls(get()).bytes, HasSubstr("\r\n\r\nversion: STSv1\nmode: none\n"));
    w.host.put_policy({.domain = "example.com", .body = ""});
    EXPECT_THAT(w.tls(get()).bytes, StartsWith("HTTP/1.1 404 "));
}

TEST(PolicySession, ManyRequestsAtOnceAndInPieces) {
    world w;
    const auto asked =
        get() + get("", "HEAD") + get("", "GET", "/x") + get("", "POST") + get("Connection: close\r\n");
    const auto whole = w.tls(asked + "ignored");
    EXPECT_TRUE(whole.finished);
    EXPECT_THAT(whole.bytes,
                testing::EndsWith("Connection: close\r\n" + date + "\r\n" + std::string(policy)));
    for (const std::size_t piece : {1U, 2U, 7U, 100U})
        EXPECT_EQ(w.tls(asked, "mta-sts.example.com", piece).bytes, whole.bytes) << piece;
}

TEST(PolicySession, AConnectionHasItsLimit) {
    world w({.requests_per_connection = 3});
    const auto said = w.tls(get() + get() + get() + get());
    EXPECT_TRUE(said.finished);
    EXPECT_EQ(w.sessions.counted().given, 3U);
}

TEST(PolicySession, AnswersThatPileUpWaitForTheClient) {
    world w;
    w.host.put_policy({.domain = "example.com", .body = std::string(60'000, 'x')});
    std::string asked, out;
    for (int i = 0; i < 20; ++i)
        asked += get();
    auto way = std::make_shared<link>();
    const auto session = w.sessions.over_tls()(way, {world::from("192.0.2.1"), "mta-sts.example.com"});
    const auto used = session->received(asked, out);
    EXPECT_EQ(used, 2 * get().size())
        << "two answers are more than the limit: the others come when it took them";
    EXPECT_LT(out.size(), 200'000U);
}

TEST(PolicySession, BehindAProxyTheHostDecides) {
    PROVES("8461-8.2-b");
    world w({.trusted_proxies = {*base::ip_network::parse("10.0.0.0/8")}});
    const auto make = w.sessions.behind_proxy();
    EXPECT_THAT(w.with(make, get()).bytes, StartsWith(head_of_it));
    EXPECT_THAT(w.with(make, get("", "GET", "/.well-known/mta-sts.txt", "mta-sts.other.example")).bytes,
                HasSubstr("mode: none"));
    EXPECT_THAT(w.with(make, get("", "GET", "/.well-known/mta-sts.txt", "example.com")).bytes,
                StartsWith("HTTP/1.1 404 "))
        << "the domain itself is no policy host";
    EXPECT_THAT(w.with(make, "GET /.well-known/mta-sts.txt HTTP/1.0\r\n\r\n").bytes,
                StartsWith("HTTP/1.1 404 "))
        << "no host, no policy";
    w.fetches.take();
    struct row {
        const char* peer;
        const char* field;
        const char* network;
        const char* why;
    };
    for (const auto& [peer, field, network, why] : {
             row{"10.1.1.1", "X-Forwarded-For: 198.51.100.9\r\n", "198.51.100.0/24", "a proxy of ours"},
             row{"10.1.1.1", "X-Forwarded-For: 203.0.113.1, 198.51.100.9, 10.2.2.2\r\n", "198.51.100.0/24",
                 "the last that is no proxy of ours"},
             row{"192.0.2.77", "X-Forwarded-For: 198.51.100.9\r\n", "192.0.2.0/24", "anybody can write it"},
             row{"10.1.1.1", "", "10.1.1.0/24", "nothing is said"},
         }) {
        w.with(make, get(field), peer);
        const auto counted = w.fetches.take();
        ASSERT_EQ(counted.size(), 1U) << why;
        EXPECT_EQ(counted[0].network, network) << why;
    }
    w.tls(get("X-Forwarded-For: 198.51.100.9\r\n"));
    EXPECT_EQ(w.fetches.take().at(0).network, "192.0.2.0/24") << "over TLS nobody stands between";
}

TEST(PolicySession, CountsWhoFetchedWhat) {
    world w;
    w.tls(get("User-Agent: Postfix-tlspol/1.8 (x)\r\n"));
    w.tls(get("User-Agent: Postfix-tlspol/1.8 (y)\r\n"));
    w.tls(get("User-Agent: other\x80\r\n"));
    auto counted = w.fetches.take();
    ASSERT_EQ(counted.size(), 2U);
    std::ranges::sort(counted, {}, &model::policy_fetches::count);
    EXPECT_EQ(counted[0].agent, "other?");
    EXPECT_EQ(counted[1].agent, "Postfix-tlspol/1.8");
    EXPECT_EQ(counted[1].count, 2U);
    EXPECT_EQ(counted[1].domain, "example.com");
    EXPECT_EQ(counted[1].id, "20260301");
    EXPECT_EQ(counted[1].day, std::chrono::floor<std::chrono::days>(w.clock.now()));
    EXPECT_EQ(counted[1].last, w.clock.now());
    EXPECT_TRUE(w.fetches.take().empty()) << "taken once";
}

TEST(FetchCounter, IsBounded) {
    fetch_counter counter(3);
    for (int i = 0; i < 10; ++i)
        counter.count("example.com", std::to_string(i), "2001:db8:1:2::3", "x", {});
    counter.count("example.com", "0", "2001:db8:1:ffff::3", std::string(500, 'a') + " b", {});
    const auto all = counter.take();
    EXPECT_EQ(all.size(), 3U);
    EXPECT_EQ(counter.not_counted(), 8U);
    EXPECT_EQ(all[0].network, "2001:db8:1::/48");
    counter.count("example.com", "0", "192.0.2.1", std::string(500, 'a') + " b", {});
    EXPECT_EQ(counter.take().at(0).agent, std::string(64, 'a'));
}

TEST(FetchCounter, MadeUpAgentsFillNoStore) {
    fetch_counter counter;
    const base::utc_seconds day{}, next = day + std::chrono::days(1);
    std::size_t rows = 0;
    for (int i = 0; i < 5'000; ++i) {
        counter.count("example.com", "1", "192.0.2.1", "made-up-" + std::to_string(i), day);
        if (i % 500 == 0)
            rows += counter.take().size();
    }
    const auto last = counter.take();
    EXPECT_LE(rows + last.size(), 270U) << "256, and the others once a batch";
    ASSERT_EQ(last.size(), 1U);
    EXPECT_EQ(last[0].agent, "other");
    EXPECT_EQ(last[0].count, 499U);
    counter.count("example.com", "1", "192.0.2.1", "postfix-mta-sts-resolver", next);
    EXPECT_EQ(counter.take().at(0).agent, "postfix-mta-sts-resolver") << "the next day";
}

TEST(PolicySession, TheSiteOfPort80AnswersChallengesAlone) {
    world w;
    const auto make = w.sessions.challenges();
    const auto ask = [&](const std::string& target, const char* method = "GET") {
        return w.with(make, get("", method, target)).bytes;
    };
    EXPECT_THAT(ask("/.well-known/acme-challenge/tok-en_1"), testing::EndsWith("\r\n\r\ntok-en_1.thumb"));
    EXPECT_THAT(ask("/.well-known/acme-challenge/tok-en_1", "HEAD"), testing::EndsWith(date + "\r\n"));
    EXPECT_THAT(ask("/.well-known/acme-challenge/tok-en_1", "POST"), StartsWith("HTTP/1.1 405 "));
    for (const char* other : {"/", "/.well-known/acme-challenge/", "/.well-known/acme-challenge/tok-en_2",
                              "/.well-known/mta-sts.txt", "/.well-known/acme-challenge/../x"})
        EXPECT_THAT(ask(other), StartsWith("HTTP/1.1 404 ")) << other;
    w.host.put_token("tok-en_1", "");
    EXPECT_THAT(ask("/.well-known/acme-challenge/tok-en_1"), StartsWith("HTTP/1.1 404 "));
}

TEST(PolicySession, WhetherACertificateMayBeHad) {
    world w;
    const auto make = w.sessions.ask();
    struct row {
        const char* target;
        const char* status;
        const char* why;
    };
    for (const auto& [target, status, why] : {
             row{"/ask?domain=mta-sts.example.com", "200", "a policy is served"},
             row{"/ask?x=1&domain=MTA-STS.other.example", "200", "names have no case"},
             row{"/ask?domain=mta-sts.unknown.example", "404", "no policy"},
             row{"/ask?domain=example.com", "404", "the domain itself is no policy host"},
             row{"/ask?domain=mta-sts.", "404", "no domain"},
             row{"/ask?domain=mta-sts.example.com.evil.example", "404", "below somebody else"},
             row{"/ask", "404", "nothing asked"},
             row{"/other?domain=mta-sts.example.com", "404", "another place"},
         })
        EXPECT_THAT(w.with(make, get("", "GET", target, "127.0.0.1")).bytes,
                    StartsWith("HTTP/1.1 " + std::string(status)))
            << why;
    EXPECT_THAT(w.with(make, get("", "POST", "/ask?domain=mta-sts.example.com", "x")).bytes,
                StartsWith("HTTP/1.1 405 "));
}

RC_GTEST_PROP(PolicySession, AnyBytesInAnyPiecesGiveTheSame, ()) {
    const auto requests = *rc::gen::container<std::vector<std::string>>(rc::gen::element<std::string>(
        get(), get("", "HEAD"), get("", "POST"), get("", "GET", "/"), get("Content-Length: 2\r\n"), "\r\n",
        "x", "GET / HTTP/1.1\r\n", get("", "GET", "/", "other")));
    std::string all;
    for (const auto& one : requests)
        all += one;
    const auto piece = *rc::gen::inRange<std::size_t>(1, 60);
    world w;
    const auto whole = w.tls(all), cut = w.tls(all, "mta-sts.example.com", piece);
    RC_ASSERT(whole.bytes == cut.bytes);
    RC_ASSERT(whole.finished == cut.finished);
}

} // namespace
} // namespace mailtight::publish
