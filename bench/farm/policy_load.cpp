// SPDX-License-Identifier: Apache-2.0
// policy_load WHERE PID CONNECTIONS SECONDS DOMAINS MAP: asks a policy service for cached domains as mail
// servers do, each connection one question after the other (a closed loop), and prints as JSON how many
// answers a second came, how long they took, and how much CPU the server (PID, all its threads) and this
// client used. Half a second before that is not counted. A reply that is no `OK` ends it.
#include "policy_names.h"
#include "wire/netstring.h"

#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <random>
#include <vector>

using namespace mailtight;
using clock_type = std::chrono::steady_clock;

namespace {

/// Nanoseconds on a CPU of all threads of a process.
double cpu_of(const std::string& pid) {
    double sum = 0;
    std::error_code gone;
    for (const auto& task : std::filesystem::directory_iterator("/proc/" + pid + "/task", gone)) {
        double nanoseconds = 0;
        std::ifstream(task.path() / "schedstat") >> nanoseconds;
        sum += nanoseconds;
    }
    return sum;
}

struct client {
    int socket = -1;
    clock_type::time_point asked;
    std::string bytes;
};

} // namespace

int main(int count, char** words) {
    if (count < 7) {
        std::fprintf(stderr, "policy_load WHERE PID CONNECTIONS SECONDS DOMAINS MAP\n");
        return 2;
    }
    const bench::place to(words[1]);
    const std::string pid = words[2], map = words[6];
    std::vector<client> clients(static_cast<std::size_t>(std::atol(words[3])));
    const double wanted = std::atof(words[4]);
    const long domains = std::atol(words[5]);

    std::minstd_rand random(1);
    std::vector<std::string> questions(65'536);
    for (auto& question : questions)
        wire::append_netstring(question, map + " " + bench::domain(static_cast<long>(random()) % domains));
    std::size_t next = 0;
    const auto ask = [&](client& one) {
        const auto& question = questions[next++ % questions.size()];
        one.bytes.clear();
        one.asked = clock_type::now();
        return send(one.socket, question.data(), question.size(), MSG_NOSIGNAL) ==
               static_cast<ssize_t>(question.size());
    };

    const int ready = epoll_create1(0);
    for (auto& one : clients) {
        one.socket = socket(to.family, SOCK_STREAM, 0);
        const int yes = 1;
        setsockopt(one.socket, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
        epoll_event event{};
        event.events = EPOLLIN;
        event.data.ptr = &one;
        if (connect(one.socket, to.get(), to.size) != 0 ||
            epoll_ctl(ready, EPOLL_CTL_ADD, one.socket, &event) != 0 || !ask(one)) {
            std::perror("policy_load: connect");
            return 3;
        }
    }

    std::vector<float> took;
    took.reserve(4'000'000);
    auto begun = clock_type::now();
    auto until = begun + std::chrono::milliseconds(500);
    bool counting = false;
    double server = 0, own = 0;
    const auto own_cpu = [] {
        rusage used{};
        getrusage(RUSAGE_SELF, &used);
        const auto of = [](const timeval& time) {
            return static_cast<double>(time.tv_sec) * 1e9 + static_cast<double>(time.tv_usec) * 1e3;
        };
        return of(used.ru_utime) + of(used.ru_stime);
    };
    epoll_event events[256];
    char buffer[16'384];
    for (;;) {
        const int some = epoll_wait(ready, events, 256, 5'000);
        auto now = clock_type::now();
        if (some <= 0) {
            std::fprintf(stderr, "policy_load: no answer\n");
            return 4;
        }
        if (now >= until) {
            if (counting)
                break;
            counting = true;
            took.clear();
            server = cpu_of(pid);
            own = own_cpu();
            begun = now = clock_type::now();
            until = begun + std::chrono::microseconds(static_cast<long>(wanted * 1e6));
        }
        for (int i = 0; i < some; ++i) {
            auto& one = *static_cast<client*>(events[i].data.ptr);
            const auto got = recv(one.socket, buffer, sizeof buffer, 0);
            if (got <= 0) {
                std::fprintf(stderr, "policy_load: the server closed a connection\n");
                return 4;
            }
            one.bytes.append(buffer, static_cast<std::size_t>(got));
            const auto reply = wire::read_netstring(one.bytes, 100'000);
            if (reply.what == wire::netstring_read::state::partial)
                continue;
            if (!reply.payload.starts_with("OK secure ")) {
                std::fprintf(stderr, "policy_load: the answer was %s\n", one.bytes.c_str());
                return 4;
            }
            took.push_back(std::chrono::duration<float, std::micro>(clock_type::now() - one.asked).count());
            if (!ask(one))
                return 4;
        }
    }
    const double seconds = std::chrono::duration<double>(clock_type::now() - begun).count();
    server = cpu_of(pid) - server;
    own = own_cpu() - own;
    std::ranges::sort(took);
    const auto answers = static_cast<double>(took.size());
    const auto part = [&](double share) {
        return static_cast<double>(took[static_cast<std::size_t>(answers * share)]);
    };
    std::printf("{\"answers\":%.0f,\"seconds\":%.3f,\"per_second\":%.0f,\"server_cpu_us\":%.3f,\"client_cpu_"
                "us\":%.3f,"
                "\"p50_us\":%.1f,\"p99_us\":%.1f,\"max_us\":%.1f}\n",
                answers, seconds, answers / seconds, server / answers / 1e3, own / answers / 1e3, part(0.5),
                part(0.99), static_cast<double>(took.back()));
    return 0;
}
