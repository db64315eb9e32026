// SPDX-License-Identifier: Apache-2.0
// Many machines on one PostgreSQL: one fetch serves all, and neither a machine that dies nor a database that
// goes away stops the others.
#include "unit/resolve/keeper_world.h"

namespace mailtight::resolve {
namespace {
using testing::SizeIs;
using tests::held_policy;

class machines : public testing::Test {
protected:
    io::loop loop;
    keeper_clock clock;
    real_database database{true};
    std::vector<std::string> complaints;
    std::unique_ptr<keeper> one = machine("one"), two = machine("two"), three = machine("three");
    int fetches = 0;

    std::unique_ptr<keeper> machine(const std::string& name, bool opened = true) {
        return std::make_unique<keeper>(
            loop, clock, opened ? database.open() : nullptr,
            keeper_options{.database = database.options(),
                           .machine = name,
                           .look_every = std::chrono::milliseconds(50),
                           .complain = [this](std::string_view words) { complaints.emplace_back(words); }});
    }
    io::loop::time_point in(std::chrono::milliseconds time) const { return loop.now() + time; }
    static sts::resolution_state seen(const std::string& id) {
        sts::resolution_state out;
        out.record = {.what = sts::record_sighting::kind::valid, .id = id, .ttl = 300};
        out.record_at = tests::at(1'000);
        return out;
    }
    /// As the service does it: asks the others, fetches where there is nothing, keeps it, gives the lease
    /// back. The id of the policy that it ends with.
    io::task<std::string> look(keeper& with, sts::resolution_state ours,
                               std::chrono::milliseconds fetch_takes) {
        auto theirs = co_await with.ask_others("a.example", ours, in(10s));
        if (theirs)
            co_return theirs->state.held->id;
        ++fetches;
        co_await loop.sleep_for(fetch_takes);
        auto got = held_policy("a.example", 2'000 + fetches, ours.record.id);
        co_await with.put(got, in(5s));
        with.fetched("a.example");
        co_return got.state.held->id;
    }
    std::vector<std::string> all_look(const std::string& id, std::chrono::milliseconds fetch_takes) {
        std::vector<io::task<std::string>> all;
        for (auto* each : {one.get(), two.get(), three.get()})
            all.push_back(look(*each, seen(id), fetch_takes));
        return loop.block_on(io::when_all(loop, std::move(all)));
    }
};

TEST_F(machines, one_fetch_serves_all) {
    EXPECT_THAT(all_look("7", 600ms), testing::Each("7"));
    EXPECT_EQ(fetches, 1);
    EXPECT_EQ(one->counted().taken_over + two->counted().taken_over + three->counted().taken_over, 2u);
    // Known by now, to a machine that comes later too.
    EXPECT_EQ(loop.block_on(look(*two, seen("7"), 0ms)), "7");
    EXPECT_EQ(fetches, 1);
}

TEST_F(machines, a_new_id_is_fetched_again_by_one) {
    all_look("7", 100ms);
    EXPECT_THAT(all_look("8", 300ms), testing::Each("8"));
    EXPECT_EQ(fetches, 2);
}

TEST_F(machines, what_is_no_newer_than_ours_does_not_serve) {
    all_look("7", 0ms);
    auto ours = seen("7");
    ours.held = held_policy("a.example", 3'000, "7").state.held; // the daily fetch is due
    EXPECT_FALSE(loop.block_on(one->ask_others("a.example", ours, in(5s))));
}

TEST_F(machines, who_waits_fetches_when_the_other_gives_up) {
    ASSERT_FALSE(loop.block_on(one->ask_others("a.example", seen("7"), in(5s))));
    auto waiting = io::start(loop, look(*two, seen("7"), 0ms));
    loop.block_on(loop.sleep_for(300ms));
    EXPECT_EQ(fetches, 0) << "the other one is at it";
    one->fetched("a.example"); // its fetch failed
    EXPECT_EQ(loop.block_on(waiting.get()), "7");
    EXPECT_EQ(fetches, 1);
}

TEST_F(machines, nobody_waits_beyond_the_deadline_for_a_machine_that_died) {
    ASSERT_FALSE(loop.block_on(one->ask_others("a.example", seen("7"), in(5s))));
    one.reset(); // without giving it back
    const auto start = loop.now();
    EXPECT_FALSE(loop.block_on(two->ask_others("a.example", seen("7"), in(500ms))));
    EXPECT_LT(loop.now() - start, 700ms);
}

TEST_F(machines, a_database_that_goes_away_stops_nothing_and_is_found_again) {
    database.shut();
    const auto start = loop.now();
    EXPECT_EQ(loop.block_on(look(*one, seen("7"), 0ms)), "7");
    EXPECT_EQ(loop.block_on(look(*one, seen("8"), 0ms)), "8");
    EXPECT_LT(loop.now() - start, 2s);
    EXPECT_EQ(fetches, 2);
    EXPECT_EQ(one->counted().unwritten, 1u);
    EXPECT_THAT(complaints, SizeIs(1));
    const auto late = machine("late", false); // starts while it is away
    EXPECT_FALSE(loop.block_on(late->load([](const model::kept_policy&) {})));
    std::vector<std::string> told;
    late->watch([&](const model::kept_policy& p) { told.push_back(p.domain); }, [](const std::string&) {});
    database.reopen();
    for (const auto end = in(20s); told.empty() && loop.now() < end;)
        loop.block_on(loop.sleep_for(20ms));
    EXPECT_THAT(told, testing::Contains("a.example")) << "what it could not load is told";
    EXPECT_EQ(one->counted().unwritten, 0u);
    EXPECT_EQ(database.open()->get("a.example")->value().state.held->id, "8");
}

} // namespace
} // namespace mailtight::resolve
