// SPDX-License-Identifier: Apache-2.0
// Writes that wait at the same moment share a transaction, and none is answered before it is committed.
#include "publish/write_desk.h"

#include "io/loop.h"
#include "support/domain_store_fake.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <semaphore>
#include <stdexcept>

namespace mailtight::publish {
namespace {

using testing::ElementsAre;
using weight = write_desk::weight;

/// Notes what was asked for in one transaction, and whether it is over.
class noting_store : public tests::domain_store_fake {
public:
    std::vector<std::vector<std::string>> transactions;
    std::vector<bool> light;
    std::atomic<bool> open = false, refuses = false;

    store::result<void> together(bool lightly,
                                 const std::function<void(store::domain_store&)>& calls) override {
        open = true;
        transactions.emplace_back();
        light.push_back(lightly);
        calls(*this);
        open = false;
        if (refuses)
            return std::unexpected(
                store::store_error{.what = store::store_error::kind::busy, .message = "together it fails"});
        return {};
    }
    store::result<bool> note(const std::string& name) {
        if (!open)
            transactions.push_back({"alone"});
        transactions.back().push_back(name);
        return name.starts_with('b') ? store::result<bool>(std::unexpected(store::store_error{
                                           .what = store::store_error::kind::wrong, .message = "a bad one"}))
                                     : store::result<bool>(name != "n");
    }
};

class WriteDesk : public testing::Test {
protected:
    struct told {
        std::string name, words;
        bool before_its_end = false;
    };
    io::task<> write(std::string name, weight how = weight::durable) {
        std::string words;
        try {
            const auto done = co_await desk_.write<bool>(
                how, name, [this, name](store::domain_store&) { return store_.note(name); });
            words = !done ? done.error().message : *done ? "yes" : "no";
        } catch (const std::runtime_error& e) {
            words = e.what();
        }
        answers_.push_back({name, words, store_.open});
    }
    /// Holds the thread, so that what is written gathers.
    template<class Job>
    void while_the_thread_is_busy(Job job) {
        std::binary_semaphore go(0);
        on_.spawn([](io::worker& thread, std::binary_semaphore& until) -> io::task<> {
            co_await thread.run<void>([&until] { until.acquire(); });
        }(thread_, go));
        job();
        go.release();
        on_.run();
    }
    std::string answer_of(const std::string& name) const {
        for (const auto& each : answers_)
            if (each.name == name)
                return each.words;
        return "none";
    }
    io::loop on_;
    noting_store store_;
    io::worker thread_{on_, "store"};
    write_desk desk_{on_, thread_, store_};
    std::vector<told> answers_;
};

TEST_F(WriteDesk, WhatWaitsGoesTogetherInTheOrderOfItsRows) {
    while_the_thread_is_busy([&] {
        on_.spawn(write("f"));
        for (const auto* name : {"z", "a", "n", "m"})
            on_.spawn(write(name));
    });
    EXPECT_THAT(store_.transactions, ElementsAre(ElementsAre("a", "f", "m", "n", "z")));
    for (const auto& each : answers_) {
        EXPECT_FALSE(each.before_its_end) << each.name;
        EXPECT_EQ(each.words, each.name == "n" ? "no" : "yes");
    }
    EXPECT_EQ(answers_.size(), 5u);
    EXPECT_EQ(desk_.counted().writes, 5u);
    EXPECT_EQ(desk_.counted().transactions, 1u);
}

TEST_F(WriteDesk, WhileOneIsUnderWayTheNextGathers) {
    std::binary_semaphore begun(0), go(0);
    const auto first = [&]() -> io::task<> {
        static_cast<void>(co_await desk_.write<bool>(weight::durable, "first", [&](store::domain_store&) {
            begun.release();
            go.acquire();
            return store_.note("first");
        }));
    };
    const auto others = [&]() -> io::task<> {
        while (!begun.try_acquire())
            co_await on_.sleep_for(std::chrono::milliseconds(1));
        for (const auto* name : {"z", "a"})
            on_.spawn(write(name));
        co_await on_.sleep_for(std::chrono::milliseconds(5));
        go.release();
    };
    on_.spawn(first());
    on_.spawn(others());
    on_.run();
    EXPECT_THAT(store_.transactions, ElementsAre(ElementsAre("alone", "first"), ElementsAre("a", "z")));
}

TEST_F(WriteDesk, IsLightOnlyWhereAllAre) {
    for (const auto last : {weight::light, weight::durable})
        while_the_thread_is_busy([&] {
            for (const auto* name : {"f", "g", "h"})
                on_.spawn(write(name, weight::light));
            on_.spawn(write("i", last));
        });
    EXPECT_THAT(store_.light, ElementsAre(true, false));
}

TEST_F(WriteDesk, WhatFailsTogetherIsTriedAlone) {
    store_.refuses = true;
    while_the_thread_is_busy([&] {
        for (const auto* name : {"f", "a", "b", "c"})
            on_.spawn(write(name));
    });
    EXPECT_EQ(answer_of("a"), "yes");
    EXPECT_EQ(answer_of("b"), "a bad one") << "its own fault, nobody else's";
    EXPECT_EQ(answer_of("c"), "yes");
    EXPECT_EQ(store_.transactions.size(), 5u) << "four together in vain, then one by one";
}

TEST_F(WriteDesk, AnExceptionIsThatOfAllInItAndTheNextGoOn) {
    const auto thrown = [this]() -> io::task<> {
        try {
            static_cast<void>(co_await desk_.write<bool>(
                weight::durable, "x",
                [](store::domain_store&) -> store::result<bool> { throw std::runtime_error("thrown"); }));
        } catch (const std::runtime_error& e) {
            answers_.push_back({"x", e.what(), false});
        }
    };
    while_the_thread_is_busy([&] {
        on_.spawn(write("f"));
        on_.spawn(write("a"));
        on_.spawn(thrown());
    });
    EXPECT_EQ(answer_of("a"), "thrown");
    EXPECT_EQ(answer_of("x"), "thrown");
    store_.open = false;
    on_.spawn(write("k"));
    on_.run();
    EXPECT_EQ(answer_of("k"), "yes");
}

} // namespace
} // namespace mailtight::publish
