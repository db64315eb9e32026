// SPDX-License-Identifier: Apache-2.0
// A process that reads a made-up log and counts is killed with SIGKILL, again and again; each next one goes
// on at the mark that it finds. In the end every line was counted exactly once, and nothing was lost that
// flush() had answered. Five kills, or as many as MAILTIGHT_KILLS says. Over a real SQLite.
#include "support/scratch.h"
#include "tally/collector.h"

#include <gtest/gtest.h>

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <random>

namespace mailtight::tally {
namespace {

using namespace std::chrono_literals;

struct noon_clock final : base::clock {
    base::utc_seconds now() const override { return base::parse_utc("2026-01-02T12:00:00Z").value(); }
};

store::result<std::unique_ptr<store::result_store>> open_at(const std::string& path) {
    return store::open_results({.where = path, .relaxed = true});
}

/// Line `number` of the log: who was sent to, and how it ended.
model::session_seen line(std::uint64_t number) {
    model::session_seen seen;
    seen.domain = "d" + std::to_string(number % 40) + ".example";
    seen.mx_host = "mx." + seen.domain;
    seen.tls = number % 7 == 0 ? model::tls_reached::not_offered : model::tls_reached::verified;
    return seen;
}

io::task<> read_log(collector& into, const base::clock& clock, int to) {
    const auto marks = co_await into.marks();
    if (!marks)
        ::_exit(2);
    std::uint64_t at = marks->empty() ? 0 : std::stoull(marks->front().second);
    for (;;) {
        for (int lines = 0; lines < 100; ++lines)
            into.take(line(at++), clock.now());
        into.mark("log", std::to_string(at));
        if (const auto written = co_await into.flush(); !written)
            ::_exit(3);
        if (::write(to, &at, sizeof at) != sizeof at)
            ::_exit(4);
    }
}

/// The child: never comes back.
[[noreturn]] void work(const std::string& path, int to) {
    ::alarm(120); // should the parent die
    io::loop loop;
    const noon_clock clock;
    collector of(loop, clock, {},
                 {.write_every = 2ms, .machine = "one", .open = [path] { return open_at(path); }});
    loop.spawn(read_log(of, clock, to));
    loop.run();
    ::_exit(5);
}

TEST(collector_kill, counts_every_line_once) {
    const char* wanted = std::getenv("MAILTIGHT_KILLS");
    const int rounds = wanted ? std::max(1, std::atoi(wanted)) : 5;
    const auto seed = std::random_device()();
    std::mt19937 dice(seed);
    RecordProperty("seed", std::to_string(seed));
    const tests::scratch_folder folder;
    const auto path = folder / "results.sqlite";
    ASSERT_TRUE(open_at(path)); // the tables
    std::uint64_t answered = 0;
    for (int round = 0; round < rounds; ++round) {
        int ends[2];
        ASSERT_EQ(::pipe(ends), 0);
        const auto child = ::fork();
        ASSERT_GE(child, 0);
        if (child == 0) {
            ::close(ends[0]);
            work(path, ends[1]);
        }
        ::close(ends[1]);
        // At a random moment after some answers: often in the middle of a commit.
        const auto enough = std::uniform_int_distribution<int>(1, 40)(dice);
        std::uint64_t got = 0;
        for (int i = 0; i < enough && ::read(ends[0], &got, sizeof got) == sizeof got; ++i)
            answered = got;
        ::usleep(std::uniform_int_distribution<useconds_t>(0, 3'000)(dice));
        ::kill(child, SIGKILL);
        while (::read(ends[0], &got, sizeof got) == sizeof got)
            answered = got;
        ::close(ends[0]);
        int status = 0;
        ASSERT_EQ(::waitpid(child, &status, 0), child);
        EXPECT_TRUE(WIFSIGNALED(status)) << "it ended by itself: " << status;

        const auto kept = open_at(path);
        ASSERT_TRUE(kept) << kept.error().message;
        const auto marks = (*kept)->marks("one");
        ASSERT_TRUE(marks && !marks->empty());
        const auto mark = std::stoull(marks->front().second);
        EXPECT_GE(mark, answered) << "what was answered is there";
        const auto day = std::chrono::floor<std::chrono::days>(noon_clock().now());
        const auto results = (*kept)->results(day, "", model::report_audience::recipient_domain, true);
        ASSERT_TRUE(results) << results.error().message;
        std::uint64_t sessions = 0, failures = 0;
        for (const auto& each : *results) {
            sessions += each.success + each.failure;
            failures += each.failure;
        }
        EXPECT_EQ(sessions, mark) << "a line counts once, with its mark";
        EXPECT_EQ(failures, (mark + 6) / 7);
    }
    EXPECT_GT(answered, 0U);
}

} // namespace
} // namespace mailtight::tally
