// SPDX-License-Identifier: Apache-2.0
// Reports on their way out, on one core: a day's small report from counted results to gzip, its mail, the
// mail signed by both keys, and the signatures alone at the rate of the library. `all` does them in turns
// over many domains, and says what a signed mail costs beside 1.3 times its building and the bare signatures.
//   bench_reports_out
#include "base/crypto/keys.h"
#include "base/encode.h"
#include "deliver/compose.h"
#include "support/dkim.h"

#include <benchmark/benchmark.h>

#include <chrono>

#include <ctime>

namespace {
using namespace mailtight;
using namespace mailtight::deliver;

const base::utc_seconds now{std::chrono::seconds(1'795'000'000)};
const auto day = std::chrono::floor<std::chrono::days>(now) - std::chrono::days(1);

reporter who() {
    reporter out;
    out.organization = "Example Net";
    out.contact = "tls-reports@example.net";
    return out;
}
// What most destinations bring in a day: one policy, one failure or none.
std::vector<model::counted_result> results_of(std::size_t n) {
    model::counted_result out;
    out.day = day;
    out.domain = "d" + std::to_string(n) + ".example.com";
    out.policy.type = tlsrpt::policy_type::sts;
    out.policy.domain = out.domain;
    out.policy.strings = {"version: STSv1", "mode: enforce", "mx: mx1." + out.domain, "mx: mx2." + out.domain,
                          "max_age: 604800"};
    out.policy.mx_patterns = {"mx1." + out.domain, "mx2." + out.domain};
    out.success = 50 - n % 7;
    if (n % 3 == 0) {
        model::session_fault fault;
        fault.type = tlsrpt::result_type::certificate_expired;
        fault.sending_mta_ip = "192.0.2.1";
        fault.receiving_mx = fault.receiving_mx_helo = "mx1." + out.domain;
        fault.receiving_ip = "198.51.100.1";
        fault.reason_code = "X509_V_ERR_CERT_HAS_EXPIRED";
        out.faults = {{fault, 2}};
        out.failure = 2;
    }
    return {out};
}
model::due_report due_of(std::size_t n) {
    model::due_report out;
    out.day = day;
    out.domain = "d" + std::to_string(n) + ".example.com";
    return out;
}
model::outgoing_delivery to_of(std::size_t n) {
    model::outgoing_delivery out;
    out.number = static_cast<std::int64_t>(n) + 1;
    out.address = "tls@d" + std::to_string(n) + ".example.com";
    return out;
}
std::vector<mail::dkim_signer> signers() {
    std::vector<mail::dkim_signer> out;
    out.push_back(std::move(*mail::dkim_signer::make("example.net", "rsa", tests::rsa_pem())));
    out.push_back(std::move(*mail::dkim_signer::make("example.net", "ed", tests::ed25519_pem())));
    return out;
}

void report(benchmark::State& state) {
    const auto reporter = who();
    std::size_t n = 0, bytes = 0;
    for (auto _ : state) {
        ++n;
        bytes += file_report(reporter, due_of(n), 0, results_of(n), now).body.size();
    }
    state.SetItemsProcessed(state.iterations());
    state.counters["gzip_bytes"] = static_cast<double>(bytes) / static_cast<double>(n);
}
BENCHMARK(report)->Unit(benchmark::kMicrosecond);

void mail_of_a_report(benchmark::State& state) {
    const auto reporter = who();
    const auto filed = file_report(reporter, due_of(3), 0, results_of(3), now);
    const auto keys = state.range(0) != 0 ? signers() : std::vector<mail::dkim_signer>{};
    for (auto _ : state)
        benchmark::DoNotOptimize(make_mail(reporter, filed, to_of(3), keys, now));
    state.SetItemsProcessed(state.iterations());
}
BENCHMARK(mail_of_a_report)->ArgName("signed")->Arg(0)->Arg(1)->Unit(benchmark::kMicrosecond);

void bare_signature(benchmark::State& state) {
    const auto key =
        base::private_key::from_pem(state.range(0) != 0 ? tests::ed25519_pem() : tests::rsa_pem());
    const auto digest = base::sha256("x");
    for (auto _ : state)
        benchmark::DoNotOptimize(key->sign(digest));
    state.SetItemsProcessed(state.iterations());
}
BENCHMARK(bare_signature)->ArgName("ed25519")->Arg(0)->Arg(1)->Unit(benchmark::kMicrosecond);

// Of this thread's processor, since the machine is shared.
double processor_seconds() {
    std::timespec at{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &at);
    return static_cast<double>(at.tv_sec) + 1e-9 * static_cast<double>(at.tv_nsec);
}

// In turns of a hundred, so that what else the machine does meets all of them alike.
void all(benchmark::State& state) {
    constexpr std::size_t turn = 100;
    const auto reporter = who();
    const auto keys = signers();
    const auto rsa = base::private_key::from_pem(tests::rsa_pem());
    const auto ed = base::private_key::from_pem(tests::ed25519_pem());
    const auto digest = base::sha256("x");
    double reports = 0, unsigned_mails = 0, signed_mails = 0, bare = 0;
    std::size_t n = 0;
    std::vector<model::outgoing_report> filed;
    for (auto _ : state) {
        filed.clear();
        double at = processor_seconds();
        const auto lap = [&](double& to) {
            const double next = processor_seconds();
            to += next - at;
            at = next;
        };
        for (std::size_t i = 0; i < turn; ++i)
            filed.push_back(file_report(reporter, due_of(n + i), 0, results_of(n + i), now));
        lap(reports);
        for (std::size_t i = 0; i < turn; ++i)
            benchmark::DoNotOptimize(make_mail(reporter, filed[i], to_of(n + i), {}, now));
        lap(unsigned_mails);
        for (std::size_t i = 0; i < turn; ++i)
            benchmark::DoNotOptimize(make_mail(reporter, filed[i], to_of(n + i), keys, now));
        lap(signed_mails);
        for (std::size_t i = 0; i < turn; ++i) {
            benchmark::DoNotOptimize(rsa->sign(digest));
            benchmark::DoNotOptimize(ed->sign(digest));
        }
        lap(bare);
        n += turn;
    }
    constexpr double a_day = 200'000;
    const double each = 1 / static_cast<double>(n);
    const double build = (reports + unsigned_mails) * each;
    state.SetItemsProcessed(static_cast<std::int64_t>(n));
    state.counters["reports_200k_s"] = reports * each * a_day;
    state.counters["with_mails_200k_s"] = build * a_day;
    state.counters["signed_200k_s"] = (reports + signed_mails) * each * a_day;
    state.counters["signatures_200k_s"] = bare * each * a_day;
    // Goal: at most 1.
    state.counters["signed_of_goal"] = (reports + signed_mails) * each / (1.3 * build + bare * each);
}
BENCHMARK(all)->Unit(benchmark::kMillisecond)->MinTime(5);

} // namespace
