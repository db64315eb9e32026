// SPDX-License-Identifier: Apache-2.0
// The sender's memory and its database (SQLite): how long a restart takes until the first answer with 0,
// 100,000 and 1,000,000 kept policies, what they cost in memory, how fast changes are written. A policy as
// half of the domains have it: two MX patterns, 92 bytes; one domain in five has none.
// The floor of a restart is a bare walk over the same rows.
//   bench_policies --benchmark_filter=restart
//   MAILTIGHT_BENCH_STORE=FOLDER  where the databases lie (default: the system's temporary folder)
#include "resolve/keeper.h"
#include "resolve/policy_table.h"
#include "resolve/service.h"
#include "store/sqlite/engine.h"
#include "support/fixed_resolver.h"

#include <benchmark/benchmark.h>

#include <malloc.h>
#include <unistd.h>

#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <map>

namespace {
using namespace mailtight;

const base::utc_seconds today{std::chrono::seconds(1'790'000'000)};
struct fixed_clock final : base::clock {
    base::utc_seconds now() const override { return today; }
};

std::filesystem::path folder() {
    const char* given = std::getenv("MAILTIGHT_BENCH_STORE");
    return given ? std::filesystem::path(given) : std::filesystem::temp_directory_path();
}
class bench_file {
public:
    explicit bench_file(const std::string& name)
        : path_(
              (folder() / ("mailtight-bench-" + name + "-" + std::to_string(::getpid()) + ".db")).string()) {
        remove();
    }
    ~bench_file() { remove(); }
    bench_file(const bench_file&) = delete;
    bench_file& operator=(const bench_file&) = delete;
    const std::string& path() const { return path_; }
    std::size_t bytes() const { return std::filesystem::file_size(path_); }

private:
    void remove() const {
        for (const auto* end : {"", "-wal", "-shm"})
            std::filesystem::remove(path_ + end);
    }
    std::string path_;
};

model::kept_policy policy(std::size_t i) {
    model::kept_policy out;
    out.domain = "some-domain-" + std::to_string(i) + ".example";
    auto& s = out.state;
    const auto at = today - std::chrono::seconds(i % 86'400);
    s.record_at = out.used_at = at;
    if (i % 5 == 0) {
        s.record = {.what = sts::record_sighting::kind::none, .ttl = 600};
        return out;
    }
    s.record = {.what = sts::record_sighting::kind::valid, .id = "20260102030405", .ttl = 300};
    s.refresh_at = at + std::chrono::hours(24);
    s.held = sts::held_policy{
        .value = {.mode = sts::mode::enforce,
                  .max_age = 604'800,
                  .mx = {"mx" + std::to_string(i % 1'000) + ".example.net", "*.mail.example.org"}},
        .id = s.record.id,
        .fetched_at = at};
    s.held->body = sts::format_policy(s.held->value).value();
    return out;
}
std::vector<model::kept_policy> policies(std::size_t from, std::size_t count) {
    std::vector<model::kept_policy> out;
    out.reserve(count);
    for (std::size_t i = from; i < from + count; ++i)
        out.push_back(policy(i));
    return out;
}

/// A database with so many policies, filled once.
const bench_file& filled(std::size_t count) {
    static std::map<std::size_t, std::unique_ptr<bench_file>> all;
    auto& file = all[count];
    if (!file) {
        file = std::make_unique<bench_file>("kept" + std::to_string(count));
        auto opened = store::open_policies({.where = file->path()});
        for (std::size_t i = 0; i < count; i += 10'000)
            if (!(*opened)->put(policies(i, std::min<std::size_t>(10'000, count - i))))
                std::abort();
    }
    return *file;
}

std::size_t resident() {
    std::ifstream in("/proc/self/statm");
    std::size_t all = 0, pages = 0;
    in >> all >> pages;
    return pages * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

// From the start of the process's work to the first answer: open, load into the table, one look-up.
void restart(benchmark::State& state) {
    const auto count = static_cast<std::size_t>(state.range(0));
    const auto& file = filled(count);
    std::size_t text = 0; // all look alike: a sample tells
    for (std::size_t i = 0; i < count; i += 97)
        if (const auto p = policy(i); p.state.held)
            text += p.state.held->body.size() * 97;
    const fixed_clock clock;
    std::size_t table_bytes = 0, grown = 0;
    for (auto _ : state) {
        ::malloc_trim(0);
        const auto before = resident();
        io::loop loop;
        resolve::policy_table table(2'000'000, std::size_t{4} << 30);
        const store::open_options options{.where = file.path()};
        auto opened = store::open_policies(options);
        resolve::keeper keep(loop, clock, opened ? std::move(*opened) : nullptr, {.database = options});
        const auto done = loop.block_on(keep.load([&](const model::kept_policy& p) { table.put(p); }));
        benchmark::DoNotOptimize(table.get("some-domain-1.example"));
        if (!done || table.size() != count) {
            state.SkipWithError("not everything was loaded");
            return;
        }
        state.PauseTiming();
        table_bytes = table.bytes();
        ::malloc_trim(0);
        grown = resident() - before;
        state.ResumeTiming();
    }
    const auto each = [&](std::size_t bytes) {
        return count == 0 ? 0.0 : static_cast<double>(bytes) / static_cast<double>(count);
    };
    state.counters["policies/s"] =
        benchmark::Counter(static_cast<double>(count), benchmark::Counter::kIsIterationInvariantRate);
    state.counters["text_B"] = each(text);
    state.counters["table_B"] = each(table_bytes);
    state.counters["resident_B"] = each(grown);
    state.counters["file_B"] = each(file.bytes());
}
BENCHMARK(restart)
    ->MeasureProcessCPUTime()
    ->Arg(0)
    ->Arg(100'000)
    ->Arg(1'000'000)
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();

// The floor: every column of every row is looked at, nothing is made of it.
void restart_floor(benchmark::State& state) {
    const auto count = static_cast<std::size_t>(state.range(0));
    const auto& file = filled(count);
    for (auto _ : state) {
        auto on = store::sqlite::connect({.where = file.path()});
        std::size_t bytes = 0;
        on->query("select * from sending_policy order by change", {}, [&](const store::sql::row& r) {
            for (const int text : {1, 2, 3, 6, 8, 10, 12})
                bytes += r.text(text).size();
            for (const int number : {0, 4, 5, 7, 9, 11, 13, 14, 15, 16, 17, 18, 19})
                bytes += r.count(number) & 1;
        });
        benchmark::DoNotOptimize(bytes);
    }
    state.counters["policies/s"] =
        benchmark::Counter(static_cast<double>(count), benchmark::Counter::kIsIterationInvariantRate);
}
BENCHMARK(restart_floor)->Arg(100'000)->Arg(1'000'000)->Unit(benchmark::kMillisecond)->UseRealTime();

// Refreshes that come in at once: so many coroutines, each waits for true before its next one. The policies
// are there already, in random order, as a day of refreshes has it.
void put_awaited(benchmark::State& state) {
    constexpr std::size_t there = 100'000, a_round = 10'000;
    const auto at_once = static_cast<std::size_t>(state.range(0));
    const bench_file file("put");
    const store::open_options options{.where = file.path()};
    auto opened = store::open_policies(options);
    for (std::size_t i = 0; i < there; i += 10'000)
        static_cast<void>((*opened)->put(policies(i, 10'000)));
    const fixed_clock clock;
    io::loop loop;
    resolve::keeper keep(loop, clock, std::move(*opened), {.database = options});
    std::size_t next = 0, kept = 0, wanted = 0;
    for (auto _ : state) {
        wanted += a_round;
        std::vector<io::task<bool>> all;
        for (std::size_t i = 0; i < at_once; ++i)
            all.push_back([](resolve::keeper& to, io::loop& on, std::size_t& from, std::size_t& done,
                             std::size_t& end) -> io::task<bool> {
                while (from < end) {
                    auto value = policy(from++ * 7'919 % there);
                    const bool yes = co_await to.put(std::move(value), on.now() + std::chrono::seconds(60));
                    done += yes ? 1 : 0;
                }
                co_return true;
            }(keep, loop, next, kept, wanted));
        loop.block_on(io::when_all(loop, std::move(all)));
    }
    if (kept != wanted)
        state.SkipWithError("not everything was kept");
    state.counters["policies/s"] = benchmark::Counter(static_cast<double>(kept), benchmark::Counter::kIsRate);
}
BENCHMARK(put_awaited)->Arg(1)->Arg(50)->Arg(1'000)->Unit(benchmark::kMillisecond)->UseRealTime();

// The daily refresh without its network: the beat that finds who is due, the record, the policy, the group
// commit, so many at once. What is left of a refresh is a DNS question and an HTTPS fetch.
void refresh(benchmark::State& state) {
    constexpr std::size_t there = 5'000;
    const auto at_once = static_cast<std::size_t>(state.range(0));
    const bench_file file("refresh");
    const store::open_options options{.where = file.path()};
    struct : base::clock {
        base::utc_seconds at = today;
        base::utc_seconds now() const override { return at; }
    } clock;
    tests::fixed_resolver dns;
    dns.every_text = "v=STSv1; id=20260102030405;";
    sts::policy_sighting seen;
    seen.value = policy(1).state.held->value;
    seen.body = policy(1).state.held->body;
    std::size_t refreshed = 0;
    double cpu = 0;
    for (auto _ : state) {
        auto opened = store::open_policies(options);
        std::vector<model::kept_policy> all;
        for (std::size_t i = 0; all.size() < there; ++i)
            if (auto one = policy(i); one.state.held)
                all.push_back(std::move(one));
        static_cast<void>((*opened)->put(all));
        clock.at = today + std::chrono::hours(48);
        io::loop loop;
        resolve::keeper keep(loop, clock, std::move(*opened), {.database = options});
        resolve::service_options with;
        with.fetches = at_once;
        with.refreshes_a_second = 1'000'000;
        with.care_every = std::chrono::milliseconds(1);
        resolve::service of(
            loop, dns, clock, [&seen](std::string) -> io::task<sts::policy_sighting> { co_return seen; }, {},
            keep, with);
        loop.block_on([](io::loop& on, resolve::service& by, double& used) -> io::task<> {
            static_cast<void>(co_await by.start());
            const auto before = std::clock();
            while (by.counted().fetches < there)
                co_await on.sleep_for(std::chrono::milliseconds(5));
            used += static_cast<double>(std::clock() - before) / CLOCKS_PER_SEC;
            by.stop();
        }(loop, of, cpu));
        refreshed += there;
    }
    state.counters["cpu_us"] = cpu / static_cast<double>(refreshed) * 1e6;
}
BENCHMARK(refresh)->Arg(50)->Iterations(1)->Unit(benchmark::kMillisecond)->UseRealTime();

} // namespace
