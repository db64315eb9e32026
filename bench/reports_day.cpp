// SPDX-License-Identifier: Apache-2.0
// A day of reports out, end to end, at the size of a large provider. `collected`: datagrams of 10,000,000
// sessions to 200,000 domains, second by second, through pile, collector and SQLite. `sent`: 200,000 domains'
// results through the sender: taken, looked up, read, composed, compressed, filed; then made into mails,
// signed by both keys or not, and handed to a server that takes all at once. CPU is that of the process,
// without what makes the input; "of_goal" is the share of the goal, at most 1 where it is reached.
//   MAILTIGHT_BENCH_WHOLE_DAY=1 bench_reports_day       else a tenth of the domains
//   MAILTIGHT_BENCH_DOMAINS=5 bench_reports_day         so many thousand domains
#include "base/crypto/keys.h"
#include "base/encode.h"
#include "deliver/sender.h"
#include "farm/result_datagrams.h"
#include "store/results.h"
#include "support/dkim.h"
#include "support/scratch.h"
#include "tally/collector.h"

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <malloc.h>
#include <sys/resource.h>

#include <cmath>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <random>

namespace {
using namespace mailtight;
using namespace std::chrono_literals;

constexpr std::chrono::sys_days the_day{std::chrono::year(2026) / 5 / 3};
constexpr double day_domains = 200'000;
constexpr std::size_t seconds_a_day = 86'400, domain_sessions = 50;
constexpr double memory_goal_mb = 150, filing_goal_s = 30;

struct still_clock final : base::clock {
    base::utc_seconds at;
    explicit still_clock(base::utc_seconds when)
        : at(when) {}
    base::utc_seconds now() const override { return at; }
};

double cpu_of(clockid_t which) {
    std::timespec at{};
    ::clock_gettime(which, &at);
    return static_cast<double>(at.tv_sec) + 1e-9 * static_cast<double>(at.tv_nsec);
}
double process_cpu() {
    return cpu_of(CLOCK_PROCESS_CPUTIME_ID);
}

/// Megabytes that the process has, or had at most since it was last asked to forget.
double memory_mb(std::string_view line) {
    std::ifstream in("/proc/self/status");
    for (std::string text; std::getline(in, text);)
        if (text.starts_with(line))
            return std::strtod(text.c_str() + line.size() + 1, nullptr) / 1'024;
    return 0;
}
void forget_peak() {
    ::malloc_trim(0);
    std::ofstream("/proc/self/clear_refs") << "5";
}
double size_mb(const std::filesystem::path& folder) {
    double all = 0;
    for (const auto& each : std::filesystem::directory_iterator(folder))
        all += static_cast<double>(each.file_size()) / 1e6;
    return all;
}

// Ranks by inversion of a continuous 1/x density: near enough to Zipf, and quick.
class mail_day {
public:
    explicit mail_day(std::size_t domains)
        : domains_(domains) {}
    std::string session() {
        const double u = std::uniform_real_distribution<double>()(random_);
        const auto rank = static_cast<std::size_t>(std::pow(static_cast<double>(domains_), u)) - 1;
        const std::size_t kind = random_() % 50 == 0 ? 9 : 0; // one in 50 fails
        return bench::result_datagram(std::min(domains_ - 1, rank) * 10 + kind, domains_);
    }
    std::string first_of(std::size_t domain) { return bench::result_datagram(domain * 10, domains_); }

private:
    std::size_t domains_;
    std::mt19937_64 random_{1};
};

void collected(benchmark::State& state) {
    const auto domains = static_cast<std::size_t>(state.range(0));
    const auto sessions = domains * domain_sessions;
    for (auto _ : state) {
        const tests::scratch_folder folder;
        const auto where = (folder.path() / "store.db").string();
        const still_clock noon(the_day + 12h);
        io::loop loop;
        tally::collector_options options;
        options.machine = "bench";
        options.open = [&] { return store::open_results({.where = where}); };
        tally::collector into(
            loop, noon,
            [](std::string_view domain) {
                model::policy_facts nothing;
                nothing.domain = domain;
                return nothing;
            },
            options);
        into.start();
        forget_peak();
        const auto before = memory_mb("VmRSS:");
        mail_day day(domains);
        double making = 0, slowest = 0;
        const auto second = [&](std::size_t count, auto make) {
            const auto from = cpu_of(CLOCK_THREAD_CPUTIME_ID);
            std::vector<std::string> datagrams;
            for (std::size_t i = 0; i < count; ++i)
                datagrams.push_back(make(i));
            making += cpu_of(CLOCK_THREAD_CPUTIME_ID) - from;
            auto pile = into.spare(8u << 20);
            for (const auto& each : datagrams)
                if (!pile.add(each))
                    std::abort();
            const auto begun = std::chrono::steady_clock::now();
            into.take(std::move(pile), noon.at);
            if (!loop.block_on(into.flush()))
                std::abort();
            const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begun;
            slowest = std::max(slowest, took.count());
        };
        const auto cpu = process_cpu();
        const auto begun = std::chrono::steady_clock::now();
        constexpr std::size_t at_first = 1'000; // each domain once
        for (std::size_t i = 0; i < domains; i += at_first)
            second(at_first, [&](std::size_t k) { return day.first_of(i + k); });
        const auto a_second = std::max<std::size_t>(1, 10'000'000 / seconds_a_day + 1);
        std::size_t left = sessions - domains, flushes = 0;
        for (; left > 0; ++flushes) {
            const auto some = std::min(left, a_second);
            second(some, [&](std::size_t) { return day.session(); });
            left -= some;
        }
        const auto used = process_cpu() - cpu - making;
        const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - begun;
        const auto figures = into.counted();
        if (figures.sessions != sessions || figures.bad_datagrams != 0)
            state.SkipWithError("not all sessions were counted");
        const auto peak = memory_mb("VmHWM:");
        into.stop();
        state.counters["sessions"] = static_cast<double>(sessions);
        state.counters["cpu_s"] = used;
        state.counters["us_each"] = used * 1e6 / static_cast<double>(sessions);
        state.counters["of_a_core"] = used / static_cast<double>(flushes);
        state.counters["slowest_ms"] = slowest * 1e3;
        state.counters["wall_s"] = wall.count();
        state.counters["before_MB"] = before;
        state.counters["peak_MB"] = peak;
        state.counters["memory_of_goal"] = peak / memory_goal_mb;
        state.counters["store_MB"] = size_mb(folder.path());
    }
}

// What most destinations bring in a day: one policy, one failure or none.
std::vector<model::counted_result> results_of(std::size_t from, std::size_t to) {
    std::vector<model::counted_result> out;
    for (auto n = from; n < to; ++n) {
        auto& one = out.emplace_back();
        one.day = the_day;
        one.domain = fmt::format("d{}.example.com", n);
        one.policy = {.type = tlsrpt::policy_type::sts,
                      .domain = one.domain,
                      .strings = {"version: STSv1", "mode: enforce", "mx: mx1." + one.domain,
                                  "mx: mx2." + one.domain, "max_age: 604800"},
                      .mx_patterns = {"mx1." + one.domain, "mx2." + one.domain}};
        one.success = 50 - n % 7;
        if (n % 3 == 0) {
            one.faults = {{.what = {.type = tlsrpt::result_type::certificate_expired,
                                    .sending_mta_ip = "192.0.2.1",
                                    .receiving_mx = "mx1." + one.domain,
                                    .receiving_ip = "198.51.100.1",
                                    .reason_code = "X509_V_ERR_CERT_HAS_EXPIRED"},
                           .count = 2}};
            one.failure = 2;
        }
    }
    return out;
}

/// What one signature by each key costs, alone: the rate of `openssl speed`. Measured in turns with the run,
/// so that what else the machine does meets both alike.
class bare_signatures {
public:
    void measure() {
        const auto from = cpu_of(CLOCK_THREAD_CPUTIME_ID);
        benchmark::DoNotOptimize(rsa_->sign(digest_));
        benchmark::DoNotOptimize(ed_->sign(digest_));
        used_ += cpu_of(CLOCK_THREAD_CPUTIME_ID) - from;
        ++times_;
    }
    double used() const { return used_; }
    double each() const { return used_ / static_cast<double>(std::max<std::size_t>(times_, 1)); }

private:
    std::expected<base::private_key, std::string> rsa_ = base::private_key::from_pem(tests::rsa_pem()),
                                                  ed_ = base::private_key::from_pem(tests::ed25519_pem());
    std::string digest_ = base::sha256("x");
    double used_ = 0;
    std::size_t times_ = 0;
};

io::task<std::optional<std::vector<std::string>>> say_record(std::string domain) {
    co_return std::vector<std::string>{"v=TLSRPTv1; rua=mailto:tls@" + domain};
}
io::task<io::mail_sent> take_mail(std::size_t& taken, bare_signatures* beside) {
    if (++taken % 10 == 0 && beside)
        beside->measure();
    io::mail_sent out;
    out.outcome = {
        .accepted = true, .temporary = false, .code = 250, .enhanced = {}, .text = {}, .stage = {}};
    co_return out;
}
io::task<io::http_answer> take_post() {
    co_return io::http_answer{};
}

struct run_figures {
    double cpu = 0, wall = 0, peak_mb = 0;
};
/// A sender over the store, until `over`.
run_figures run_sender(const std::string& where, std::size_t at_once, bare_signatures* sign,
                       std::size_t& taken, const std::function<bool(const deliver::sender&)>& over) {
    io::loop loop;
    const still_clock later(the_day + 48h);
    deliver::sender_options options;
    options.who = {.organization = "Example Net", .contact = "tls-reports@example.net"};
    options.rails.per_day = 10'000'000;
    options.rails.per_host = 10'000'000;
    options.machine = "bench";
    options.at_once = at_once;
    options.look_every = 10ms;
    options.open = [where] { return store::open_results({.where = where}); };
    if (sign) {
        auto keys = std::make_shared<deliver::key_ring>();
        keys->signers.push_back(std::move(*mail::dkim_signer::make("example.net", "rsa", tests::rsa_pem())));
        keys->signers.push_back(
            std::move(*mail::dkim_signer::make("example.net", "ed", tests::ed25519_pem())));
        options.keys = keys;
    }
    deliver::ways_out out{
        .mail = [&](wire::outgoing_mail, model::address_family) { return take_mail(taken, sign); },
        .post = [](io::http_call) { return take_post(); },
        .record = [](std::string domain) { return say_record(std::move(domain)); }};
    forget_peak();
    const auto cpu = process_cpu();
    const auto begun = std::chrono::steady_clock::now();
    deliver::sender sender(loop, out, later, later, options);
    sender.start();
    loop.block_on([](io::loop& on, deliver::sender& s,
                     const std::function<bool(const deliver::sender&)>& done) -> io::task<> {
        while (!done(s))
            co_await on.sleep_for(2ms);
        s.stop();
        while (!s.idle())
            co_await on.sleep_for(2ms);
    }(loop, sender, over));
    const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - begun;
    return {.cpu = process_cpu() - cpu - (sign ? sign->used() : 0),
            .wall = wall.count(),
            .peak_mb = memory_mb("VmHWM:")};
}

void sent(benchmark::State& state) {
    const auto domains = static_cast<std::size_t>(state.range(0));
    const auto half = domains / 2;
    const auto n = static_cast<double>(domains);
    for (auto _ : state) {
        const tests::scratch_folder folder;
        const auto where = (folder.path() / "store.db").string();
        {
            auto s = store::open_results({.where = where});
            std::int64_t number = 0;
            for (std::size_t i = 0; i < domains; i += 1'000) {
                const auto rows = results_of(i, i + 1'000);
                if (!s || !(*s)->add({.machine = "bench", .number = ++number, .results = rows}, 4h, 1'000))
                    std::abort();
            }
        }
        std::size_t taken = 0;
        // Nothing goes out while the reports are made.
        const auto filing =
            run_sender(where, 0, nullptr, taken, [&](const auto& s) { return s.counted().filed == domains; });
        const auto plain = run_sender(where, 20, nullptr, taken, [&](const auto&) { return taken >= half; });
        const auto plain_taken = static_cast<double>(taken);
        taken = 0;
        bare_signatures beside;
        const auto others = domains - static_cast<std::size_t>(plain_taken);
        const auto sign = run_sender(where, 20, &beside, taken, [&](const auto&) { return taken >= others; });
        if (taken != others)
            state.SkipWithError("not each report was sent once");
        const auto signature = beside.each();
        const double build = filing.cpu / n + plain.cpu / plain_taken;
        const double with_signatures = filing.cpu / n + sign.cpu / static_cast<double>(others);
        state.counters["file_200k_cpu_s"] = filing.cpu / n * day_domains;
        state.counters["file_of_goal"] = filing.cpu / n * day_domains / filing_goal_s;
        state.counters["file_wall_s"] = filing.wall;
        state.counters["file_peak_MB"] = filing.peak_mb;
        state.counters["plain_us"] = plain.cpu * 1e6 / plain_taken;
        state.counters["signed_us"] = sign.cpu * 1e6 / static_cast<double>(others);
        state.counters["signatures_us"] = signature * 1e6;
        state.counters["signed_of_goal"] = with_signatures / (1.3 * build + signature);
        state.counters["signed_200k_cpu_s"] = with_signatures * day_domains;
        state.counters["send_peak_MB"] = std::max(plain.peak_mb, sign.peak_mb);
        state.counters["store_MB"] = size_mb(folder.path());
    }
}

void sizes(benchmark::internal::Benchmark* of) {
    of->ArgName("domains")->Iterations(1)->Unit(benchmark::kSecond)->UseRealTime();
    const char* whole = std::getenv("MAILTIGHT_BENCH_WHOLE_DAY");
    const char* domains = std::getenv("MAILTIGHT_BENCH_DOMAINS");
    of->Arg(whole ? 200'000 : domains ? std::max(1L, std::atol(domains)) * 1'000 : 20'000);
}
BENCHMARK(collected)->Apply(sizes);
BENCHMARK(sent)->Apply(sizes);

} // namespace
