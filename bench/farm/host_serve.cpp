// SPDX-License-Identifier: Apache-2.0
// host_serve FOLDER COUNT PORT [PARSED]: the policy host alone, with the first COUNT certificates of
// host_certificates. Says "ready SECONDS" when it listens; on a line "change N" it replaces N certificates
// and policies, each in a turn of the loop of its own, and says "changed MEAN MAX CLOCK OWN" in microseconds:
// mean and most of CPU, the most by the clock, and the most of that without the time in which the thread was
// ready and others had the cores.
#include "farm/host_bundle.h"
#include "publish/policy_session.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <thread>

#include <time.h>

using namespace mailtight;

namespace {

constexpr std::string_view body =
    "version: STSv1\r\nmode: enforce\r\nmx: mx1.mail.example\r\nmx: mx2.mail.example\r\nmax_age: 1209600\r\n";

void put(publish::policy_host& into, std::size_t number, const bench::bundled& what, const std::string& id) {
    const auto domain = bench::host_domain(number);
    if (const auto done = into.put_certificate("mta-sts." + domain, what.chain, what.key); !done)
        throw std::runtime_error(done.error());
    into.put_policy({.domain = domain, .body = std::string(body), .id = id});
}

double microseconds_since(std::chrono::steady_clock::time_point begun) {
    return std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - begun).count();
}

/// Of this thread: what others on the machine do is no part of it.
double cpu_microseconds() {
    timespec now{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) * 1e6 + static_cast<double>(now.tv_nsec) / 1e3;
}

/// How long this thread was ready to run and did not, so far (Documentation/scheduler/sched-stats.rst).
double waiting_microseconds() {
    std::ifstream in("/proc/thread-self/schedstat");
    double ran = 0, waited = 0;
    in >> ran >> waited;
    return waited / 1e3;
}

struct changes {
    publish::policy_host& host;
    std::vector<std::pair<std::size_t, bench::bundled>> todo;
    std::vector<double> took;
    double by_the_clock = 0, own = 0;

    void one(io::loop& on) {
        const auto waited = waiting_microseconds();
        const auto clock = std::chrono::steady_clock::now();
        const auto begun = cpu_microseconds();
        put(host, todo.back().first, todo.back().second, "2");
        took.push_back(cpu_microseconds() - begun);
        const auto all = microseconds_since(clock);
        by_the_clock = std::max(by_the_clock, all);
        own = std::max(own, all - (waiting_microseconds() - waited));
        todo.pop_back();
        if (!todo.empty()) {
            on.post([this, &on] { one(on); });
            return;
        }
        double sum = 0;
        for (const auto each : took)
            sum += each;
        fmt::print("changed {:.0f} {:.0f} {:.0f} {:.0f}\n", sum / static_cast<double>(took.size()),
                   std::ranges::max(took), by_the_clock, own);
        std::fflush(stdout);
    }
};

} // namespace

int main(int count, char** words) {
    if (count < 4) {
        std::fputs("host_serve FOLDER COUNT PORT [PARSED]\n", stderr);
        return 2;
    }
    const auto begun = std::chrono::steady_clock::now();
    const std::string file = std::string(words[1]) + "/all";
    const auto wanted = std::stoul(words[2]);
    publish::policy_host_options options;
    if (count > 4)
        options.parsed_certificates = std::stoul(words[4]);
    publish::policy_host host(options);
    bench::bundle_reader reader(file);
    bench::bundled one;
    for (std::size_t i = 0; i < wanted && reader.next(one); ++i)
        put(host, i, one, "1");
    const base::system_clock clock;
    publish::fetch_counter fetches;
    const publish::policy_sessions sessions(host, &fetches, clock, {.requests_per_connection = 1'000'000});
    io::loop on;
    io::secure_server server(
        on, {.listening = {.connections = 20'000, .per_source = 20'000}},
        [&](std::string_view name, bool acme) { return host.choose(name, acme); }, sessions.over_tls());
    if (const auto done = server.listen(*io::parse_listen_address(std::string("127.0.0.1:") + words[3], 443));
        !done)
        throw std::runtime_error(done.error());
    fmt::print("ready {:.3f}\n", microseconds_since(begun) / 1e6);
    std::fflush(stdout);

    changes under_way{host, {}, {}, 0, 0};
    std::thread listener([&] {
        std::string word;
        for (std::size_t number = 0; std::cin >> word >> number;) {
            std::vector<std::pair<std::size_t, bench::bundled>> next;
            bench::bundle_reader again(file);
            bench::bundled each;
            for (std::size_t i = 0; i < number && again.next(each); ++i)
                next.emplace_back(i, each);
            on.post([&, next = std::move(next)]() mutable {
                under_way.todo = std::move(next);
                under_way.took.clear();
                under_way.by_the_clock = under_way.own = 0;
                under_way.one(on);
            });
        }
        on.post([&] { server.stop(); });
    });
    on.run();
    listener.join();
    return 0;
}
