// SPDX-License-Identifier: Apache-2.0
// Certificates a second from Debian's pebble, which validates without its pauses, and what each costs this
// process: account, order, proof, request, download, with everything written down before each step. What the
// authority and its companion use is theirs. The goals: 100 certificates a second, 2.6 ms of CPU each.
//   in_memory/KIND/REJECT   a store in memory; the companion is told what to answer, which is counted here.
//                           KIND 0 tls-alpn-01, 1 http-01; REJECT: so many nonces of a hundred
//   sqlite/REJECT, postgres/REJECT   http-01, answered here from the store on disk
#include "support/issuer_world.h"
#include "support/postgres.h"
#include "support/tls_server.h"

#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <sys/resource.h>

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <utility>

namespace {

using namespace mailtight;

constexpr int certificates = 400;
constexpr double goal_a_second = 100, goal_cpu_ms = 2.6;

double process_cpu() {
    std::timespec at{};
    ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &at);
    return static_cast<double>(at.tv_sec) + 1e-9 * static_cast<double>(at.tv_nsec);
}
/// What all descendants of this process (the authority, its companion) have computed so far: those who live.
double authority_cpu() {
    std::map<pid_t, std::pair<pid_t, double>> all; // parent, seconds
    for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
        const auto name = entry.path().filename().string();
        if (name.find_first_not_of("0123456789") != name.npos)
            continue;
        std::ifstream in(entry.path() / "stat");
        std::string line, skipped;
        std::getline(in, line);
        const auto behind = line.rfind(')'); // the name may hold anything
        if (behind == line.npos)
            continue;
        std::istringstream fields(line.substr(behind + 1));
        pid_t parent = 0;
        double user = 0, system = 0;
        fields >> skipped >> parent;
        for (int i = 0; i < 9; ++i)
            fields >> skipped;
        fields >> user >> system;
        all[static_cast<pid_t>(std::stol(name))] = {parent, (user + system) /
                                                                static_cast<double>(::sysconf(_SC_CLK_TCK))};
    }
    double out = 0;
    for (const auto& [pid, facts] : all)
        for (auto at = all.find(facts.first); at != all.end(); at = all.find(at->second.first))
            if (at->first == ::getpid()) {
                out += facts.second;
                break;
            }
    return out;
}
double peak_mb() {
    rusage used{};
    ::getrusage(RUSAGE_SELF, &used);
    return static_cast<double>(used.ru_maxrss) / 1024;
}

io::task<> one_of_many(publish::issuer& by, io::worker& thread, store::domain_store& in, store::due_work work,
                       int& failed) {
    const auto done = co_await by.issue(work, work.domain);
    if (!done.ok && failed++ == 0)
        fmt::print(stderr, "{}: {}\n", work.domain, done.words);
    static_cast<void>(
        co_await thread.run<store::result<bool>>([&] { return in.done_work(work, std::nullopt); }));
}

/// All of them at once, as when many domains are added.
void issue_all(benchmark::State& state, tests::issuer_world& world, store::domain_store& in) {
    io::worker thread(world.on, "store");
    publish::issuer by(world.on, world.dns, world.tls(), world.guard(), world.clock, thread, in, world.seal(),
                       world.options, world.hands());
    std::vector<std::pair<std::string, base::utc_seconds>> names;
    for (int i = 0; i < certificates; ++i)
        names.emplace_back(fmt::format("d{}.example", i), world.clock.now());
    in.plan_all("certificate", names).value();
    auto all =
        in.take_work("certificate", world.clock.now(), "bench", std::chrono::seconds(600), certificates)
            .value();
    int failed = static_cast<int>(certificates - all.size());
    for (auto& work : all)
        world.on.spawn(one_of_many(by, thread, in, std::move(work), failed));
    world.on.run();
    if (failed > 0)
        state.SkipWithError(fmt::format("{} of {} failed", failed, certificates).c_str());
    const auto seen = by.counted();
    state.counters["handshakes"] = static_cast<double>(seen.handshakes);
    state.counters["writes_each"] = static_cast<double>(seen.writes) / certificates;
    state.counters["commits_each"] = static_cast<double>(seen.transactions) / certificates;
    state.counters["requests_each"] = static_cast<double>(seen.requests) / certificates;
}

void prepare(tests::issuer_world& world, publish::challenge_kind kind) {
    world.options.order = {kind};
    world.options.at_once = 32;
    world.options.orders_per_hour = world.options.orders_at_once = 1'000'000;
}

void measure(benchmark::State& state, tests::issuer_world& world, store::domain_store& in) {
    const auto cpu = process_cpu(), theirs = authority_cpu();
    const auto from = std::chrono::steady_clock::now();
    issue_all(state, world, in);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - from;
    const double a_second = certificates / took.count(),
                 each_ms = (process_cpu() - cpu) * 1'000 / certificates;
    const double their_ms = (authority_cpu() - theirs) * 1'000 / certificates;
    state.counters["a_second"] = a_second;
    state.counters["authority_ms_each"] = their_ms;
    // Of all the CPU that these certificates took, by the clock: 2 is both cores.
    state.counters["cores_had"] = (each_ms + their_ms) * a_second / 1'000;
    state.counters["cpu_ms_each"] = each_ms;
    state.counters["rate_of_goal"] = goal_a_second / a_second;
    state.counters["cpu_of_goal"] = each_ms / goal_cpu_ms;
    state.counters["peak_mb"] = peak_mb();
}

void in_memory(benchmark::State& state) {
    const tests::private_pebble authority(fmt::format("--reject {}", state.range(1)));
    for (auto each : state) {
        static_cast<void>(each);
        tests::issuer_world world(authority);
        prepare(world, state.range(0) == 0 ? publish::challenge_kind::tls_alpn_01
                                           : publish::challenge_kind::http_01);
        measure(state, world, world.store);
    }
}

void on_disk(benchmark::State& state, const std::string& where) {
    const auto kept = store::open_domains({.where = where}).value();
    const auto answering = store::open_domains({.where = where}).value();
    tests::test_server server([&](tests::peer& client) {
        const auto head = client.head();
        const auto from = head.rfind('/', head.find(" HTTP/"));
        const auto token = head.substr(from + 1, head.find(' ', from) - from - 1);
        const auto open = answering->challenges(base::system_clock().now()).value();
        const auto found = std::ranges::find(open, token, &store::challenge_answer::key);
        const auto body = found == open.end() ? std::string() : found->answer;
        client.send(fmt::format("HTTP/1.1 {}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{}",
                                found == open.end() ? "404 Not Found" : "200 OK", body.size(), body));
    });
    const tests::private_pebble authority(
        fmt::format("--reject {} --own {} {}", state.range(0), server.port(), server.port()));
    for (auto each : state) {
        static_cast<void>(each);
        tests::issuer_world world(authority);
        prepare(world, publish::challenge_kind::http_01);
        measure(state, world, *kept);
    }
}

void sqlite(benchmark::State& state) {
    const tests::scratch_folder folder;
    on_disk(state, folder / "store");
}

void postgres(benchmark::State& state) {
    const auto database = tests::private_postgres::create_database();
    on_disk(state, tests::private_postgres::where(database));
    tests::private_postgres::drop_database(database);
}

BENCHMARK(in_memory)->Args({0, 0})->Args({1, 0})->Args({0, 30})->Iterations(1)->Unit(benchmark::kMillisecond);
BENCHMARK(sqlite)->Arg(0)->Arg(30)->Iterations(1)->Unit(benchmark::kMillisecond);
BENCHMARK(postgres)->Arg(0)->Arg(30)->Iterations(1)->Unit(benchmark::kMillisecond);

} // namespace
