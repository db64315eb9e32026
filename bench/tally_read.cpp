// SPDX-License-Identifier: Apache-2.0
// Results coming in, each way as its reader takes it: datagrams beside the bare parser over the same bytes in
// the same run, lines of JSON, and a mail log in which most lines are of other programs.
//   bench_tally_read --benchmark_filter='datagram|event|log'
#include "tally/postfix_log.h"
#include "tally/read_event.h"

#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <simdjson.h>

#include <cstdlib>

namespace {
using namespace mailtight;

const std::string success =
    R"({"dpv":"1","d":"rcpt.example","pr":"v=TLSRPTv1; rua=mailto:tls@rcpt.example","policies":[{"policy-type":2,)"
    R"("policy-domain":"rcpt.example","policy-string":["version: STSv1","mode: enforce","mx: *.in.rcpt.example",)"
    R"("max_age: 604800"],"mx-host":["*.in.rcpt.example"],"t":0,"f":0}]})";
const std::string failure =
    R"({"dpv":"1","d":"rcpt.example","pr":"v=TLSRPTv1; rua=mailto:tls@rcpt.example","policies":[{"policy-type":2,)"
    R"("policy-domain":"rcpt.example","policy-string":["version: STSv1","mode: enforce","mx: *.in.rcpt.example",)"
    R"("max_age: 604800"],"mx-host":["*.in.rcpt.example"],"failure-details":[{"c":202,"s":"192.0.2.9",)"
    R"("n":"a.in.rcpt.example","h":"250-a.in.rcpt.example\r\n250 STARTTLS","r":"198.51.100.4"}],"t":1,"f":1}]})";
const std::string none = R"({"dpv":"1","d":"rcpt.example","policies":[{"policy-type":9,"t":0,"f":0}]})";

const std::string& datagram(std::int64_t which) {
    return which == 0 ? none : which == 1 ? success : failure;
}

void datagram_read(benchmark::State& state) {
    tally::datagram_reader reader;
    const auto& bytes = datagram(state.range(0));
    for (auto _ : state) {
        auto out = reader.read(bytes);
        if (!out)
            std::abort();
        benchmark::DoNotOptimize(out);
    }
    state.SetItemsProcessed(state.iterations());
}
BENCHMARK(datagram_read)->ArgName("kind")->Arg(0)->Arg(1)->Arg(2);

void datagram_bare(benchmark::State& state) {
    simdjson::dom::parser parser;
    const simdjson::padded_string bytes(datagram(state.range(0)));
    for (auto _ : state) {
        simdjson::dom::element top;
        if (parser.parse(bytes).get(top) != simdjson::SUCCESS)
            std::abort();
        benchmark::DoNotOptimize(top);
    }
    state.SetItemsProcessed(state.iterations());
}
BENCHMARK(datagram_bare)->ArgName("kind")->Arg(0)->Arg(1)->Arg(2);

void event_read(benchmark::State& state) {
    tally::event_reader reader;
    const std::string_view line =
        R"({"domain":"a.example","mx":"mx1.a.example","ip":"192.0.2.1","sending-ip":"192.0.2.9","tls":"verified"})";
    for (auto _ : state) {
        auto out = reader.read(line);
        if (!out)
            std::abort();
        benchmark::DoNotOptimize(out);
    }
    state.SetItemsProcessed(state.iterations());
}
BENCHMARK(event_read);

/// One message takes ten lines of a mail log; two of them are of the SMTP client.
std::vector<std::string> mail_log(std::size_t messages) {
    std::vector<std::string> lines;
    const auto add = [&](std::string_view program, unsigned pid, std::string_view text) {
        lines.push_back(fmt::format("2026-11-22T07:{:02}:{:02}.123456+00:00 mail {}[{}]: {}",
                                    lines.size() / 60 % 60, lines.size() % 60, program, pid, text));
    };
    for (std::size_t i = 0; i < messages; ++i) {
        const auto id = fmt::format("4YxK{:08X}", i);
        const auto pid = static_cast<unsigned>(1'000 + i % 100);
        const auto host = fmt::format("mx{}.d{}.example[192.0.2.{}]:25", i % 3, i % 5'000, i % 250);
        add("postfix/smtpd", 900, "connect from client.example[198.51.100.7]");
        add("postfix/smtpd", 900,
            id + ": client=client.example[198.51.100.7], sasl_method=PLAIN, sasl_username=somebody");
        add("postfix/cleanup", 901, id + ": message-id=<20261122070000.1@client.example>");
        add("postfix/qmgr", 902, id + ": from=<somebody@client.example>, size=12345, nrcpt=1 (queue active)");
        add("dovecot", 903,
            "imap-login: Login: user=<somebody>, method=PLAIN, rip=198.51.100.7, lip=192.0.2.9, mpid=77, "
            "TLS");
        add("postfix/smtp", pid,
            "Verified TLS connection established to " + host +
                ": TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits) key-exchange X25519 "
                "server-signature "
                "RSA-PSS (2048 bits) server-digest SHA256");
        add("postfix/smtp", pid,
            fmt::format(
                "{}: to=<somebody@d{}.example>, relay={}, delay=0.9, delays=0.02/0/0.4/0.48, dsn=2.0.0, "
                "status=sent (250 2.0.0 Ok: queued as 4YxK)",
                id, i % 5'000, host));
        add("postfix/qmgr", 902, id + ": removed");
        add("postfix/smtpd", 900,
            "disconnect from client.example[198.51.100.7] ehlo=2 starttls=1 auth=1 mail=1 rcpt=1");
        add("rspamd", 904,
            "<a1b2c3>; task; rspamd_task_write_log: id: <20261122070000.1@client.example>, ip: 198.51.100.7");
    }
    return lines;
}

void log_lines(benchmark::State& state) {
    const auto lines = mail_log(10'000);
    const base::utc_seconds now{std::chrono::seconds{1'795'330'000}};
    tally::postfix_log log;
    std::vector<tally::session_at> out;
    std::size_t at = 0;
    for (auto _ : state) {
        if (const auto line = tally::parse_log_line(lines[at], now))
            log.take(*line, now, out);
        if (++at == lines.size()) {
            at = 0;
            if (out.size() != 10'000)
                std::abort();
            out.clear();
        }
    }
    state.SetItemsProcessed(state.iterations());
}
BENCHMARK(log_lines);

} // namespace
