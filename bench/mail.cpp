// SPDX-License-Identifier: Apache-2.0
// Report mails, without decompression and JSON: taking a mail apart, and verifying its DKIM signature with
// the key cached, each beside the bare limit over the same bytes in the same run: a copy of the mail,
// OpenSSL's RSA-2048 verification plus SHA-256 of the mail.
//   bench_mail --benchmark_filter='message|dkim'
#include "base/crypto/keys.h"
#include "base/encode.h"
#include "mail/dkim.h"
#include "mail/message.h"
#include "support/dkim.h"

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <array>

namespace {
using namespace mailtight;

const base::utc_seconds now{std::chrono::seconds(1'795'000'000)};

// A report mail of about the size given: trace fields of two hops, a text part, an attachment that looks like
// gzip in base64.
std::string report_mail(std::size_t size) {
    std::string out =
        "From: TLS reports <noreply-tls-reports@example.com>\r\n"
        "To: tls-reports@example.net\r\n"
        "Date: Fri, 20 Nov 2026 10:00:00 +0000\r\n"
        "Subject: Report Domain: example.net Submitter: example.com\r\n"
        " Report-ID: <2026.11.19T00.00.00Z+example.net@example.com>\r\n"
        "Message-ID: <2026.11.19T00.00.00Z+example.net@example.com>\r\n"
        "MIME-Version: 1.0\r\n"
        "TLS-Report-Domain: example.net\r\n"
        "TLS-Report-Submitter: example.com\r\n"
        "Content-Type: multipart/report; report-type=\"tlsrpt\"; boundary=\"00000000000045ab3f0627\"\r\n"
        "\r\n"
        "--00000000000045ab3f0627\r\n"
        "Content-Type: text/plain; charset=\"US-ASCII\"; format=flowed; delsp=yes\r\n"
        "\r\n"
        "This is an aggregate TLS report from example.com\r\n"
        "--00000000000045ab3f0627\r\n"
        "Content-Type: application/tlsrpt+gzip;\r\n"
        "\tname=\"example.com!example.net!1795046400!1795132799!001.json.gz\"\r\n"
        "Content-Disposition: attachment;\r\n"
        "\tfilename=\"example.com!example.net!1795046400!1795132799!001.json.gz\"\r\n"
        "Content-Transfer-Encoding: base64\r\n"
        "\r\n";
    std::uint32_t noise = 1;
    while (out.size() + 2000 < size) {
        std::string line;
        for (int i = 0; i < 57; ++i) {
            noise = noise * 1664525U + 1013904223U;
            line += static_cast<char>(noise >> 24U);
        }
        out += base::base64(line) + "\r\n";
    }
    return out + "--00000000000045ab3f0627--\r\n";
}
std::string received(std::string signed_mail) {
    for (int hop = 0; hop < 3; ++hop)
        signed_mail =
            fmt::format("Received: from mx{0}.example.com (mx{0}.example.com [192.0.2.{0}])\r\n"
                        "\tby in.example.net (Postfix) with ESMTPS id 4F{0}ABCDEF\r\n"
                        "\t(using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits))\r\n"
                        "\tfor <tls-reports@example.net>; Fri, 20 Nov 2026 10:00:0{0} +0000 (UTC)\r\n",
                        hop) +
            signed_mail;
    return "Return-Path: <noreply-tls-reports@example.com>\r\n"
           "Authentication-Results: in.example.net; spf=pass smtp.mailfrom=example.com; dmarc=none\r\n" +
           signed_mail;
}

struct signed_mail {
    std::string bytes;
    tests::fixed_keys keys;
};
const signed_mail& mail_of(std::size_t size, bool rsa = true) {
    static std::map<std::pair<std::size_t, bool>, signed_mail> made;
    auto& out = made[{size, rsa}];
    if (out.bytes.empty()) {
        const auto signer =
            mail::dkim_signer::make("example.com", "s1", rsa ? tests::rsa_pem() : tests::ed25519_pem())
                .value();
        const auto report = report_mail(size);
        out.bytes = received(signer.sign(report, now) + report);
        out.keys.add("s1._domainkey.example.com", signer.key_record());
    }
    return out;
}
std::size_t size_of(const benchmark::State& state) {
    return static_cast<std::size_t>(state.range(0));
}
void set_bytes(benchmark::State& state, const std::string& bytes) {
    state.SetBytesProcessed(static_cast<std::int64_t>(bytes.size()) * state.iterations());
}

void message_copy(benchmark::State& state) {
    const auto& bytes = mail_of(size_of(state)).bytes;
    for (auto _ : state) {
        std::string copy = bytes;
        benchmark::DoNotOptimize(copy.data());
        benchmark::ClobberMemory();
    }
    set_bytes(state, bytes);
}
void message_read(benchmark::State& state) {
    const auto& bytes = mail_of(size_of(state)).bytes;
    for (auto _ : state) {
        auto read = mail::read_message(bytes);
        if (!read || read->parts.size() != 2)
            state.SkipWithError("not read");
        benchmark::DoNotOptimize(read);
    }
    set_bytes(state, bytes);
}

void dkim_bare(benchmark::State& state) {
    const auto& bytes = mail_of(size_of(state)).bytes;
    const auto key = base::private_key::from_pem(tests::rsa_pem()).value();
    const auto open = base::public_key::rsa(key.public_part()).value();
    const auto digest = base::sha256(bytes);
    const auto signature = key.sign(digest);
    for (auto _ : state)
        if (!open.verifies(base::sha256(bytes), signature))
            state.SkipWithError("not verified");
    set_bytes(state, bytes);
}
void dkim_verify(benchmark::State& state, bool rsa) {
    const auto& mail = mail_of(size_of(state), rsa);
    mail::dkim_key_cache cache;
    for (auto _ : state) {
        const auto verdict = mail::verify_dkim(mail.bytes, mail.keys, now, cache);
        if (verdict.signatures.size() != 1 || verdict.signatures[0].result != mail::dkim_result::pass)
            state.SkipWithError("not verified");
    }
    set_bytes(state, mail.bytes);
}

BENCHMARK(message_copy)->ArgName("bytes")->Arg(5'000)->Arg(50'000)->Arg(1'000'000);
BENCHMARK(message_read)->ArgName("bytes")->Arg(5'000)->Arg(50'000)->Arg(1'000'000);
BENCHMARK(dkim_bare)->ArgName("bytes")->Arg(5'000)->Arg(50'000)->Arg(1'000'000);
BENCHMARK_CAPTURE(dkim_verify, rsa2048, true)->ArgName("bytes")->Arg(5'000)->Arg(50'000)->Arg(1'000'000);
BENCHMARK_CAPTURE(dkim_verify, ed25519, false)->ArgName("bytes")->Arg(5'000);
} // namespace
