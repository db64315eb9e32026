// SPDX-License-Identifier: Apache-2.0
// Report bodies -> reports, each size beside the bare limit over the same bytes in the same run: libdeflate
// into a kept buffer, simdjson's DOM into a kept parser, and one walk over every value.
//   bench_report_reader --benchmark_filter='plain|gzip'
#include "base/compress.h"
#include "tlsrpt/read_report.h"
#include "tlsrpt/write_report.h"

#include <benchmark/benchmark.h>
#include <libdeflate.h>
#include <simdjson.h>

#include <cstdlib>
#include <map>
#include <memory>

namespace {
using namespace mailtight;

const base::utc_seconds day{std::chrono::seconds{1'767'225'600}}; // 2026-01-01

// What a large provider sends for a day without failures: 500 bytes on one line.
const std::string small_body =
    R"({"organization-name":"Example Inc.","date-range":{"start-datetime":"2026-01-01T00:00:00Z",)"
    R"("end-datetime":"2026-01-01T23:59:59Z"},"contact-info":"tls-reports@example.net",)"
    R"("report-id":"2026-01-01T00:00:00Z_example.com","policies":[{"policy":{"policy-type":"sts",)"
    R"("policy-string":["version: STSv1","mode: enforce","mx: *.example.com","max_age: 604800"],)"
    R"("policy-domain":"example.com","mx-host":["*.example.com"]},"summary":)"
    R"({"total-successful-session-count":128,"total-failure-session-count":0}}]})";

// A report of a busy day: what repeats in real ones repeats here, what differs (hosts, addresses, counts,
// reasons) differs. Minified, as reporters send it.
std::string minified(const tlsrpt::report& report) {
    const auto text = tlsrpt::write_report(report);
    std::string out(text.size(), '\0');
    std::size_t size = 0;
    if (simdjson::minify(text.data(), text.size(), out.data(), size) != simdjson::SUCCESS)
        std::abort();
    out.resize(size);
    return out;
}
tlsrpt::failure_detail detail(std::uint32_t random) {
    auto d = tlsrpt::example_report(day).policies.front().details[random % 4];
    const auto part = [&](unsigned shift, unsigned below) {
        return std::to_string((random >> shift) % below);
    };
    d.sending_mta_ip =
        random % 3 == 0 ? "192.0.2." + part(3, 250) : "2001:db8:" + part(5, 9999) + "::" + part(7, 999);
    d.receiving_ip = "198.51.100." + part(11, 250);
    d.receiving_mx = d.receiving_mx_helo = "mx" + part(9, 64) + ".example.com";
    d.count = 1 + random % 977;
    return d;
}
std::string body_of(std::size_t bytes) {
    auto report = tlsrpt::example_report(day);
    report.policies.resize(1);
    auto& sts = report.policies.front();
    sts.details.clear();
    sts.failure = 0;
    std::uint32_t random = 1;
    const auto grow = [&](std::size_t details) {
        for (std::size_t i = 0; i < details; ++i) {
            random = random * 1'664'525U + 1'013'904'223U;
            sts.details.push_back(detail(random >> 4U));
            sts.failure += sts.details.back().count;
        }
    };
    grow(8);
    const std::size_t per_detail = minified(report).size() / 10;
    if (bytes > 10 * per_detail)
        grow(bytes / per_detail - 10);
    return minified(report);
}

// 22.6 MB and 100,000 details: as large as a report gets that a mailbox takes.
std::string huge_body() {
    auto report = tlsrpt::example_report(day);
    auto& sts = report.policies.front();
    auto d = sts.details.front();
    sts.details.clear();
    sts.failure = 100'000;
    d.count = 1;
    d.result_type = "certificate-expired";
    for (int i = 0; i < 100'000; ++i) {
        d.sending_mta_ip = "2001:db8:5e::" + std::to_string(i % 10'000);
        d.receiving_ip = "198.51." + std::to_string(i / 250 % 250) + "." + std::to_string(i % 250);
        sts.details.push_back(d);
    }
    return minified(report);
}

const std::string& body(std::int64_t bytes) {
    static std::map<std::int64_t, std::string> made;
    auto& text = made[bytes];
    if (text.empty())
        text = bytes == 500         ? small_body
               : bytes > 20'000'000 ? huge_body()
                                    : body_of(static_cast<std::size_t>(bytes));
    return text;
}

// Every value of a document is touched once.
std::uint64_t walk(simdjson::dom::element value) {
    using simdjson::dom::element_type;
    switch (value.type()) {
    case element_type::ARRAY: {
        std::uint64_t sum = 0;
        for (const auto element : value.get_array().value_unsafe())
            sum += walk(element);
        return sum;
    }
    case element_type::OBJECT: {
        std::uint64_t sum = 0;
        for (const auto field : value.get_object().value_unsafe())
            sum += field.key.size() + walk(field.value);
        return sum;
    }
    case element_type::STRING:
        return value.get_string().value_unsafe().size();
    case element_type::INT64:
        return static_cast<std::uint64_t>(value.get_int64().value_unsafe());
    default:
        return 1;
    }
}

struct free_inflater {
    void operator()(libdeflate_decompressor* d) const { libdeflate_free_decompressor(d); }
};

void done(benchmark::State& state, std::size_t bytes) {
    state.SetBytesProcessed(static_cast<std::int64_t>(bytes) * state.iterations());
    state.SetItemsProcessed(state.iterations());
}

void plain_bare(benchmark::State& state) {
    const auto& text = body(state.range(0));
    simdjson::dom::parser parser;
    for (auto _ : state) {
        auto sum = walk(parser.parse(text).value_unsafe());
        benchmark::DoNotOptimize(sum);
    }
    done(state, text.size());
}
void plain_report(benchmark::State& state) {
    const auto& text = body(state.range(0));
    tlsrpt::report_reader reader;
    for (auto _ : state) {
        auto report = reader.read_json(text);
        if (!report || !report->warnings.empty())
            std::abort();
        benchmark::DoNotOptimize(report);
    }
    done(state, text.size());
}

void gzip_bare(benchmark::State& state) {
    const auto& text = body(state.range(0));
    const auto packed = base::gzip(text);
    const std::unique_ptr<libdeflate_decompressor, free_inflater> inflater{libdeflate_alloc_decompressor()};
    std::string buffer(text.size() + simdjson::SIMDJSON_PADDING, '\0');
    simdjson::dom::parser parser;
    for (auto _ : state) {
        std::size_t size = 0;
        if (libdeflate_gzip_decompress(inflater.get(), packed.data(), packed.size(), buffer.data(),
                                       text.size(), &size) != LIBDEFLATE_SUCCESS)
            std::abort();
        auto sum = walk(parser.parse(buffer.data(), size, false).value_unsafe());
        benchmark::DoNotOptimize(sum);
    }
    done(state, text.size());
}
void gzip_report(benchmark::State& state) {
    const auto& text = body(state.range(0));
    const auto packed = base::gzip(text);
    tlsrpt::report_reader reader;
    for (auto _ : state) {
        auto bodies = reader.read(packed);
        if (bodies.size() != 1 || !bodies[0].result || !bodies[0].result->warnings.empty())
            std::abort();
        benchmark::DoNotOptimize(bodies);
    }
    done(state, text.size());
}

BENCHMARK(plain_bare)->ArgName("bytes")->Arg(500)->Arg(22'600'000);
BENCHMARK(plain_report)->ArgName("bytes")->Arg(500)->Arg(22'600'000);
BENCHMARK(gzip_bare)->ArgName("bytes")->Arg(2'400)->Arg(50'000)->Arg(1'000'000);
BENCHMARK(gzip_report)->ArgName("bytes")->Arg(2'400)->Arg(50'000)->Arg(1'000'000);
} // namespace
