// SPDX-License-Identifier: Apache-2.0
// One mail on its way: to a smart host, to the domain's own servers, through a program.
#include "io/mail_client.h"
#include "support/fixed_resolver.h"
#include "support/proves.h"
#include "support/scratch.h"
#include "support/sockets.h"
#include "support/tls_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include <sys/stat.h>

using namespace mailtight;
using namespace std::chrono_literals;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using tests::peer;
using tests::server_tls;
using tests::test_server;

namespace {

const auto here = *base::ip_address::parse("127.0.0.1");
const auto here_v6 = *base::ip_address::parse("::1");
const base::address_guard strict;
const base::address_guard lenient({*base::ip_network::parse("127.0.0.0/8"), *base::ip_network::parse("::1")});
const base::system_clock wall;
const wire::outgoing_mail mail{.sender = "reports@sender.example",
                               .recipients = {"tlsrpt@example.com"},
                               .message = "Subject: report\r\n\r\n.dot\r\nend\r\n"};

struct authority {
    tests::identity root = tests::make_root();
    tests::identity stranger = tests::make_leaf(root, {"stranger.example"});
    tests::root_file trusted{{&root}};
    io::tls_client client{trusted.path()};
};
authority& ca() {
    static authority all;
    return all;
}

/// A mail server of few words.
struct mail_server {
    server_tls* tls = nullptr;          ///< offers STARTTLS
    std::string to_rcpt = "250 ok\r\n"; ///< its reply
    bool breaks_handshake = false;
    bool hangs_up_on_message = false;
    std::string message; ///< the last
    std::vector<std::string> commands;
    int taken = 0;

    void serve(peer& client) {
        bool secured = false;
        client.send("220 mx.example ESMTP\r\n");
        for (auto line = client.line(); !line.empty(); line = client.line()) {
            commands.push_back(line.substr(0, line.find("\r\n")));
            const auto verb = line.substr(0, 4);
            if (verb == "EHLO") {
                client.send(tls && !secured ? "250-mx.example\r\n250 STARTTLS\r\n" : "250 mx.example\r\n");
            } else if (verb == "STAR") {
                client.send("220 go\r\n");
                if (breaks_handshake)
                    return client.cut();
                secured = client.start_tls(*tls);
                if (!secured)
                    return;
            } else if (verb == "RCPT") {
                client.send(to_rcpt);
            } else if (verb == "DATA") {
                client.send("354 go\r\n");
                message.clear();
                for (auto text = client.line(); !text.empty() && text != ".\r\n"; text = client.line())
                    message += text;
                if (hangs_up_on_message)
                    return client.cut();
                ++taken;
                client.send("250 2.0.0 queued\r\n");
            } else if (verb == "QUIT") {
                client.send("221 bye\r\n");
                return;
            } else {
                client.send("250 ok\r\n");
            }
        }
    }
};

io::mail_sent send(io::mail_route by, tests::fixed_resolver dns = {}, const wire::outgoing_mail& what = mail,
                   const base::address_guard& guard = lenient) {
    io::loop on;
    by.helo = "client.example";
    return on.block_on(io::send_mail(on, dns, ca().client, guard, wall, std::move(by), what));
}

io::mail_route smart(std::uint16_t port) {
    return {.how = io::mail_route::kind::smart_host, .port = port};
}
io::mail_route direct(std::uint16_t port) {
    return {.how = io::mail_route::kind::direct, .mx_port = port};
}

TEST(MailClient, ASmartHostTakesIt) {
    mail_server mx;
    test_server server([&](peer& client) { mx.serve(client); });
    const auto sent = send(smart(server.port()));
    EXPECT_TRUE(sent.outcome.accepted) << sent.outcome.text;
    EXPECT_FALSE(sent.tls);
    EXPECT_THAT(sent.server, HasSubstr("127.0.0.1:"));
    EXPECT_THAT(mx.commands, ElementsAre("EHLO client.example", "MAIL FROM:<reports@sender.example>",
                                         "RCPT TO:<tlsrpt@example.com>", "DATA", "QUIT"));
    EXPECT_EQ(mx.message, "Subject: report\r\n\r\n..dot\r\nend\r\n");
}

TEST(MailClient, TlsWhereOfferedAndNoJudgementOnLoopback) {
    server_tls tls(ca().stranger);
    mail_server mx{.tls = &tls};
    test_server server([&](peer& client) { mx.serve(client); });
    const auto sent = send(smart(server.port()));
    EXPECT_TRUE(sent.outcome.accepted) << sent.outcome.text;
    EXPECT_TRUE(sent.tls);
    EXPECT_EQ(mx.taken, 1);
}

TEST(MailClient, ARefusalIsTemporaryOrNot) {
    mail_server mx;
    test_server server([&](peer& client) { mx.serve(client); });
    mx.to_rcpt = "550 5.1.1 no such user\r\n";
    auto sent = send(smart(server.port()));
    EXPECT_FALSE(sent.outcome.accepted);
    EXPECT_FALSE(sent.outcome.temporary);
    EXPECT_EQ(sent.outcome.enhanced, "5.1.1");
    mx.to_rcpt = "450 4.2.1 later\r\n";
    sent = send(smart(server.port()));
    EXPECT_TRUE(sent.outcome.temporary);
    server_tls tls(ca().stranger);
    mx.tls = &tls;
    mx.breaks_handshake = true;
    sent = send(smart(server.port()));
    EXPECT_TRUE(sent.outcome.temporary);
    EXPECT_EQ(sent.outcome.stage, "STARTTLS");
    EXPECT_THAT(sent.outcome.text, testing::StartsWith("TLS: "));
}

TEST(MailClient, NobodyThereIsTemporary) {
    std::uint16_t port = 0;
    {
        test_server gone([](peer&) {});
        port = gone.port();
    }
    const auto sent = send(smart(port));
    EXPECT_FALSE(sent.outcome.accepted);
    EXPECT_TRUE(sent.outcome.temporary);
    EXPECT_EQ(sent.outcome.stage, "connect");
}

TEST(MailClient, ASilentServerCostsABoundedTime) {
    std::atomic<bool> over = false;
    test_server server([&](peer&) {
        while (!over)
            std::this_thread::sleep_for(5ms);
    });
    auto by = smart(server.port());
    by.reply_time = 200ms;
    const auto began = std::chrono::steady_clock::now();
    const auto sent = send(by);
    over = true;
    EXPECT_TRUE(sent.outcome.temporary);
    EXPECT_THAT(sent.outcome.text, HasSubstr("in time"));
    EXPECT_LT(std::chrono::steady_clock::now() - began, 10s);
}

TEST(MailClient, DirectlyGoesByPreferenceAndOnWhereOneFails) {
    mail_server mx;
    test_server server([&](peer& client) { mx.serve(client); });
    tests::fixed_resolver dns;
    dns.exchanges["example.com"] = {
        {5, "none.example.com"}, {10, "down.example.com"}, {20, "up.example.com"}};
    dns.hosts["down.example.com"] = {here_v6}; // nobody listens there
    dns.hosts["up.example.com"] = {here};
    const auto sent = send(direct(server.port()), dns);
    EXPECT_TRUE(sent.outcome.accepted) << sent.outcome.text;
    EXPECT_THAT(sent.server, HasSubstr("up.example.com"));
}

TEST(MailClient, DirectlyWithoutAnMxGoesToTheDomain) {
    mail_server mx;
    test_server server([&](peer& client) { mx.serve(client); });
    tests::fixed_resolver dns;
    dns.hosts["example.com"] = {here};
    EXPECT_TRUE(send(direct(server.port()), dns).outcome.accepted);
}

TEST(MailClient, AReportIsDeliveredDespiteFailuresOfTls) {
    PROVES("8460-3-g");
    server_tls tls(ca().stranger);
    mail_server mx{.tls = &tls};
    mx.breaks_handshake = true;
    test_server server([&](peer& client) { mx.serve(client); });
    tests::fixed_resolver dns;
    dns.exchanges["example.com"] = {{10, "mx.example.com"}};
    dns.hosts["mx.example.com"] = {here};
    const auto sent = send(direct(server.port()), dns);
    EXPECT_TRUE(sent.outcome.accepted) << sent.outcome.text;
    EXPECT_FALSE(sent.tls);
    EXPECT_EQ(server.connections(), 2);
}

TEST(MailClient, WhatMayHaveArrivedIsNotSentTwice) {
    mail_server mx;
    mx.hangs_up_on_message = true;
    test_server server([&](peer& client) { mx.serve(client); });
    tests::fixed_resolver dns;
    dns.exchanges["example.com"] = {{10, "a.example.com"}, {20, "b.example.com"}};
    dns.hosts["a.example.com"] = dns.hosts["b.example.com"] = {here};
    const auto sent = send(direct(server.port()), dns);
    EXPECT_FALSE(sent.outcome.accepted);
    EXPECT_TRUE(sent.outcome.temporary);
    EXPECT_EQ(server.connections(), 1);
}

TEST(MailClient, ARefusalForGoodEndsTheSearch) {
    mail_server mx{.to_rcpt = "550 5.1.1 no such user\r\n"};
    test_server server([&](peer& client) { mx.serve(client); });
    tests::fixed_resolver dns;
    dns.exchanges["example.com"] = {{10, "a.example.com"}, {20, "b.example.com"}};
    dns.hosts["a.example.com"] = dns.hosts["b.example.com"] = {here};
    EXPECT_FALSE(send(direct(server.port()), dns).outcome.temporary);
    EXPECT_EQ(server.connections(), 1);
}

TEST(MailClient, WhatDnsSays) {
    tests::fixed_resolver dns;
    const auto gone = send(direct(25), dns);
    EXPECT_FALSE(gone.outcome.temporary);
    EXPECT_THAT(gone.outcome.text, HasSubstr("does not exist"));
    dns.exchanges["example.com"] = {{0, ""}};
    const auto null_mx = send(direct(25), dns);
    EXPECT_FALSE(null_mx.outcome.temporary);
    EXPECT_THAT(null_mx.outcome.text, HasSubstr("null MX"));
    dns.exchanges.clear();
    dns.otherwise = model::dns_status::servfail;
    EXPECT_TRUE(send(direct(25), dns).outcome.temporary);
    auto two = mail;
    two.recipients.push_back("other@example.org");
    EXPECT_FALSE(send(direct(25), dns, two).outcome.temporary) << "two domains are two mails";
}

TEST(MailClient, TheGuardKeepsMailFromPrivateAddresses) {
    test_server server([](peer&) {});
    tests::fixed_resolver dns;
    dns.exchanges["example.com"] = {{10, "mx.example.com"}};
    dns.hosts["mx.example.com"] = {here};
    EXPECT_FALSE(send(direct(server.port()), dns, mail, strict).outcome.accepted);
    EXPECT_EQ(server.connections(), 0);
    EXPECT_EQ(send(smart(server.port()), dns, mail, strict).outcome.stage, "greeting")
        << "what the operator named is asked";
}

/// One mail server at both loopback addresses, at the same port.
struct dual_stack {
    mail_server v4, v6;
    test_server at_v4{[this](peer& client) { v4.serve(client); }};
    test_server at_v6{[this](peer& client) { v6.serve(client); }, "::1", at_v4.port()};
    tests::fixed_resolver dns;
    dual_stack() {
        dns.exchanges["example.com"] = {{10, "mx.example.com"}};
        dns.hosts["mx.example.com"] = {here_v6, here};
    }
    io::mail_sent send_over(io::families over, bool through_smart_host = false) const {
        auto by = through_smart_host ? smart(at_v4.port()) : direct(at_v4.port());
        by.host = "mx.example.com";
        by.over = over;
        return send(by, dns);
    }
};

TEST(MailClient, TheFamilyIsChosen) {
    struct row {
        io::families over;
        bool v6;
    };
    for (const bool through_smart_host : {false, true})
        for (const auto& [over, v6] : {row{io::families::any, true}, row{io::families::v4_first, false},
                                       row{io::families::v4_only, false}, row{io::families::v6_only, true}}) {
            const dual_stack mx;
            const auto sent = mx.send_over(over, through_smart_host);
            EXPECT_TRUE(sent.outcome.accepted) << sent.outcome.text;
            EXPECT_EQ(sent.over_v6, v6);
            EXPECT_EQ(sent.address, v6 ? "::1" : "127.0.0.1");
            EXPECT_EQ(mx.v4.taken, v6 ? 0 : 1);
            EXPECT_EQ(mx.v6.taken, v6 ? 1 : 0);
        }
    EXPECT_EQ(io::mail_route{}.over, io::families::v4_first) << "many refuse IPv6 without PTR and SPF";
}

TEST(MailClient, TheOtherFamilyIsTriedWhereTheFirstWillNotDo) {
    dual_stack mx;
    mx.v4.to_rcpt = "450 4.7.1 later\r\n";
    auto sent = mx.send_over(io::families::v4_first);
    EXPECT_TRUE(sent.outcome.accepted);
    EXPECT_TRUE(sent.over_v6);
    sent = mx.send_over(io::families::v4_only);
    EXPECT_FALSE(sent.outcome.accepted);
    EXPECT_TRUE(sent.outcome.temporary);
    EXPECT_EQ(sent.address, "127.0.0.1");
    mx.v6.to_rcpt = "550 5.7.25 no PTR\r\n";
    sent = mx.send_over(io::families::any);
    EXPECT_FALSE(sent.outcome.temporary);
    EXPECT_TRUE(sent.over_v6) << "whether IPv4 is tried then is the caller's to say";
    EXPECT_EQ(sent.outcome.enhanced, "5.7.25");
}

TEST(MailClient, TheAnswerThatDecidedIsTold) {
    dual_stack mx;
    mx.v4.to_rcpt = "450 4.7.1 later\r\n";
    const auto nobody = *base::ip_address::parse("127.0.0.99");
    mx.dns.hosts["mx.example.com"] = {here, nobody};
    for (const bool through_smart_host : {false, true}) {
        const auto sent = mx.send_over(io::families::any, through_smart_host);
        EXPECT_EQ(sent.outcome.code, 450) << "not that the last address did not answer";
        EXPECT_EQ(sent.address, "127.0.0.1");
    }
}

TEST(MailClient, AFamilyThatTheHostHasNot) {
    dual_stack mx;
    mx.dns.hosts["mx.example.com"] = {here_v6};
    for (const bool through_smart_host : {false, true}) {
        const auto sent = mx.send_over(io::families::v4_only, through_smart_host);
        EXPECT_FALSE(sent.outcome.accepted);
        EXPECT_FALSE(sent.outcome.temporary);
        EXPECT_THAT(sent.outcome.text, HasSubstr("over IPv4"));
        EXPECT_EQ(sent.address, "");
        EXPECT_FALSE(sent.blocked);
    }
    EXPECT_TRUE(mx.send_over(io::families::v4_first).over_v6) << "first is not only";
}

TEST(MailClient, TellsThatTheGuardRefusedAll) {
    dual_stack mx;
    EXPECT_TRUE(send(direct(mx.at_v4.port()), mx.dns, mail, strict).blocked);
    mx.dns.hosts["mx.example.com"] = {};
    EXPECT_FALSE(send(direct(mx.at_v4.port()), mx.dns, mail, strict).blocked);
}

std::string contents(const std::string& path) {
    std::ostringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
}

/// A program that does what the test says.
struct program {
    explicit program(const std::string& script) {
        std::ofstream(path()) << "#!/bin/sh\n" << script;
        ::chmod(path().c_str(), 0755);
    }
    std::string path() const { return folder / "sendmail"; }
    io::mail_sent run(std::vector<std::string> words = {"-i", "-f", "%sender"},
                      const wire::outgoing_mail& what = mail, std::chrono::milliseconds time = 20s) const {
        words.insert(words.begin(), path());
        return send({.how = io::mail_route::kind::command, .command = words, .reply_time = time}, {}, what);
    }
    tests::scratch_folder folder;
};

TEST(MailCommand, GetsArgumentsAndTheMessage) {
    const tests::scratch_folder folder;
    const program sendmail("for word in \"$@\"; do echo \"[$word]\"; done >" + folder / "words" + "\ncat >" +
                           folder / "message" + "\n");
    auto odd = mail;
    odd.recipients = {"a b; touch /nowhere@example.com", "$(id)@example.com"};
    const auto sent = sendmail.run({"-i", "-f", "%sender"}, odd);
    EXPECT_TRUE(sent.outcome.accepted) << sent.outcome.text;
    EXPECT_EQ(contents(folder / "words"), "[-i]\n[-f]\n[reports@sender.example]\n"
                                          "[a b; touch /nowhere@example.com]\n[$(id)@example.com]\n")
        << "no shell comes in between";
    EXPECT_EQ(contents(folder / "message"), "Subject: report\n\n.dot\nend\n");
    odd.sender.clear();
    sendmail.run({"-f", "%sender"}, odd);
    EXPECT_THAT(contents(folder / "words"), HasSubstr("[<>]")) << "the null sender";
}

TEST(MailCommand, ItsEndIsTheOutcome) {
    struct row {
        const char* script;
        bool accepted, temporary;
        const char* says;
    };
    for (const auto& [script, accepted, temporary, says] : {
             row{"cat >/dev/null", true, false, "exit status 0"},
             row{"cat >/dev/null; exit 75", false, true, "exit status 75"},
             row{"cat >/dev/null; exit 67", false, false, "exit status 67"},
             row{"echo 'no such user' >&2; exit 67", false, false, "exit status 67: no such user"},
             row{"printf '\\033[2J' >&2; exit 1", false, false, "\\x1b[2J"},
             row{"kill -9 $$", false, true, "ended by signal 9"},
         }) {
        const auto sent = program(script).run();
        EXPECT_EQ(sent.outcome.accepted, accepted) << script;
        EXPECT_EQ(sent.outcome.temporary, temporary) << script;
        EXPECT_THAT(sent.outcome.text, HasSubstr(says)) << script;
    }
}

TEST(MailCommand, WhatCannotStartIsTriedLater) {
    const auto sent =
        send({.how = io::mail_route::kind::command, .command = {"/nonexistent/sendmail", "-i"}});
    EXPECT_TRUE(sent.outcome.temporary);
    EXPECT_THAT(sent.outcome.text, HasSubstr("cannot start /nonexistent/sendmail: No such file"));
}

TEST(MailCommand, IsBoundedInTime) {
    const auto began = std::chrono::steady_clock::now();
    const auto sent = program("exec sleep 60").run({}, mail, 200ms);
    EXPECT_TRUE(sent.outcome.temporary);
    EXPECT_THAT(sent.outcome.text, HasSubstr("did not end within"));
    EXPECT_LT(std::chrono::steady_clock::now() - began, 20s);
}

TEST(MailCommand, ALargeMessageThatNobodyReadsIsNoTrap) {
    auto large = mail;
    large.message = std::string(4'000'000, 'x');
    EXPECT_FALSE(program("exit 1").run({}, large).outcome.temporary);
    EXPECT_TRUE(program("cat >/dev/null").run({}, large).outcome.accepted);
    // A process that stays behind with the pipe open does not hold us up.
    const auto began = std::chrono::steady_clock::now();
    EXPECT_TRUE(program("cat >/dev/null; sleep 30 &").run({}, mail).outcome.accepted);
    EXPECT_LT(std::chrono::steady_clock::now() - began, 20s);
}

TEST(MailCommand, ARecipientIsNeverAnOption) {
    auto odd = mail;
    odd.recipients = {"-oQ/tmp@example.com"};
    const auto sent = program("exit 0").run({}, odd);
    EXPECT_FALSE(sent.outcome.accepted);
    EXPECT_FALSE(sent.outcome.temporary);
}

} // namespace
