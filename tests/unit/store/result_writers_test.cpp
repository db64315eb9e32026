// SPDX-License-Identifier: Apache-2.0
// Many machines count while others file and deliver: no session is lost, none is in two reports, no delivery
// is held twice. And a process that counts is killed with SIGKILL again and again: what it was told to be
// written is there once. Five kills for each engine, or as many as MAILTIGHT_KILLS says.
#include "unit/store/result_fixture.h"

#include <gmock/gmock.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <map>
#include <mutex>
#include <random>
#include <set>
#include <thread>

namespace mailtight::store {
namespace {
using model::report_audience;
using namespace result_tests;

class result_writers : public result_fixture {};
INSTANTIATE_TEST_SUITE_P(engines, result_writers, testing::Values(engine::sqlite, engine::postgres),
                         [](const auto& info) {
                             return info.param == engine::sqlite ? "sqlite" : "postgres";
                         });

// A small world, so that the same rows meet often.
constexpr int world = 8;
model::counted_result any_result(std::mt19937& dice) {
    const auto domain = "d" + std::to_string(dice() % world) + ".example";
    auto out = dice() % 3 == 0 ? sts_result(domain, 0, 0)
                               : tlsa_result(domain, "d" + std::to_string(dice() % 3) + ".example", 0, 0);
    out.success = dice() % 5;
    out.failure = dice() % 3;
    if (out.failure > 0) {
        auto what = full_fault();
        what.receiving_mx = "mx" + std::to_string(dice() % 20) + ".example";
        out.faults = {{.what = what, .count = out.failure}};
    }
    return out;
}

struct sums {
    std::atomic<std::uint64_t> sessions{0}, faults{0}, to_bases{0};
    void take(std::span<const model::counted_result> results, report_audience audience) {
        for (const auto& r : results) {
            if (audience == report_audience::tlsa_base) {
                to_bases += r.success + r.failure;
                continue;
            }
            sessions += r.success + r.failure;
            for (const auto& f : r.faults)
                faults += f.count;
        }
    }
};

TEST_P(result_writers, no_session_is_lost_or_reported_twice) {
    static_cast<void>(open());
    constexpr int counters = 4, filers = 2, rounds = 40;
    sums added, reported;
    std::atomic<int> counting{counters}, reports{0}, dropped{0};
    std::vector<std::thread> all;
    for (int c = 0; c < counters; ++c)
        all.emplace_back([&, c] {
            std::mt19937 dice(static_cast<unsigned>(c));
            const auto s = open();
            for (int round = 1; round <= rounds; ++round) {
                std::vector<model::counted_result> batch(dice() % 12);
                for (auto& r : batch)
                    r = any_result(dice);
                EXPECT_TRUE(add(*s, batch, round, "counter " + std::to_string(c), {}, 15));
                for (const auto& r : batch) {
                    added.take(std::span(&r, 1), report_audience::recipient_domain);
                    if (r.policy.type == tlsrpt::policy_type::tlsa && r.policy.domain != r.domain)
                        added.to_bases += r.success + r.failure;
                }
            }
            --counting;
        });
    const auto file_some = [&](result_store& s, const std::string& who, std::mt19937& dice) {
        const auto due = s.take_due(end_of_day() + a_day, who, minute, 1 + dice() % 5);
        ASSERT_TRUE(due) << due.error().message;
        for (const auto& each : *due) {
            std::vector<model::counted_result> kept; // of the try that was committed
            const bool wanted = dice() % 4 != 0;
            const auto number = s.file(each,
                                       [&](std::span<const model::counted_result> of,
                                           std::uint32_t part) -> std::optional<model::outgoing_report> {
                                           kept.assign(of.begin(), of.end());
                                           if (!wanted)
                                               return std::nullopt;
                                           auto made = a_report(each.domain);
                                           made.part = part;
                                           return made;
                                       });
            ASSERT_TRUE(number) << number.error().message;
            EXPECT_EQ(number->has_value(), wanted);
            ++(wanted ? reports : dropped);
            reported.take(kept, each.audience);
        }
    };
    for (int f = 0; f < filers; ++f)
        all.emplace_back([&, f] {
            std::mt19937 dice(static_cast<unsigned>(100 + f));
            const auto s = open();
            while (counting > 0)
                file_some(*s, "filer " + std::to_string(f), dice);
        });
    for (auto& t : all)
        t.join();
    const auto s = open();
    sums left;
    for (const auto audience : {report_audience::recipient_domain, report_audience::tlsa_base})
        left.take(*s->results(the_day, "", audience, false), audience);
    EXPECT_EQ(s->figures_of(at(0))->unreported_sessions, left.sessions);
    EXPECT_EQ(reported.sessions + left.sessions, added.sessions);
    EXPECT_EQ(reported.faults + left.faults, added.faults);
    EXPECT_EQ(reported.to_bases + left.to_bases, added.to_bases);
    // What is left is owed: nothing is forgotten.
    std::mt19937 dice(7);
    for (int i = 0; i < 50; ++i)
        file_some(*s, "last", dice);
    EXPECT_EQ(reported.sessions, added.sessions);
    EXPECT_EQ(reported.faults, added.faults);
    EXPECT_EQ(reported.to_bases, added.to_bases);
    EXPECT_GT(reports, 0);
    EXPECT_GT(dropped, 0);
    // Parts of a report are numbered without a gap and none is there twice.
    std::map<std::pair<report_audience, std::string>, std::set<std::uint32_t>> parts;
    const auto filed = *s->outbox({.limit = 100'000});
    EXPECT_EQ(filed.size(), static_cast<std::size_t>(reports.load()));
    for (const auto& r : filed)
        EXPECT_TRUE(parts[std::pair(r.audience, r.domain)].insert(r.part).second);
    for (const auto& [of, numbers] : parts)
        EXPECT_EQ(*numbers.rbegin() + 1, numbers.size()) << of.second;
}

TEST_P(result_writers, no_delivery_is_held_twice) {
    constexpr int machines = 4, deliveries = 120;
    {
        const auto s = open();
        add(*s, {sts_result("a.example", 1, 0)});
        const auto due = s->take_due(end_of_day() + a_day, "m", minute, 1)->at(0);
        auto made = a_report("a.example");
        made.deliveries.assign(deliveries, a_delivery("tls@a.example"));
        ASSERT_TRUE(*s->file(due, [&](auto, auto) { return std::optional(made); }));
    }
    std::mutex lock;
    std::map<std::int64_t, int> taken;
    std::vector<std::thread> all;
    for (int m = 0; m < machines; ++m)
        all.emplace_back([&, m] {
            const auto s = open();
            for (int empty = 0; empty < 3;) {
                const auto some = s->take_deliveries(end_of_day() + a_day, std::to_string(m), minute, 7);
                ASSERT_TRUE(some) << some.error().message;
                empty = some->empty() ? empty + 1 : 0;
                for (auto d : *some) {
                    {
                        const std::scoped_lock hold(lock);
                        ++taken[d.number];
                    }
                    d.state = model::delivery_state::sent;
                    d.first_at = end_of_day();
                    EXPECT_TRUE(s->tried(d, false));
                }
            }
        });
    for (auto& t : all)
        t.join();
    EXPECT_EQ(taken.size(), std::size_t{deliveries});
    for (const auto& [number, times] : taken)
        EXPECT_EQ(times, 1) << number;
    const auto s = open();
    EXPECT_EQ(s->figures_of(at(0))->sent, std::uint64_t{deliveries});
    EXPECT_EQ(s->sent_on(std::chrono::floor<std::chrono::days>(end_of_day()), "tls@a.example", "a.example")
                  ->to_host,
              std::uint64_t{deliveries});
}

/// The child: counts batch after batch, each one session to each of three domains and its number as a mark,
/// and says which is written. Never comes back.
[[noreturn]] void count_for_ever(const std::string& where, int to) {
    ::alarm(120); // should the parent die
    const auto s = open_results({.where = where});
    if (!s)
        ::_exit(2);
    for (auto number = (*s)->latest_batch("child").value_or(-1) + 1;; ++number) {
        std::vector<model::counted_result> batch;
        for (int d = 0; d < 3; ++d)
            batch.push_back(sts_result("d" + std::to_string((number + d) % 5) + ".example", 1, 0));
        if (!(*s)->add({.machine = "child",
                        .number = number,
                        .results = batch,
                        .marks = {{"at", std::to_string(number)}}},
                       four_hours, 10))
            ::_exit(3);
        if (::write(to, &number, sizeof number) != sizeof number)
            ::_exit(4);
    }
}

TEST_P(result_writers, a_kill_loses_no_batch_that_was_acknowledged) {
    const char* wanted = std::getenv("MAILTIGHT_KILLS");
    const int rounds = wanted ? std::max(1, std::atoi(wanted)) : 5;
    const auto seed = std::random_device()();
    std::mt19937 dice(seed);
    RecordProperty("seed", std::to_string(seed));
    static_cast<void>(open()); // the tables
    std::int64_t said = 0;
    for (int round = 0; round < rounds; ++round) {
        int ends[2];
        ASSERT_EQ(::pipe(ends), 0);
        const auto child = ::fork();
        ASSERT_GE(child, 0);
        if (child == 0) {
            ::close(ends[0]);
            count_for_ever(db.where(), ends[1]);
        }
        ::close(ends[1]);
        const auto enough = said + std::uniform_int_distribution<std::int64_t>(1, 60)(dice);
        std::int64_t got = 0;
        bool alive = true;
        while (::read(ends[0], &got, sizeof got) == sizeof got) { // up to what was in the pipe at its death
            said = got;
            if (said >= enough && std::exchange(alive, false)) {
                std::this_thread::sleep_for(
                    std::chrono::microseconds(std::uniform_int_distribution<int>(0, 3'000)(dice)));
                ::kill(child, SIGKILL);
            }
        }
        ::close(ends[0]);
        int status = 0;
        ASSERT_EQ(::waitpid(child, &status, 0), child);
        ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << "status " << status;
        // The server may still be about the last one of the dead; a batch is there whole or not at all.
        const auto s = open();
        const auto latest = *s->latest_batch("child");
        ASSERT_GE(latest, said) << "seed " << seed;
        ASSERT_LE(latest, said + 1) << "seed " << seed;
        std::uint64_t sessions = 0;
        for (const auto& r : unreported(*s, ""))
            sessions += r.success;
        const auto at_last = *s->latest_batch("child");
        ASSERT_GE(sessions, 3 * static_cast<std::uint64_t>(latest)) << "seed " << seed;
        ASSERT_LE(sessions, 3 * static_cast<std::uint64_t>(at_last)) << "seed " << seed;
        ASSERT_EQ(s->marks("child")->at(0).second, std::to_string(*s->latest_batch("child")));
        ASSERT_EQ(s->figures_of(at(0))->unreported_sessions, 3 * static_cast<std::uint64_t>(at_last));
        said = at_last;
    }
}

} // namespace
} // namespace mailtight::store
