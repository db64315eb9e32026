// SPDX-License-Identifier: Apache-2.0
// host_load PORT NAMES new|keep COUNT [THREADS]: fetches policies of names chosen at random, each over a
// connection of its own (nothing resumed), or again and again over the same. Ends with an error where one is
// not a 200 with a policy.
#include "farm/host_bundle.h"

#include <openssl/ssl.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdio>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

namespace {

using mailtight::bench::host_domain;

struct client {
    client(SSL_CTX* with, std::uint16_t port, std::string host)
        : name(std::move(host))
        , socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0))
        , ssl(SSL_new(with), SSL_free) {
        const int yes = 1;
        ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
        sockaddr_in to{};
        to.sin_family = AF_INET;
        to.sin_port = htons(port);
        to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        SSL_set_tlsext_host_name(ssl.get(), name.c_str());
        SSL_set_fd(ssl.get(), socket);
        connected = ::connect(socket, reinterpret_cast<sockaddr*>(&to), sizeof to) == 0 &&
                    SSL_connect(ssl.get()) == 1;
    }
    ~client() {
        if (connected)
            SSL_shutdown(ssl.get());
        ssl.reset();
        ::close(socket);
    }
    client(const client&) = delete;
    bool fetch() const {
        const auto request =
            "GET /.well-known/mta-sts.txt HTTP/1.1\r\nHost: " + name + "\r\nUser-Agent: load/1\r\n\r\n";
        if (SSL_write(ssl.get(), request.data(), static_cast<int>(request.size())) <= 0)
            return false;
        std::string reply;
        char bytes[4'096];
        while (!reply.contains("max_age: 1209600\r\n")) {
            const int got = SSL_read(ssl.get(), bytes, sizeof bytes);
            if (got <= 0)
                return false;
            reply.append(bytes, static_cast<std::size_t>(got));
        }
        return reply.starts_with("HTTP/1.1 200 ");
    }
    std::string name;
    int socket;
    std::unique_ptr<SSL, decltype(&SSL_free)> ssl;
    bool connected = false;
};

} // namespace

int main(int count, char** words) {
    if (count < 5) {
        std::fputs("host_load PORT NAMES new|keep COUNT [THREADS]\n", stderr);
        return 2;
    }
    std::signal(SIGPIPE, SIG_IGN);
    const auto port = static_cast<std::uint16_t>(std::stoul(words[1]));
    const auto names = std::stoul(words[2]);
    const bool fresh = std::string(words[3]) == "new";
    const auto wanted = std::stol(words[4]);
    const auto threads = count > 5 ? std::stoul(words[5]) : 4;
    const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context(SSL_CTX_new(TLS_client_method()),
                                                                    SSL_CTX_free);
    SSL_CTX_set_verify(context.get(), SSL_VERIFY_NONE, nullptr);
    std::atomic<long> left = wanted, failed = 0;
    std::vector<std::thread> all;
    for (std::size_t i = 0; i < threads; ++i)
        all.emplace_back([&, i] {
            std::mt19937 random(static_cast<unsigned>(i));
            const auto any = [&] { return "mta-sts." + host_domain(random() % names); };
            if (fresh) {
                while (left.fetch_sub(1) > 0) {
                    const client one(context.get(), port, any());
                    if (!one.connected || !one.fetch())
                        ++failed;
                }
                return;
            }
            const client one(context.get(), port, any());
            while (left.fetch_sub(1) > 0)
                if (!one.connected || !one.fetch())
                    ++failed;
        });
    for (auto& one : all)
        one.join();
    if (failed > 0)
        std::fprintf(stderr, "%ld of %ld failed\n", failed.load(), wanted);
    return failed > 0 ? 1 : 0;
}
