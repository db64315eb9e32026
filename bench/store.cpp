// SPDX-License-Identifier: Apache-2.0
// The store: reports a second into SQLite, beside bare batched inserts of the same rows, and what a dashboard
// asks of millions of policy-days. One report: two policies, two details, a body of a kilobyte and a half;
// 500 a transaction.
//   bench_store --benchmark_filter=import
//   bench_store --benchmark_filter=ask --days=10000000 --domains=10000
//                                  (fills its database first: minutes; 1,000,000 and 1,000 where not given)
// MAILTIGHT_BENCH_STORE=FOLDER     where the databases lie (default: the system's temporary folder)
// MAILTIGHT_BENCH_KEPT=FILE        one that is filled once and stays, to be asked again (with the same
// numbers) MAILTIGHT_BENCH_POSTGRES=host=... what is asked is asked of PostgreSQL, in a database that is
// empty or was
//                                  filled so by a run before; server_ms is the CPU that the server used
//                                  for one answer, where it runs on this machine
#include "store/store.h"
#include "base/compress.h"
#include "store/key.h"
#include "store/postgres/engine.h"
#include "store/schema.h"
#include "store/spans.h"
#include "store/sqlite/engine.h"
#include "store/words.h"
#include "support/reports.h"

#include <benchmark/benchmark.h>

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <vector>

namespace {
using namespace mailtight;
using store::sql::bytes;
using store::sql::values;

constexpr std::size_t batch = 500;
constexpr int domains = 100, reporters = 20;

std::filesystem::path fresh_file(const std::string& name) {
    const char* folder = std::getenv("MAILTIGHT_BENCH_STORE");
    const auto path = (folder ? std::filesystem::path(folder) : std::filesystem::temp_directory_path()) /
                      ("mailtight-bench-" + name + "-" + std::to_string(::getpid()) + ".db");
    for (const auto* end : {"", "-wal", "-shm"})
        std::filesystem::remove(path.string() + end);
    return path;
}
void remove_database(const std::filesystem::path& path) {
    for (const auto* end : {"", "-wal", "-shm"})
        std::filesystem::remove(path.string() + end);
}
std::string domain_name(int i) {
    return "domain" + std::to_string(i) + ".example";
}

// What a real body looks like to a compressor: names and numbers that change, the rest the same.
std::string body_of(const model::received_report& r) {
    std::string out =
        R"({"organization-name":")" + r.report.organization_name +
        R"(","date-range":{"start-datetime":"2026-05-03T00:00:00Z","end-datetime":"2026-05-03T23:59:59Z"},)"
        R"("contact-info":")" +
        r.report.contact_info + R"(","report-id":")" + r.report.report_id + R"(","policies":[)";
    for (const auto& p : r.report.policies) {
        out +=
            R"({"policy":{"policy-type":")" + p.type + R"(","policy-domain":")" + p.domain +
            R"(","policy-string":["version: STSv1","mode: enforce","mx: mx1.example.com","max_age: 604800"],)"
            R"("mx-host":["mx1.example.com"]},"summary":{"total-successful-session-count":)" +
            std::to_string(p.success) + R"(,"total-failure-session-count":)" + std::to_string(p.failure) +
            R"(},"failure-details":[)";
        for (const auto& d : p.details)
            out += R"({"result-type":")" + d.result_type + R"(","sending-mta-ip":")" + d.sending_mta_ip +
                   R"(","receiving-mx-hostname":")" + d.receiving_mx + R"(","receiving-ip":")" +
                   d.receiving_ip + R"(","failed-session-count":)" + std::to_string(d.count) +
                   R"(,"failure-reason-code":"X509_V_ERR_CERT_HAS_EXPIRED"},)";
        out += "]},";
    }
    return out + "]}";
}

std::vector<model::received_report> reports(std::size_t from, std::size_t count) {
    std::vector<model::received_report> out;
    for (std::size_t i = from; i < from + count; ++i) {
        auto r = tests::report("2026-05-03T00:00:00Z_" + std::to_string(i) + "_0123456789abcdef",
                               domain_name(static_cast<int>(i % domains)),
                               static_cast<unsigned>(1 + i / (domains * reporters) % 28), 100 + i % 1000, 2,
                               "reporter" + std::to_string(i / domains % reporters) + ".example.net");
        r.report.policies.push_back(tests::policy("tlsa", r.report_domain, 100 + i % 1000, 1));
        r.report.policies.back().strings = {
            "3 1 1 0B9FA5A59EED715C26C1020C711B4F6EC42D58B0015E14337A39DAD301C5AFC3"};
        r.report.policies.back().details = {tests::detail("validation-failure", 1)};
        r.json = body_of(r);
        out.push_back(std::move(r));
    }
    return out;
}

void say_rate(benchmark::State& state, std::size_t count) {
    state.counters["reports/s"] = benchmark::Counter(static_cast<double>(count), benchmark::Counter::kIsRate);
}

// `report import`: everything that add() does.
void import_reports(benchmark::State& state) {
    const auto path = fresh_file("import");
    auto opened = store::open({.where = path.string()});
    std::vector<std::string> names;
    for (int i = 0; i < domains; ++i)
        names.push_back(domain_name(i));
    if (!opened || !(*opened)->add_domains(names, {})) {
        state.SkipWithError("no store");
        return;
    }
    std::size_t done = 0;
    for (auto _ : state) {
        state.PauseTiming();
        const auto next = reports(done, batch);
        state.ResumeTiming();
        if (const auto out = (*opened)->add(next); !out) {
            state.SkipWithError(out.error().message.c_str());
            break;
        }
        done += batch;
    }
    say_rate(state, done);
    opened->reset();
    remove_database(path);
}
BENCHMARK(import_reports)->Unit(benchmark::kMillisecond)->MinTime(3);

// The same reports once more: nothing to write but that they came.
void import_duplicates(benchmark::State& state) {
    const auto path = fresh_file("duplicates");
    auto opened = store::open({.where = path.string()});
    const auto known = reports(0, batch);
    static_cast<void>((*opened)->add(known));
    std::size_t done = 0;
    for (auto _ : state) {
        benchmark::DoNotOptimize((*opened)->add(known));
        done += batch;
    }
    say_rate(state, done);
    opened->reset();
    remove_database(path);
}
BENCHMARK(import_duplicates)->Unit(benchmark::kMillisecond);

// The floor: the rows of the same reports, written as bare inserts in transactions of the same size.
void import_floor(benchmark::State& state) {
    const auto path = fresh_file("floor");
    auto on = store::sqlite::connect({.where = path.string()});
    store::migrate(*on, store::reports_schema());
    std::int64_t number = 0;
    for (auto _ : state) {
        state.PauseTiming();
        const auto next = reports(static_cast<std::size_t>(number), batch);
        std::vector<std::string> keys, bodies;
        for (const auto& r : next) {
            keys.push_back(store::key_of(r, r.submitter));
            bodies.push_back(base::gzip(r.json));
        }
        state.ResumeTiming();
        on->begin(store::sql::access::write);
        for (std::size_t i = 0; i < next.size(); ++i) {
            const auto& r = next[i];
            ++number;
            on->run("insert into report values ($1, $2, $3, $4, 1, 0, '', 3, 1, $5, $6, $7, $8, $9, $10, "
                    "$11, 2, 2, 0, "
                    "'smtp', 'mail', $12, $13, $14, $15, $16, $17, $18, $19, 1, 'pass', $20, 's1', '', '', "
                    "'', '', 0, $21)",
                    {number,
                     bytes{keys[i]},
                     bytes{keys[i]},
                     number,
                     r.submitter,
                     r.report_domain,
                     r.report.start,
                     r.report.end,
                     r.received_at,
                     r.report.policies[0].success,
                     r.report.policies[0].failure,
                     r.report.organization_name,
                     r.report.contact_info,
                     r.report.report_id,
                     r.report_domain,
                     r.submitter,
                     r.recipient,
                     r.source,
                     r.trust_reason,
                     r.dkim.domain,
                     20'000});
            on->run("insert into body values ($1, $2, $3)", {number, r.received_at, bytes{bodies[i]}});
            on->run("insert into about values ($1, $2, $3, 1)", {r.report_domain, 20'000, number});
            for (std::size_t p = 0; p < 2; ++p) {
                const auto& policy = r.report.policies[p];
                on->run("insert into policy_result values ($1, $2, $3, $4, 1, '', 1, '', '', $5, $6)",
                        {number, static_cast<std::int64_t>(p), policy.type, policy.domain, policy.success,
                         policy.failure});
                const auto& d = policy.details[0];
                on->run("insert into detail values ($1, $2, 0, $3, $4, $5, $6, $7, $8, '', $9)",
                        {number, static_cast<std::int64_t>(p), d.result_type, d.count, d.sending_mta_ip,
                         d.receiving_mx, d.receiving_mx_helo, d.receiving_ip, d.reason_code});
            }
        }
        on->commit();
    }
    say_rate(state, static_cast<std::size_t>(number));
    on.reset();
    remove_database(path);
}
BENCHMARK(import_floor)->Unit(benchmark::kMillisecond)->MinTime(3);

// ---- questions ----
std::int64_t policy_days = 1'000'000;
int asked_domains = 1'000;
constexpr int asked_reporters = 10;
constexpr std::int64_t first_day = 20'000;
std::int64_t days_each = 0;

const char* postgres() {
    return std::getenv("MAILTIGHT_BENCH_POSTGRES");
}

// A database of so many (domain, day, reporter) rows, two policies each, written straight into the totals; a
// failure on every tenth.
const std::string& filled() {
    static const auto where = [] {
        const char* kept = std::getenv("MAILTIGHT_BENCH_KEPT");
        std::string place = postgres() ? postgres() : kept ? kept : fresh_file("questions").string();
        std::vector<std::string> names;
        for (int i = 0; i < asked_domains; ++i)
            names.push_back(domain_name(i));
        auto made = store::open({.where = place});
        static_cast<void>((*made)->add_domains(names, {}));
        made->reset();
        auto on = postgres() ? store::postgres::connect({.where = place})
                             : store::sqlite::connect({.where = place});
        days_each = policy_days / 2 / (asked_domains * asked_reporters);
        if (on->number("select count(*) from reporter_name") == asked_reporters)
            return place; // by a run before
        on->begin(store::sql::access::write);
        store::dictionary words("word", "text"), texts("policy_text", "strings");
        const auto sts = words.enter(*on, "sts"), tlsa = words.enter(*on, "tlsa");
        const auto expired = words.enter(*on, "certificate-expired"),
                   mx = words.enter(*on, "mx1.example.com");
        const auto text = texts.enter(*on, R"(["version: STSv1","mode: enforce"])");
        std::vector<std::int64_t> who;
        for (int i = 0; i < asked_reporters; ++i)
            who.push_back(words.enter(*on, "reporter" + std::to_string(i) + ".example.net"));
        std::vector<std::int64_t> own;
        on->query("select word from own_domain order by name", {},
                  [&](const store::sql::row& r) { own.push_back(r.integer(0)); });
        const auto nothing = [](std::size_t, const store::sql::row&) {};
        for (const auto domain : own) {
            std::vector<values> of_domain, of_reporters, of_policies, of_failures, seen;
            for (std::int64_t d = 0; d < days_each; ++d) {
                const auto day = first_day + d;
                of_domain.push_back({domain, day});
                for (const auto reporter : who) {
                    of_reporters.push_back({domain, reporter, day});
                    for (const auto type : {sts, tlsa})
                        of_policies.push_back({domain, day, reporter, type, text});
                }
                of_failures.push_back({domain, day, who[static_cast<std::size_t>(d % asked_reporters)], sts,
                                       expired, mx, text});
            }
            for (const auto reporter : who)
                seen.push_back({domain, reporter});
            on->query_each("insert into domain_day values ($1, $2, 10, 10, 1000, 1, 1000, 1, 1000, 0, 0, 0)",
                           of_domain, nothing);
            on->query_each("insert into reporter_day values ($1, $2, $3, 1, 1, 100, 0, 100, 0, 100, 0, 0, 0)",
                           of_reporters, nothing);
            on->query_each("insert into policy_day values ($1, $2, $3, $4, $5, 1, 100, 0)", of_policies,
                           nothing);
            on->query_each("insert into failure_day values ($1, $2, $3, $4, $5, 0, $6, 1, 1, 0, 0, 0, $7)",
                           of_failures, nothing);
            on->query_each("insert into reporter_seen values ($1, $2, 'Reporter', 1750000000, '1750086399 "
                           "1749999999 1749913599', 3)",
                           seen, nothing);
        }
        // By the days that they come in, as reports do: PostgreSQL's rows lie so.
        store::span_sums spans;
        for (std::int64_t d = 0; d < days_each; ++d) {
            for (const auto domain : own) {
                spans.add_day(domain, first_day + d, 10, 1000, 1);
                spans.add_failure(first_day + d, {domain, sts, expired, 0, mx}, 1, 1);
            }
            if (d % 9 == 8 || d + 1 == days_each)
                spans.write(*on);
        }
        std::vector<values> all_reporters, all_failures, called;
        for (std::int64_t d = 0; d < days_each; ++d) {
            for (const auto reporter : who)
                all_reporters.push_back({first_day + d, reporter, asked_domains, 100 * asked_domains});
            all_failures.push_back({first_day + d, who[static_cast<std::size_t>(d % asked_reporters)], sts,
                                    expired, mx, asked_domains});
        }
        for (const auto reporter : who)
            called.push_back({reporter});
        on->query_each("insert into all_reporter_day values ($1, $2, $3, $3, $4, 0, $4, 0, $4, 0, 0, 0)",
                       all_reporters, nothing);
        on->query_each("insert into all_failure_day values ($1, $2, $3, $4, $5, $6, $6)", all_failures,
                       nothing);
        on->query_each("insert into reporter_name values ($1, 'Reporter', 3, 1750000000)", called, nothing);
        on->commit();
        if (postgres()) // as autovacuum does
            on->run("analyze");
        return place;
    }();
    return where;
}

store::filter last(int days, bool one_domain) {
    store::filter out;
    const auto today = store::day(std::chrono::days(first_day + days_each - 1));
    out.from = today - std::chrono::days(days - 1);
    out.to = today;
    if (one_domain)
        out.domains = {domain_name(asked_domains / 2)};
    return out;
}

/// What the server's processes that answer us have used, where it runs on this machine: to be added to what
/// is measured here.
class server_time {
public:
    server_time() {
        if (!postgres())
            return;
        const auto on = store::postgres::connect({.where = postgres()});
        on->query("select pid from pg_stat_activity where datname = current_database() and pid <> "
                  "pg_backend_pid() and backend_type = 'client backend'",
                  {}, [&](const store::sql::row& r) { pids_.push_back(r.integer(0)); });
        before_ = used();
    }
    void say(benchmark::State& state) const {
        if (postgres())
            state.counters["server_ms"] = (used() - before_) / static_cast<double>(state.iterations());
    }

private:
    double used() const {
        double ticks = 0;
        for (const auto pid : pids_) {
            std::ifstream in("/proc/" + std::to_string(pid) + "/stat");
            std::string text(std::istreambuf_iterator<char>(in), {});
            // After the name, which ends with the last bracket: the 12th and 13th are user and system time.
            std::istringstream rest(text.substr(std::min(text.rfind(')') + 1, text.size())));
            std::string word;
            for (int i = 0; i < 13 && rest >> word; ++i)
                if (i >= 11)
                    ticks += std::atof(word.c_str());
        }
        return ticks * 1000 / static_cast<double>(::sysconf(_SC_CLK_TCK));
    }
    std::vector<std::int64_t> pids_;
    double before_ = 0;
};

template<class Ask>
void ask(benchmark::State& state, Ask question) {
    auto opened = store::open({.where = filled(), .read_only = true});
    const server_time server;
    std::size_t rows = 0;
    for (auto _ : state) {
        const auto out = question(**opened);
        if (!out) {
            state.SkipWithError(out.error().message.c_str());
            return;
        }
        rows = out->size();
    }
    server.say(state);
    state.counters["rows"] = static_cast<double>(rows);
    rusage used{};
    getrusage(RUSAGE_SELF, &used);
    state.counters["resident_MB"] = static_cast<double>(used.ru_maxrss) / 1024;
}
void ask_days_of_a_domain(benchmark::State& s) {
    ask(s, [](store::store& on) { return on.days(last(90, true)); });
}
void ask_days_of_all_domains(benchmark::State& s) {
    ask(s, [](store::store& on) { return on.days(last(30, false)); });
}
void ask_reporters_of_a_domain(benchmark::State& s) {
    ask(s, [](store::store& on) { return on.reporters(last(90, true)); });
}
void ask_reporters_of_all_domains(benchmark::State& s) {
    ask(s, [](store::store& on) { return on.reporters(last(30, false)); });
}
void ask_failures_of_a_domain(benchmark::State& s) {
    ask(s, [](store::store& on) { return on.failures(last(90, true)); });
}
void ask_failures_of_all_domains(benchmark::State& s) {
    ask(s, [](store::store& on) { return on.failures(last(14, false)); });
}
void ask_policies_of_a_domain(benchmark::State& s) {
    ask(s, [](store::store& on) { return on.policies(last(90, true)); });
}
void ask_results_of_all_domains(benchmark::State& s) {
    ask(s, [](store::store& on) { return on.results(last(30, false)); });
}
void ask_reporter_days_of_a_domain(benchmark::State& s) {
    ask(s, [](store::store& on) { return on.reporter_days(last(30, true)); });
}
void ask_reporter_days_of_all_domains(benchmark::State& s) {
    ask(s, [](store::store& on) { return on.reporter_days(last(30, false)); });
}

/// Everything that the page of a period asks.
void ask_period(benchmark::State& state, bool one_domain) {
    auto opened = store::open({.where = filled(), .read_only = true});
    auto& on = **opened;
    const auto of = last(30, one_domain);
    auto apart = of;
    apart.what = store::filter::which::quarantined;
    const server_time server;
    for (auto _ : state) {
        const bool good = on.reporter_days(of) && on.worst_domains(of, 100) &&
                          (!one_domain || (on.days(of) && on.reporters(of))) && on.reporters_by_mx(of) &&
                          on.results(of) && on.quarantine(apart) && on.newest_day(of.domains) && on.domains();
        if (!good)
            state.SkipWithError("no answer");
    }
    server.say(state);
}
void ask_period_of_a_domain(benchmark::State& s) {
    ask_period(s, true);
}
void ask_period_of_all_domains(benchmark::State& s) {
    ask_period(s, false);
}
/// Everything that the page of failures asks: the worst kinds, and what else is said of their domains.
void ask_worst_failures(benchmark::State& state) {
    auto opened = store::open({.where = filled(), .read_only = true});
    auto& on = **opened;
    const server_time server;
    for (auto _ : state) {
        auto of = last(30, false);
        const auto worst = on.worst_failures(of, 100);
        if (!worst) {
            state.SkipWithError("no answer");
            return;
        }
        for (const auto& row : worst->rows)
            if (of.domains.empty() || of.domains.back() != row.domain)
                of.domains.push_back(row.domain);
        std::ranges::sort(of.domains);
        const auto [end, last_one] = std::ranges::unique(of.domains);
        of.domains.erase(end, last_one);
        if (!on.reporters(of) || !on.policies(of))
            state.SkipWithError("no answer");
        state.counters["domains"] = static_cast<double>(of.domains.size());
    }
    server.say(state);
}
BENCHMARK(ask_reporter_days_of_a_domain)->Unit(benchmark::kMillisecond);
BENCHMARK(ask_reporter_days_of_all_domains)->Unit(benchmark::kMillisecond);
void ask_worst_domains(benchmark::State& s) {
    ask(s, [](store::store& on) { return on.worst_domains(last(30, false), 100); });
}
void ask_hosts_of_all_domains(benchmark::State& s) {
    ask(s, [](store::store& on) { return on.reporters_by_mx(last(30, false)); });
}
void ask_kinds_of_all_domains(benchmark::State& s) {
    ask(s, [](store::store& on) -> store::result<std::vector<store::failure_row>> {
        auto worst = on.worst_failures(last(30, false), 100);
        if (!worst)
            return std::unexpected(worst.error());
        return std::move(worst->rows);
    });
}
BENCHMARK(ask_worst_domains)->Unit(benchmark::kMillisecond);
BENCHMARK(ask_hosts_of_all_domains)->Unit(benchmark::kMillisecond);
BENCHMARK(ask_kinds_of_all_domains)->Unit(benchmark::kMillisecond);
BENCHMARK(ask_period_of_a_domain)->Unit(benchmark::kMillisecond);
BENCHMARK(ask_period_of_all_domains)->Unit(benchmark::kMillisecond);
BENCHMARK(ask_worst_failures)->Unit(benchmark::kMillisecond);
BENCHMARK(ask_days_of_a_domain)->Unit(benchmark::kMillisecond);
BENCHMARK(ask_days_of_all_domains)->Unit(benchmark::kMillisecond);
BENCHMARK(ask_reporters_of_a_domain)->Unit(benchmark::kMillisecond);
BENCHMARK(ask_reporters_of_all_domains)->Unit(benchmark::kMillisecond);
BENCHMARK(ask_failures_of_a_domain)->Unit(benchmark::kMillisecond);
BENCHMARK(ask_failures_of_all_domains)->Unit(benchmark::kMillisecond);
BENCHMARK(ask_policies_of_a_domain)->Unit(benchmark::kMillisecond);
BENCHMARK(ask_results_of_all_domains)->Unit(benchmark::kMillisecond);

} // namespace

int main(int argc, char** argv) {
    std::vector<char*> kept;
    for (int i = 0; i < argc; ++i) {
        const std::string_view word = argv[i];
        if (word.starts_with("--days="))
            policy_days = std::atoll(word.substr(7).data());
        else if (word.starts_with("--domains="))
            asked_domains = std::atoi(word.substr(10).data());
        else
            kept.push_back(argv[i]);
    }
    int count = static_cast<int>(kept.size());
    benchmark::Initialize(&count, kept.data());
    benchmark::RunSpecifiedBenchmarks();
    if (days_each > 0 && !postgres() && !std::getenv("MAILTIGHT_BENCH_KEPT"))
        remove_database(filled());
    return 0;
}
