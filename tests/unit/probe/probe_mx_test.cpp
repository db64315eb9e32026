// SPDX-License-Identifier: Apache-2.0
#include "support/proves.h"
#include "unit/probe/probe_world.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

using namespace mailtight;
using namespace std::chrono_literals;
using model::cert_fault;
using model::smtp_outcome;
using testing::ElementsAre;
using testing::HasSubstr;
using tests::authority;
using tests::peer;
using tests::server_tls;
using tests::test_server;
using tests::world;

namespace {

const std::string host = "mx1.example.com";
const std::string banner = "220 mx1.example.com ESMTP\r\n";
const std::string offers = "250-mx1.example.com\r\n250-SIZE 1000\r\n250 STARTTLS\r\n";

server_tls& good_tls() {
    static const auto leaf = authority::get().leaf(host);
    static server_tls tls(leaf, {&authority::get().middle});
    return tls;
}

/// A mail server that does all as it should, and writes down what it was told.
void serve_well(peer& client, server_tls& tls, std::string& told, const std::string& inside = "250 mx1\r\n") {
    client.send(banner);
    told += client.line();
    client.send(offers);
    told += client.line();
    client.send("220 go ahead\r\n");
    if (!client.start_tls(tls))
        return;
    told += "[TLS]" + client.line();
    client.send(inside);
    told += client.line();
    client.send("221 bye\r\n");
    told += client.rest();
}

TEST(ProbeMx, AHealthyServer) {
    PROVES("8461-7.1-c", "3207-4-a", "3207-4-b", "3207-4.2-a");
    const auto leaf = authority::get().leaf(host);
    server_tls tls(leaf, {&authority::get().middle});
    std::string told;
    world w;
    {
        test_server server([&](peer& client) { serve_well(client, tls, told); });
        const auto fact = w.mx(host, server.port());
        EXPECT_EQ(fact.outcome, smtp_outcome::tls) << fact.detail;
        EXPECT_TRUE(fact.tls.certificate_ok()) << fact.tls.detail;
        EXPECT_EQ(fact.tls.version, "TLSv1.3");
        EXPECT_EQ(fact.banner, "mx1.example.com ESMTP");
        EXPECT_THAT(fact.capabilities, ElementsAre("SIZE 1000", "STARTTLS"));
        EXPECT_TRUE(fact.quit_answered);
        EXPECT_FALSE(fact.starttls_inside_tls);
        EXPECT_TRUE(fact.tried_without_sni);
        EXPECT_TRUE(fact.without_sni.certificate_ok());
        std::vector<std::string> stages;
        for (const auto& stage : fact.stages)
            stages.push_back(stage.stage);
        EXPECT_THAT(stages,
                    ElementsAre("connect", "banner", "ehlo", "starttls", "handshake", "ehlo-tls", "quit"));
    }
    const std::string one = "EHLO checker.example\r\nSTARTTLS\r\n[TLS]EHLO checker.example\r\nQUIT\r\n";
    EXPECT_EQ(told, one + one) << "no MAIL, no RCPT, nothing between STARTTLS and TLS";
    EXPECT_THAT(tls.names_seen(), ElementsAre(host, "")) << "SNI is the MX host; the second look sends none";
}

TEST(ProbeMx, StartTlsOfferedAgainInsideTlsIsNoted) {
    PROVES("3207-4.2-b");
    std::string told;
    test_server server([&](peer& client) { serve_well(client, good_tls(), told, offers); });
    world w;
    w.options.probe_without_sni = false;
    const auto fact = w.mx(host, server.port());
    EXPECT_EQ(fact.outcome, smtp_outcome::tls);
    EXPECT_TRUE(fact.starttls_inside_tls);
    EXPECT_FALSE(fact.tried_without_sni);
    EXPECT_EQ(server.connections(), 1);
}

TEST(ProbeMx, TheCertificateMustNameTheMxHost) {
    PROVES("8461-4.2-a", "8461-4.2-b", "8461-4.2-c");
    auto& ca = authority::get();
    struct row {
        const char* why;
        tests::certificate_wish wish;
        bool signed_by_ca;
        std::vector<cert_fault> faults;
    };
    const std::vector<row> rows = {
        {"good", {.dns_names = {host}}, true, {}},
        {"names the domain only", {.dns_names = {"example.com"}}, true, {cert_fault::name_mismatch}},
        {"names another MX", {.dns_names = {"mx2.example.com"}}, true, {cert_fault::name_mismatch}},
        {"CN only", {.common_name = host}, true, {cert_fault::name_mismatch, cert_fault::cn_only}},
        {"expired", {.dns_names = {host}, .not_after = tests::world_past}, true, {cert_fault::expired}},
        {"self-signed", {.common_name = host, .dns_names = {host}}, false, {cert_fault::self_signed}},
    };
    for (const auto& row : rows) {
        const auto leaf = tests::issue(row.wish, row.signed_by_ca ? &ca.middle : nullptr);
        std::vector<const tests::identity*> chain;
        if (row.signed_by_ca)
            chain.push_back(&ca.middle);
        server_tls tls(leaf, chain);
        std::string told;
        test_server server([&](peer& client) { serve_well(client, tls, told); });
        world w;
        w.options.probe_without_sni = false;
        const auto fact = w.mx(host + ".", server.port());
        EXPECT_EQ(fact.outcome, smtp_outcome::tls) << row.why;
        EXPECT_THAT(fact.tls.faults, testing::UnorderedElementsAreArray(row.faults)) << row.why;
        EXPECT_TRUE(fact.quit_answered) << row.why << ": QUIT is said whatever the certificate";
    }
}

struct row {
    const char* why;
    std::function<void(peer&)> serve;
    smtp_outcome outcome;
    int code;
    std::string detail;
    bool quits;
};

TEST(ProbeMx, EveryMisbehaviourHasItsOutcome) {
    PROVES("3207-4-a", "3207-4-c");
    using enum smtp_outcome;
    bool quit_seen = false;
    auto then_quit = [&](peer& c) {
        quit_seen = c.line() == "QUIT\r\n";
        c.send("221 bye\r\n");
    };
    auto greet = [](peer& c) {
        c.send(banner);
        c.line();
    };
    auto offer = [=](peer& c) {
        greet(c);
        c.send(offers);
        c.line();
    };
    const std::vector<row> rows = {
        {"no STARTTLS", [&](peer& c) { greet(c), c.send("250 mx1\r\n"), then_quit(c); }, no_starttls, 0,
         "STARTTLS", true},
        {"HELO only",
         [&](peer& c) { greet(c), c.send("502 what\r\n"), c.line(), c.send("250 mx1\r\n"), then_quit(c); },
         no_starttls, 502, "HELO", true},
        {"454", [&](peer& c) { offer(c), c.send("454 not now\r\n"), then_quit(c); }, starttls_refused, 454,
         "454", true},
        {"530 at STARTTLS", [&](peer& c) { offer(c), c.send("530 no\r\n"), then_quit(c); }, starttls_refused,
         530, "530", true},
        {"injected in one packet",
         [&](peer& c) {
             offer(c), c.send("220 go\r\n250-evil\r\n250 AUTH PLAIN\r\n");
             quit_seen = !c.rest().empty();
         },
         injected, 0, "plaintext", false},
        {"plaintext instead of TLS",
         [&](peer& c) {
             offer(c), c.send("220 go\r\n"), std::this_thread::sleep_for(50ms), c.send("250 evil\r\n"),
                 c.rest();
         },
         handshake_failed, 0, "", false},
        {"421", [&](peer& c) { c.send("421 busy\r\n"), then_quit(c); }, banner_refused, 421, "421", true},
        {"554", [&](peer& c) { c.send("554 go away\r\n"), then_quit(c); }, banner_refused, 554, "554", true},
        {"hangs up at once", [](peer&) {}, closed, 0, "greeting", false},
        {"hangs up after EHLO", [&](peer& c) { greet(c); }, closed, 0, "", false},
        {"hangs up at STARTTLS", [&](peer& c) { offer(c); }, closed, 0, "", false},
        {"hangs up in the handshake", [&](peer& c) { offer(c), c.send("220 go\r\n"), c.cut(); },
         handshake_failed, 0, "closed", false},
        {"SSH", [](peer& c) { c.send("SSH-2.0-OpenSSH_9\r\n"), c.rest(); }, protocol_error, 0, "not SMTP",
         false},
        {"TLS from the start", [](peer& c) { c.send(std::string("\x16\x03\x01\0\xff\n", 6)), c.rest(); },
         protocol_error, 0, "", false},
        {"NULs", [](peer& c) { c.send(std::string("220 \0\0\r\n", 8)), c.rest(); }, protocol_error, 0, "NUL",
         false},
        {"a flood in one line",
         [](peer& c) {
             for (int i = 0; i < 10'000 && c.send("220 " + std::string(4'000, 'x')); ++i) {
             }
         },
         protocol_error, 0, "4096", false},
        {"a flood of lines",
         [](peer& c) {
             for (int i = 0; i < 1'000'000 && c.send("220-x\r\n"); ++i) {
             }
         },
         protocol_error, 0, "256", false},
    };
    for (const auto& row : rows) {
        quit_seen = false;
        world w;
        model::smtp_fact fact;
        {
            test_server server(row.serve);
            fact = w.mx(host, server.port());
            // A handshake that the server breaks off is tried once more, to see what it would speak.
            const bool broken_off = fact.tls.outcome == model::handshake_outcome::closed;
            EXPECT_EQ(server.connections(), broken_off ? 2 : 1) << row.why;
        }
        EXPECT_EQ(fact.outcome, row.outcome) << row.why << ": " << fact.detail;
        EXPECT_EQ(fact.reply_code, row.code) << row.why;
        EXPECT_THAT(fact.detail, HasSubstr(row.detail)) << row.why;
        EXPECT_EQ(quit_seen, row.quits) << row.why;
        EXPECT_EQ(fact.connect, model::connect_outcome::connected) << row.why;
        EXPECT_LT(fact.took, 10s) << row.why;
    }
}

TEST(ProbeMx, SilenceEndsInTimeAndASlowServerIsWaitedFor) {
    world w;
    w.options.smtp_stage_time = 400ms;
    {
        test_server server([](peer& c) { c.rest(); });
        const auto fact = w.mx(host, server.port());
        EXPECT_EQ(fact.outcome, smtp_outcome::banner_timeout);
        EXPECT_LT(fact.took, 10s);
    }
    {
        test_server server([](peer& c) {
            c.send(banner);
            c.rest();
        });
        EXPECT_EQ(w.mx(host, server.port()).outcome, smtp_outcome::timeout);
    }
    {
        test_server server([](peer& c) {
            for (int i = 0; i < 1'000 && c.send("2"); ++i) // a drip does not lengthen the stage
                std::this_thread::sleep_for(20ms);
        });
        const auto fact = w.mx(host, server.port());
        EXPECT_EQ(fact.outcome, smtp_outcome::banner_timeout);
        EXPECT_LT(fact.took, 10s);
    }
    {
        std::string told;
        test_server server([&](peer& c) {
            for (const char byte : banner) { // a tarpit, within the time of a stage
                c.send(std::string(1, byte));
                std::this_thread::sleep_for(4ms);
            }
            c.line();
            std::this_thread::sleep_for(120ms);
            c.send(offers);
            c.line();
            std::this_thread::sleep_for(120ms);
            c.send("220 go\r\n");
            c.start_tls(good_tls());
            c.line();
            c.send("250 mx1\r\n");
            c.line();
            c.send("221 bye\r\n");
        });
        w.options.smtp_stage_time = 5s;
        w.options.probe_without_sni = false;
        const auto fact = w.mx(host, server.port());
        EXPECT_EQ(fact.outcome, smtp_outcome::tls) << fact.detail;
        EXPECT_GE(fact.took, 300ms);
        ASSERT_GE(fact.stages.size(), 4u);
        EXPECT_GE(fact.stages[2].took, 100ms) << "the stage that was slow is named: " << fact.stages[2].stage;
    }
}

TEST(ProbeMx, NamesTheVersionOfAServerThatIsTooOld) {
    PROVES("8461-7.2-a");
    const auto leaf = authority::get().leaf(host);
    server_tls tls(leaf, {&authority::get().middle});
    tls.only(TLS1_VERSION, TLS1_VERSION);
    std::string told;
    test_server server([&](peer& client) { serve_well(client, tls, told); });
    world w;
    const auto fact = w.mx(host, server.port());
    EXPECT_EQ(fact.outcome, smtp_outcome::handshake_failed);
    EXPECT_EQ(fact.tls.outcome, model::handshake_outcome::protocol_too_old) << fact.tls.detail;
    EXPECT_EQ(fact.tls.version, "TLSv1");
    EXPECT_THAT(fact.detail, HasSubstr("TLSv1"));
    EXPECT_FALSE(fact.tried_without_sni);
}

TEST(ProbeMx, AServerThatInsistsOnSniIsFound) {
    const auto leaf = authority::get().leaf(host);
    server_tls tls(leaf, {&authority::get().middle});
    tls.require_name();
    std::string told;
    test_server server([&](peer& client) { serve_well(client, tls, told); });
    world w;
    const auto fact = w.mx(host, server.port());
    EXPECT_EQ(fact.outcome, smtp_outcome::tls);
    EXPECT_TRUE(fact.tls.certificate_ok());
    EXPECT_TRUE(fact.tried_without_sni);
    EXPECT_EQ(fact.without_sni.outcome, model::handshake_outcome::alert);
    EXPECT_EQ(fact.without_sni.reason, "unrecognized_name");
}

TEST(ProbeMx, ALimitOnConnectionsIsNoFindingAboutSni) {
    std::string told;
    int served = 0;
    test_server server([&](peer& client) {
        if (++served == 1)
            serve_well(client, good_tls(), told);
        else
            client.send("421 too many connections\r\n");
    });
    world w;
    const auto fact = w.mx(host, server.port());
    EXPECT_EQ(fact.outcome, smtp_outcome::tls);
    EXPECT_FALSE(fact.tried_without_sni);
}

TEST(ProbeMx, TheGuardIsAsked) {
    test_server server([](peer&) {});
    world w;
    w.guard = {};
    const auto fact = w.mx(host, server.port());
    EXPECT_EQ(fact.outcome, smtp_outcome::blocked);
    EXPECT_EQ(server.connections(), 0);
}

} // namespace
