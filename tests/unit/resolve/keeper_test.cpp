// SPDX-License-Identifier: Apache-2.0
// The memory's way to the database: true means durable, an absent database holds nobody up and costs nothing.
#include "unit/resolve/keeper_world.h"

#include <thread>

namespace mailtight::resolve {
namespace {
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using testing::UnorderedElementsAre;
using tests::held_policy;
using tests::no_policy;

class keeping : public testing::Test {
protected:
    io::loop loop;
    keeper_clock clock;
    std::shared_ptr<fake_control> fake = std::make_shared<fake_control>();
    std::vector<std::string> complaints;

    std::unique_ptr<keeper> over_fake(keeper_options options = {}) {
        options.complain = [this](std::string_view words) { complaints.emplace_back(words); };
        return std::make_unique<keeper>(loop, clock, std::make_unique<fake_store>(fake), std::move(options));
    }
    io::loop::time_point in(std::chrono::milliseconds time) const { return loop.now() + time; }
    bool put(keeper& to, model::kept_policy value, std::chrono::milliseconds wait = 10s) {
        return loop.block_on(to.put(std::move(value), in(wait)));
    }
    template<class Until>
    bool comes(Until what, std::chrono::milliseconds within = 10s) {
        for (const auto end = in(within); !what(); loop.block_on(loop.sleep_for(5ms)))
            if (loop.now() > end)
                return false;
        return true;
    }
    std::chrono::milliseconds took(const std::function<void()>& what) const {
        const auto start = loop.now();
        what();
        return std::chrono::duration_cast<std::chrono::milliseconds>(loop.now() - start);
    }
};

class keeping_in : public keeping, public testing::WithParamInterface<bool> {
protected:
    real_database database{GetParam()};
    std::unique_ptr<keeper> open(const std::string& machine = "one", std::chrono::milliseconds look = 20ms) {
        return std::make_unique<keeper>(
            loop, clock, database.open(),
            keeper_options{.database = database.options(),
                           .machine = machine,
                           .look_every = look,
                           .complain = [this](std::string_view words) { complaints.emplace_back(words); }});
    }
};
INSTANTIATE_TEST_SUITE_P(engines, keeping_in, testing::Bool(),
                         [](const auto& info) { return info.param ? "postgres" : "sqlite"; });

TEST_P(keeping_in, true_means_that_everybody_sees_it) {
    const auto k = open();
    EXPECT_TRUE(put(*k, tests::full_policy("a.example")));
    tests::expect_same(database.open()->get("a.example")->value(), tests::full_policy("a.example"));
    EXPECT_EQ(k->counted().unwritten, 0u);
    EXPECT_EQ(k->counted().written, 1u);
    EXPECT_EQ(k->counted().last_success, clock.now());
    EXPECT_THAT(complaints, IsEmpty());
}

TEST_P(keeping_in, everything_that_is_kept_is_loaded) {
    std::vector<model::kept_policy> some;
    for (int i = 0; i < 50'000; ++i) // some pages
        some.push_back(no_policy("d" + std::to_string(i) + ".example", i));
    ASSERT_TRUE(database.open()->put(some));
    const auto k = open();
    std::set<std::string> seen;
    const auto done = loop.block_on(k->load([&](const model::kept_policy& p) { seen.insert(p.domain); }));
    ASSERT_TRUE(done) << done.error().message;
    EXPECT_EQ(seen.size(), some.size());
}

TEST_P(keeping_in, what_others_write_is_told_and_our_own_is_not) {
    ASSERT_TRUE(database.open()->put(std::vector{no_policy("before.example", 1)}));
    const auto k = open();
    ASSERT_TRUE(loop.block_on(k->load([](const model::kept_policy&) {})));
    std::vector<std::string> changed, removed;
    int exceptions = 0;
    k->watch([&](const model::kept_policy& p) { changed.push_back(p.domain); },
             [&](std::string domain) { removed.push_back(std::move(domain)); }, [&] { ++exceptions; });
    EXPECT_TRUE(put(*k, held_policy("ours.example", 1)));
    const auto command = database.open(); // `cache import` beside the daemon, or another machine
    ASSERT_TRUE(command->put(std::vector{held_policy("theirs.example", 1), no_policy("gone.example", 1)}));
    ASSERT_TRUE(comes([&] { return changed.size() >= 2; }));
    EXPECT_THAT(changed, UnorderedElementsAre("theirs.example", "gone.example"));
    EXPECT_EQ(exceptions, 0);
    ASSERT_TRUE(command->remove(std::vector<std::string>{"gone.example"}));
    ASSERT_TRUE(command->set_override({.domain = "x.example"}));
    k->remove("ours.example");
    ASSERT_TRUE(comes([&] { return removed.size() >= 1 && exceptions >= 1; }));
    loop.block_on(loop.sleep_for(100ms));
    EXPECT_THAT(removed, ElementsAre("gone.example"));
    EXPECT_EQ(exceptions, 1);
    EXPECT_EQ(changed.size(), 2u);
    EXPECT_EQ(k->counted().taken_over, 3u);
    // Merged with something newer of theirs, our own write is news.
    ASSERT_TRUE(command->put(std::vector{held_policy("both.example", 500, "theirs")}));
    EXPECT_TRUE(put(*k, no_policy("both.example", 600)));
    ASSERT_TRUE(comes([&] { return changed.size() >= 3; }));
    EXPECT_EQ(changed.back(), "both.example");
}

TEST_P(keeping_in, exceptions_and_verdicts_pass_through) {
    const auto k = open();
    ASSERT_TRUE(loop.block_on(k->set_override({.domain = "a.example", .why = "broken"})));
    EXPECT_EQ(loop.block_on(k->overrides())->at(0).why, "broken");
    EXPECT_TRUE(*loop.block_on(k->remove_override("a.example")));
    EXPECT_FALSE(*loop.block_on(k->remove_override("a.example")));
    ASSERT_TRUE(loop.block_on(k->put_verdicts(
        {{.domain = "a.example", .mx_host = "mx", .at = clock.now()},
         {.domain = "old.example", .mx_host = "mx", .at = clock.now() - std::chrono::hours(24 * 40)}})));
    EXPECT_THAT(*loop.block_on(k->verdicts("")), SizeIs(1));
}

TEST_P(keeping_in, the_end_waits_for_what_was_put) {
    {
        const auto k = open();
        for (int i = 0; i < 5'000; ++i)
            loop.spawn([](keeper& to, int n, io::loop& on) -> io::task<> {
                co_await to.put(no_policy("d" + std::to_string(n) + ".example", n), on.now() + 10s);
            }(*k, i, loop));
        loop.block_on(loop.sleep_for(1ms));
        loop.block_on(k->drain(in(20s)));
        EXPECT_EQ(k->counted().unwritten, 0u);
    }
    EXPECT_EQ(*database.open()->count(), 5'000u);
}

TEST_F(keeping, what_comes_while_a_group_is_written_makes_the_next_one) {
    const auto k = over_fake();
    fake->set_hold(true);
    int durable = 0;
    for (int i = 0; i < 500; ++i)
        loop.spawn([](keeper& to, int n, int& count, io::loop& on) -> io::task<> {
            const bool kept = co_await to.put(no_policy("d" + std::to_string(n), n), on.now() + 10s);
            count += kept ? 1 : 0;
        }(*k, i, durable, loop));
    loop.block_on(loop.sleep_for(50ms));
    EXPECT_EQ(durable, 0);
    fake->set_hold(false);
    EXPECT_TRUE(comes([&] { return durable == 500; }));
    EXPECT_LE(fake->seen_groups().size(), 3u);
}

TEST_F(keeping, a_newer_state_that_comes_meanwhile_is_written_too) {
    const auto k = over_fake();
    fake->set_hold(true);
    auto first = io::start(loop, k->put(no_policy("a.example", 1), in(10s)));
    loop.block_on(loop.sleep_for(20ms));
    auto second = io::start(loop, k->put(no_policy("a.example", 2), in(10s)));
    auto third = io::start(loop, k->put(no_policy("a.example", 3), in(10s)));
    loop.block_on(loop.sleep_for(20ms));
    fake->set_hold(false);
    EXPECT_TRUE(loop.block_on(first.get()));
    EXPECT_TRUE(loop.block_on(second.get()));
    EXPECT_TRUE(loop.block_on(third.get()));
    EXPECT_THAT(fake->seen_groups(), ElementsAre(1, 1)) << "of a domain only the latest state waits";
    EXPECT_EQ(fake->rows.at("a.example").state.record_at, tests::at(3));
}

TEST_F(keeping, nobody_waits_for_a_database_that_is_away) {
    const auto k = over_fake();
    fake->fail(away);
    EXPECT_LT(took([&] { EXPECT_FALSE(put(*k, no_policy("a.example", 1))); }), 500ms) << "found out";
    for (int i = 0; i < 100; ++i)
        EXPECT_LT(took([&] { EXPECT_FALSE(put(*k, no_policy("d" + std::to_string(i), 1))); }), 50ms);
    EXPECT_FALSE(put(*k, no_policy("a.example", 2)));
    EXPECT_EQ(k->counted().unwritten, 101u);
    EXPECT_EQ(k->counted().last_error, "it is away");
    EXPECT_EQ(k->counted().last_error_at, clock.now());
    loop.block_on(loop.sleep_for(700ms)); // some tries
    ASSERT_THAT(complaints, SizeIs(1)) << "once an outage";
    EXPECT_THAT(complaints[0], testing::HasSubstr("it is away"));
    fake->fail(std::nullopt);
    ASSERT_TRUE(comes([&] { return k->counted().unwritten == 0; }));
    EXPECT_EQ(fake->rows.size(), 101u);
    EXPECT_EQ(fake->rows.at("a.example").state.record_at, tests::at(2)) << "the latest";
    ASSERT_THAT(complaints, SizeIs(2));
    EXPECT_THAT(complaints[1], testing::HasSubstr("back"));
    EXPECT_TRUE(put(*k, no_policy("after.example", 1)));
}

TEST_F(keeping, nobody_waits_long_for_a_database_that_does_not_answer) {
    const auto k = over_fake();
    fake->set_hold(true);
    EXPECT_LT(took([&] { EXPECT_FALSE(put(*k, no_policy("a.example", 1), 100ms)); }), 300ms)
        << "the deadline";
    EXPECT_LT(took([&] { EXPECT_FALSE(put(*k, no_policy("b.example", 1), 60s)); }), 2'000ms) << "patience";
    EXPECT_LT(took([&] { EXPECT_FALSE(put(*k, no_policy("c.example", 1), 60s)); }), 50ms) << "known by now";
    fake->set_hold(false);
    ASSERT_TRUE(comes([&] { return k->counted().unwritten == 0; }));
    EXPECT_TRUE(put(*k, no_policy("d.example", 1)));
    EXPECT_EQ(fake->rows.size(), 4u);
}

TEST_F(keeping, what_waits_is_bounded) {
    const auto k = over_fake({.unwritten = 10});
    fake->fail(away);
    for (int i = 0; i < 30; ++i)
        put(*k, no_policy("d" + std::to_string(i), 1));
    put(*k, no_policy("d3", 2)); // one that waits already
    EXPECT_EQ(k->counted().unwritten, 10u);
    EXPECT_THAT(complaints, SizeIs(2)) << "away, and too many";
    fake->fail(std::nullopt);
    ASSERT_TRUE(comes([&] { return k->counted().unwritten == 0; }));
    EXPECT_EQ(fake->rows.at("d3").state.record_at, tests::at(2));
    EXPECT_TRUE(put(*k, no_policy("d29", 1)));
}

TEST_F(keeping, one_row_that_the_database_refuses_holds_back_no_other) {
    const auto k = over_fake();
    fake->refused = {"bad.example"};
    fake->set_hold(true);
    auto held = io::start(loop, k->put(no_policy("first.example", 1), in(10s)));
    loop.block_on(loop.sleep_for(10ms));
    auto bad = io::start(loop, k->put(no_policy("bad.example", 1), in(10s)));
    auto good = io::start(loop, k->put(no_policy("good.example", 1), in(10s)));
    loop.block_on(loop.sleep_for(10ms));
    fake->set_hold(false);
    EXPECT_TRUE(loop.block_on(held.get()));
    EXPECT_FALSE(loop.block_on(bad.get()));
    EXPECT_TRUE(loop.block_on(good.get()));
    EXPECT_EQ(k->counted().unwritten, 0u) << "not tried for ever";
    EXPECT_THAT(complaints, SizeIs(1));
}

TEST_F(keeping, what_is_forgotten_while_it_waits_is_forgotten) {
    const auto k = over_fake();
    fake->fail(away);
    put(*k, no_policy("a.example", 1));
    k->remove("a.example");
    fake->fail(std::nullopt);
    ASSERT_TRUE(comes([&] { return k->counted().unwritten == 0; }));
    EXPECT_THAT(fake->rows, IsEmpty());
    EXPECT_THAT(fake->removed, ElementsAre("a.example"));
}

TEST_F(keeping, a_power_cut_costs_a_second_at_most) {
    const auto k = over_fake();
    for (int i = 0; i < 20; ++i)
        EXPECT_TRUE(put(*k, no_policy("d" + std::to_string(i), 1)));
    EXPECT_TRUE(comes([&] { return fake->syncs == 1; }, 2s));
    loop.block_on(loop.sleep_for(1'200ms));
    EXPECT_EQ(fake->syncs, 1) << "nothing was written since";
}

TEST_F(keeping, draining_ends_at_its_deadline_and_the_end_waits_for_nobody) {
    auto k = over_fake();
    fake->fail(away);
    put(*k, no_policy("a.example", 1));
    EXPECT_LT(took([&] { loop.block_on(k->drain(in(150ms))); }), 400ms);
    EXPECT_EQ(k->counted().unwritten, 1u);
    auto waiting = io::start(loop, k->put(no_policy("b.example", 1), in(60s)));
    EXPECT_LT(took([&] { k.reset(); }), 500ms);
    EXPECT_FALSE(loop.block_on(waiting.get()));
}

TEST_F(keeping, without_a_database_everything_goes_on) {
    keeper k(loop, clock, nullptr, {});
    EXPECT_TRUE(loop.block_on(k.load([](const model::kept_policy&) { FAIL(); })));
    EXPECT_FALSE(put(k, no_policy("a.example", 1)));
    k.remove("a.example");
    k.fetched("a.example");
    k.watch([](const model::kept_policy&) {}, [](const std::string&) {});
    EXPECT_FALSE(loop.block_on(k.ask_others("a.example", {}, in(1s))));
    EXPECT_THAT(*loop.block_on(k.overrides()), IsEmpty());
    EXPECT_FALSE(loop.block_on(k.set_override({.domain = "a.example"})));
    EXPECT_THAT(*loop.block_on(k.verdicts("")), IsEmpty());
    loop.block_on(k.drain(in(1s)));
    EXPECT_EQ(k.counted().unwritten, 0u);
}

} // namespace
} // namespace mailtight::resolve
