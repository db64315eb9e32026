// SPDX-License-Identifier: Apache-2.0
// A process that answers only after put() said true is killed with SIGKILL under load, again and again; each
// policy that it answered is there after it, at least as new. Five kills for each engine, or as many as
// MAILTIGHT_KILLS says.
#include "unit/resolve/keeper_world.h"

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <random>
#include <thread>

namespace mailtight::resolve {
namespace {

constexpr std::uint32_t domains = 400, at_once = 32;

/// What the child says: this state of this domain is durable.
struct answer {
    std::uint32_t domain, version;
};

std::string name(std::uint32_t domain) {
    return "d" + std::to_string(domain) + ".example";
}

io::task<> answers(io::loop& on, keeper& with, std::uint32_t first, std::uint32_t version, int to) {
    for (;; ++version)
        for (std::uint32_t domain = first; domain < domains; domain += at_once) {
            auto value = tests::held_policy(name(domain), version, std::to_string(version));
            const bool kept = co_await with.put(std::move(value), on.now() + 10s);
            const answer said{.domain = domain, .version = version};
            if (kept && ::write(to, &said, sizeof said) != sizeof said)
                ::_exit(3);
        }
}

/// The child: never comes back.
[[noreturn]] void work(const real_database& database, std::uint32_t version, int to) {
    ::alarm(120); // should the parent die
    io::loop loop;
    const keeper_clock clock;
    keeper k(loop, clock, nullptr, {.database = database.options(), .machine = "child"});
    for (std::uint32_t first = 0; first < at_once; ++first)
        loop.spawn(answers(loop, k, first, version, to));
    loop.run();
    ::_exit(4);
}

class kills : public testing::TestWithParam<bool> {};
INSTANTIATE_TEST_SUITE_P(engines, kills, testing::Bool(),
                         [](const auto& info) { return info.param ? "postgres" : "sqlite"; });

TEST_P(kills, lose_no_policy_that_was_answered) {
    const char* wanted = std::getenv("MAILTIGHT_KILLS");
    const int rounds = wanted ? std::max(1, std::atoi(wanted)) : 5;
    const auto seed = std::random_device()();
    std::mt19937 dice(seed);
    RecordProperty("seed", std::to_string(seed));
    const real_database database(GetParam());
    static_cast<void>(database.open()); // the tables
    std::map<std::uint32_t, std::uint32_t> latest;
    std::size_t said = 0;
    for (int round = 0; round < rounds; ++round) {
        int ends[2];
        ASSERT_EQ(::pipe(ends), 0);
        const std::size_t before = said;
        const auto version = static_cast<std::uint32_t>(1 + round * 100'000);
        const auto child = ::fork();
        ASSERT_GE(child, 0);
        if (child == 0) {
            ::close(ends[0]);
            work(database, version, ends[1]);
        }
        ::close(ends[1]);
        // Kills at a random moment after some answers: often in the middle of a commit.
        const auto enough = before + std::uniform_int_distribution<std::size_t>(1, 2'000)(dice);
        answer got{};
        while (::read(ends[0], &got, sizeof got) == sizeof got) { // up to what was in the pipe at its death
            latest[got.domain] = got.version;
            if (++said == enough) {
                std::this_thread::sleep_for(
                    std::chrono::microseconds(std::uniform_int_distribution<int>(0, 3'000)(dice)));
                ::kill(child, SIGKILL);
            }
        }
        ::close(ends[0]);
        int status = 0;
        ASSERT_EQ(::waitpid(child, &status, 0), child);
        ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << "status " << status;
        ASSERT_GE(said, enough);

        // The restart: the keeper loads, and what was answered is in what it loads.
        io::loop loop;
        const keeper_clock clock;
        keeper after(loop, clock, database.open(), {.database = database.options(), .machine = "parent"});
        std::map<std::string, base::utc_seconds> there;
        const auto start = loop.now();
        ASSERT_TRUE(loop.block_on(after.load([&](const model::kept_policy& p) {
            ASSERT_TRUE(p.state.held) << p.domain;
            there[p.domain] = p.state.held->fetched_at;
        })));
        EXPECT_LT(loop.now() - start, 1s);
        for (const auto& [domain, least] : latest) {
            const auto found = there.find(name(domain));
            ASSERT_NE(found, there.end()) << name(domain) << " was answered and is gone; seed " << seed;
            ASSERT_GE(found->second, tests::at(least)) << name(domain) << "; seed " << seed;
        }
    }
    EXPECT_GT(said, static_cast<std::size_t>(rounds));
}

} // namespace
} // namespace mailtight::resolve
