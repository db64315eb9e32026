// SPDX-License-Identifier: Apache-2.0
// farm_handshake CA FIRST COUNT: what no policy fetch can be cheaper than. Connects to the policy hosts of so
// many domains of the farm, one after the other, shakes hands, verifies, and prints the CPU each took.
#include "farm/names.h"

#include <openssl/ssl.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>

namespace {

double cpu_ms() {
    rusage used{};
    getrusage(RUSAGE_SELF, &used);
    const auto of = [](const timeval& time) {
        return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_usec) / 1e3;
    };
    return of(used.ru_utime) + of(used.ru_stime);
}

bool shake_hands(SSL_CTX* with, const std::string& host) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_addr.s_addr = htonl(mailtight::farm::web_address);
    to.sin_port = htons(443);
    const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
    bool done = false;
    if (::connect(socket, reinterpret_cast<sockaddr*>(&to), sizeof to) == 0) {
        const std::unique_ptr<SSL, decltype(&SSL_free)> session(SSL_new(with), SSL_free);
        SSL_set_fd(session.get(), socket);
        SSL_set_tlsext_host_name(session.get(), host.c_str());
        SSL_set1_host(session.get(), host.c_str());
        done = SSL_connect(session.get()) == 1;
        SSL_shutdown(session.get());
    }
    ::close(socket);
    return done;
}

} // namespace

int main(int count, char** words) {
    if (count < 4) {
        std::fprintf(stderr, "farm_handshake CA FIRST COUNT\n");
        return 2;
    }
    const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context(SSL_CTX_new(TLS_client_method()),
                                                                    SSL_CTX_free);
    if (SSL_CTX_load_verify_file(context.get(), words[1]) != 1)
        return 3;
    SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
    const long first = std::atol(words[2]), wanted = std::atol(words[3]);
    const double before = cpu_ms();
    for (long i = first; i < first + wanted; ++i)
        if (!shake_hands(context.get(), "mta-sts.f" + std::to_string(i) + ".bench")) {
            std::fprintf(stderr, "farm_handshake: domain %ld refused\n", i);
            return 4;
        }
    std::printf("{\"cpu_ms\":%.4f}\n", (cpu_ms() - before) / static_cast<double>(wanted));
    return 0;
}
