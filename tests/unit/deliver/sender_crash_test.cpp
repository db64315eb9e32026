// SPDX-License-Identifier: Apache-2.0
// A process that dies at any moment: what was recorded as taken is never sent again, and nothing is
// forgotten. Every step of a report's way is tried in turn: each call of the database before it and between
// its commit and its answer, each question and each try before it, and between the other side's yes and our
// hearing it.
#include "sender_world.h"
#include "support/proves.h"

namespace mailtight::deliver {
namespace {

using namespace tests;
using enum model::delivery_state;

struct story {
    const char* name;
    bool first_that_works = false;
    std::string rua;
    std::vector<std::string> all; ///< who gets it in the end
    bool one_of_them = false;
    std::set<std::string> down{}; ///< answers 451 once
    bool another_machine = false; ///< goes on; else the same does, which waits for no lease
};

void PrintTo(const story& tale, std::ostream* to) {
    *to << tale.name;
}

class a_process_that_dies : public testing::TestWithParam<story> {};

/// One life after another until the day is over; the first ends at the step. False: it needs fewer steps.
bool dies_at(int step, const story& tale) {
    sender_world of;
    of.watched.once_only = true;
    of.options.first_that_works = tale.first_that_works;
    of.count({sessions("a.example", 5, 1)});
    of.world.asks("a.example", tale.rua);
    for (const auto& each : tale.down)
        of.world.mail_answers[each] = [&of, each](auto) {
            return outside::smtp(of.world.tried(each) == 1 ? 451 : 250);
        };
    of.watched.die_at = step;
    of.begin();
    for (int i = 0; i < 2 && !of.watched.dead; ++i)
        of.pass(7min);
    const bool died = of.watched.dead;
    of.end();
    of.watched.live_again();
    if (tale.another_machine) {
        of.options.machine = "another";
        of.clock.at += of.options.lease + 1s; // longer than the longest: what the dead one had is free
    }
    of.begin();
    for (int i = 0; i < 3; ++i)
        of.pass(20min);
    EXPECT_EQ(of.stored().due, 0u) << "forgotten after step " << step;
    EXPECT_EQ(of.stored().waiting, 0u) << "forgotten after step " << step;
    std::ptrdiff_t takers = 0;
    for (const auto& each : tale.all) {
        const auto taken = of.world.taken(each);
        takers += taken > 0 ? 1 : 0;
        EXPECT_LE(taken, 2) << each << " after step " << step;
        EXPECT_EQ(taken > 0, of.state_of(each) == sent) << each << " after step " << step;
    }
    EXPECT_TRUE(tale.one_of_them ? takers >= 1 : takers == static_cast<std::ptrdiff_t>(tale.all.size()))
        << takers << " have it after step " << step;
    // More than once only where the yes was never heard or never written: at most what was in flight.
    const auto wanted = tale.one_of_them ? 1 : static_cast<std::ptrdiff_t>(tale.all.size());
    EXPECT_LE(static_cast<std::ptrdiff_t>(of.world.accepted.size()), died ? 2 * wanted : wanted)
        << "after step " << step;
    EXPECT_EQ(of.outbox().size(), 1u) << "filed once, whatever happens; step " << step;
    return died;
}

TEST_P(a_process_that_dies, forgets_nothing_and_repeats_nothing) {
    int step = 1;
    while (dies_at(step, GetParam()) && !HasFailure() && step < 500)
        ++step;
    EXPECT_GT(step, 15) << "the steps were counted";
    EXPECT_LT(step, 500);
}

INSTANTIATE_TEST_SUITE_P(
    sender, a_process_that_dies,
    testing::Values(story{.name = "by_mail", .rua = "mailto:a@r.example", .all = {"a@r.example"}},
                    story{.name = "by_post", .rua = "https://r.example/", .all = {"https://r.example/"}},
                    story{.name = "by_mail_on_another_machine",
                          .rua = "mailto:a@r.example",
                          .all = {"a@r.example"},
                          .another_machine = true},
                    story{.name = "to_all",
                          .rua = "mailto:a@r.example,https://r.example/",
                          .all = {"a@r.example", "https://r.example/"}},
                    story{.name = "with_a_retry",
                          .rua = "mailto:a@r.example",
                          .all = {"a@r.example"},
                          .down = {"a@r.example"}},
                    story{.name = "first_that_works",
                          .first_that_works = true,
                          .rua = "mailto:a@r.example,mailto:b@r.example",
                          .all = {"a@r.example", "b@r.example"},
                          .one_of_them = true,
                          .down = {"a@r.example"}}),
    [](const auto& of) { return std::string(of.param.name); });

/// Several are looked up, filed and dropped together: each is filed once, whenever the process dies.
TEST(a_sender, that_dies_with_several_in_hand_files_each_once) {
    const std::vector<std::string> domains{"a.example", "b.example", "c.example"};
    int step = 1;
    for (bool died = true; died && step < 500; ++step) {
        sender_world of;
        of.watched.once_only = true;
        of.count({sessions("nobody.example", 1), sessions("none.example", 1)});
        for (const auto& each : domains) {
            of.count({sessions(each, 5, 1)});
            of.world.asks(each, "mailto:" + each + "@r.example");
        }
        of.watched.die_at = step;
        of.begin();
        died = of.watched.dead;
        of.end();
        of.watched.live_again();
        of.begin();
        of.pass(20min);
        EXPECT_EQ(of.stored().due, 0u) << "forgotten after step " << step;
        EXPECT_EQ(of.stored().waiting, 0u) << "forgotten after step " << step;
        EXPECT_EQ(of.outbox().size(), domains.size()) << "filed once, whatever happens; step " << step;
        for (const auto& each : domains) {
            EXPECT_EQ(of.state_of(each + "@r.example"), sent) << each << " after step " << step;
            EXPECT_LE(of.world.taken(each + "@r.example"), died ? 2 : 1) << each << " after step " << step;
        }
        if (testing::Test::HasFailure())
            break;
    }
    EXPECT_GT(step, 30) << "the steps were counted";
    EXPECT_LT(step, 500);
}

} // namespace
} // namespace mailtight::deliver
