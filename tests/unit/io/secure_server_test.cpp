// SPDX-License-Identifier: Apache-2.0
// The TLS server of many names: which certificate answers whom, what is refused, sessions that stay with
// their name, and clients that are slow, many or hostile. OpenSSL's client is the judge.
#include "io/secure_server.h"
#include "request_sessions.h"
#include "support/certificates.h"
#include "support/proves.h"
#include "support/tls_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <random>

using namespace mailtight;
using namespace std::chrono_literals;
using testing::ElementsAre;
using tests::eventually;
using tests::netstring;
using tests::raw_client;
using tests::speak_tls;
using tests::tls_wish;

namespace {

constexpr int unrecognized_name = 112, no_application_protocol = 120, protocol_version = 70,
              handshake_failure = 40;

struct workshop {
    tests::identity root = tests::make_root();
    tests::identity middle = tests::make_intermediate(root);

    std::shared_ptr<const io::certified_key> read(const tests::identity& leaf) const {
        auto made = io::certified_key::read(leaf.pem() + middle.pem(), leaf.key_pem());
        if (!made)
            throw std::runtime_error(made.error());
        return *made;
    }
    std::shared_ptr<const io::certified_key> make(const std::string& name, const char* key = "P-256") const {
        return read(tests::issue({.dns_names = {name}, .key = key}, &middle));
    }
};
const workshop& ours() {
    static const workshop all;
    return all;
}

/// A server of the test protocol under TLS.
struct secure_world {
    explicit secure_world(io::loop& on, io::secure_server_options options = {})
        : server(
              on, std::move(options),
              [this](std::string_view name, bool acme) {
                  asked.emplace_back(name);
                  const auto& table = acme ? challenges : certificates;
                  const auto found = table.find(std::string(name));
                  return found != table.end() ? found->second : nullptr;
              },
              [this](std::shared_ptr<io::request_link> link,
                     const io::secure_peer& who) -> std::unique_ptr<io::request_session> {
                  names.emplace_back(who.server_name);
                  return std::make_unique<tests::scripted_session>(script, std::move(link));
              }) {
        certificates = {{"a.example", ours().make("a.example")}, {"b.example", ours().make("b.example")}};
        if (const auto done = server.listen(tests::listening_at("127.0.0.1:0")); !done)
            throw std::runtime_error(done.error());
    }
    std::uint16_t port() const {
        const auto text = server.address();
        return static_cast<std::uint16_t>(std::stoul(text.substr(text.rfind(':') + 1)));
    }
    std::map<std::string, std::shared_ptr<const io::certified_key>> certificates, challenges;
    std::vector<std::string> asked, names;
    tests::request_script script;
    io::secure_server server;
};

tls_wish saying(std::string name, std::string_view words) {
    return {.server_name = std::move(name), .say = std::string(words)};
}
const std::string hello_and_bye = netstring("echo hello") + netstring("bye");
const std::string hello_bye_back = netstring("hello") + netstring("bye");

TEST(SecureServer, TheNameChoosesTheCertificateOrTheHandshakeIsRefused) {
    PROVES("8461-7.1-d", "8461-7.1-e");
    io::loop on;
    secure_world world(on);
    struct row {
        const char* sni;
        const char* shown;
        const char* why;
    };
    for (const auto& [sni, shown, why] : {
             row{"a.example", "a.example", "the very name"},
             row{"B.Example", "b.example", "names have no case"},
             row{"b.example.", "b.example", "some clients write the final dot"},
             row{"c.example", "", "an unknown name gets no certificate of another"},
             row{"x.a.example", "", "nor does a name below a known one"},
             row{"", "", "nor a client without a name"},
         }) {
        const auto heard = speak_tls(on, world.port(), saying(sni, hello_and_bye));
        EXPECT_EQ(heard.shaken, *shown != '\0') << why;
        EXPECT_EQ(heard.alert, *shown != '\0' ? -1 : unrecognized_name) << why;
        if (heard.shaken) {
            EXPECT_THAT(heard.names, ElementsAre(shown)) << why;
            EXPECT_EQ(heard.chain, 2) << "the issuer's certificate is sent";
            EXPECT_EQ(heard.said, hello_bye_back);
            EXPECT_TRUE(heard.ordered) << "the end is told";
        }
    }
    EXPECT_THAT(world.names, ElementsAre("a.example", "b.example", "b.example")) << "told to the session";
    EXPECT_EQ(world.server.counted().handshakes, 3U);
    EXPECT_EQ(world.server.counted().unknown_name, 3U);
}

TEST(SecureServer, SpeaksOnlyWhatIsSafe) {
    PROVES("8461-7.2-b");
    io::loop on;
    secure_world world(on);
    world.certificates["rsa.example"] = ours().make("rsa.example", "RSA");
    struct row {
        const char* name;
        int lowest, highest;
        const char* ciphers;
        const char* version; ///< "" : refused
        const char* why;
    };
    for (const auto& one : {
             row{"a.example", TLS1_3_VERSION, TLS1_3_VERSION, nullptr, "TLSv1.3", "TLS 1.3"},
             row{"a.example", TLS1_2_VERSION, TLS1_2_VERSION, nullptr, "TLSv1.2", "TLS 1.2"},
             row{"a.example", TLS1_1_VERSION, TLS1_1_VERSION, "ALL:@SECLEVEL=0", "", "TLS 1.1"},
             row{"a.example", TLS1_VERSION, TLS1_VERSION, "ALL:@SECLEVEL=0", "", "TLS 1.0"},
             row{"rsa.example", TLS1_2_VERSION, TLS1_2_VERSION, "ECDHE-RSA-AES128-GCM-SHA256", "TLSv1.2",
                 "an RSA certificate with forward secrecy"},
             row{"rsa.example", TLS1_2_VERSION, TLS1_2_VERSION, "AES128-GCM-SHA256", "",
                 "key exchange by RSA has no forward secrecy"},
             row{"a.example", TLS1_2_VERSION, TLS1_2_VERSION, "ECDHE-ECDSA-AES128-SHA", "", "CBC is no AEAD"},
             row{"a.example", TLS1_2_VERSION, TLS1_2_VERSION, "ECDHE-ECDSA-CHACHA20-POLY1305", "TLSv1.2",
                 "ChaCha20"},
             row{"rsa.example", TLS1_2_VERSION, TLS1_2_VERSION, "aNULL:eNULL:@SECLEVEL=0", "",
                 "no authentication"},
         }) {
        auto wish = saying(one.name, hello_and_bye);
        wish.lowest = one.lowest;
        wish.highest = one.highest;
        wish.ciphers = one.ciphers;
        const auto heard = speak_tls(on, world.port(), wish);
        EXPECT_EQ(heard.version, one.version) << one.why;
        if (*one.version == '\0')
            EXPECT_TRUE(heard.alert == protocol_version || heard.alert == handshake_failure)
                << one.why << ": " << heard.alert;
        else
            EXPECT_EQ(heard.said, hello_bye_back) << one.why;
    }
}

TEST(SecureServer, EveryKindOfKeyThatPeopleHave) {
    io::loop on;
    secure_world world(on);
    for (const char* kind : {"P-256", "P-384", "RSA", "Ed25519"}) {
        world.certificates["k.example"] = ours().make("k.example", kind);
        const auto heard = speak_tls(on, world.port(), saying("k.example", hello_and_bye));
        EXPECT_EQ(heard.said, hello_bye_back) << kind;
    }
}

TEST(SecureServer, ATicketOpensNoOtherName) {
    io::loop on;
    secure_world world(on, {.session_tickets = true});
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
        auto wish = saying("a.example", hello_and_bye);
        wish.lowest = wish.highest = version;
        const auto first = speak_tls(on, world.port(), wish);
        ASSERT_TRUE(first.session) << first.version;
        EXPECT_FALSE(first.reused);
        wish.resume = first.session.get();
        const auto again = speak_tls(on, world.port(), wish);
        EXPECT_TRUE(again.reused) << first.version;
        EXPECT_EQ(again.said, hello_bye_back);
        wish.server_name = "b.example";
        const auto other = speak_tls(on, world.port(), wish);
        EXPECT_FALSE(other.reused) << first.version << ": with another name it is a new session";
        EXPECT_THAT(other.names, ElementsAre("b.example"));
        EXPECT_EQ(other.said, hello_bye_back);
        wish.server_name = "c.example";
        EXPECT_EQ(speak_tls(on, world.port(), wish).alert, unrecognized_name);
        wish.server_name.clear();
        EXPECT_EQ(speak_tls(on, world.port(), wish).alert, unrecognized_name);
        // A name that was taken away: its tickets are worth nothing.
        wish.server_name = "a.example";
        const auto kept = std::exchange(world.certificates["a.example"], nullptr);
        EXPECT_EQ(speak_tls(on, world.port(), wish).alert, unrecognized_name);
        world.certificates["a.example"] = kept;
    }
}

TEST(SecureServer, WithoutTicketsNothingIsResumed) {
    io::loop on;
    secure_world world(on);
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
        auto wish = saying("a.example", hello_and_bye);
        wish.lowest = wish.highest = version;
        const auto first = speak_tls(on, world.port(), wish);
        EXPECT_EQ(first.said, hello_bye_back);
        wish.resume = first.session.get();
        EXPECT_FALSE(speak_tls(on, world.port(), wish).reused);
    }
}

TEST(SecureServer, ProtocolsByName) {
    io::loop on;
    secure_world world(on);
    world.challenges["a.example"] = ours().make("challenge.example");
    auto wish = saying("a.example", hello_and_bye);
    wish.alpn = {"h2", "http/1.1"};
    EXPECT_EQ(speak_tls(on, world.port(), wish).alpn, "http/1.1");
    wish.alpn = {"h2"};
    EXPECT_EQ(speak_tls(on, world.port(), wish).alert, no_application_protocol);
    wish.alpn = {"acme-tls/1"};
    const auto proof = speak_tls(on, world.port(), wish);
    EXPECT_EQ(proof.alpn, "acme-tls/1");
    EXPECT_THAT(proof.names, ElementsAre("challenge.example"));
    EXPECT_EQ(proof.said, "") << "nothing is answered, whatever is said";
    EXPECT_TRUE(proof.ordered) << "closed behind the handshake (RFC 8737 §3)";
    EXPECT_FALSE(proof.session) << "and nothing may be resumed from it";
    EXPECT_EQ(world.server.counted().acme, 1U);
    wish.server_name = "b.example";
    EXPECT_EQ(speak_tls(on, world.port(), wish).alert, unrecognized_name) << "no challenge for this name";
    wish.server_name = "a.example";
    wish.alpn = {"acme-tls/1", "http/1.1"};
    const auto mixed = speak_tls(on, world.port(), wish);
    EXPECT_EQ(mixed.alpn, "http/1.1") << "acme-tls/1 stands alone or is nothing";
    EXPECT_THAT(mixed.names, ElementsAre("a.example"));
}

TEST(SecureServer, ANewCertificateIsTheNextHandshakes) {
    io::loop on;
    secure_world world(on);
    auto before = std::async(std::launch::async, [port = world.port()] {
        auto wish = saying("a.example", netstring("later one"));
        wish.until = netstring("one");
        return speak_tls(port, wish);
    });
    ASSERT_TRUE(eventually(on, [&] { return world.script.owed_now() == 1; }));
    world.certificates["a.example"] =
        ours().read(tests::make_leaf(ours().middle, {"a.example", "new.example"}));
    EXPECT_THAT(speak_tls(on, world.port(), saying("a.example", hello_and_bye)).names,
                ElementsAre("a.example", "new.example"));
    world.script.answer_all();
    ASSERT_TRUE(eventually(on, [&] { return before.wait_for(0s) == std::future_status::ready; }));
    EXPECT_EQ(before.get().said, netstring("one")) << "who was there goes on";
}

TEST(SecureServer, AnswersAreWholeWhateverTheirSize) {
    io::loop on;
    secure_world world(on);
    std::string asked, owed;
    for (int i = 0; i < 40; ++i) {
        asked += netstring("big 100000");
        owed += netstring(std::string(100'000, 'x'));
    }
    const auto heard = speak_tls(on, world.port(), saying("a.example", asked + netstring("bye")));
    EXPECT_EQ(heard.said.size(), owed.size() + netstring("bye").size());
    EXPECT_EQ(heard.said, owed + netstring("bye"));
}

TEST(SecureServer, WhoSaysNothingIsClosedInTime) {
    io::loop on;
    secure_world world(on, {.handshake_time = 100ms, .idle_time = 100ms});
    auto silent = raw_client::tcp(world.port());
    auto half = raw_client::tcp(world.port());
    half.send("\x16\x03\x01");
    ASSERT_TRUE(eventually(on, [&] { return world.server.open_connections() == 2; }));
    EXPECT_TRUE(eventually(on, [&] { return world.server.open_connections() == 0; }));
    EXPECT_EQ(world.server.counted().failed, 2U);
    const auto idle = speak_tls(on, world.port(), saying("a.example", "9:echo hel"));
    EXPECT_EQ(idle.said, "");
    EXPECT_TRUE(idle.ordered) << "half a request, then silence: closed, and told so";
    EXPECT_TRUE(eventually(on, [&] { return world.server.open_connections() == 0; }));
}

TEST(SecureServer, DrippingBytesBuyNoTime) {
    io::loop on;
    secure_world world(on, {.idle_time = 300ms});
    auto wish = saying("a.example", "1000:" + std::string(1'000, 'x')); // never silent, never done
    wish.pause = 20ms;
    const auto begun = std::chrono::steady_clock::now();
    EXPECT_EQ(speak_tls(on, world.port(), wish).said, "");
    EXPECT_LT(std::chrono::steady_clock::now() - begun, 15s) << "all of it would take twenty seconds";
    EXPECT_TRUE(eventually(on, [&] { return world.server.open_connections() == 0; }));
}

TEST(SecureServer, NoiseIsRefusedAndHarmsNobody) {
    io::loop on;
    secure_world world(on);
    std::mt19937 random(8461); // NOLINT: the same noise every time
    for (int i = 0; i < 60; ++i) {
        std::string noise(random() % 3'000 + 1, '\0');
        std::ranges::generate(noise, [&] { return static_cast<char>(random()); });
        if (i % 3 == 0)
            noise.replace(0, 1, "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03");
        tests::beside_loop(on, [port = world.port(), &noise] {
            const auto client = raw_client::tcp(port);
            client.send(noise);
            client.finish_writing();
            return client.rest().size();
        });
    }
    EXPECT_TRUE(eventually(on, [&] { return world.server.open_connections() == 0; }));
    EXPECT_EQ(world.server.counted().handshakes, 0U);
    EXPECT_EQ(speak_tls(on, world.port(), saying("a.example", hello_and_bye)).said, hello_bye_back);
}

TEST(SecureServer, OneSourceHasItsShare) {
    io::loop on;
    secure_world world(on, {.listening = {.connections = 6, .per_source = 3}});
    std::vector<raw_client> held;
    for (int i = 0; i < 5; ++i)
        held.push_back(raw_client::tcp(world.port(), "127.0.0.1", "127.0.0.5"));
    ASSERT_TRUE(eventually(on, [&] { return world.server.refused() == 2; }));
    EXPECT_EQ(world.server.open_connections(), 3U);
    auto wish = saying("a.example", hello_and_bye);
    wish.from = "127.0.0.6";
    EXPECT_EQ(speak_tls(on, world.port(), wish).said, hello_bye_back) << "others are served";
    held.clear();
    EXPECT_TRUE(eventually(on, [&] { return world.server.open_connections() == 0; }));
}

TEST(SecureServer, WhatIsNeverARequestEndsAtTheLimit) {
    io::loop on;
    secure_world world(on, {.request_bytes = 1'000});
    const auto heard = speak_tls(on, world.port(), saying("a.example", "5000:" + std::string(3'000, 'x')));
    EXPECT_EQ(heard.said, "");
    EXPECT_TRUE(eventually(on, [&] { return world.server.open_connections() == 0; }));
}

TEST(SecureServer, AClientThatTakesNothingIsNotReadFromAndClosed) {
    io::loop on;
    secure_world world(on, {.idle_time = 300ms});
    auto client = std::async(std::launch::async, [port = world.port()] {
        auto wish = saying("a.example", "");
        for (int i = 0; i < 200; ++i)
            wish.say += netstring("big 100000");
        wish.until = "x"; // hears one byte and closes, having taken no more than a buffer
        return speak_tls(port, wish).said.size();
    });
    ASSERT_TRUE(eventually(on, [&] { return client.wait_for(0s) == std::future_status::ready; }));
    EXPECT_LT(world.script.called, 400U);
    EXPECT_TRUE(eventually(on, [&] { return world.server.open_connections() == 0; }));
    EXPECT_EQ(world.script.alive, 0U);
}

TEST(SecureServer, TakingAnAnswerByDropsBuysNoTime) {
    io::loop on;
    secure_world world(on, {.idle_time = 1s});
    auto wish = saying("a.example", "");
    for (int i = 0; i < 200; ++i)
        wish.say += netstring("big 100000");
    wish.rest = 20ms; // all of it would take 400 seconds
    std::atomic<bool> enough = false;
    wish.enough = &enough;
    auto client = std::async(std::launch::async,
                             [port = world.port(), &wish] { return speak_tls(port, wish).said.size(); });
    ASSERT_TRUE(eventually(on, [&] { return world.server.counted().handshakes == 1; }));
    EXPECT_TRUE(eventually(on, [&] { return world.server.open_connections() == 0; }));
    enough = true;
    EXPECT_LT(client.get(), 20'000'000U);
}

TEST(SecureServer, WhoIsSilentMakesRoomWhenPlacesRunOut) {
    io::loop on;
    secure_world world(
        on, {.handshake_time = 8s, .idle_time = 8s, .listening = {.connections = 8, .per_source = 8}});
    std::vector<raw_client> silent;
    for (int i = 0; i < 6; ++i)
        silent.push_back(raw_client::tcp(world.port()));
    ASSERT_TRUE(eventually(on, [&] { return world.server.open_connections() == 6; }));
    const auto begun = std::chrono::steady_clock::now();
    silent.push_back(raw_client::tcp(world.port()));
    ASSERT_TRUE(eventually(on, [&] { return world.server.open_connections() == 7; }));
    EXPECT_TRUE(eventually(on, [&] { return world.server.open_connections() <= 6; }));
    EXPECT_LT(std::chrono::steady_clock::now() - begun, 6s) << "not the eight seconds of quiet times";
}

TEST(SecureServer, StopsInOrder) {
    io::loop on;
    secure_world world(on);
    auto waiting = std::async(std::launch::async, [port = world.port()] {
        return speak_tls(port, saying("a.example", netstring("later word")));
    });
    auto idle = std::async(std::launch::async, [port = world.port()] {
        return speak_tls(port, saying("b.example", netstring("echo x")));
    });
    ASSERT_TRUE(eventually(on, [&] { return world.script.owed_now() == 1 && world.script.called >= 2; }));
    world.server.stop();
    ASSERT_TRUE(eventually(on, [&] { return idle.wait_for(0s) == std::future_status::ready; }));
    EXPECT_TRUE(idle.get().ordered);
    EXPECT_TRUE(eventually(on, [&] { return world.server.open_connections() == 1; }))
        << "the idle one is gone";
    EXPECT_EQ(waiting.wait_for(0s), std::future_status::timeout) << "an answer is owed";
    world.script.answer_all();
    ASSERT_TRUE(eventually(on, [&] { return waiting.wait_for(0s) == std::future_status::ready; }));
    EXPECT_EQ(waiting.get().said, netstring("word"));
    on.run(); // comes back: nothing holds the loop
    EXPECT_EQ(world.script.alive, 0U);
}

} // namespace
