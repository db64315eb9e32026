// SPDX-License-Identifier: Apache-2.0
#include "io/loop.h"

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>

using namespace mailtight::io;
using namespace std::chrono_literals;

namespace {

task<int> twice(loop& on, int value) {
    co_await on.sleep_for(1ms);
    co_return value * 2;
}
task<int> fails(loop& on) {
    co_await on.sleep_for(1ms);
    throw std::runtime_error("as asked");
}
task<bool> yes() {
    co_return true;
}

TEST(Loop, GivesTheValueOfATask) {
    loop on;
    EXPECT_EQ(on.block_on(twice(on, 21)), 42);
}

TEST(Loop, ConditionOnAnAwaitedBoolTakesTheRightBranch) {
    loop on;
    auto ask = []() -> task<std::string> {
        if (co_await yes())
            co_return "yes";
        co_return "no";
    };
    EXPECT_EQ(on.block_on(ask()), "yes");
}

TEST(Loop, WhenAllKeepsTheOrder) {
    loop on;
    auto all = [&]() -> task<std::vector<int>> {
        std::vector<task<int>> work;
        for (int i = 0; i < 5; ++i)
            work.push_back(twice(on, i));
        co_return co_await when_all(on, std::move(work));
    };
    EXPECT_EQ(on.block_on(all()), (std::vector<int>{0, 2, 4, 6, 8}));
}

TEST(Loop, StartedTasksRunAtOnceAndKeepTheirValues) {
    loop on;
    auto both = [&]() -> task<std::string> {
        auto number = start(on, twice(on, 4));
        auto flag = start(on, yes());
        auto broken = start(on, fails(on));
        std::string result = std::to_string(co_await number.get());
        if (co_await flag.get())
            result += " yes";
        bool threw = false;
        try {
            co_await broken.get();
        } catch (const std::runtime_error&) {
            threw = true;
        }
        co_return result + (threw ? " threw" : " lost");
    };
    EXPECT_EQ(on.block_on(both()), "8 yes threw");
}

TEST(Loop, AnExceptionComesOutOfTheOneWhoWaits) {
    loop on;
    EXPECT_THROW(on.block_on(fails(on)), std::runtime_error);
    EXPECT_EQ(on.block_on(twice(on, 1)), 2) << "and the loop goes on";
}

TEST(Loop, ASemaphoreBoundsWhatRunsAtOnce) {
    loop on;
    semaphore gate(on, 2);
    int running = 0, most = 0;
    auto work = [&]() -> task<int> {
        auto permit = co_await gate.acquire();
        most = std::max(most, ++running);
        co_await on.sleep_for(1ms);
        --running;
        co_return 0;
    };
    auto all = [&]() -> task<std::size_t> {
        std::vector<task<int>> tasks;
        for (int i = 0; i < 10; ++i)
            tasks.push_back(work());
        auto done = co_await when_all(on, std::move(tasks));
        co_return done.size();
    };
    EXPECT_EQ(on.block_on(all()), 10u);
    EXPECT_EQ(most, 2);
    EXPECT_EQ(gate.available(), 2u);
}

TEST(Loop, AnEventLetsEveryWaiterGoOn) {
    loop on;
    event open(on);
    int passed = 0;
    auto wait = [&]() -> task<> {
        co_await open;
        ++passed;
    };
    auto opener = [&]() -> task<> {
        co_await on.sleep_for(1ms);
        open.set();
    };
    on.spawn(wait());
    on.spawn(wait());
    on.spawn(opener());
    on.run();
    EXPECT_EQ(passed, 2);
}

} // namespace
