// SPDX-License-Identifier: Apache-2.0
// collect_load PATH steady COUNT DOMAINS [distinct]: so many datagrams from one socket, each waiting for
// room. collect_load PATH burst SIZE ROUNDS: without waiting and from a socket each, as Postfix sends them;
// what the kernel refuses is counted. A pause between two bursts.
#include "result_datagrams.h"

#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <thread>

using namespace mailtight;
using namespace std::chrono_literals;

namespace {

sockaddr_un there{};

/// 0, or the error.
int send(int socket, const std::string& datagram, int flags) {
    const auto put = ::sendto(socket, datagram.data(), datagram.size(), flags | MSG_NOSIGNAL,
                              reinterpret_cast<const sockaddr*>(&there), sizeof there);
    return put == static_cast<ssize_t>(datagram.size()) ? 0 : errno;
}
int fresh_socket() {
    return ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
}
double cpu_seconds() {
    rusage used{};
    ::getrusage(RUSAGE_SELF, &used);
    return static_cast<double>(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
           static_cast<double>(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}

int steady(std::size_t count, std::size_t domains, bool distinct) {
    const auto ready = bench::result_datagrams(domains);
    std::vector<std::string> own;
    if (distinct)
        for (std::size_t i = 0; i < count; ++i)
            own.push_back(bench::result_datagram(i, domains, true));
    const int socket = fresh_socket();
    std::size_t bytes = 0;
    const auto cpu = cpu_seconds();
    const auto begun = std::chrono::steady_clock::now();
    for (std::size_t i = 0; i < count; ++i) {
        const auto& one = distinct ? own[i] : ready[i * 7'919 % ready.size()]; // well mixed
        if (const int error = send(socket, one, 0)) {
            std::fprintf(stderr, "datagram %zu: %s\n", i, std::strerror(error));
            return 1;
        }
        bytes += one.size();
    }
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begun;
    std::printf("{\"sent\": %zu, \"bytes\": %zu, \"seconds\": %.6f, \"sender_cpu\": %.6f}\n", count, bytes,
                took.count(), cpu_seconds() - cpu);
    return 0;
}

int burst(std::size_t size, std::size_t rounds) {
    const auto ready = bench::result_datagrams(1'000);
    std::size_t refused = 0, sent = 0;
    for (std::size_t round = 0; round < rounds; ++round) {
        for (std::size_t i = 0; i < size; ++i) {
            const int socket = fresh_socket();
            const int error = send(socket, ready[(round * size + i) % ready.size()], MSG_DONTWAIT);
            ::close(socket);
            if (error != 0 && error != EAGAIN) {
                std::fprintf(stderr, "datagram %zu: %s\n", i, std::strerror(error));
                return 1;
            }
            (error == 0 ? sent : refused) += 1;
        }
        std::this_thread::sleep_for(20ms);
    }
    std::printf("{\"sent\": %zu, \"refused\": %zu}\n", sent, refused);
    return 0;
}

} // namespace

int main(int count, char** words) {
    const std::string_view what = count > 2 ? words[2] : "";
    const auto number = [&](int at) { return static_cast<std::size_t>(std::atoll(words[at])); };
    if (count < 5 || (what != "steady" && what != "burst")) {
        std::fprintf(stderr, "collect_load PATH steady COUNT DOMAINS [distinct] | burst SIZE ROUNDS\n");
        return 2;
    }
    there.sun_family = AF_UNIX;
    std::strncpy(there.sun_path, words[1], sizeof there.sun_path - 1);
    return what == "steady" ? steady(number(3), number(4), count > 5) : burst(number(3), number(4));
}
