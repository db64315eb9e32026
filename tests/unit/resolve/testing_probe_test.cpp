// SPDX-License-Identifier: Apache-2.0
// What enforce would have done to a domain in testing, against real mail servers on loopback.
#include "resolve/testing_probe.h"
#include "support/dns_world.h"
#include "support/proves.h"
#include "unit/probe/probe_world.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

using namespace mailtight;
using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using tests::authority;
using tests::peer;
using tests::server_tls;
using tests::test_server;

namespace {

const std::string host = "mx1.example.com";

server_tls& good_tls() {
    static const auto leaf = authority::get().leaf(host);
    static server_tls tls(leaf, {&authority::get().middle});
    return tls;
}

std::function<void(peer&)> mail_server(server_tls& tls, std::string offers = "250-mx1\r\n250 STARTTLS\r\n",
                                       std::string answer = "220 go ahead\r\n") {
    return [&tls, offers = std::move(offers), answer = std::move(answer)](peer& client) {
        client.send("220 mx1.example.com ESMTP\r\n");
        client.line();
        client.send(offers);
        if (!client.line().starts_with("STARTTLS")) {
            client.send("221 bye\r\n");
            return;
        }
        client.send(answer);
        if (!answer.starts_with("220") || !client.start_tls(tls)) {
            client.line();
            return;
        }
        client.line();
        client.send("250 mx1\r\n");
        client.line();
        client.send("221 bye\r\n");
    };
}

sts::held_policy policy_for(std::vector<std::string> mx) {
    sts::held_policy held;
    held.value = {.mode = sts::mode::testing, .max_age = 86'400, .mx = std::move(mx), .extensions = {}};
    held.id = "20260601";
    return held;
}

struct probing : tests::world {
    tests::dns_world dns;
    resolve::testing_probe_options probe_options;
    resolve::probe_fn probe;

    probing() {
        dns.mx("example.com", {{10, host}});
        dns.addresses(host, {"127.0.0.1"});
    }
    std::vector<model::testing_verdict> verdicts(std::uint16_t port,
                                                 std::vector<std::string> patterns = {host},
                                                 const std::string& domain = "example.com") {
        if (!probe || port != options.smtp_port) {
            options.smtp_port = port;
            probe = resolve::testing_prober(context(), dns, probe_options);
        }
        return loop.block_on(probe(domain, policy_for(std::move(patterns))));
    }
};

TEST(testing_probe, finds_what_enforce_would_have_delivered) {
    PROVES("8461-4-a", "8461-7.1-c");
    const auto leaf = authority::get().leaf(host);
    server_tls tls(leaf, {&authority::get().middle});
    test_server server(mail_server(tls));
    probing w;
    const auto found = w.verdicts(server.port());
    ASSERT_EQ(found.size(), 1u);
    const auto& verdict = found.front();
    EXPECT_EQ(verdict.result, "") << verdict.reason;
    EXPECT_EQ(verdict.domain, "example.com");
    EXPECT_EQ(verdict.policy_id, "20260601");
    EXPECT_EQ(verdict.mx_host, host);
    EXPECT_EQ(verdict.address.to_string(), "127.0.0.1");
    EXPECT_EQ(verdict.at, tests::world_now);
    EXPECT_THAT(verdict.reason, HasSubstr("TLSv1.3"));
    EXPECT_THAT(tls.names_seen(), ElementsAre(host)) << "one conversation, with SNI";
}

TEST(testing_probe, names_what_enforce_would_have_held_back) {
    PROVES("8461-4-a", "8461-4.2-a", "8461-4.2-b", "8461-4.2-c");
    auto& ca = authority::get();
    struct row {
        const char* why;
        tests::certificate_wish wish;
        const tests::identity* issuer;
        std::string result, words;
    };
    const row rows[] = {
        {"another name",
         {.dns_names = {"mx9.example.com"}},
         &ca.middle,
         "certificate-host-mismatch",
         "mx9.example.com"},
        {"a name that the policy has, but not this host",
         {.dns_names = {"example.com"}},
         &ca.middle,
         "certificate-host-mismatch",
         "not " + host},
        {"expired",
         {.dns_names = {host}, .not_after = tests::world_past},
         &ca.middle,
         "certificate-expired",
         "expired on"},
        {"signed by itself",
         {.dns_names = {host}},
         nullptr,
         "certificate-not-trusted",
         "X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT"},
    };
    for (const auto& row : rows) {
        const auto leaf = tests::issue(row.wish, row.issuer);
        server_tls tls(leaf, row.issuer ? std::vector<const tests::identity*>{&ca.middle}
                                        : std::vector<const tests::identity*>{});
        test_server server(mail_server(tls));
        probing w;
        const auto found = w.verdicts(server.port());
        ASSERT_EQ(found.size(), 1u) << row.why;
        EXPECT_EQ(found[0].result, row.result) << row.why;
        EXPECT_THAT(found[0].reason, HasSubstr(row.words)) << row.why;
    }
}

TEST(testing_probe, names_a_server_without_tls) {
    PROVES("8461-4-a");
    struct row {
        const char* why;
        std::function<void(peer&)> serve;
        std::string result, words;
    };
    const row rows[] = {
        {"not offered", mail_server(good_tls(), "250-mx1\r\n250 SIZE 1\r\n"), "starttls-not-supported",
         "does not offer STARTTLS"},
        {"refused", mail_server(good_tls(), "250-mx1\r\n250 STARTTLS\r\n", "454 not now\r\n"),
         "starttls-not-supported", "454"},
        {"no TLS behind it",
         [](peer& c) {
             c.send("220 mx1\r\n");
             c.line();
             c.send("250-mx1\r\n250 STARTTLS\r\n");
             c.line();
             c.send("220 go\r\n");
             c.cut();
         },
         "validation-failure", ""},
        {"plaintext in front of it",
         mail_server(good_tls(), "250-mx1\r\n250 STARTTLS\r\n", "220 go\r\n250 injected\r\n"),
         "validation-failure", "plaintext"},
    };
    for (const auto& row : rows) {
        test_server server(row.serve);
        probing w;
        w.options.smtp_stage_time = 1s;
        const auto found = w.verdicts(server.port());
        ASSERT_EQ(found.size(), 1u) << row.why;
        EXPECT_EQ(found[0].result, row.result) << row.why;
        EXPECT_THAT(found[0].reason, HasSubstr(row.words)) << row.why;
        EXPECT_NE(found[0].reason, "") << row.why;
    }
}

TEST(testing_probe, says_nothing_of_an_address_that_cannot_be_talked_to) {
    PROVES("8460-4.3.4-a");
    probing w;
    {
        test_server gone([](peer&) {});
        w.options.smtp_port = gone.port();
    }
    w.probe = resolve::testing_prober(w.context(), w.dns, {});
    EXPECT_THAT(w.verdicts(w.options.smtp_port), testing::IsEmpty()) << "refused";
    test_server busy([](peer& c) { c.send("421 too busy\r\n"); });
    EXPECT_THAT(w.verdicts(busy.port()), testing::IsEmpty());
    w.guard = {};
    test_server never([](peer&) {});
    EXPECT_THAT(w.verdicts(never.port()), testing::IsEmpty()) << "an address that may not be connected to";
    EXPECT_EQ(never.connections(), 0);
}

TEST(testing_probe, names_hosts_that_the_policy_does_not_admit_without_a_connection) {
    PROVES("8461-4.1-a");
    test_server server(mail_server(good_tls()));
    probing w;
    w.dns.mx("example.com", {{10, host}, {20, "backup.example.net"}});
    const auto found = w.verdicts(server.port(), {"mx1.example.com", "*.example.org"});
    ASSERT_EQ(found.size(), 2u);
    EXPECT_EQ(found[0].mx_host, "backup.example.net");
    EXPECT_EQ(found[0].result, "mx-not-in-policy");
    EXPECT_EQ(found[0].address, base::ip_address{});
    EXPECT_EQ(found[0].reason, "the policy admits mx1.example.com, *.example.org, not backup.example.net");
    EXPECT_EQ(found[1].mx_host, host);
    EXPECT_EQ(server.connections(), 1);
    EXPECT_THAT(w.dns.asked, testing::Not(testing::Contains("A backup.example.net")));
}

TEST(testing_probe, takes_the_domain_itself_where_it_has_no_mx) {
    PROVES("8461-4.1-a");
    const auto leaf = authority::get().leaf("example.com");
    server_tls tls(leaf, {&authority::get().middle});
    test_server server(mail_server(tls));
    probing w;
    w.dns.mx("example.com", {});
    EXPECT_THAT(w.verdicts(server.port()), testing::IsEmpty()) << "no mail can go there";
    w.dns.addresses("example.com", {"127.0.0.1"});
    auto found = w.verdicts(server.port(), {"example.com"});
    ASSERT_EQ(found.size(), 1u);
    EXPECT_EQ(found[0].result, "") << found[0].reason;
    found = w.verdicts(server.port(), {host});
    ASSERT_EQ(found.size(), 1u);
    EXPECT_EQ(found[0].result, "mx-not-in-policy");
    w.dns.mx("example.com", {{0, ""}});
    EXPECT_THAT(w.verdicts(server.port()), testing::IsEmpty());
    w.dns.mx("example.com", {}, tests::fails("SERVFAIL"));
    EXPECT_THAT(w.verdicts(server.port()), testing::IsEmpty());
}

TEST(testing_probe, talks_to_a_few_addresses_of_every_host_and_once_for_all_domains) {
    test_server server(mail_server(good_tls()));
    probing w;
    w.probe_options.addresses = 3;
    w.dns.addresses(host, {"127.0.0.1", "127.0.0.2", "127.0.0.3", "127.0.0.4"});
    w.dns.mx("other.example", {{10, host}});
    w.dns.mx("example.com", {{10, host}, {20, "mx2.example.com"}});
    w.dns.addresses("mx2.example.com", {"127.0.0.1"});
    const auto found = w.verdicts(server.port(), {host, "mx2.example.com"});
    ASSERT_EQ(found.size(), 2u) << "nobody listens at the other addresses";
    EXPECT_EQ(found[0].result, "") << found[0].reason;
    EXPECT_EQ(found[1].mx_host, "mx2.example.com") << "no host is left out for the addresses of another";
    EXPECT_EQ(found[1].result, "certificate-host-mismatch");
    EXPECT_EQ(server.connections(), 2);
    EXPECT_EQ(w.verdicts(server.port(), {host}, "other.example").size(), 1u);
    EXPECT_EQ(server.connections(), 2) << "known already";
}

TEST(testing_probe, remembers_no_more_than_it_may_and_not_for_ever) {
    test_server server(mail_server(good_tls()));
    probing w;
    w.probe_options.keep = 0s;
    w.verdicts(server.port());
    w.verdicts(server.port());
    EXPECT_EQ(server.connections(), 2);

    probing narrow;
    narrow.probe_options.kept = 1;
    narrow.dns.mx("two.example", {{10, "mx2.example.com"}});
    narrow.dns.addresses("mx2.example.com", {"127.0.0.1"});
    for (int round = 0; round < 2; ++round) {
        EXPECT_EQ(narrow.verdicts(server.port()).at(0).result, "");
        EXPECT_EQ(narrow.verdicts(server.port(), {"mx2.example.com"}, "two.example").at(0).result,
                  "certificate-host-mismatch");
    }
    EXPECT_EQ(server.connections(), 6);
}

TEST(testing_probe, asked_twice_at_once_talks_once) {
    test_server server(mail_server(good_tls()));
    probing w;
    w.options.smtp_port = server.port();
    w.probe = resolve::testing_prober(w.context(), w.dns, {});
    std::vector<io::task<std::vector<model::testing_verdict>>> both;
    both.push_back(w.probe("example.com", policy_for({host})));
    both.push_back(w.probe("example.com", policy_for({host})));
    const auto found = w.loop.block_on(io::when_all(w.loop, std::move(both)));
    for (const auto& verdicts : found)
        EXPECT_EQ(verdicts.size(), 1u);
    EXPECT_EQ(server.connections(), 1);
}

} // namespace
