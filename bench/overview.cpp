// SPDX-License-Identifier: Apache-2.0
// The table of all domains, as the overview page asks for it: 10,000 domains and 10,000,000 policy-days in
// the totals of reports; and 100,000 domains. One thread does all of it.
//   page:    the answer to one request, from memory: filter, sort, count, 100 rows as JSON
//   csv:     every row as CSV
//   changes: memory brought up to date where nothing, or a handful of things, has changed
//   whole:   everything read from the database, as at the start
// bench_overview                                            SQLite
// MAILTIGHT_BENCH_POSTGRES=host=... bench_overview          PostgreSQL too, in a database that is empty
// MAILTIGHT_BENCH_STORE=FOLDER  where SQLite's database lies; MAILTIGHT_BENCH_POLICY_DAYS=N: other than
// 10,000,000
#include "api/overview_memory.h"
#include "store/postgres/engine.h"
#include "store/sqlite/engine.h"
#include "store/words.h"

#include <benchmark/benchmark.h>
#include <boost/json.hpp>
#include <fmt/format.h>

#include <sys/resource.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <unistd.h>

namespace {
using namespace mailtight;

constexpr std::int64_t first_day = 20'000, days_kept = 100;
const std::chrono::sys_days today{std::chrono::days(first_day + days_kept - 1)};
const base::utc_seconds now{today};

std::string name_of(std::size_t n) {
    return fmt::format("customer-{:06}.example.com", n);
}

template<class T>
T must(store::result<T> done) {
    if (!done) {
        fmt::print(stderr, "{}\n", done.error().message);
        std::abort();
    }
    if constexpr (!std::is_void_v<T>)
        return std::move(*done);
}

std::unique_ptr<store::sql::connection> connect(const std::string& where) {
    return store::is_postgres(where) ? store::postgres::connect({.where = where})
                                     : store::sqlite::connect({.where = where});
}

/// Written straight into the tables: as many days, reporters and policy types a domain as the number asks
/// for.
void fill(const std::string& where, std::size_t domains, std::int64_t policy_days) {
    auto kept = must(store::open_domains({.where = where}));
    auto reports = must(store::open({.where = where}));
    std::vector<model::looked_after> wishes(domains);
    std::vector<std::string> names;
    for (std::size_t n = 0; n < domains; ++n) {
        wishes[n].domain = name_of(n);
        wishes[n].owner = fmt::format("tenant {}", n % 50);
        wishes[n].labels = {"bulk", n % 7 == 0 ? "gold" : "plain"};
        wishes[n].aim = model::aim::enforce;
        names.push_back(name_of(n));
    }
    must(kept->add_all(wishes, "bench", now));
    must(reports->add_domains(names, now));
    const std::vector<std::string> verdicts = {"protected", "protected", "protected",
                                               "testing",   "broken",    "absent"};
    must(kept->together(true, [&](store::domain_store& to) {
        for (std::size_t n = 0; n < domains; ++n) {
            model::shown seen;
            seen.domain = name_of(n);
            seen.looked_at = now;
            seen.verdict = verdicts[n % verdicts.size()];
            seen.mode = "enforce";
            seen.parts = {"valid", "valid", n % 9 ? "valid" : "missing", "valid"};
            seen.warnings = n % 3;
            seen.changed = "from testing to protected";
            seen.changed_at = now;
            must(to.keep_look(seen, R"({"domain":"made up","findings":[]})"));
            if (n % 4 == 0)
                must(to.keep_next(seen.domain, model::next_step{.kind = "wait",
                                                                .title = "Wait until senders have forgotten",
                                                                .state = "waiting",
                                                                .by = "us",
                                                                .not_before = now}));
        }
    }));
    reports.reset();
    const auto on = connect(where);
    store::dictionary words("word", "text"), texts("policy_text", "strings");
    on->begin(store::sql::access::write);
    const auto sts = words.enter(*on, "sts"), tlsa = words.enter(*on, "tlsa");
    const auto text = texts.enter(*on, R"(["version: STSv1","mode: enforce"])");
    const auto reporters =
        std::max<std::int64_t>(1, policy_days / 2 / static_cast<std::int64_t>(domains) / days_kept);
    std::vector<std::int64_t> who, own;
    for (std::int64_t i = 0; i < reporters; ++i)
        who.push_back(words.enter(*on, fmt::format("reporter{}.example.net", i)));
    on->query("select word from own_domain order by name", {},
              [&](const store::sql::row& r) { own.push_back(r.integer(0)); });
    std::int64_t left = policy_days;
    for (const auto domain : own) {
        std::vector<store::sql::values> sums, each;
        for (std::int64_t day = first_day; day < first_day + days_kept; ++day) {
            sums.push_back({domain, day});
            for (const auto reporter : who)
                for (const auto type : {sts, tlsa})
                    if (left-- > 0)
                        each.push_back({domain, day, reporter, type, text});
        }
        const auto nothing = [](std::size_t, const store::sql::row&) {};
        on->query_each("insert into domain_day values ($1, $2, 10, 10, 1000, 1, 1000, 1, 1000, 0, 0, 0)",
                       sums, nothing);
        on->query_each("insert into policy_day values ($1, $2, $3, $4, $5, 1, 100, 0)", each, nothing);
    }
    on->commit();
}

struct world {
    std::string where;
    std::size_t domains;
    std::filesystem::path file; ///< of SQLite
    std::unique_ptr<store::domain_store> kept;
    std::unique_ptr<store::store> reports;
    api::overview_memory memory;
    std::shared_ptr<const api::overview_rows> rows;

    void refresh() { rows = must(memory.refresh(*kept, reports.get(), today, false)); }
    ~world() {
        kept.reset();
        reports.reset();
        for (const auto* end : {"", "-wal", "-shm"})
            if (!file.empty())
                std::filesystem::remove(file.string() + end);
    }
};

/// Made by the first who asks; the one before it goes, so that there is one database at a time.
world* world_of(bool postgres, std::size_t domains) {
    static std::unique_ptr<world> only;
    const char* server = std::getenv("MAILTIGHT_BENCH_POSTGRES");
    if (postgres && !server)
        return nullptr;
    if (only && only->domains == domains && store::is_postgres(only->where) == postgres)
        return only.get();
    only = std::make_unique<world>();
    only->domains = domains;
    if (postgres) {
        only->where = server;
    } else {
        const char* folder = std::getenv("MAILTIGHT_BENCH_STORE");
        only->file = (folder ? std::filesystem::path(folder) : std::filesystem::temp_directory_path()) /
                     fmt::format("mailtight-bench-overview-{}.db", ::getpid());
        only->where = only->file.string();
    }
    const char* many = std::getenv("MAILTIGHT_BENCH_POLICY_DAYS");
    fill(only->where, domains, many ? std::atoll(many) : 10'000'000);
    only->kept = must(store::open_domains({.where = only->where}));
    only->reports = must(store::open({.where = only->where}));
    only->refresh();
    return only.get();
}

world* ready(benchmark::State& state) {
    auto* made = world_of(state.range(0) == 1, static_cast<std::size_t>(state.range(1)));
    if (!made)
        state.SkipWithError("no MAILTIGHT_BENCH_POSTGRES");
    return made;
}

void finish(benchmark::State& state, const world& of) {
    rusage used{};
    ::getrusage(RUSAGE_SELF, &used);
    state.counters["rows"] = static_cast<double>(of.rows->size());
    state.counters["resident_MB"] = static_cast<double>(used.ru_maxrss) / 1024;
}

void page(benchmark::State& state, const api::overview_question& which) {
    auto* of = ready(state);
    if (!of)
        return;
    for (auto _ : state) {
        of->refresh(); // nothing has changed, and that has to be asked
        auto text = boost::json::serialize(api::overview_document(api::pick(*of->rows, which)));
        benchmark::DoNotOptimize(text);
    }
    finish(state, *of);
}

void csv(benchmark::State& state) {
    auto* of = ready(state);
    if (!of)
        return;
    for (auto _ : state) {
        auto text = api::overview_csv(api::pick(*of->rows, {.limit = of->rows->size()}));
        benchmark::DoNotOptimize(text);
    }
    finish(state, *of);
}

void changes(benchmark::State& state) {
    auto* of = ready(state);
    if (!of)
        return;
    std::size_t n = 0;
    for (auto _ : state) {
        state.PauseTiming();
        for (int i = 0; i < 10; ++i) {
            model::shown seen;
            seen.domain = name_of(n++ % of->domains);
            seen.looked_at = now + std::chrono::seconds(n);
            seen.verdict = "testing";
            must(of->kept->keep_look(seen, "{}"));
        }
        state.ResumeTiming();
        of->refresh();
    }
    finish(state, *of);
}

void whole(benchmark::State& state) {
    auto* of = ready(state);
    if (!of)
        return;
    for (auto _ : state) {
        of->memory.forget();
        of->refresh();
    }
    finish(state, *of);
}

void all_of_them(benchmark::State& state) {
    page(state, {});
}
void worst_first(benchmark::State& state) {
    page(state, {.sort = api::overview_sort::failures, .down = true});
}
void searched(benchmark::State& state) {
    page(state, {.contains = "7.example", .state = api::overview_state::attention});
}
void of_a_tenant(benchmark::State& state) {
    page(state, {.owner = "tenant 7", .sort = api::overview_sort::next});
}

} // namespace

int main(int argc, char** argv) {
    benchmark::Initialize(&argc, argv);
    // One database after the other: all questions of one before the next is filled.
    for (const int postgres : {0, 1})
        for (const int domains : {10'000, 100'000}) {
            if (postgres == 1 && domains > 10'000) // its database is filled once
                continue;
            for (const auto& [name, run] : std::vector<std::pair<std::string, void (*)(benchmark::State&)>>{
                     {"page/all", all_of_them},
                     {"page/worst_first", worst_first},
                     {"page/searched", searched},
                     {"page/of_a_tenant", of_a_tenant},
                     {"csv", csv},
                     {"changes", changes},
                     {"whole", whole}})
                benchmark::RegisterBenchmark(name.c_str(), run)
                    ->ArgNames({"postgres", "domains"})
                    ->Args({postgres, domains})
                    ->Unit(benchmark::kMillisecond)
                    ->UseRealTime();
        }
    benchmark::RunSpecifiedBenchmarks();
    return 0;
}
