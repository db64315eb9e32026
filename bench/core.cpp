// SPDX-License-Identifier: Apache-2.0
// The core of both standards, without I/O: ns and allocations per operation, each beside a floor measured in
// the same run over the same bytes (a `*_floor` row: one pass of memchr or strlen), so that ratios outlive
// the machine.
//   bench_core --benchmark_filter='policy|record|match'
#include "sts/match.h"
#include "sts/policy_view.h"
#include "sts/record.h"
#include "tlsrpt/record.h"

#include <benchmark/benchmark.h>

#include <cstdlib>
#include <cstring>
#include <new>

namespace {
thread_local std::size_t allocations = 0;
}
// Counts what the code under test asks for; the bytes come from malloc as ever.
void* operator new(std::size_t size) {
    ++allocations;
    if (void* p = std::malloc(size ? size : 1))
        return p;
    throw std::bad_alloc();
}
void operator delete(void* p) noexcept {
    std::free(p);
}
void operator delete(void* p, std::size_t) noexcept {
    std::free(p);
}

namespace {
using namespace mailtight;

const std::string sts_text = "v=STSv1; id=20160831085700Z;";
const std::string tlsrpt_text =
    "v=TLSRPTv1; rua=mailto:tls-report@example.com,https://reports.example.com/v1/tlsrpt";

// What a domain of average care publishes: version, mode, a handful of hosts, max_age.
const std::string small_policy =
    "version: STSv1\r\nmode: enforce\r\nmx: mx1.example.com\r\nmx: mx2.example.com\r\n"
    "mx: *.backup.example.net\r\nmax_age: 1209600\r\n";
std::string large_policy() {
    std::string body = "version: STSv1\r\nmode: enforce\r\n";
    for (int i = 0; body.size() < 60'000; ++i)
        body += "mx: mx" + std::to_string(i) + ".cluster.example.com\r\n";
    return body + "max_age: 1209600\r\n";
}
const std::string big_policy = large_policy();

// Runs `operation`, and notes its allocations and bytes.
template<class Operation>
void run(benchmark::State& state, std::size_t bytes, Operation operation) {
    const std::size_t before = allocations;
    for (auto _ : state) {
        auto result = operation();
        benchmark::DoNotOptimize(result);
    }
    state.counters["allocs"] = benchmark::Counter(static_cast<double>(allocations - before) /
                                                  static_cast<double>(state.iterations()));
    state.SetBytesProcessed(static_cast<std::int64_t>(bytes) * state.iterations());
}

// One pass over every byte, line by line: what no parser of lines can undercut.
std::size_t memchr_pass(const std::string& text, char at) {
    std::size_t found = 0;
    const char* next = text.data();
    const char* const end = next + text.size();
    while (next < end) {
        next = static_cast<const char*>(std::memchr(next, at, static_cast<std::size_t>(end - next)));
        if (!next)
            break;
        ++next;
        ++found;
    }
    return found;
}
// Keeps the compiler from knowing the text.
const std::string& opaque(const std::string& text) {
    benchmark::DoNotOptimize(text.data());
    benchmark::ClobberMemory();
    return text;
}

void sts_record_floor(benchmark::State& state) {
    run(state, sts_text.size(), [] { return memchr_pass(opaque(sts_text), ';'); });
}
void sts_record_view(benchmark::State& state) {
    run(state, sts_text.size(), [] { return sts::read_record_view(opaque(sts_text)); });
}
void sts_record_parse(benchmark::State& state) {
    run(state, sts_text.size(), [] { return sts::parse_record(opaque(sts_text)); });
}
void sts_record_judge(benchmark::State& state) {
    run(state, sts_text.size(), [] { return sts::judge_record(opaque(sts_text)); });
}

void tlsrpt_record_floor(benchmark::State& state) {
    run(state, tlsrpt_text.size(), [] { return memchr_pass(opaque(tlsrpt_text), ';'); });
}
void tlsrpt_record_view(benchmark::State& state) {
    run(state, tlsrpt_text.size(), [] { return tlsrpt::read_record_view(opaque(tlsrpt_text)); });
}
void tlsrpt_record_judge(benchmark::State& state) {
    run(state, tlsrpt_text.size(), [] { return tlsrpt::judge_record(opaque(tlsrpt_text)); });
}

const std::string& policy_of(const benchmark::State& state) {
    return state.range(0) == 0 ? small_policy : big_policy;
}
void policy_floor(benchmark::State& state) {
    const auto& body = policy_of(state);
    run(state, body.size(), [&] { return memchr_pass(opaque(body), '\n'); });
}
void policy_view(benchmark::State& state) {
    const auto& body = policy_of(state);
    run(state, body.size(), [&] { return sts::read_policy_view(opaque(body)); });
}
void policy_parse(benchmark::State& state) {
    const auto& body = policy_of(state);
    run(state, body.size(), [&] { return sts::parse_policy(opaque(body)); });
}
void policy_judge(benchmark::State& state) {
    const auto& body = policy_of(state);
    run(state, body.size(), [&] { return sts::judge_policy(opaque(body)); });
}
void policy_format(benchmark::State& state) {
    const auto value = sts::parse_policy(policy_of(state)).value();
    run(state, policy_of(state).size(), [&] { return sts::format_policy(value); });
}

const std::string host = "mx7.backup.example.net.";
void match_floor(benchmark::State& state) {
    run(state, host.size(), [] { return std::strlen(opaque(host).c_str()); });
}
void match_exact(benchmark::State& state) {
    const std::string pattern = "mx7.BACKUP.example.net";
    run(state, host.size(), [&] { return sts::pattern_admits(opaque(pattern), host); });
}
void match_wildcard(benchmark::State& state) {
    const std::string pattern = "*.backup.example.net";
    run(state, host.size(), [&] { return sts::pattern_admits(opaque(pattern), host); });
}
void match_refused(benchmark::State& state) {
    const std::string pattern = "*.example.net";
    run(state, host.size(), [&] { return sts::pattern_admits(opaque(pattern), host); });
}
// The third of three patterns, from the parsed policy and from the bytes that a cache keeps.
void match_policy(benchmark::State& state) {
    const auto policy = sts::parse_policy(small_policy).value();
    run(state, host.size(), [&] { return sts::admitted_by(policy.mx, opaque(host)); });
}
void match_view(benchmark::State& state) {
    const auto view = sts::read_policy_view(small_policy).value();
    run(state, small_policy.size(), [&] { return view.admitted_by(opaque(host)); });
}

BENCHMARK(sts_record_floor);
BENCHMARK(sts_record_view);
BENCHMARK(sts_record_parse);
BENCHMARK(sts_record_judge);
BENCHMARK(tlsrpt_record_floor);
BENCHMARK(tlsrpt_record_view);
BENCHMARK(tlsrpt_record_judge);
BENCHMARK(policy_floor)->ArgName("large")->Arg(0)->Arg(1);
BENCHMARK(policy_view)->ArgName("large")->Arg(0)->Arg(1);
BENCHMARK(policy_parse)->ArgName("large")->Arg(0)->Arg(1);
BENCHMARK(policy_judge)->ArgName("large")->Arg(0)->Arg(1);
BENCHMARK(policy_format)->ArgName("large")->Arg(0)->Arg(1);
BENCHMARK(match_floor);
BENCHMARK(match_exact);
BENCHMARK(match_wildcard);
BENCHMARK(match_refused);
BENCHMARK(match_policy);
BENCHMARK(match_view);
} // namespace
