// SPDX-License-Identifier: Apache-2.0
// Work that is due and leases, in both engines: one holder at a time, fences that only grow, nothing that was
// asked for is swept away, and an old holder changes nothing.
#include "unit/store/domain_fixture.h"

#include <gmock/gmock.h>

namespace mailtight::store {
namespace {
using namespace domain_tests;
using testing::ElementsAre;
using testing::IsEmpty;

class domain_work : public domain_fixture {
protected:
    static std::vector<due_work> take(domain_store& from, std::int64_t now, std::size_t limit = 100,
                                      std::chrono::seconds how_long = minute, const std::string& who = "m") {
        auto got = from.take_work("plan", at(now), who, how_long, limit);
        EXPECT_TRUE(got) << got.error().message;
        return got ? std::move(*got) : std::vector<due_work>();
    }
    static void plan(domain_store& on, const std::string& domain, std::int64_t when) {
        const auto done = on.plan_work("plan", domain, at(when));
        EXPECT_TRUE(done) << done.error().message;
    }
    static due_work work(domain_store& of, const std::string& domain) {
        return of.work("plan", domain)->value_or(due_work{});
    }
};
INSTANTIATE_TEST_SUITE_P(engines, domain_work, testing::Values(engine::sqlite, engine::postgres),
                         [](const auto& info) {
                             return info.param == engine::sqlite ? "sqlite" : "postgres";
                         });

TEST_P(domain_work, is_taken_when_due_in_order_and_once) {
    const auto s = open(), other = open();
    plan(*s, "c.example", 30);
    plan(*s, "a.example", 20);
    plan(*s, "b.example", 20);
    ASSERT_TRUE(s->plan_work("watch", "a.example", at(0)));
    EXPECT_THAT(take(*s, 19), IsEmpty());
    EXPECT_EQ(*s->waiting_work("plan", at(30)), 3u);
    EXPECT_EQ(*s->waiting_work("plan", at(29)), 2u);
    EXPECT_EQ(*s->waiting_work("watch", at(29)), 1u);
    EXPECT_THAT(names_of(take(*s, 40, 2)), ElementsAre("a.example", "b.example"));
    EXPECT_THAT(names_of(take(*other, 40)), ElementsAre("c.example"));
    EXPECT_THAT(take(*other, 40), IsEmpty());
    EXPECT_THAT(names_of(*s->take_work("watch", at(40), "m", minute, 9)), ElementsAre("a.example"));
}

TEST_P(domain_work, is_taken_from_either_end_and_what_a_person_asks_for_first) {
    const auto s = open();
    for (const auto* name : {"a.example", "b.example", "c.example", "d.example", "e.example"})
        plan(*s, name, 10);
    plan(*s, "late.example", 30);
    ASSERT_TRUE(s->plan_work("plan", "d.example", person_asks)); // although it waits like the others
    const auto newest = [&](std::size_t limit) {
        return names_of(*s->take_work("plan", at(40), "m", minute, limit, work_order::newest_first));
    };
    EXPECT_THAT(names_of(take(*s, 40, 1)), ElementsAre("d.example"));
    EXPECT_THAT(newest(2), ElementsAre("late.example", "e.example"));
    EXPECT_THAT(names_of(take(*s, 40, 2)), ElementsAre("a.example", "b.example"));
    EXPECT_THAT(newest(9), ElementsAre("c.example"));
}

TEST_P(domain_work, is_due_again_as_its_end_says_with_what_was_written_down) {
    const auto s = open();
    plan(*s, "a.example", 10);
    auto now = take(*s, 10).at(0);
    EXPECT_EQ(now.due_at, at(10));
    now.state = std::string("order\0\xff", 7);
    now.tries = 3;
    now.last_error = "no \x1b answer";
    EXPECT_TRUE(*s->done_work(now, at(100)));
    auto kept = work(*s, "a.example");
    EXPECT_EQ(kept.due_at, at(100));
    EXPECT_EQ(kept.state, now.state);
    EXPECT_EQ(kept.tries, 3u);
    EXPECT_THAT(kept.last_error, testing::StartsWith("no "));
    EXPECT_THAT(take(*s, 99), IsEmpty());
    const auto again = take(*s, 100).at(0);
    EXPECT_EQ(again.state, now.state);
    EXPECT_EQ(again.tries, 3u);
    EXPECT_GT(again.fence, now.fence);

    EXPECT_TRUE(*s->done_work(again, std::nullopt));
    EXPECT_EQ(work(*s, "a.example").due_at, never_due);
    EXPECT_EQ(work(*s, "a.example").state, now.state);
    EXPECT_THAT(take(*s, 1'000'000'000), IsEmpty());
    plan(*s, "a.example", 200);
    EXPECT_EQ(take(*s, 200).at(0).state, now.state) << "planning keeps the state";
    EXPECT_FALSE(*s->work("plan", "b.example"));
}

TEST_P(domain_work, is_made_due_earlier_never_later) {
    const auto s = open();
    plan(*s, "a.example", 100);
    plan(*s, "a.example", 200);
    EXPECT_EQ(work(*s, "a.example").due_at, at(100));
    plan(*s, "a.example", 50);
    EXPECT_EQ(work(*s, "a.example").due_at, at(50));
    const std::vector<std::pair<std::string, base::utc_seconds>> many{
        {"b.example", at(7)}, {"a.example", at(60)}, {"c.example", at(8)}};
    ASSERT_TRUE(s->plan_all("plan", many));
    EXPECT_THAT(names_of(take(*s, 100)), ElementsAre("b.example", "c.example", "a.example"));
}

TEST_P(domain_work, what_is_asked_for_meanwhile_is_not_swept_away) {
    const auto s = open(), other = open();
    plan(*s, "a.example", 10);
    const auto now = take(*s, 10).at(0);
    plan(*other, "a.example", 12); // somebody changed the domain while its plan was carried out
    plan(*other, "a.example", 15);
    EXPECT_TRUE(*s->done_work(now, at(100'000)));
    EXPECT_EQ(work(*s, "a.example").due_at, at(12));
    const auto again = take(*s, 12).at(0);
    EXPECT_TRUE(*s->done_work(again, at(100'000)));
    EXPECT_EQ(work(*s, "a.example").due_at, at(100'000)) << "once";
}

TEST_P(domain_work, a_lease_ends_and_an_old_fence_changes_nothing) {
    const auto s = open(), other = open();
    plan(*s, "a.example", 0);
    auto old = take(*s, 0, 1, std::chrono::seconds(1)).at(0);
    EXPECT_THAT(take(*other, 0), IsEmpty());
    const auto later = let_leases_end(at(0));
    const auto got = *other->take_work("plan", later, "n", minute, 9);
    ASSERT_EQ(got.size(), 1u);
    EXPECT_GT(got[0].fence, old.fence);
    old.state = "old";
    old.tries = 9;
    EXPECT_FALSE(*s->keep_work(old, later, minute));
    EXPECT_FALSE(*s->done_work(old, at(5)));
    EXPECT_EQ(work(*s, "a.example").state, "");
    EXPECT_TRUE(*other->done_work(got[0], at(50)));
    EXPECT_FALSE(*other->done_work(got[0], at(5))) << "it has ended";
    EXPECT_FALSE(*other->keep_work(got[0], later, minute));
    EXPECT_EQ(work(*s, "a.example").due_at, at(50));
    EXPECT_EQ(work(*s, "a.example").tries, 0u);
    auto none = got[0];
    none.fence = 0; // as an ended one stands in the row
    EXPECT_FALSE(*s->done_work(none, at(1)));
    EXPECT_FALSE(*s->keep_work(none, later, minute));
}

TEST_P(domain_work, with_a_state_or_an_error_is_found_by_name) {
    const auto s = open();
    for (const auto* name : {"a.example", "b.example", "c.example", "d.example"})
        plan(*s, name, 0);
    auto mine = take(*s, 0);
    mine.at(0).state = "order 7";
    mine.at(2).last_error = "no answer";
    EXPECT_TRUE(*s->done_work(mine[0], std::nullopt));
    EXPECT_TRUE(*s->done_work(mine[1], at(5)));
    EXPECT_TRUE(*s->done_work(mine[2], at(5)));
    EXPECT_THAT(names_of(*s->noted_work("plan", "", 9)), ElementsAre("a.example", "c.example"));
    EXPECT_EQ(s->noted_work("plan", "", 9)->at(0).state, "order 7");
    EXPECT_THAT(names_of(*s->noted_work("plan", "", 1)), ElementsAre("a.example"));
    EXPECT_THAT(names_of(*s->noted_work("plan", "a.example", 9)), ElementsAre("c.example"));
    EXPECT_THAT(*s->noted_work("watch", "", 9), IsEmpty());
}

TEST_P(domain_work, keeping_it_writes_the_state_and_prolongs_the_lease) {
    const auto s = open(), other = open();
    plan(*s, "a.example", 0);
    auto mine = take(*s, 0, 1, std::chrono::seconds(1)).at(0);
    mine.state = "step 2";
    EXPECT_TRUE(*s->keep_work(mine, at(0), minute));
    const auto later = let_leases_end(at(0));
    EXPECT_THAT(*other->take_work("plan", later, "n", minute, 9), IsEmpty());
    EXPECT_EQ(work(*other, "a.example").state, "step 2");
    EXPECT_TRUE(*s->done_work(mine, std::nullopt));
}

TEST_P(domain_work, several_end_together) {
    const auto s = open(), other = open();
    for (const auto* name : {"b.example", "a.example", "c.example"})
        plan(*s, name, 0);
    const auto mine = take(*s, 0);
    EXPECT_TRUE(*s->done_work(mine[1], at(99)));
    std::vector<domain_store::done_with> all;
    for (const auto& each : mine)
        all.emplace_back(each, at(70));
    EXPECT_EQ(*s->done_all(all), 2u);
    EXPECT_EQ(*s->waiting_work("plan", at(70)), 2u);
    EXPECT_EQ(work(*s, "b.example").due_at, at(99));
}

TEST_P(domain_work, a_lease_is_of_one_and_its_fence_grows_over_everything) {
    const auto s = open(), other = open();
    std::int64_t last = 0;
    for (int round = 0; round < 3; ++round) {
        const auto mine = **s->take_lease("imap/reports@a.example", "m", minute);
        EXPECT_GT(mine.fence, last);
        last = mine.fence;
        EXPECT_EQ(mine.what, "imap/reports@a.example");
        EXPECT_EQ(mine.who, "m");
        EXPECT_FALSE(*other->take_lease("imap/reports@a.example", "n", minute));
        EXPECT_FALSE(*s->take_lease("imap/reports@a.example", "m", minute)) << "nor who has it";
        EXPECT_TRUE(*other->take_lease("alarms", "n", minute));
        EXPECT_TRUE(*s->renew_lease(mine, minute));
        EXPECT_EQ(rows_of("domain_work"), 2);
        ASSERT_TRUE(s->release_lease(mine));
        ASSERT_TRUE(s->release_lease(mine)) << "twice is once";
        EXPECT_FALSE(*s->renew_lease(mine, minute));
        EXPECT_EQ(rows_of("domain_work"), 1) << "and the row is gone";
        ASSERT_TRUE(other->take_back("n"));
    }
}

TEST_P(domain_work, a_lease_that_ran_out_is_taken_by_the_next) {
    const auto s = open(), other = open();
    const auto old = **s->take_lease("alarms", "m", std::chrono::seconds(1));
    std::this_thread::sleep_for(std::chrono::milliseconds(1'100)); // no time is said: the database's
    EXPECT_TRUE(*s->renew_lease(old, std::chrono::seconds(0))) << "nobody has taken it";
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    const auto now = *other->take_lease("alarms", "n", minute);
    ASSERT_TRUE(now);
    EXPECT_GT(now->fence, old.fence);
    EXPECT_FALSE(*s->renew_lease(old, minute));
    ASSERT_TRUE(s->release_lease(old));
    EXPECT_FALSE(*s->take_lease("alarms", "m", minute)) << "it was not theirs to release";
    EXPECT_TRUE(*other->renew_lease(*now, minute));
}

TEST_P(domain_work, work_and_lease_of_one_name_exclude_each_other) {
    const auto s = open(), other = open();
    plan(*s, "a.example", 0);
    const auto held = **s->take_lease("plan/a.example", "m", minute);
    EXPECT_THAT(take(*other, 5), IsEmpty());
    plan(*other, "a.example", 3);
    ASSERT_TRUE(s->release_lease(held));
    EXPECT_EQ(work(*s, "a.example").due_at, at(0)) << "a lease is no work done";
    const auto mine = take(*other, 5).at(0);
    EXPECT_GT(mine.fence, held.fence);
    EXPECT_FALSE(*s->take_lease("plan/a.example", "m", minute));
    EXPECT_TRUE(*other->renew_lease({.what = "plan/a.example", .who = "m", .fence = mine.fence}, minute));
}

TEST_P(domain_work, fences_grow_over_removal) {
    const auto s = open();
    ASSERT_TRUE(s->save(wish("a.example"), "anna", "", at(0)));
    plan(*s, "a.example", 0);
    const auto old = take(*s, 0).at(0);
    ASSERT_TRUE(s->remove("a.example", "anna", "", at(1)));
    EXPECT_FALSE(*s->work("plan", "a.example"));
    EXPECT_FALSE(*s->done_work(old, at(9)));
    EXPECT_FALSE(*s->work("plan", "a.example")) << "it does not come back by its end";
    plan(*s, "a.example", 0);
    const auto now = take(*s, 0).at(0);
    EXPECT_GT(now.fence, old.fence);
    EXPECT_FALSE(*s->done_work(old, at(9)));
    EXPECT_TRUE(*s->done_work(now, at(9)));
}

TEST_P(domain_work, a_process_that_begins_takes_back_what_the_one_before_it_held) {
    const auto s = open();
    plan(*s, "a.example", 0);
    plan(*s, "b.example", 0);
    const auto mine = take(*s, 0, 1, hour, "m");
    const auto theirs = take(*s, 0, 1, hour, "n");
    const auto held = **s->take_lease("alarms", "m", hour);
    const auto again = open();
    ASSERT_TRUE(again->take_back("m"));
    EXPECT_THAT(names_of(take(*again, 0)), ElementsAre("a.example"));
    EXPECT_FALSE(*s->done_work(mine[0], at(5))) << "it is another's now";
    EXPECT_FALSE(*s->renew_lease(held, hour));
    EXPECT_TRUE(*again->take_lease("alarms", "m", hour));
    EXPECT_TRUE(*s->done_work(theirs[0], at(5)));
}

TEST_P(domain_work, names_and_states_beyond_measure_are_refused) {
    const auto s = open();
    for (const auto& [kind, domain] : {std::pair<std::string, std::string>("", "a.example"),
                                       {std::string(1'001, 'x'), ""},
                                       {"plan", std::string("a\0b", 3)},
                                       {"pl\xff", "a.example"}}) {
        EXPECT_EQ(s->plan_work(kind, domain, at(0)).error().what, store_error::kind::wrong);
        const std::pair one(domain, at(0));
        EXPECT_EQ(s->plan_all(kind, std::span(&one, 1)).error().what, store_error::kind::wrong);
        EXPECT_FALSE(s->take_lease(kind + "/" + domain, "m", minute));
    }
    plan(*s, "a.example", 0);
    auto mine = take(*s, 0).at(0);
    mine.state = std::string((1u << 20) + 1, 'x');
    EXPECT_EQ(s->keep_work(mine, at(0), minute).error().what, store_error::kind::wrong);
    EXPECT_EQ(s->done_work(mine, at(9)).error().what, store_error::kind::wrong);
    mine.state.pop_back();
    EXPECT_TRUE(*s->done_work(mine, at(9)));
}

TEST_P(domain_work, what_is_written_together_holds_at_once_or_not_at_all) {
    const auto s = open(), other = open();
    for (const auto* name : {"a.example", "b.example"})
        plan(*s, name, 0);
    auto held = take(*s, 0);
    ASSERT_EQ(held.size(), 2u);
    for (const bool light : {false, true}) {
        const std::string text = light ? "light" : "durable";
        std::vector<bool> kept;
        const auto done = s->together(light, [&](domain_store& in) {
            kept.clear();
            for (auto each : held) {
                each.state = text;
                kept.push_back(*in.keep_work(each, at(0), minute));
            }
            auto old = held[0];
            old.fence -= 1;
            kept.push_back(*in.keep_work(old, at(0), minute));
            // What is refused before it reaches the database is nobody else's fault.
            EXPECT_FALSE(in.plan_work("", "c.example", at(0)));
            EXPECT_TRUE(in.put_challenge({.kind = "http-01", .key = text, .answer = "y", .until = at(9)}));
            EXPECT_EQ(work(in, "a.example").state, text) << "its own writes it sees";
            EXPECT_NE(work(*other, "a.example").state, text) << "others do not";
        });
        ASSERT_TRUE(done) << done.error().message;
        EXPECT_THAT(kept, ElementsAre(true, true, false));
        EXPECT_EQ(work(*other, "a.example").state, text);
        EXPECT_EQ(work(*other, "b.example").state, text);
        const auto open_now = other->challenges(at(0)).value();
        EXPECT_EQ(std::ranges::count(open_now, text, &challenge_answer::key), 1);
    }
    struct ended {};
    EXPECT_THROW(static_cast<void>(s->together(false,
                                               [&](domain_store& in) {
                                                   plan(in, "c.example", 0);
                                                   plan(in, "d.example", 0);
                                                   throw ended();
                                               })),
                 ended);
    EXPECT_FALSE(s->work("plan", "c.example")->has_value());
    EXPECT_FALSE(other->work("plan", "d.example")->has_value());
    plan(*s, "e.example", 0);
    EXPECT_TRUE(other->work("plan", "e.example")->has_value()) << "the next one is a transaction of its own";
}

TEST_P(domain_work, a_failure_of_one_is_that_of_all_together) {
    const auto s = open(), other = open();
    {
        const auto raw = connect();
        sql::transaction breaking(*raw, sql::access::write);
        raw->run("drop table challenge_answer");
        breaking.commit();
    }
    const auto done = s->together(false, [&](domain_store& in) {
        EXPECT_TRUE(in.plan_work("plan", "a.example", at(0)));
        // An engine that sends ahead says so as late as at the commit.
        static_cast<void>(in.put_challenge({.kind = "http-01", .key = "x", .answer = "y", .until = at(9)}));
        static_cast<void>(in.plan_work("plan", "b.example", at(0)));
    });
    EXPECT_FALSE(done);
    EXPECT_FALSE(other->work("plan", "a.example")->has_value());
    EXPECT_FALSE(other->work("plan", "b.example")->has_value());
    plan(*s, "c.example", 0);
    EXPECT_TRUE(other->work("plan", "c.example")->has_value());
}

} // namespace
} // namespace mailtight::store
