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

// The example report with as many failure details as `bytes` want.
std::string body_of(std::size_t bytes) {
    auto report = tlsrpt::example_report(day);
    auto& sts = report.policies.front();
    const auto kinds = sts.details;
    for (std::size_t i = 0; tlsrpt::write_report(report).size() + 400 < bytes;) {
        // Grows by a tenth, so that large ones do not take quadratic time to make.
        const std::size_t more = sts.details.size() / 10 + 1;
        for (std::size_t k = 0; k < more; ++k, ++i) {
            auto d = kinds[i % kinds.size()];
            d.receiving_ip = "198.51.100." + std::to_string(i % 250);
            d.count = 1 + i % 90;
            sts.failure += d.count;
            sts.details.push_back(std::move(d));
        }
    }
    return tlsrpt::write_report(report);
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
    auto out = tlsrpt::write_report(report);
    // Without the blanks of the writer, as reporters send it.
    std::string minified(out.size(), '\0');
    std::size_t size = 0;
    if (simdjson::minify(out.data(), out.size(), minified.data(), size) != simdjson::SUCCESS)
        std::abort();
    minified.resize(size);
    return minified;
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
