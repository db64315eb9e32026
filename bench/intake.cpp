// SPDX-License-Identifier: Apache-2.0
// A whole report mail on its way in, on one core: MIME, gunzip, parse, attribution and trust, with and
// without a DKIM signature to verify (its key cached), beside the bare limit over the same body (gunzip and
// parse alone).
//   bench_intake --benchmark_filter=mail
#include "intake/examine.h"

#include "base/compress.h"
#include "base/encode.h"
#include "support/dkim.h"
#include "tlsrpt/write_report.h"

#include <benchmark/benchmark.h>

namespace {
using namespace mailtight;

constexpr base::utc_seconds day = std::chrono::sys_days{std::chrono::year{2026} / 5 / 3};
constexpr base::utc_seconds mailed = day + std::chrono::hours(30);

/// What a large sender reports of an ordinary day: one policy, a few failures.
tlsrpt::report make_report(std::size_t details) {
    tlsrpt::report out;
    out.organization_name = "Reporter Inc.";
    out.contact_info = "tls@reporter.example";
    out.report_id = "2026-05-03T00:00:00Z_example.com";
    out.start = day;
    out.end = day + std::chrono::seconds(86'399);
    tlsrpt::policy_result policy;
    policy.type = "sts";
    policy.domain = "example.com";
    policy.strings = {"version: STSv1", "mode: enforce", "mx: mx1.example.com", "mx: mx2.example.com",
                      "max_age: 604800"};
    policy.mx_patterns = {"mx1.example.com", "mx2.example.com"};
    policy.success = 1'204;
    for (std::size_t i = 0; i < details; ++i) {
        tlsrpt::failure_detail detail;
        detail.result_type = "certificate-expired";
        detail.count = 1;
        detail.sending_mta_ip = "192.0.2." + std::to_string(i % 250 + 1);
        detail.receiving_mx = "mx1.example.com";
        detail.receiving_ip = "198.51.100.7";
        policy.details.push_back(std::move(detail));
        ++policy.failure;
    }
    out.policies.push_back(std::move(policy));
    return out;
}

std::string make_mail(const std::string& gz) {
    const auto text = base::base64(gz);
    std::string body;
    for (std::size_t at = 0; at < text.size(); at += 76)
        body += text.substr(at, 76) + "\r\n";
    return "From: TLS Reports <tls@reporter.example>\r\nTo: tls-report@reports.example\r\n"
           "Subject: Report Domain: example.com Submitter: reporter.example Report-ID: "
           "<2026.05.03T00.00.00Z+example.com@reporter.example>\r\n"
           "Date: Mon, 04 May 2026 06:00:00 +0000\r\nMessage-ID: "
           "<000000000000f47cc505e8c8905c@reporter.example>\r\n"
           "TLS-Report-Domain: example.com\r\nTLS-Report-Submitter: reporter.example\r\nMIME-Version: 1.0\r\n"
           "Content-Type: multipart/report; boundary=\"000000000000f47cb005e8c8905b\"; "
           "report-type=tlsrpt\r\n\r\n"
           "--000000000000f47cb005e8c8905b\r\nContent-Type: text/plain; charset=\"UTF-8\"\r\n\r\n"
           "This is an aggregate TLS report from reporter.example\r\n\r\n--000000000000f47cb005e8c8905b\r\n"
           "Content-Type: application/tlsrpt+gzip; "
           "name=\"reporter.example!example.com!1777766400!1777852799!001.json.gz\""
           "\r\nContent-Disposition: attachment; "
           "filename=\"reporter.example!example.com!1777766400!1777852799!001.json.gz\"\r\n"
           "Content-Transfer-Encoding: base64\r\n\r\n" +
           body + "--000000000000f47cb005e8c8905b--\r\n";
}
std::string sign(const std::string& mail, const std::string& pem) {
    return mail::dkim_signer::make("reporter.example", "s1", pem).value().sign(mail, mailed) + mail;
}
std::string key_of(const std::string& kind, const std::string& pem) {
    return "v=DKIM1; k=" + kind + "; p=" + tests::key_base64(pem);
}

void examine(benchmark::State& state, const std::string& mail, const mail::dkim_keys& keys,
             model::trust expected) {
    intake::examiner reads;
    intake::circumstances how;
    how.way = model::way_in::lmtp;
    how.now = mailed;
    for (auto _ : state) {
        const auto found = reads.examine(mail, how, keys);
        if (found.reports.size() != 1 || found.reports[0].trust != expected)
            state.SkipWithError("not what was sent");
        benchmark::DoNotOptimize(found);
    }
    state.SetItemsProcessed(state.iterations());
    state.SetBytesProcessed(static_cast<std::int64_t>(mail.size()) * state.iterations());
}

void mail_unsigned(benchmark::State& state) {
    const auto mail =
        make_mail(base::gzip(tlsrpt::write_report(make_report(static_cast<std::size_t>(state.range(0))))));
    examine(state, mail, tests::fixed_keys(), model::trust::rejected);
}
void mail_rsa2048(benchmark::State& state) {
    const auto mail =
        make_mail(base::gzip(tlsrpt::write_report(make_report(static_cast<std::size_t>(state.range(0))))));
    const tests::fixed_keys keys("s1._domainkey.reporter.example", key_of("rsa", tests::rsa_pem()));
    examine(state, sign(mail, tests::rsa_pem()), keys, model::trust::verified);
}
void mail_ed25519(benchmark::State& state) {
    const auto mail =
        make_mail(base::gzip(tlsrpt::write_report(make_report(static_cast<std::size_t>(state.range(0))))));
    const tests::fixed_keys keys("s1._domainkey.reporter.example", key_of("ed25519", tests::ed25519_pem()));
    examine(state, sign(mail, tests::ed25519_pem()), keys, model::trust::verified);
}
// The limit: what a mail cannot be read without.
void body_floor(benchmark::State& state) {
    const auto gz = base::gzip(tlsrpt::write_report(make_report(static_cast<std::size_t>(state.range(0)))));
    tlsrpt::report_reader reads;
    for (auto _ : state) {
        auto bodies = reads.read(gz);
        benchmark::DoNotOptimize(bodies);
    }
    state.SetItemsProcessed(state.iterations());
}

BENCHMARK(body_floor)->Arg(2)->Arg(100);
BENCHMARK(mail_unsigned)->Arg(2)->Arg(100);
BENCHMARK(mail_rsa2048)->Arg(2)->Arg(100);
BENCHMARK(mail_ed25519)->Arg(2)->Arg(100);
} // namespace
