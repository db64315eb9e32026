// SPDX-License-Identifier: Apache-2.0
// Watching 100,000 domains: what a look costs beside the asking itself (DNS, handshakes), which is made up
// here. The database is SQLite, filled as it is after some days; each domain has been looked at before.
//   glances/cold: after a restart each is compared with the database once
//   glances:      an hour later, nothing has changed
//   full:         a day's full check, judged for alarms
//   alarms_of:    the judgement alone, over a long history
// `of_a_core` is the share of one core that 100,000 domains take at this cost: one full look a day and one
// cheap look an hour each. CPU is of the whole process: the loop and the store's thread.
#include "publish/watcher.h"
#include "support/scratch.h"

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <sys/resource.h>

#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

namespace {
using namespace mailtight;
using namespace std::chrono_literals;

constexpr std::size_t domains = 100'000;
constexpr double seconds_a_day = 86'400;
const base::utc_seconds start = std::chrono::sys_days{std::chrono::year{2026} / 3 / 1};

double cpu_seconds() {
    rusage used{};
    ::getrusage(RUSAGE_SELF, &used);
    const auto all = [](const timeval& t) {
        return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
    };
    return all(used.ru_utime) + all(used.ru_stime);
}

struct set_clock final : base::clock {
    base::utc_seconds at = start;
    base::utc_seconds now() const override { return at; }
};

std::string name_of(std::size_t i) {
    return fmt::format("customer-{}.example.com", i);
}

model::watched_state seen(const std::string& domain, bool full, base::utc_seconds at) {
    return {.domain = domain,
            .first = at,
            .last = at,
            .verdict = full ? "protected" : "",
            .record_id = "20260301000000",
            .policy_sha256 = "0b9fa5a59eed715c26c1020c711b4f6ec42d58b0015e14337a39dad301c5afc3",
            .policy = fmt::format("version: STSv1\r\nmode: enforce\r\nmx: mx1.{0}\r\nmx: mx2.{0}\r\n"
                                  "max_age: 1209600\r\n",
                                  domain),
            .mx = {"mx1." + domain, "mx2." + domain},
            .findings = full ? std::vector<std::string>{"mx.cert-expires-soon mx1." + domain}
                             : std::vector<std::string>(),
            .full = full};
}

struct farm {
    tests::scratch_folder folder;
    std::unique_ptr<store::domain_store> kept;
    io::loop loop;
    set_clock clock;

    farm() {
        store::open_options options;
        options.where = folder / "store.db";
        auto opened = store::open_domains(options);
        if (!opened)
            std::abort();
        kept = std::move(*opened);
        std::vector<model::looked_after> wishes;
        std::vector<std::pair<std::string, base::utc_seconds>> glances, full;
        for (std::size_t i = 0; i < domains; ++i) {
            wishes.push_back({.domain = name_of(i)});
            glances.emplace_back(name_of(i), start);
            full.emplace_back(name_of(i), start + 2h + 1min);
        }
        if (!kept->add_all(wishes, "bench", start) || !kept->plan_all("glance", glances) ||
            !kept->plan_all("watch", full))
            std::abort();
        std::vector<model::watched_state> states;
        for (std::size_t i = 0; i < domains; ++i) {
            states.push_back(seen(name_of(i), false, start - 1h));
            states.push_back(seen(name_of(i), true, start - 2h));
            if (states.size() >= 2'000) {
                if (!kept->watched_all(states))
                    std::abort();
                states.clear();
            }
        }
    }
    publish::watch_hands hands() {
        return {
            .look = [this](std::string domain, bool full) -> io::task<std::optional<model::watched_state>> {
                co_return seen(domain, full, clock.at);
            }};
    }
    /// Until so many looks are written.
    void run(publish::watcher& eyes, std::uint64_t looks) {
        loop.block_on([](farm& of, publish::watcher& by, std::uint64_t wanted) -> io::task<> {
            while (by.counted().cheap + by.counted().full < wanted || !by.idle())
                co_await of.loop.sleep_for(5ms);
        }(*this, eyes, looks));
    }
};

farm& the_farm() {
    static farm only;
    return only;
}

void report(benchmark::State& state, double cpu, std::uint64_t looks, double looks_a_day) {
    const auto each = cpu / static_cast<double>(looks);
    state.counters["us_each"] = each * 1e6;
    state.counters["of_a_core"] = each * looks_a_day * static_cast<double>(domains) / seconds_a_day;
}

/// All that are due at a time, as many at once as may be under way.
void watch(benchmark::State& state, const char* kind, base::utc_seconds at, double looks_a_day) {
    auto& all = the_farm();
    publish::watch_options options;
    options.machine = "bench";
    options.beat = 0s;
    static io::worker thread(all.loop, "store");
    static publish::watcher eyes(all.loop, thread, *all.kept, all.hands(), all.clock, all.clock, options);
    all.clock.at = at;
    const auto looks = *all.kept->waiting_work(kind, at);
    const auto before = eyes.counted().cheap + eyes.counted().full;
    for (auto _ : state) {
        const auto cpu = cpu_seconds();
        eyes.start();
        all.run(eyes, before + looks);
        report(state, cpu_seconds() - cpu, looks, looks_a_day);
    }
    state.counters["looks"] = static_cast<double>(looks);
}

void alarms(benchmark::State& state) {
    publish::watch_memory memory{.domain = "a.example", .hosted_here = true};
    for (int i = 0; i < 64; ++i) {
        auto one = seen("a.example", i % 2 == 0, start + std::chrono::hours(24 * i));
        one.record_id = std::to_string(i / 4);
        memory.states.insert(memory.states.begin(), one);
    }
    for (auto _ : state)
        benchmark::DoNotOptimize(publish::alarms_of(memory, start + 64 * 24h));
}

BENCHMARK_CAPTURE(watch, glances_cold, "glance", start, 24.0)->Iterations(1)->UseRealTime();
BENCHMARK_CAPTURE(watch, glances, "glance", start + 2h, 24.0)->Iterations(1)->UseRealTime();
BENCHMARK_CAPTURE(watch, full, "watch", start + 2h + 1min, 1.0)->Iterations(1)->UseRealTime();
BENCHMARK(alarms);
} // namespace
