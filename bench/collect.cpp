// SPDX-License-Identifier: Apache-2.0
// The inner parts of collecting results: a datagram onto the pile and read, log lines into sessions, a log
// file followed. The floor of the lines is one pass of memchr for their ends. Sockets: bench/collect.py.
//   bench_collect --benchmark_filter=log
#include "farm/result_datagrams.h"
#include "io/file_follower.h"
#include "tally/pile.h"
#include "tally/postfix_log.h"
#include "tally/read_datagram.h"

#include <benchmark/benchmark.h>

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

namespace {
using namespace mailtight;

constexpr std::size_t domains = 1'000;
const base::utc_seconds today{std::chrono::seconds(1'795'330'000)}; // 22 November 2026

void per_item(benchmark::State& state, std::size_t items) {
    const auto all = state.iterations() * static_cast<std::int64_t>(items);
    state.SetItemsProcessed(all);
}

// What the socket's thread does with each datagram.
void datagram_pile(benchmark::State& state) {
    const auto ready = bench::result_datagrams(domains);
    tally::pile pile;
    for (auto _ : state) {
        for (const auto& one : ready)
            if (!pile.add(one))
                std::abort();
        if (pile.inputs() > 100'000)
            pile.clear();
    }
    per_item(state, ready.size());
}
BENCHMARK(datagram_pile);

// What is left for each that is not like one before.
void datagram_read(benchmark::State& state) {
    const auto ready = bench::result_datagrams(domains);
    tally::datagram_reader reader;
    for (auto _ : state)
        for (const auto& one : ready)
            benchmark::DoNotOptimize(reader.read(one));
    per_item(state, ready.size());
}
BENCHMARK(datagram_read);

/// A mail log as a busy Postfix writes it: of each delivery the line about TLS and that of its end, every
/// tenth failed, and between them what other programs say.
std::vector<std::string> mail_log(std::size_t deliveries) {
    std::vector<std::string> lines;
    for (std::size_t i = 0; i < deliveries; ++i) {
        const auto domain = "d" + std::to_string(i % domains) + ".b.example";
        const auto head = "Nov 22 07:" + std::to_string(10 + i / 60 % 50) + ":" +
                          std::to_string(10 + i % 50) + " mx1 postfix/";
        const auto smtp = head + "smtp[" + std::to_string(20'000 + i % 100) + "]: ";
        const auto queue = std::to_string(0x4f00000000 + i);
        const auto host = "mx." + domain + "[198.51.100." + std::to_string(i % 250) + "]:25";
        lines.push_back(head + "qmgr[2034]: " + queue +
                        ": from=<sender@example.com>, size=3204, nrcpt=1 (queue active)");
        const bool failed = i % 10 == 9;
        lines.push_back(
            smtp + (failed
                        ? "server certificate verification failed for " + host + ": certificate has expired"
                        : "Verified TLS connection established to " + host +
                              ": TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits) key-exchange "
                              "X25519 server-signature ECDSA (prime256v1) server-digest SHA256"));
        lines.push_back(smtp + queue + ": to=<user@" + domain + ">, relay=mx." + domain + "[198.51.100." +
                        std::to_string(i % 250) + "]:25, delay=0.42, delays=0.01/0/0.3/0.11, " +
                        (failed ? "dsn=4.7.5, status=deferred (Server certificate not trusted)"
                                : "dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as 4F1Xk12Zz9z)"));
        lines.push_back(head + "qmgr[2034]: " + queue + ": removed");
    }
    return lines;
}

void log_envelope(benchmark::State& state) {
    const auto lines = mail_log(10'000);
    for (auto _ : state)
        for (const auto& line : lines)
            benchmark::DoNotOptimize(tally::parse_log_line(line, today));
    per_item(state, lines.size());
}
BENCHMARK(log_envelope);

void log_sessions(benchmark::State& state) {
    const auto lines = mail_log(10'000);
    tally::postfix_log log;
    std::vector<tally::session_at> out;
    std::size_t sessions = 0;
    for (auto _ : state)
        for (const auto& line : lines) {
            if (const auto read = tally::parse_log_line(line, today))
                log.take(*read, today, out);
            sessions += out.size();
            out.clear();
        }
    if (sessions < lines.size() / 5)
        state.SkipWithError("the sessions of these lines are not found");
    per_item(state, lines.size());
}
BENCHMARK(log_sessions);

/// The log as a file, gone with the object.
class log_file {
public:
    log_file()
        : path_((std::filesystem::temp_directory_path() /
                 ("mailtight-bench-" + std::to_string(::getpid()) + ".log"))
                    .string()) {
        std::ofstream out(path_);
        for (const auto& line : mail_log(50'000)) {
            out << line << '\n';
            ++lines_;
        }
    }
    ~log_file() { std::filesystem::remove(path_); }
    log_file(const log_file&) = delete;
    log_file& operator=(const log_file&) = delete;
    const std::string& path() const { return path_; }
    std::size_t lines() const { return lines_; }
    io::file_position beginning() const {
        struct stat found{};
        ::stat(path_.c_str(), &found);
        return {found.st_dev, found.st_ino, 0};
    }

private:
    std::string path_;
    std::size_t lines_ = 0;
};

template<class Take>
void follow(benchmark::State& state, Take take) {
    const log_file file;
    for (auto _ : state) {
        io::loop on;
        std::size_t seen = 0;
        std::unique_ptr<io::file_follower> follower;
        follower = std::make_unique<io::file_follower>(
            on,
            io::follow_options{
                .path = file.path(), .from = file.beginning(), .look_every = std::chrono::milliseconds(0)},
            [&](std::string_view line) {
                take(line);
                if (++seen == file.lines())
                    follower->stop();
            },
            [](const io::file_position&) {}, [](std::string_view) {});
        on.block_on(follower->run());
    }
    per_item(state, file.lines());
}

void log_follow(benchmark::State& state) {
    follow(state, [](std::string_view line) { benchmark::DoNotOptimize(line); });
}
BENCHMARK(log_follow)->Unit(benchmark::kMillisecond);

void log_follow_sessions(benchmark::State& state) {
    tally::postfix_log log;
    std::vector<tally::session_at> out;
    follow(state, [&](std::string_view line) {
        if (const auto read = tally::parse_log_line(line, today))
            log.take(*read, today, out);
        out.clear();
    });
}
BENCHMARK(log_follow_sessions)->Unit(benchmark::kMillisecond);

void log_floor(benchmark::State& state) {
    std::string all;
    const auto lines = mail_log(10'000);
    for (const auto& line : lines)
        all += line + "\n";
    for (auto _ : state) {
        std::size_t ends = 0;
        for (const char* at = all.data(); at != all.data() + all.size(); ++at, ++ends) {
            at = static_cast<const char*>(
                std::memchr(at, '\n', static_cast<std::size_t>(all.data() + all.size() - at)));
            if (!at)
                break;
        }
        benchmark::DoNotOptimize(ends);
    }
    per_item(state, lines.size());
}
BENCHMARK(log_floor);

} // namespace
