// SPDX-License-Identifier: Apache-2.0
// The report sender's part of the database at the size of a large provider: a UTC day of 10,000,000 sessions
// to 200,000 domains, counted second by second, then taken and filed as 200,000 reports of a fixed body.
// Domains are as unequal as mail is (Zipf); one session in 50 fails, one domain in 10 has DANE.
//   bench_results --benchmark_filter=day                    SQLite
//   MAILTIGHT_BENCH_POSTGRES=host=... bench_results         PostgreSQL too, in a database that is empty
#include "store/results.h"
#include "store/postgres/engine.h"
#include "store/sqlite/engine.h"
#include "support/scratch.h"

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <malloc.h>
#include <sys/resource.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <random>

namespace {
using namespace mailtight;

constexpr std::chrono::sys_days the_day{std::chrono::year(2026) / 5 / 3};
constexpr std::size_t domains = 200'000, seconds_a_day = 86'400;

double cpu_seconds() {
    rusage used{};
    ::getrusage(RUSAGE_SELF, &used);
    const auto all = [](const timeval& t) {
        return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
    };
    return all(used.ru_utime) + all(used.ru_stime);
}
std::size_t resident() {
    std::ifstream in("/proc/self/statm");
    std::size_t all = 0, pages = 0;
    in >> all >> pages;
    return pages * 4'096;
}

// Ranks by inversion of a continuous 1/x density: near enough to Zipf, and quick.
class mail_day {
public:
    std::size_t domain() {
        const double u = std::uniform_real_distribution<double>()(random_);
        return std::min(domains - 1, static_cast<std::size_t>(std::pow(double{domains}, u)) - 1);
    }
    model::counted_result session(std::size_t d) {
        model::counted_result r{.day = the_day, .domain = fmt::format("customer-{}.example.com", d)};
        if (d % 10 == 3)
            r.policy = {
                .type = tlsrpt::policy_type::tlsa,
                .domain = fmt::format("mx{}.hoster.example.net", d % 1'000),
                .strings = {"3 1 1 0b9fa5a59eed715c26c1020c711b4f6ec42d58b0015e14337a39dad301c5afc3"}};
        else if (d % 10 < 3)
            r.policy = {
                .type = tlsrpt::policy_type::sts,
                .domain = r.domain,
                .strings = {"version: STSv1", "mode: enforce", "mx: mx." + r.domain, "max_age: 604800"},
                .mx_patterns = {"mx." + r.domain}};
        else
            r.policy = {.type = tlsrpt::policy_type::no_policy_found, .domain = r.domain};
        if (random_() % 50 != 0) {
            r.success = 1;
            return r;
        }
        r.failure = 1;
        r.faults = {{.what = {.type = tlsrpt::result_type::certificate_expired,
                              .sending_mta_ip = fmt::format("192.0.2.{}", random_() % 4),
                              .receiving_mx = "mx." + r.domain,
                              .receiving_ip = fmt::format("198.51.100.{}", d % 250)},
                     .count = 1}};
        return r;
    }
    std::vector<model::counted_result> second(std::size_t sessions) {
        std::map<std::size_t, model::counted_result> out;
        for (std::size_t i = 0; i < sessions; ++i) {
            const auto d = domain();
            const auto [at, fresh] = out.try_emplace(d);
            auto now = session(d);
            if (fresh)
                at->second = std::move(now);
            else {
                at->second.success += now.success;
                at->second.failure += now.failure;
                at->second.faults.insert(at->second.faults.end(), now.faults.begin(), now.faults.end());
            }
        }
        std::vector<model::counted_result> rows;
        for (auto& [d, row] : out)
            rows.push_back(std::move(row));
        return rows;
    }
    std::vector<model::counted_result> each_domain() {
        std::vector<model::counted_result> rows;
        for (std::size_t d = 0; d < domains; ++d)
            rows.push_back(session(d));
        return rows;
    }

private:
    std::mt19937_64 random_{1};
};

void count_and_file(benchmark::State& state, const std::string& where) {
    const auto sessions = static_cast<std::size_t>(state.range(0));
    const auto at_once = static_cast<std::size_t>(state.range(1));
    const bool by_day = state.range(2) != 0;
    for (auto _ : state) {
        auto opened = store::open_results({.where = where});
        if (!opened) {
            state.SkipWithError(opened.error().message.c_str());
            return;
        }
        auto& s = **opened;
        const auto before = resident();
        mail_day day;
        std::int64_t number = 0;
        std::size_t written = 0;
        double counting = 0, wall = 0, slowest = 0;
        const auto add = [&](const std::vector<model::counted_result>& rows) {
            const auto cpu = cpu_seconds();
            const auto from = std::chrono::steady_clock::now();
            if (!s.add({.machine = "bench", .number = ++number, .results = rows, .marks = {}},
                       std::chrono::hours(4), 1'000))
                std::abort();
            const std::chrono::duration<double> took = std::chrono::steady_clock::now() - from;
            counting += cpu_seconds() - cpu;
            wall += took.count();
            slowest = std::max(slowest, took.count());
            written += rows.size();
        };
        // Each domain once, in batches of 100,000; the rest as the day brings it.
        auto first = day.each_domain();
        const double big_from = wall;
        for (std::size_t i = 0; i < first.size(); i += 100'000)
            add({first.begin() + static_cast<std::ptrdiff_t>(i),
                 first.begin() + static_cast<std::ptrdiff_t>(i + 100'000)});
        first = {};
        ::malloc_trim(0);
        const double big = (wall - big_from) / 2;
        wall = slowest = 0;
        double cpu_first = counting;
        counting = 0;
        written = 0;
        const auto batches =
            std::min<std::size_t>(seconds_a_day, static_cast<std::size_t>(number) + sessions / 116);
        for (std::size_t i = 0; i < batches; ++i)
            add(day.second(116));
        const auto grown = resident() - before;

        auto connection = store::is_postgres(where) ? store::postgres::connect({.where = where})
                                                    : store::sqlite::connect({.where = where});
        const auto bytes = connection->bytes_used();
        const auto cpu = cpu_seconds();
        const auto from = std::chrono::steady_clock::now();
        std::size_t filed = 0, sum = 0;
        const auto now = base::utc_seconds(the_day) + std::chrono::hours(48);
        const std::string body(700, '\x1f'); // of a compressed report
        for (;;) {
            const auto due = by_day ? s.take_due(now, "bench", std::chrono::minutes(5), at_once, the_day)
                                    : s.take_due(now, "bench", std::chrono::minutes(5), at_once);
            if (!due || due->empty())
                break;
            const auto numbers =
                s.file_all(*due, [&](const model::due_report& each, auto results, std::uint32_t) {
                    for (const auto& r : results)
                        sum += r.success + r.failure;
                    model::outgoing_report made{.report_id = fmt::format("2026-05-03.{}@bench", filed++),
                                                .file_name = "bench!" + each.domain + ".json.gz",
                                                .body = body,
                                                .made_at = now};
                    made.deliveries.push_back({.uri = "mailto:tls@" + each.domain,
                                               .address = "tls@" + each.domain,
                                               .host = each.domain});
                    return std::optional(made);
                });
            if (!numbers)
                std::abort();
        }
        const std::chrono::duration<double> filing = std::chrono::steady_clock::now() - from;
        const double filing_cpu = cpu_seconds() - cpu;
        state.counters["first_100k_s"] = big;
        state.counters["first_cpu_s"] = cpu_first / 2;
        state.counters["batches"] = static_cast<double>(batches);
        state.counters["add_ms"] = wall * 1e3 / static_cast<double>(batches);
        state.counters["add_cpu_ms"] = counting * 1e3 / static_cast<double>(batches);
        state.counters["add_max_ms"] = slowest * 1e3;
        state.counters["rows"] = static_cast<double>(written);
        state.counters["grown_MB"] = static_cast<double>(grown) / 1e6;
        state.counters["store_MB"] = static_cast<double>(bytes) / 1e6;
        state.counters["filed"] = static_cast<double>(filed);
        state.counters["file_s"] = filing.count();
        state.counters["file_cpu_s"] = filing_cpu;
        state.counters["after_MB"] = static_cast<double>(connection->bytes_used()) / 1e6;
        const auto figures_from = std::chrono::steady_clock::now();
        const auto figures = s.figures_of(now);
        const std::chrono::duration<double> asked = std::chrono::steady_clock::now() - figures_from;
        state.counters["figures_ms"] = asked.count() * 1e3;
        if (!figures || figures->waiting != filed || figures->unreported_sessions != 0)
            state.SkipWithError("the figures are wrong");
        benchmark::DoNotOptimize(sum);
    }
}

// Sessions beyond the first of each domain; reports that are filed in one transaction; whether they are taken
// as `report send` takes them, by the day.
void days(benchmark::internal::Benchmark* of) {
    of->ArgNames({"sessions", "at_once", "by_day"});
    of->Args({100'000, 1, 0})->Args({100'000, 100, 0})->Args({100'000, 100, 1});
    if (std::getenv("MAILTIGHT_BENCH_WHOLE_DAY"))
        of->Args({10'000'000, 100, 0});
    of->Iterations(1)->Unit(benchmark::kSecond)->UseRealTime();
}

void day_sqlite(benchmark::State& state) {
    const tests::scratch_folder folder;
    count_and_file(state, (folder.path() / "results.db").string());
}
BENCHMARK(day_sqlite)->Apply(days);

void day_postgres(benchmark::State& state) {
    const char* where = std::getenv("MAILTIGHT_BENCH_POSTGRES");
    if (!where) {
        state.SkipWithError("no MAILTIGHT_BENCH_POSTGRES");
        return;
    }
    count_and_file(state, where);
}
BENCHMARK(day_postgres)->Apply(days);

} // namespace
