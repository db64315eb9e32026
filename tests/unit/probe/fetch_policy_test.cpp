// SPDX-License-Identifier: Apache-2.0
#include "support/proves.h"
#include "unit/probe/probe_world.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

using namespace mailtight;
using namespace std::chrono_literals;
using model::cert_fault;
using model::fetch_outcome;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using tests::authority;
using tests::peer;
using tests::server_tls;
using tests::test_server;
using tests::world;

using tests::answering, tests::good_tls, tests::with_length;

namespace {

const std::string& host = tests::policy_host;
const std::string& ok = tests::ok_text_plain;
const std::string policy = "version: STSv1\r\nmode: enforce\r\nmx: mx1.example.com\r\nmax_age: 604800\r\n";
TEST(FetchPolicy, AsksAsTheRfcSays) {
    PROVES("8461-3.2-a", "8461-7.1-b", "8461-3.3-j");
    tests::note head;
    const auto leaf = authority::get().leaf(host);
    server_tls tls(leaf, {&authority::get().middle});
    test_server server([&](peer& client) {
        client.start_tls(tls);
        head.set(client.head());
        client.send(with_length(policy));
    });
    world w;
    const auto fact = w.fetch(host + ".", server.port());
    EXPECT_EQ(fact.outcome, fetch_outcome::fetched) << fact.detail;
    EXPECT_EQ(fact.status, 200);
    EXPECT_EQ(fact.body, policy);
    EXPECT_EQ(fact.content_type, "text/plain");
    EXPECT_TRUE(fact.tls.certificate_ok());
    EXPECT_EQ(fact.tls.chain.size(), 2u);
    EXPECT_THAT(tls.names_seen(), ElementsAre(host)) << "SNI is the policy host, without a dot";
    EXPECT_THAT(head.get(),
                testing::StartsWith("GET /.well-known/mta-sts.txt HTTP/1.1\r\nHost: " + host + "\r\n"));
    EXPECT_THAT(head.get(), HasSubstr("\r\nUser-Agent: mailtight/0.1\r\n"));
    EXPECT_THAT(head.get(), HasSubstr("\r\nAccept-Encoding: identity\r\n"));
    for (const char* cached : {"If-", "Cache-Control", "Cookie"})
        EXPECT_THAT(head.get(), Not(HasSubstr(cached))) << "no cache has a say";
    std::vector<std::string> stages;
    for (const auto& stage : fact.stages)
        stages.push_back(stage.stage);
    EXPECT_THAT(stages, ElementsAre("connect", "tls", "request"));

    w.fetch(host, server.port(), probe::bare_agent);
    EXPECT_THAT(head.get(), Not(HasSubstr("User-Agent")));
    w.fetch(host, server.port(), probe::library_agent);
    EXPECT_THAT(head.get(), HasSubstr("User-Agent: " + std::string(probe::library_agent)));
}

TEST(FetchPolicy, CacheHeadersHaveNoEffect) {
    PROVES("8461-3.3-j");
    int asked = 0;
    test_server server([&](peer& client) {
        client.start_tls(good_tls());
        client.head();
        ++asked;
        client.send(ok + "Cache-Control: max-age=86400\r\nETag: \"x\"\r\nContent-Length: 1\r\n\r\n" +
                    std::to_string(asked));
    });
    world w;
    EXPECT_EQ(w.fetch(host, server.port()).body, "1");
    EXPECT_EQ(w.fetch(host, server.port()).body, "2");
}

struct row {
    const char* why;
    std::string answer;
    fetch_outcome outcome;
    int status;
    std::string detail;
};

TEST(FetchPolicy, EveryAnswerHasItsOutcome) {
    PROVES("8461-3.3-h", "8461-3.3-i", "8461-3.3-m");
    using enum fetch_outcome;
    const std::string length0 = "Content-Length: 0\r\n\r\n";
    auto status = [&](const std::string& line, const std::string& more = "") {
        return "HTTP/1.1 " + line + "\r\n" + more +
               "Content-Type: text/plain\r\nContent-Length: " + std::to_string(policy.size()) + "\r\n\r\n" +
               policy;
    };
    const std::vector<row> rows = {
        {"a policy", with_length(policy), fetched, 200, ""},
        {"until the end", ok + "\r\n" + policy, fetched, 200, ""},
        {"HTTP/1.0", "HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\n" + policy, fetched, 200, ""},
        {"another content type is still fetched: others judge it",
         "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 2\r\n\r\nhi", fetched, 200, ""},
        {"65,536 bytes", with_length(std::string(65'536, 'x')), fetched, 200, ""},
        {"65,537 bytes", with_length(std::string(65'537, 'x')), too_large, 200, "limit"},
        {"65,537 bytes until the end", ok + "\r\n" + std::string(65'537, 'x'), too_large, 200, "limit"},
        {"201", status("201 Created"), http_status, 201, "201"},
        {"203", status("203 Non-Authoritative"), http_status, 203, "203"},
        {"204", "HTTP/1.1 204 No Content\r\n\r\n", http_status, 204, "204"},
        {"206", status("206 Partial Content"), http_status, 206, "206"},
        {"304", "HTTP/1.1 304 Not Modified\r\n\r\n", http_status, 304, "304"},
        {"404", status("404 Not Found"), http_status, 404, "404"},
        {"500", status("500 Oops"), http_status, 500, "500"},
        {"301", status("301 Moved", "Location: https://www.example.com/p\r\n"), redirect, 301, "301"},
        {"302 to itself", status("302 Found", "Location: /.well-known/mta-sts.txt\r\n"), redirect, 302,
         "302"},
        {"308", status("308 Permanent", "Location: x\r\n"), redirect, 308, "308"},
        {"gzip unasked", ok + "Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\n\x1f\x8b", http_invalid,
         200, "Content-Encoding"},
        {"identity said", ok + "Content-Encoding: identity\r\nContent-Length: 2\r\n\r\nhi", fetched, 200, ""},
        {"no HTTP", "220 mx.example.com ESMTP\r\n", http_invalid, 0, "HTTP"},
        {"hangs up", "", http_invalid, 0, "ended"},
        {"a lying length", ok + "Content-Length: 999\r\n\r\n" + policy, http_invalid, 200, "ended"},
        {"a head without end", ok + "X: " + std::string(40'000, 'x'), http_invalid, 0, "header"},
    };
    for (const auto& row : rows) {
        test_server server(answering(row.answer));
        world w;
        const auto fact = w.fetch(host, server.port());
        EXPECT_EQ(fact.outcome, row.outcome) << row.why << ": " << fact.detail;
        EXPECT_EQ(fact.status, row.status) << row.why;
        EXPECT_THAT(fact.detail, HasSubstr(row.detail)) << row.why;
        EXPECT_EQ(fact.body.empty(), row.outcome != fetched) << row.why;
        EXPECT_EQ(server.connections(), 1) << row.why << ": nothing is followed or tried again";
        if (row.outcome == redirect)
            EXPECT_FALSE(fact.location.empty()) << row.why;
    }
}

TEST(FetchPolicy, ABadCertificateFailsAndTheBodyIsKeptForTheDiagnosis) {
    PROVES("8461-3.3-a", "8461-3.3-b", "8461-3.3-c", "8461-3.3-e", "8461-3.3-f");
    auto& ca = authority::get();
    struct bad_row {
        const char* why;
        tests::identity leaf;
        bool send_middle;
        std::vector<cert_fault> faults;
    };
    std::vector<bad_row> rows;
    auto add = [&](const char* why, tests::certificate_wish wish, const tests::identity* issuer,
                   bool send_middle, std::vector<cert_fault> faults) {
        rows.push_back({why, tests::issue(wish, issuer), send_middle, std::move(faults)});
    };
    add("for the domain only", {.dns_names = {"example.com"}}, &ca.middle, true, {cert_fault::name_mismatch});
    add("a wildcard inside a label", {.dns_names = {"mta*.example.com"}}, &ca.middle, true,
        {cert_fault::name_mismatch});
    add("CN only", {.common_name = host}, &ca.middle, true, {cert_fault::name_mismatch, cert_fault::cn_only});
    add("expired", {.dns_names = {host}, .not_after = tests::world_past}, &ca.middle, true,
        {cert_fault::expired});
    add("self-signed", {.common_name = host, .dns_names = {host}}, nullptr, false, {cert_fault::self_signed});
    add("no intermediate", {.dns_names = {host}}, &ca.middle, false, {cert_fault::chain_incomplete});
    add("a wildcard label", {.dns_names = {"*.example.com"}}, &ca.middle, true, {});
    for (const auto& row : rows) {
        std::vector<const tests::identity*> chain;
        if (row.send_middle)
            chain.push_back(&ca.middle);
        server_tls tls(row.leaf, chain);
        test_server server([&](peer& client) {
            if (client.start_tls(tls)) {
                client.head();
                client.send(with_length(policy));
            }
        });
        world w;
        const auto fact = w.fetch(host, server.port());
        EXPECT_EQ(fact.outcome, row.faults.empty() ? fetch_outcome::fetched : fetch_outcome::tls_failed)
            << row.why;
        EXPECT_THAT(fact.tls.faults, testing::UnorderedElementsAreArray(row.faults)) << row.why;
        EXPECT_EQ(fact.body, policy) << row.why;
        EXPECT_EQ(fact.status, 200) << row.why;
        EXPECT_EQ(fact.detail.empty(), row.faults.empty()) << row.why;
    }
}

TEST(FetchPolicy, NamesTheVersionOfAServerThatIsTooOld) {
    PROVES("8461-7.2-a");
    const auto leaf = authority::get().leaf(host);
    server_tls tls(leaf, {&authority::get().middle});
    tls.only(TLS1_VERSION, TLS1_1_VERSION);
    test_server server([&](peer& client) {
        if (client.start_tls(tls))
            client.rest();
    });
    world w;
    const auto fact = w.fetch(host, server.port());
    EXPECT_EQ(fact.outcome, fetch_outcome::tls_failed);
    EXPECT_EQ(fact.tls.outcome, model::handshake_outcome::protocol_too_old);
    EXPECT_EQ(fact.tls.version, "TLSv1.1");
    EXPECT_FALSE(fact.tls.certificate_ok());
    EXPECT_TRUE(fact.body.empty());
    EXPECT_EQ(server.connections(), 2);
}

TEST(FetchPolicy, NamesTheCipherWhereOnlyThatIsTheMatter) {
    const auto leaf =
        tests::issue({.common_name = host, .dns_names = {host}, .key = "RSA"}, &authority::get().middle);
    server_tls tls(leaf, {&authority::get().middle});
    tls.only(TLS1_2_VERSION, TLS1_2_VERSION).ciphers("AECDH-AES128-SHA:@SECLEVEL=0");
    test_server server([&](peer& client) {
        if (client.start_tls(tls))
            client.rest();
    });
    world w;
    const auto fact = w.fetch(host, server.port());
    EXPECT_EQ(fact.tls.outcome, model::handshake_outcome::no_shared_cipher) << fact.tls.detail;
    EXPECT_EQ(fact.tls.cipher, "AECDH-AES128-SHA");
}

TEST(FetchPolicy, AHandshakeThatBreaksOnceIsNotBlamedOnVersionOrCipher) {
    for (const int highest : {TLS1_2_VERSION, TLS1_3_VERSION}) {
        const auto leaf = authority::get().leaf(host);
        server_tls tls(leaf, {&authority::get().middle});
        tls.only(TLS1_2_VERSION, highest);
        int served = 0;
        test_server server([&](peer& client) {
            if (++served == 1)
                client.cut();
            else if (client.start_tls(tls))
                client.rest();
        });
        world w;
        const auto fact = w.fetch(host, server.port());
        EXPECT_EQ(fact.outcome, fetch_outcome::tls_failed);
        EXPECT_EQ(fact.tls.outcome, model::handshake_outcome::closed) << fact.tls.detail;
        EXPECT_EQ(fact.tls.version, "");
        EXPECT_EQ(server.connections(), 2);
    }
}

TEST(FetchPolicy, EndsWithinItsTimeWhateverComes) {
    PROVES("8461-3.3-m");
    struct slow {
        const char* why;
        std::function<void(peer&)> serve;
    };
    const std::vector<slow> rows = {
        {"silent before TLS", [](peer& c) { c.rest(); }},
        {"silent after the request",
         [](peer& c) {
             c.start_tls(good_tls());
             c.rest();
         }},
        {"drips",
         [](peer& c) {
             c.start_tls(good_tls());
             c.head();
             c.send(ok + "Content-Length: 60000\r\n\r\n");
             for (int i = 0; i < 1'000 && c.send("x"); ++i)
                 std::this_thread::sleep_for(20ms);
         }},
    };
    for (const auto& row : rows) {
        test_server server(row.serve);
        world w;
        w.options.fetch_time = 300ms;
        const auto fact = w.fetch(host, server.port());
        EXPECT_EQ(fact.outcome, fetch_outcome::timeout) << row.why << ": " << fact.detail;
        EXPECT_EQ(fact.connect, model::connect_outcome::connected) << row.why;
        EXPECT_GE(fact.took, 290ms) << row.why;
        EXPECT_LT(fact.took, 10s) << row.why;
        EXPECT_TRUE(fact.body.empty()) << row.why;
    }
}

TEST(FetchPolicy, FloodsEndAtTheLimit) {
    PROVES("8461-3.3-m");
    for (const std::string& start :
         {ok + "\r\n", ok + "Transfer-Encoding: chunked\r\n\r\n1000\r\n", std::string{}}) {
        test_server server([&](peer& client) {
            client.start_tls(good_tls());
            client.head();
            client.send(start);
            const std::string block(4'096, 'x');
            for (int i = 0;
                 i < 100'000 && client.send(start.contains("chunked") ? block + "\r\n1000\r\n" : block);
                 ++i) {
            }
        });
        world w;
        const auto fact = w.fetch(host, server.port());
        EXPECT_EQ(fact.outcome, start.empty() ? fetch_outcome::http_invalid : fetch_outcome::too_large)
            << fact.detail;
        EXPECT_LT(fact.took, 10s);
    }
}

TEST(FetchPolicy, ARefusedAddressAndAClosedPortAreToldApart) {
    std::uint16_t port = 0;
    {
        test_server gone([](peer&) {});
        port = gone.port();
    }
    world w;
    const auto refused = w.fetch(host, port);
    EXPECT_EQ(refused.outcome, fetch_outcome::connect_failed);
    EXPECT_EQ(refused.connect, model::connect_outcome::refused);
    w.guard = {};
    const auto blocked = w.fetch(host, port);
    EXPECT_EQ(blocked.outcome, fetch_outcome::blocked);
    EXPECT_EQ(blocked.connect, model::connect_outcome::blocked);
}

TEST(FetchPolicy, ANameCannotSmuggleAHeader) {
    test_server server([](peer&) {});
    world w;
    for (const char* name : {"", "a b", "a\r\nX: y", "a/b", "a:443", "m\xc3\xbcnchen.example"})
        EXPECT_EQ(w.fetch(name, server.port()).outcome, fetch_outcome::connect_failed) << name;
    EXPECT_EQ(server.connections(), 0);
}

TEST(ReachHttps, ShakesHandsAndSendsNothing) {
    std::string sent = "?";
    const auto leaf = authority::get().leaf("reports.example.com");
    server_tls tls(leaf, {&authority::get().middle});
    {
        test_server server([&](peer& client) {
            client.start_tls(tls);
            sent = client.rest();
        });
        world w;
        const auto reach =
            w.loop.block_on(probe::reach_https(w.context(), "reports.example.com", w.here, server.port()));
        EXPECT_EQ(reach.connect, model::connect_outcome::connected);
        EXPECT_TRUE(reach.tls.certificate_ok()) << reach.detail;
        const auto other =
            w.loop.block_on(probe::reach_https(w.context(), "other.example.com", w.here, server.port()));
        EXPECT_TRUE(other.tls.has(cert_fault::name_mismatch));
        EXPECT_FALSE(other.detail.empty());
    }
    EXPECT_EQ(sent, "");
}

} // namespace
