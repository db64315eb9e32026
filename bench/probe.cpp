// SPDX-License-Identifier: Apache-2.0
// A policy fetch and an SMTP probe over loopback, beside a bare OpenSSL client that only connects, shakes
// hands and verifies: CPU of the client's thread alone (the server has its own thread). Certificates: ECDSA
// P-256, leaf and intermediate; TLS 1.3.
#include "probe/probes.h"
#include "support/tls_server.h"

#include <benchmark/benchmark.h>

using namespace mailtight;

namespace {

const std::string host = "mx1.example.com";
const std::string answer = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 69\r\n\r\n"
                           "version: STSv1\r\nmode: none\r\nmx: mx1.example.com\r\nmax_age: 86400\r\n     ";

struct world {
    tests::identity root = tests::make_root(), middle = tests::make_intermediate(root),
                    leaf = tests::make_leaf(middle, {host});
    tests::root_file trusted{{&root}};
    tests::server_tls tls{leaf, {&middle}};
    io::tls_client client{trusted.path()};
    io::loop loop;
    base::address_guard guard{{*base::ip_network::parse("127.0.0.0/8")}};
    base::system_clock clock;
    base::ip_address here = *base::ip_address::parse("127.0.0.1");

    probe::context context(std::uint16_t port) {
        probe::probe_options options;
        options.https_port = options.smtp_port = port;
        options.probe_without_sni = false;
        return {loop, client, guard, clock, options};
    }
    static world& get() {
        static world all;
        return all;
    }
};

void bare_handshake(benchmark::State& state) {
    auto& w = world::get();
    tests::test_server server([&](tests::peer& c) {
        if (c.start_tls(w.tls))
            c.rest();
    });
    std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context(SSL_CTX_new(TLS_client_method()), SSL_CTX_free);
    SSL_CTX_load_verify_file(context.get(), w.trusted.path().c_str());
    SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    to.sin_port = htons(server.port());
    for (auto _ : state) {
        const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
        if (::connect(socket, reinterpret_cast<sockaddr*>(&to), sizeof to) != 0)
            state.SkipWithError("connect");
        SSL* ssl = SSL_new(context.get());
        SSL_set_fd(ssl, socket);
        SSL_set_tlsext_host_name(ssl, host.c_str());
        SSL_set1_host(ssl, host.c_str());
        if (SSL_connect(ssl) != 1)
            state.SkipWithError("handshake");
        SSL_shutdown(ssl);
        SSL_free(ssl);
        ::close(socket);
    }
}
BENCHMARK(bare_handshake)->Unit(benchmark::kMicrosecond)->UseRealTime();

void policy_fetch(benchmark::State& state) {
    auto& w = world::get();
    tests::test_server server([&](tests::peer& c) {
        if (c.start_tls(w.tls)) {
            c.head();
            c.send(answer);
        }
    });
    const auto context = w.context(server.port());
    for (auto _ : state) {
        const auto fact = w.loop.block_on(probe::fetch_policy(context, host, w.here, probe::own_agent));
        if (fact.outcome != model::fetch_outcome::fetched)
            state.SkipWithError(fact.detail.c_str());
    }
}
BENCHMARK(policy_fetch)->Unit(benchmark::kMicrosecond)->UseRealTime();

void starttls_probe(benchmark::State& state) {
    auto& w = world::get();
    tests::test_server server([&](tests::peer& c) {
        c.send("220 mx1 ESMTP\r\n");
        c.line();
        c.send("250-mx1\r\n250 STARTTLS\r\n");
        c.line();
        c.send("220 go\r\n");
        if (!c.start_tls(w.tls))
            return;
        c.line();
        c.send("250-mx1\r\n250 SIZE 1\r\n");
        c.line();
        c.send("221 bye\r\n");
    });
    const auto context = w.context(server.port());
    for (auto _ : state) {
        const auto fact = w.loop.block_on(probe::probe_mx(context, host, w.here));
        if (!fact.offers_tls() || !fact.tls.certificate_ok())
            state.SkipWithError(fact.detail.c_str());
    }
}
BENCHMARK(starttls_probe)->Unit(benchmark::kMicrosecond)->UseRealTime();

void read_a_chain(benchmark::State& state) {
    auto& w = world::get();
    const auto leaf = w.leaf.der(), middle = w.middle.der();
    for (auto _ : state) {
        benchmark::DoNotOptimize(base::parse_certificate(leaf));
        benchmark::DoNotOptimize(base::parse_certificate(middle));
    }
}
BENCHMARK(read_a_chain)->Unit(benchmark::kMicrosecond);

} // namespace
