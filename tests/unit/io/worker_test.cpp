// SPDX-License-Identifier: Apache-2.0
#include "io/worker.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <stdexcept>
#include <thread>

using namespace mailtight::io;
using namespace std::chrono_literals;

namespace {

TEST(Worker, RunsBesideTheLoopAndComesBackToIt) {
    loop on;
    worker thread(on, "test");
    std::thread::id ran, resumed;
    auto ask = [&]() -> task<int> {
        const int value = co_await thread.run<int>([&] {
            ran = std::this_thread::get_id();
            return 42;
        });
        resumed = std::this_thread::get_id();
        co_return value;
    };
    EXPECT_EQ(on.block_on(ask()), 42);
    EXPECT_NE(ran, std::this_thread::get_id());
    EXPECT_EQ(resumed, std::this_thread::get_id());
}

TEST(Worker, TheLoopStaysAwakeWhileAJobIsUnderWay) {
    loop on;
    worker thread(on, "test");
    bool done = false;
    auto ask = [&]() -> task<> {
        co_await thread.run<void>([] { std::this_thread::sleep_for(50ms); });
        done = true;
    };
    on.spawn(ask());
    on.run(); // has nothing to do but to wait
    EXPECT_TRUE(done);
}

TEST(Worker, TheLoopGoesOnMeanwhile) {
    loop on;
    worker thread(on, "test");
    std::promise<void> release;
    bool other = false;
    auto ask = [&]() -> task<bool> {
        co_await thread.run<void>([&] { release.get_future().wait(); });
        co_return other;
    };
    auto beside = [&]() -> task<> {
        co_await on.sleep_for(1ms);
        other = true;
        release.set_value();
    };
    on.spawn(beside());
    EXPECT_TRUE(on.block_on(ask()));
}

TEST(Worker, JobsRunInOrder) {
    loop on;
    worker thread(on, "test");
    std::string order; // touched by the thread alone
    auto all = [&]() -> task<std::string> {
        std::vector<task<int>> work;
        for (int i = 0; i < 10; ++i)
            work.push_back(thread.run<int>([&order, i] {
                order += static_cast<char>('0' + i);
                return 0;
            }));
        co_await when_all(on, std::move(work));
        co_return order;
    };
    EXPECT_EQ(on.block_on(all()), "0123456789");
}

TEST(Worker, AnExceptionComesOutOfTheOneWhoWaits) {
    loop on;
    worker thread(on, "test");
    EXPECT_THROW(on.block_on(thread.run<int>([]() -> int { throw std::runtime_error("as asked"); })),
                 std::runtime_error);
    EXPECT_THROW(on.block_on(thread.run<void>([] { throw std::runtime_error("as asked"); })),
                 std::runtime_error);
    EXPECT_EQ(on.block_on(thread.run<int>([] { return 1; })), 1) << "and the thread goes on";
}

TEST(Worker, WhatAJobHoldsGoesBeforeItsCallerGoesOn) {
    loop on;
    worker thread(on, "test");
    auto held = std::make_shared<int>(1);
    std::weak_ptr<int> left = held;
    EXPECT_EQ(on.block_on(thread.run<int>([held = std::move(held)] { return *held; })), 1);
    EXPECT_TRUE(left.expired());
}

TEST(Worker, AtItsEndTheRunningJobIsDoneAndTheOthersAreDropped) {
    loop on;
    auto thread = std::make_unique<worker>(on, "test");
    std::promise<void> begun;
    std::atomic<bool> finished = false;
    bool later_ran = false, told = false, first_came_back = false;
    auto first = [&]() -> task<> {
        co_await thread->run<void>([&] {
            begun.set_value();
            std::this_thread::sleep_for(20ms);
            finished = true;
        });
        first_came_back = true;
    };
    auto second = [&]() -> task<> {
        try {
            co_await thread->run<void>([&] { later_ran = true; });
        } catch (const worker_gone&) {
            told = true;
        }
    };
    auto end = [&]() -> task<> {
        begun.get_future().wait();
        EXPECT_EQ(thread->waiting(), 1u);
        thread.reset();
        EXPECT_TRUE(finished);
        co_return;
    };
    on.spawn(first());
    on.spawn(second());
    on.spawn(end());
    on.run(); // ends, since nobody waits for what never comes
    EXPECT_TRUE(first_came_back);
    EXPECT_FALSE(later_ran);
    EXPECT_TRUE(told);
}

TEST(Worker, RestWaitsForAllThatWasHandedOver) {
    loop on;
    worker thread(on, "test");
    std::atomic<int> ran = 0;
    int came_back = 0;
    auto ask = [&]() -> task<> {
        co_await thread.run<void>([&] {
            std::this_thread::sleep_for(5ms);
            ++ran;
        });
        ++came_back;
    };
    auto wait = [&]() -> task<> {
        thread.rest();
        EXPECT_EQ(ran, 3);
        EXPECT_EQ(came_back, 0) << "who waits goes on from the loop, not from here";
        co_return;
    };
    for (int i = 0; i < 3; ++i)
        on.spawn(ask());
    on.spawn(wait());
    on.run();
    EXPECT_EQ(came_back, 3);
    thread.rest(); // nothing to wait for
}

TEST(Worker, AJobMayEndAfterTheLoopHasGone) {
    std::promise<void> release;
    std::unique_ptr<worker> thread;
    bool came_back = false;
    {
        loop on;
        thread = std::make_unique<worker>(on, "test");
        auto ask = [&]() -> task<> {
            co_await thread->run<void>([&] { release.get_future().wait(); });
            came_back = true;
        };
        auto end = [&]() -> task<> {
            on.stop();
            co_return;
        };
        on.spawn(ask());
        on.spawn(end());
        on.run();
    }
    release.set_value();
    thread->rest();
    EXPECT_FALSE(came_back);
}

TEST(Worker, ManyThreadsOfWorkStayApart) {
    loop on;
    worker a(on, "a"), b(on, "b with a name that is longer than a kernel keeps");
    auto both = [&]() -> task<int> {
        int sum = 0;
        for (int i = 0; i < 500; ++i) {
            auto left = start(on, a.run<int>([i] { return i; }));
            auto right = start(on, b.run<int>([i] { return -i; }));
            sum += co_await left.get();
            sum += co_await right.get();
        }
        co_return sum;
    };
    EXPECT_EQ(on.block_on(both()), 0);
}

} // namespace
