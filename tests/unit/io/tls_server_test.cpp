// SPDX-License-Identifier: Apache-2.0
// TLS servers: which certificate answers whom, what a person is told, and reload under traffic.
#include "io/server.h"
#include "support/scratch.h"
#include "support/sockets.h"
#include "support/tls_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <future>

using namespace mailtight;
using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using tests::eventually;

namespace {

const auto here = *base::ip_address::parse("127.0.0.1");
const base::address_guard guard;
constexpr base::utc_seconds now = std::chrono::sys_days{std::chrono::year{2026} / 6 / 1};

/// One authority, and files of pairs in a folder.
struct workshop {
    tests::identity root = tests::make_root();
    tests::identity middle = tests::make_intermediate(root);
    tests::root_file trusted{{&root}};
    io::tls_client client{trusted.path()};
    tests::scratch_folder folder;

    std::string write(const std::string& name, const std::string& text) const {
        std::ofstream(folder / name) << text;
        return folder / name;
    }
    io::tls_server::pair pair(const std::string& name, const tests::identity& leaf) const {
        return {write(name + ".pem", leaf.pem() + middle.pem()), write(name + ".key", leaf.key_pem())};
    }
    io::tls_server::pair pair(const std::string& name, const std::vector<std::string>& names) const {
        return pair(name, tests::make_leaf(middle, names));
    }
};
workshop& ours() {
    static workshop all;
    return all;
}

/// A listener that shakes hands, says what it knows, and echoes.
struct tls_echo {
    explicit tls_echo(io::loop& on, const io::tls_server& with, std::chrono::milliseconds patience = 20s) {
        auto parsed = io::parse_listen_address("127.0.0.1:0", 0);
        auto opened = io::listen(
            on, *parsed, {},
            [this, &on, &with, patience](std::unique_ptr<io::stream> plain, io::peer) -> io::task<> {
                auto accepted = co_await io::accept_tls(on, std::move(plain), with, on.now() + patience);
                last = {nullptr, accepted.server_name, accepted.alpn, accepted.version, accepted.error};
                ++ended;
                if (!accepted.connection)
                    co_return;
                for (;;) {
                    auto got = co_await accepted.connection->read_some(1'000, on.now() + 20s);
                    last_status = got.status;
                    if (got.status != io::io_status::ok)
                        break;
                    co_await accepted.connection->write_all(std::move(got.bytes), on.now() + 20s);
                }
                accepted.connection->close();
            });
        if (!opened)
            throw std::runtime_error(opened.error());
        socket = std::move(*opened);
    }
    std::unique_ptr<io::listener> socket;
    io::tls_accepted last;
    io::io_status last_status = io::io_status::ok;
    int ended = 0;
};

io::tls_result shake(io::loop& on, const tls_echo& with, io::tls_options options) {
    auto dial = [](io::loop& loop, std::uint16_t port, io::tls_options wanted) -> io::task<io::tls_result> {
        auto reached = co_await io::connect_tcp(loop, {here, port}, guard, loop.now() + 20s, true);
        if (!reached.connection)
            throw std::runtime_error(reached.detail);
        co_return co_await io::start_tls(loop, std::move(reached.connection), ours().client,
                                         std::move(wanted), now, loop.now() + 20s);
    };
    return on.block_on(dial(on, with.socket->bound().port, std::move(options)));
}

/// The first name of the certificate that a client of this name is shown; "" where the handshake fails.
std::string shown(io::loop& on, const tls_echo& with, const std::string& name, bool send_sni = true) {
    const auto result = shake(on, with, {.host = name, .send_sni = send_sni});
    return result.fact.chain.empty() ? "" : result.fact.chain.front().dns_names.front();
}

TEST(TlsServer, TheCertificateIsChosenByName) {
    io::tls_server server;
    ASSERT_TRUE(server.load({ours().pair("first", {"first.example"}),
                             ours().pair("exact", {"mta-sts.example.com", "other.example"}),
                             ours().pair("wild", {"*.example.com"})}));
    io::loop on;
    const tls_echo echo(on, server);
    struct row {
        const char* sni;
        const char* answer;
        const char* why;
    };
    for (const auto& [sni, answer, why] : {
             row{"first.example", "first.example", "the very name"},
             row{"mta-sts.example.com", "mta-sts.example.com", "the very name goes before a wildcard"},
             row{"MTA-STS.Example.COM", "mta-sts.example.com", "names have no case"},
             row{"other.example", "mta-sts.example.com", "any name of the certificate"},
             row{"www.example.com", "*.example.com", "a wildcard"},
             row{"a.www.example.com", "first.example", "a wildcard covers one label"},
             row{"example.com", "first.example", "and not none"},
             row{"unknown.example", "first.example", "the first answers where nothing fits"},
         })
        EXPECT_EQ(shown(on, echo, sni), answer) << why;
    EXPECT_EQ(shown(on, echo, "www.example.com", false), "first.example") << "without SNI";
    EXPECT_TRUE(shake(on, echo, {.host = "www.example.com"}).fact.certificate_ok()) << "the chain is sent";
}

TEST(TlsServer, StrictRefusesUnknownNames) {
    io::tls_server server;
    server.strict = true;
    ASSERT_TRUE(server.load({ours().pair("first", {"first.example"})}));
    io::loop on;
    const tls_echo echo(on, server);
    const auto refused = shake(on, echo, {.host = "unknown.example"});
    EXPECT_EQ(refused.fact.outcome, model::handshake_outcome::alert);
    EXPECT_EQ(refused.fact.reason, "unrecognized_name");
    EXPECT_EQ(shown(on, echo, "first.example"), "first.example");
    EXPECT_EQ(shown(on, echo, "unknown.example", false), "first.example") << "no name is no wrong name";
}

TEST(TlsServer, SaysWhatWasAgreed) {
    io::tls_server server;
    ASSERT_TRUE(server.load({ours().pair("first", {"first.example"})}));
    io::loop on;
    const tls_echo echo(on, server);
    auto made = shake(on, echo, {.host = "First.Example", .alpn = "http/1.1"});
    ASSERT_TRUE(made.connection);
    ASSERT_TRUE(eventually(on, [&] { return echo.ended == 1; }));
    EXPECT_EQ(echo.last.server_name, "first.example");
    EXPECT_EQ(echo.last.alpn, "http/1.1");
    EXPECT_EQ(echo.last.version, "TLSv1.3");
    EXPECT_EQ(on.block_on(made.connection->write_all("over TLS", on.now() + 20s)), io::io_status::ok);
    EXPECT_EQ(on.block_on(made.connection->read_some(100, on.now() + 20s)).bytes, "over TLS");
    made.connection->close();
    ASSERT_TRUE(eventually(on, [&] { return echo.last_status != io::io_status::ok; }));
    EXPECT_EQ(echo.last_status, io::io_status::eof) << "a close-notify is the end in order";

    made = shake(on, echo, {.host = "first.example", .alpn = "h2"});
    EXPECT_TRUE(made.connection) << "other protocols are not spoken, which is for the client to judge";
    ASSERT_TRUE(eventually(on, [&] { return echo.ended == 2; }));
    EXPECT_EQ(echo.last.alpn, "");
}

TEST(TlsServer, SaysWhyAHandshakeFailed) {
    io::tls_server server;
    ASSERT_TRUE(server.load({ours().pair("first", {"first.example"})}));
    io::loop on;
    const tls_echo echo(on, server, 200ms);
    const auto port = echo.socket->bound().port;
    int handshakes = 0;
    auto after = [&](const std::function<void(tests::raw_client&)>& does) {
        auto client = tests::raw_client::tcp(port);
        does(client);
        ++handshakes;
        EXPECT_TRUE(eventually(on, [&] { return echo.ended == handshakes; }));
        return echo.last.error;
    };
    EXPECT_EQ(after([](auto& client) { client.send("GET / HTTP/1.1\r\n\r\n"); }),
              "what the client sent is no TLS");
    EXPECT_EQ(after([](auto& client) { client.send("\x16\x03\x01\x01"); }), "no TLS handshake in time");
    EXPECT_EQ(after([](auto& client) { client.close(); }), "the client went away during the TLS handshake");
    // TLS 1.0 and 1.1 are not spoken.
    auto old = [&] {
        auto client = std::async(std::launch::async, [port] {
            const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context(SSL_CTX_new(TLS_client_method()),
                                                                            SSL_CTX_free);
            SSL_CTX_set_security_level(context.get(), 0);
            SSL_CTX_set_max_proto_version(context.get(), TLS1_1_VERSION);
            SSL_CTX_set_min_proto_version(context.get(), TLS1_VERSION);
            const std::unique_ptr<BIO, decltype(&BIO_free_all)> to(BIO_new_ssl_connect(context.get()),
                                                                   BIO_free_all);
            BIO_set_conn_hostname(to.get(), ("127.0.0.1:" + std::to_string(port)).c_str());
            return BIO_do_handshake(to.get()) == 1;
        });
        ++handshakes;
        EXPECT_TRUE(eventually(on, [&] { return echo.ended == handshakes; }));
        return client.get();
    };
    EXPECT_FALSE(old());
    EXPECT_THAT(echo.last.error, HasSubstr("unsupported protocol"));
}

/// The key under a passphrase.
std::string sealed_pem(const tests::identity& of) {
    const base::openssl::bio_ptr to(BIO_new(BIO_s_mem()));
    PEM_write_bio_PKCS8PrivateKey(to.get(), of.key(), EVP_aes_128_cbc(), "secret", 6, nullptr, nullptr);
    char* data = nullptr;
    const long length = BIO_get_mem_data(to.get(), &data);
    return {data, static_cast<std::size_t>(length)};
}

TEST(TlsServer, WhatIsWrongWithAFileIsSaidToAPerson) {
    auto& shop = ours();
    const auto good = shop.pair("good", {"good.example"});
    const auto other = shop.pair("other", {"other.example"});
    const auto leaf = tests::make_leaf(shop.middle, {"leaf.example"});
    const auto weak = tests::issue(
        {.common_name = "weak.example", .dns_names = {"weak.example"}, .key = "RSA", .rsa_bits = 512},
        &shop.middle);
    const auto sealed = shop.write("sealed.key", sealed_pem(leaf));
    struct row {
        io::tls_server::pair pair;
        const char* says;
    };
    const auto rows = {
        row{{shop.folder / "missing.pem", good.key_file}, "missing.pem: No such file or directory"},
        row{{good.certificate_file, shop.folder / "missing.key"}, "missing.key: No such file or directory"},
        row{{good.certificate_file, other.key_file}, "this is not the key of the certificate in"},
        row{{good.key_file, good.key_file}, "no certificate in PEM form"},
        row{{good.certificate_file, good.certificate_file}, "no private key in PEM form"},
        row{{good.certificate_file, sealed}, "the key has a passphrase"},
        row{{shop.write("cut.pem", leaf.pem() + shop.middle.pem().substr(0, 300)),
             shop.write("leaf.key", leaf.key_pem())},
            "a certificate of the chain cannot be read"},
        row{shop.pair("weak", weak), "cannot be used: ee key too small"},
    };
    io::tls_server server;
    ASSERT_TRUE(server.load({good}));
    for (const auto& [pair, says] : rows) {
        const auto loaded = server.load({other, pair});
        ASSERT_FALSE(loaded) << says;
        EXPECT_THAT(loaded.error(), HasSubstr(says));
        ASSERT_EQ(server.certificates().size(), 1u);
        EXPECT_THAT(server.certificates().front().names, ElementsAre("good.example"))
            << "all or nothing: what was there stays";
    }
    EXPECT_FALSE(server.load({}));
}

TEST(TlsServer, LoadsWhatIsExpiredAndAKeyInTheSameFile) {
    auto& shop = ours();
    const base::utc_seconds past = std::chrono::sys_days{std::chrono::year{2021} / 5 / 1};
    const auto old = tests::issue(
        {.common_name = "old.example", .dns_names = {"old.example"}, .not_after = past}, &shop.middle);
    io::tls_server server;
    const auto loaded = server.load({{shop.write("both.pem", old.key_pem() + old.pem()), ""}});
    ASSERT_TRUE(loaded) << loaded.error();
    EXPECT_EQ(server.certificates().front().not_after, past) << "for whoever warns of it";
}

TEST(TlsServer, TwoKindsOfKeyForOneName) {
    auto& shop = ours();
    const auto rsa = tests::issue({.common_name = "two.example", .dns_names = {"two.example"}, .key = "RSA"},
                                  &shop.middle);
    io::tls_server server;
    ASSERT_TRUE(server.load({shop.pair("rsa", rsa), shop.pair("ec", {"two.example"})}));
    io::loop on;
    const tls_echo echo(on, server);
    auto authenticates_with = [&](const char* algorithms) {
        auto client = std::async(std::launch::async, [&, port = echo.socket->bound().port] {
            const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context(SSL_CTX_new(TLS_client_method()),
                                                                            SSL_CTX_free);
            SSL_CTX_set1_sigalgs_list(context.get(), algorithms);
            const std::unique_ptr<BIO, decltype(&BIO_free_all)> to(BIO_new_ssl_connect(context.get()),
                                                                   BIO_free_all);
            BIO_set_conn_hostname(to.get(), ("127.0.0.1:" + std::to_string(port)).c_str());
            SSL* ssl = nullptr;
            BIO_get_ssl(to.get(), &ssl);
            SSL_set_tlsext_host_name(ssl, "two.example");
            return BIO_do_handshake(to.get()) == 1;
        });
        EXPECT_TRUE(eventually(on, [&] { return client.wait_for(0s) == std::future_status::ready; }));
        return client.get();
    };
    EXPECT_TRUE(authenticates_with("RSA-PSS+SHA256"));
    EXPECT_TRUE(authenticates_with("ECDSA+SHA256"));
}

TEST(TlsServer, AReloadChangesTheNextHandshakeAndNoConnection) {
    auto& shop = ours();
    io::tls_server server;
    const auto one = shop.pair("one", {"same.example", "one.example"});
    const auto two = shop.pair("two", {"same.example", "two.example"});
    ASSERT_TRUE(server.load({one}));
    io::loop on;
    const tls_echo echo(on, server);
    auto before = shake(on, echo, {.host = "same.example"});
    ASSERT_TRUE(before.connection);
    for (int round = 0; round < 20; ++round) {
        const bool even = round % 2 == 0;
        ASSERT_TRUE(server.load({even ? two : one}));
        const auto now_shown = shake(on, echo, {.host = "same.example"});
        ASSERT_TRUE(now_shown.fact.certificate_ok());
        EXPECT_EQ(now_shown.fact.chain.front().dns_names.back(), even ? "two.example" : "one.example");
        EXPECT_EQ(on.block_on(before.connection->write_all("on", on.now() + 20s)), io::io_status::ok);
        EXPECT_EQ(on.block_on(before.connection->read_some(2, on.now() + 20s)).bytes, "on");
    }
}

TEST(TlsServer, AReloadInTheMiddleOfAHandshakeLetsItFinish) {
    io::tls_server server;
    ASSERT_TRUE(server.load({ours().pair("one", {"one.example"})}));
    io::loop on;
    const tls_echo echo(on, server);
    const auto client = tests::raw_client::tcp(echo.socket->bound().port);
    ASSERT_TRUE(eventually(on, [&] { return echo.socket->open_connections() == 1; }));
    ASSERT_TRUE(server.load({ours().pair("two", {"two.example"})}));
    client.finish_writing();
    EXPECT_TRUE(eventually(on, [&] { return echo.ended == 1; }));
    EXPECT_EQ(shown(on, echo, "two.example"), "two.example");
}

} // namespace
