// SPDX-License-Identifier: Apache-2.0
// What our hosts serve and the log of all that was served, in both engines: it follows every publication and
// every look, hears of withdrawals, and never makes the past shorter.
#include "support/proves.h"
#include "unit/store/domain_fixture.h"

#include <gmock/gmock.h>

namespace mailtight::store {
namespace {
using namespace domain_tests;
using model::publication;
using model::served_policy;
using testing::ElementsAre;
using testing::IsEmpty;

class serving : public domain_fixture {};
INSTANTIATE_TEST_SUITE_P(engines, serving, testing::Values(engine::sqlite, engine::postgres),
                         [](const auto& info) {
                             return info.param == engine::sqlite ? "sqlite" : "postgres";
                         });

const std::string testing_body = body_of("testing", 604'800), enforcing = body_of("enforce", 1'209'600);

TEST_P(serving, publishing_opens_and_closes_the_log) {
    const auto s = open();
    publish(*s, "a.example", testing_body, "1", 100);
    EXPECT_THAT(*s->served("a.example"), ElementsAre(served_policy{.domain = "a.example",
                                                                   .body = testing_body,
                                                                   .mode = sts::mode::testing,
                                                                   .max_age = 604'800,
                                                                   .ids = {"1"},
                                                                   .first_served = at(100),
                                                                   .last_served = {},
                                                                   .ours = true}));
    publish(*s, "a.example", testing_body, "2", 200); // the same under a new id
    publish(*s, "a.example", enforcing, "3", 300);
    publish(*s, "a.example", "", "", 400);
    const auto log = *s->served("a.example");
    ASSERT_EQ(log.size(), 2u);
    EXPECT_THAT(log[0].ids, ElementsAre("1", "2"));
    EXPECT_EQ(log[0].last_served, at(305)) << "until every machine has heard of it";
    EXPECT_EQ(log[1].first_served, at(300));
    EXPECT_EQ(log[1].last_served, at(405));
    EXPECT_EQ(log[1].mode, sts::mode::enforce);
    EXPECT_EQ(log[1].max_age, 1'209'600u);
    const auto now = **s->published("a.example");
    EXPECT_EQ(now.body, "");
    EXPECT_EQ(now.since, at(400));
    std::vector<std::string> said;
    for (const auto& each : *s->changes("a.example", 0, 9))
        said.push_back(each.what + ": " + each.from + " -> " + each.to);
    EXPECT_THAT(said,
                ElementsAre("withdrew policy: mode enforce, max_age 1209600, id 3 -> ",
                            "served policy: mode testing, max_age 604800, id 2 -> mode enforce, max_age "
                            "1209600, id 3",
                            "served policy: mode testing, max_age 604800, id 1 -> mode testing, max_age "
                            "604800, id 2",
                            "served policy:  -> mode testing, max_age 604800, id 1"));
    EXPECT_FALSE(*s->published("b.example"));
}

TEST_P(serving, said_again_nothing_changes) {
    const auto s = open();
    publish(*s, "a.example", enforcing, "1", 100);
    const auto before = **s->published("a.example");
    publish(*s, "a.example", enforcing, "1", 200);
    EXPECT_EQ(**s->published("a.example"), before);
    EXPECT_EQ(s->served("a.example")->size(), 1u);
    EXPECT_EQ(s->changes("a.example", 0, 9)->size(), 1u);
}

TEST_P(serving, an_old_fence_changes_nothing) {
    const auto s = open();
    publish(*s, "a.example", testing_body, "1", 100);
    const auto old = **s->take_lease("plan/a.example", "m", minute);
    const auto other = **s->take_lease("plan/b.example", "m", minute);
    ASSERT_TRUE(s->release_lease(old));
    const auto now = **s->take_lease("plan/a.example", "n", minute);
    EXPECT_GT(now.fence, old.fence);
    const publication wanted{.domain = "a.example", .body = enforcing, .id = "2", .since = at(200)};
    for (const auto& held : {old, lease{.what = "plan/a.example", .who = "m", .fence = 0},
                             lease{.what = "plan/a.example", .who = "m", .fence = other.fence},
                             lease{.what = "plan/never.example", .who = "m", .fence = now.fence}}) {
        const auto done = s->publish(wanted, held, "m", lag);
        ASSERT_TRUE(done) << done.error().message;
        EXPECT_FALSE(*done);
    }
    EXPECT_EQ((*s->published("a.example"))->id, "1");
    EXPECT_EQ(s->served("a.example")->size(), 1u);
    EXPECT_TRUE(*s->publish(wanted, now, "n", lag));
    EXPECT_EQ((*s->published("a.example"))->id, "2");
}

TEST_P(serving, hosts_hear_of_every_change_in_order) {
    const auto s = open(), other = open();
    publish(*s, "a.example", testing_body, "1", 1);
    publish(*s, "b.example", testing_body, "1", 2);
    publish(*s, "a.example", "", "", 3);
    auto heard = *other->published_after(0, 100);
    EXPECT_THAT(names_of(heard), ElementsAre("b.example", "a.example"));
    EXPECT_EQ(heard[1].body, "") << "a withdrawal is heard too";
    const auto mark = heard[1].change;
    EXPECT_THAT(*other->published_after(mark, 100), IsEmpty());
    publish(*s, "b.example", enforcing, "2", 4);
    heard = *other->published_after(mark, 100);
    EXPECT_THAT(names_of(heard), ElementsAre("b.example"));
    EXPECT_EQ(heard[0].body, enforcing);
    EXPECT_THAT(names_of(*other->published_after(0, 1)), ElementsAre("a.example"));
    EXPECT_EQ(other->published_after(1'000'000, 100)->size(), 2u) << "a database that went back in time";
}

} // namespace
} // namespace mailtight::store
