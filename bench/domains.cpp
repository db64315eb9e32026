// SPDX-License-Identifier: Apache-2.0
// The publisher's part of the database with 100,000 domains: added, published, heard of by a host that
// starts, their work taken and done, a day's glances at them written down. `us_…`: microseconds a domain,
// `cpu_…` those of them that this process computed.
//   bench_domains                                           SQLite
//   MAILTIGHT_BENCH_POSTGRES=host=... bench_domains         PostgreSQL too, in a database that is empty
#include "store/domains.h"
#include "store/postgres/engine.h"
#include "store/sqlite/engine.h"
#include "support/scratch.h"

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <sys/resource.h>

#include <algorithm>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

namespace {
using namespace mailtight;

constexpr std::chrono::seconds minutes_5{300}, hour{3'600}, lag{5};
const base::utc_seconds now{std::chrono::sys_days(std::chrono::year(2026) / 5 / 3)};

double cpu_seconds() {
    rusage used{};
    ::getrusage(RUSAGE_SELF, &used);
    const auto all = [](const timeval& t) {
        return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
    };
    return all(used.ru_utime) + all(used.ru_stime);
}

std::string name_of(std::size_t n) {
    return fmt::format("customer-{:06}.example.com", n);
}

/// Stops the benchmark at the first call that fails.
template<class T>
T must(store::result<T> done) {
    if (!done) {
        fmt::print(stderr, "{}\n", done.error().message);
        std::abort();
    }
    if constexpr (!std::is_void_v<T>)
        return std::move(*done);
}

class stopwatch {
public:
    stopwatch(benchmark::State& state, std::size_t domains)
        : state_(&state)
        , domains_(domains) {}
    /// Runs the job and notes what it took of each domain.
    template<class Job>
    void run(const std::string& name, Job job) {
        run_few(name, domains_, job);
    }
    template<class Job>
    void run_few(const std::string& name, std::size_t how_many, Job job) {
        const auto cpu = cpu_seconds();
        const auto from = std::chrono::steady_clock::now();
        job();
        const std::chrono::duration<double> took = std::chrono::steady_clock::now() - from;
        state_->counters["us_" + name] = took.count() * 1e6 / static_cast<double>(how_many);
        state_->counters["cpu_" + name] = (cpu_seconds() - cpu) * 1e6 / static_cast<double>(how_many);
    }

private:
    benchmark::State* state_;
    std::size_t domains_;
};

model::watched_state glance(const std::string& domain, base::utc_seconds at) {
    return {.domain = domain,
            .first = at,
            .last = at,
            .verdict = "protected",
            .record_id = "20260503000000",
            .policy_sha256 = std::string(64, 'a'),
            .policy = "version: STSv1\r\nmode: enforce\r\nmx: *.example.net\r\nmax_age: 604800\r\n",
            .mx = {"mx1.example.net", "mx2.example.net"},
            .findings = {},
            .full = false};
}

void a_life(benchmark::State& state, const std::string& where) {
    const auto domains = static_cast<std::size_t>(state.range(0));
    for (auto _ : state) {
        const auto opened = must(store::open_domains({.where = where}));
        auto& s = *opened;
        stopwatch watch(state, domains);

        std::vector<model::looked_after> wishes(domains);
        std::vector<std::pair<std::string, base::utc_seconds>> due;
        for (std::size_t n = 0; n < domains; ++n) {
            wishes[n].domain = name_of(n);
            wishes[n].labels = {"bulk"};
            due.emplace_back(name_of(n), now + std::chrono::seconds(n % 3'600));
        }
        watch.run("add", [&] { must(s.add_all(wishes, "bench", now)); });
        watch.run("plan", [&] { must(s.plan_all("plan", due)); });
        watch.run("list", [&] {
            for (store::domain_question which; !due.empty();) {
                const auto page = must(s.list(which));
                if (page.empty())
                    break;
                which.after = page.back().domain;
            }
        });

        // As the carrier goes: eight at a time, each published under its lease and ended by itself.
        const auto few = std::min<std::size_t>(domains, 2'000);
        const auto body = glance("", now).policy;
        double publishing = 0;
        std::vector<std::string> served;
        watch.run_few("carry_by_8", few, [&] {
            for (std::size_t done = 0; done < few;) {
                const auto some = must(s.take_work("plan", now + hour, "bench", minutes_5, 8));
                for (const auto& each : some) {
                    const auto from = std::chrono::steady_clock::now();
                    must(s.publish({.domain = each.domain, .body = body, .id = "1", .since = now},
                                   {.what = "plan/" + each.domain, .who = "bench", .fence = each.fence},
                                   "bench", lag));
                    publishing +=
                        std::chrono::duration<double>(std::chrono::steady_clock::now() - from).count();
                    must(s.done_work(each, now + hour * 24));
                    served.push_back(each.domain);
                }
                done += some.size();
            }
        });
        state.counters["us_publish"] = publishing * 1e6 / static_cast<double>(few);
        watch.run_few("host_starts", few, [&] {
            for (std::int64_t mark = 0;;) {
                const auto some = must(s.published_after(mark, 1'000));
                if (some.empty())
                    break;
                mark = some.back().change;
            }
        });
        watch.run_few("host_asks", 1'000, [&] {
            for (int i = 0; i < 1'000; ++i)
                must(s.published_after(static_cast<std::int64_t>(few), 1'000));
        });
        watch.run_few("seen_again", few, [&] {
            for (const auto& each : served)
                must(s.seen_served(each, body, "1", true, now));
        });

        // A day of glances: hundred at a time, and one by one.
        must(s.plan_all("glance", due));
        for (const auto& [name, by] : {std::pair("first_glance", std::size_t{100}), {"glance_by_100", 100}})
            watch.run(name, [&] {
                for (;;) {
                    const auto some = must(s.take_work("glance", now + hour, "bench", minutes_5, by));
                    if (some.empty())
                        break;
                    std::vector<model::watched_state> seen;
                    std::vector<store::domain_store::done_with> ends;
                    for (const auto& each : some) {
                        seen.push_back(glance(each.domain, now + hour));
                        ends.emplace_back(each, now + hour * 2);
                    }
                    must(s.watched_all(seen));
                    must(s.done_all(ends));
                }
                must(s.plan_all("glance", due));
            });
        watch.run_few("glance_by_1", few, [&] {
            for (std::size_t n = 0; n < few; ++n) {
                const auto one = must(s.take_work("glance", now + hour, "bench", minutes_5, 1));
                must(s.watched(glance(one.at(0).domain, now + hour)));
                must(s.done_work(one.at(0), now + hour * 2));
            }
        });
        watch.run("latest_states", [&] {
            for (store::domain_question which; !due.empty();) {
                const auto page = must(s.latest_states(which));
                if (page.empty())
                    break;
                which.after = page.back().domain;
            }
        });
        watch.run_few("waiting", 100, [&] {
            for (int i = 0; i < 100; ++i)
                must(s.waiting_work("glance", now + hour));
        });
        const auto held = must(s.take_lease("folder", "bench", hour));
        watch.run_few("certificate", few, [&] {
            for (std::size_t n = 0; n < few; ++n)
                must(s.save_certificate({.name = "mta-sts." + name_of(n),
                                         .chain = std::string(3'000, 'c'),
                                         .sealed_key = std::string(400, 'k'),
                                         .not_before = now,
                                         .not_after = now + hour},
                                        held->fence));
        });
        const auto connection = store::is_postgres(where) ? store::postgres::connect({.where = where})
                                                          : store::sqlite::connect({.where = where});
        state.counters["store_MB"] = static_cast<double>(connection->bytes_used()) / 1e6;
    }
}

void life_sqlite(benchmark::State& state) {
    const tests::scratch_folder folder;
    a_life(state, folder / "domains.db");
}
BENCHMARK(life_sqlite)
    ->ArgName("domains")
    ->Arg(100'000)
    ->Iterations(1)
    ->Unit(benchmark::kSecond)
    ->UseRealTime();

void life_postgres(benchmark::State& state) {
    const char* where = std::getenv("MAILTIGHT_BENCH_POSTGRES");
    if (!where) {
        state.SkipWithError("no MAILTIGHT_BENCH_POSTGRES");
        return;
    }
    a_life(state, where);
}
BENCHMARK(life_postgres)
    ->ArgName("domains")
    ->Arg(100'000)
    ->Iterations(1)
    ->Unit(benchmark::kSecond)
    ->UseRealTime();

} // namespace
