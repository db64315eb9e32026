// SPDX-License-Identifier: Apache-2.0
// What our hosts serve and the log of all that was served, in both engines: it follows every publication and
// every look, hears of withdrawals, and never makes the past shorter.
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

// ---- what is seen ----

struct entry {
    std::string body;
    std::int64_t first;
    std::optional<std::int64_t> last; ///< nothing: open
    friend bool operator==(const entry&, const entry&) = default;
    friend void PrintTo(const entry& e, std::ostream* to) {
        *to << e.body << " from " << e.first << " to " << (e.last ? std::to_string(*e.last) : "now");
    }
};
std::vector<entry> log_of(domain_store& s) {
    std::vector<entry> out;
    for (const auto& each : *s.served("a.example"))
        out.push_back({each.body, (each.first_served - at(0)).count(),
                       each.last_served ? std::optional((*each.last_served - at(0)).count()) : std::nullopt});
    return out;
}
void see(domain_store& s, const std::string& body, std::int64_t when, bool ours = false,
         const std::string& id = "") {
    const auto done = s.seen_served("a.example", body, id, ours, at(when));
    ASSERT_TRUE(done) << done.error().message;
}

TEST_P(serving, a_foreign_policy_is_open_until_a_look_says_otherwise) {
    const auto s = open();
    see(*s, testing_body, 10, false, "1");
    see(*s, testing_body, 20, false, "1");
    see(*s, testing_body, 30, false, "2"); // its record changed
    EXPECT_THAT(log_of(*s), ElementsAre(entry{testing_body, 10, {}}));
    const auto found = s->served("a.example")->at(0);
    EXPECT_THAT(found.ids, ElementsAre("1", "2"));
    EXPECT_FALSE(found.ours);
    EXPECT_EQ(found.max_age, 604'800u);
    see(*s, enforcing, 40);
    EXPECT_THAT(log_of(*s), ElementsAre(entry{testing_body, 10, 40}, entry{enforcing, 40, {}}))
        << "senders may have had the old one until this look";
    ASSERT_TRUE(s->seen_gone("a.example", at(50)));
    ASSERT_TRUE(s->seen_gone("a.example", at(60)));
    EXPECT_THAT(log_of(*s), ElementsAre(entry{testing_body, 10, 40}, entry{enforcing, 40, 50}));
    see(*s, enforcing, 70); // there again
    EXPECT_THAT(log_of(*s), ElementsAre(entry{testing_body, 10, 40}, entry{enforcing, 40, {}}));
    ASSERT_TRUE(s->seen_gone("a.example", at(60))); // a machine whose clock is behind
    EXPECT_THAT(log_of(*s), ElementsAre(entry{testing_body, 10, 40}, entry{enforcing, 40, 70}));
}

TEST_P(serving, ours_stays_open_whatever_is_seen) {
    const auto s = open();
    publish(*s, "a.example", enforcing, "1", 10);
    see(*s, enforcing, 20, true, "1");
    ASSERT_TRUE(s->seen_gone("a.example", at(30))); // our host is out of reach just now
    EXPECT_THAT(log_of(*s), ElementsAre(entry{enforcing, 10, {}}));
    see(*s, testing_body, 40); // somebody else's is there
    EXPECT_THAT(log_of(*s), ElementsAre(entry{enforcing, 10, {}}, entry{testing_body, 40, {}}));
    see(*s, enforcing, 50, true, "1");
    EXPECT_THAT(log_of(*s), ElementsAre(entry{enforcing, 10, {}}, entry{testing_body, 40, 50}));
}

TEST_P(serving, an_old_one_of_ours_that_is_still_seen_is_held_longer) {
    const auto s = open();
    publish(*s, "a.example", testing_body, "1", 10);
    publish(*s, "a.example", enforcing, "2", 20);
    see(*s, testing_body, 24, true); // within the lag
    EXPECT_THAT(log_of(*s), ElementsAre(entry{testing_body, 10, 25}, entry{enforcing, 20, {}}));
    see(*s, testing_body, 300, true); // a cache in front
    EXPECT_THAT(log_of(*s), ElementsAre(entry{testing_body, 10, 300}, entry{enforcing, 20, {}}));
    see(*s, testing_body, 200, true);
    EXPECT_THAT(log_of(*s), ElementsAre(entry{testing_body, 10, 300}, entry{enforcing, 20, {}}));
}

TEST_P(serving, ours_on_somebody_elses_web_server_is_open_while_it_is_seen) {
    const auto s = open();
    see(*s, testing_body, 10, true, "1"); // uploaded by a person: our hosts serve nothing
    see(*s, enforcing, 20, true, "2");
    EXPECT_THAT(log_of(*s), ElementsAre(entry{testing_body, 10, 20}, entry{enforcing, 20, {}}));
    ASSERT_TRUE(s->seen_gone("a.example", at(30)));
    EXPECT_THAT(log_of(*s), ElementsAre(entry{testing_body, 10, 20}, entry{enforcing, 20, 30}));
}

TEST_P(serving, what_was_found_there_and_is_published_unchanged_is_one_entry) {
    const auto s = open();
    see(*s, testing_body, 10, false, "1");
    publish(*s, "a.example", testing_body, "2", 20);
    EXPECT_THAT(log_of(*s), ElementsAre(entry{testing_body, 10, {}}));
    const auto now = s->served("a.example")->at(0);
    EXPECT_TRUE(now.ours);
    EXPECT_THAT(now.ids, ElementsAre("1", "2"));
    publish(*s, "a.example", "", "", 30);
    EXPECT_THAT(log_of(*s), ElementsAre(entry{testing_body, 10, 35}));
    publish(*s, "a.example", testing_body, "3", 40); // again: another time
    EXPECT_THAT(log_of(*s), ElementsAre(entry{testing_body, 10, 35}, entry{testing_body, 40, {}}));
}

TEST_P(serving, a_body_that_we_would_not_use_counts_as_far_as_somebody_might) {
    const auto s = open();
    struct row {
        std::string body;
        sts::mode mode;
        std::uint64_t max_age;
    };
    for (const auto& [body, mode, max_age] : {
             row{"<html>404</html>", sts::mode::none, 0},
             row{std::string("\0\xff\x80", 3), sts::mode::none, 0},
             row{"version: STSv2\nmode: Enforce\nMAX_AGE : 86400\n", sts::mode::enforce, 86'400},
             row{"version: STSv1\nmode: testing\nmax_age: 99999999999999999999999\n", sts::mode::testing,
                 31'557'600},
             row{"version: STSv1\r\nmode: none\r\nmax_age: 40000000\r\n", sts::mode::none, 31'557'600},
             row{"version: STSv1\nmax_age: 5\nmax_age: 7\nmax_age: x\n", sts::mode::none, 7},
         }) {
        see(*s, body, 10);
        const auto found = s->served("a.example")->back();
        EXPECT_EQ(found.body, body);
        EXPECT_EQ(found.mode, mode) << body;
        EXPECT_EQ(found.max_age, max_age) << body;
    }
    EXPECT_EQ(s->seen_served("a.example", std::string(65'537, 'x'), "", false, at(0)).error().what,
              store_error::kind::wrong);
    EXPECT_EQ(s->seen_served("A.example", "x", "", false, at(0)).error().what, store_error::kind::wrong);
}

TEST_P(serving, a_publication_beyond_measure_is_refused) {
    const auto s = open();
    const auto held = **s->take_lease("plan/a.example", "m", minute);
    publication value{.domain = "a.example", .body = std::string(65'537, 'x'), .id = "1", .since = at(0)};
    EXPECT_EQ(s->publish(value, held, "m", lag).error().what, store_error::kind::wrong);
    value.body.pop_back();
    value.id = "a\nb";
    EXPECT_EQ(s->publish(value, held, "m", lag).error().what, store_error::kind::wrong);
    value.id = "1";
    EXPECT_TRUE(*s->publish(value, held, "m", lag));
    EXPECT_EQ((*s->published("a.example"))->body.size(), 65'536u);
}

} // namespace
} // namespace mailtight::store
