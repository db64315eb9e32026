// SPDX-License-Identifier: Apache-2.0
// Whole lives of a domain with the real planner: a year passes in milliseconds. Beside each a witness notes
// what a sender could fetch and when, and that nothing was withdrawn which one may still have held.
#include "carrier_world.h"
#include "support/proves.h"

#include <fmt/format.h>

namespace mailtight::publish {
namespace {

using namespace tests;
using namespace std::chrono;
using testing::Contains;
using testing::HasSubstr;

const std::string domain = "a.example";

/// Sees at every moment what a sender would see, and remembers until when one may hold it.
class witness {
public:
    explicit witness(carrier_world& of)
        : of_(of) {}
    void look() {
        const auto now = of_.clock.at;
        const auto body = of_.body_of(domain);
        const auto read = sts::parse_policy(body);
        if (body.empty() && !last_.empty()) {
            // 8461-8.3-a
            const auto before = sts::parse_policy(last_);
            EXPECT_GE(now, before_none_) << "withdrawn while a policy of before may be held";
            EXPECT_TRUE(before && before->mode == sts::mode::none) << last_;
        }
        if (read && read->mode != sts::mode::none)
            before_none_ = now + seconds(read->effective_max_age());
        const auto id = of_.id_of(domain);
        if (!id.empty() && id != last_id_) {
            EXPECT_TRUE(ids_.insert(id).second) << "the id " << id << " came again";
            EXPECT_FALSE(body.empty()) << "announced before it is there";
        }
        last_ = body;
        last_id_ = id;
    }
    const std::set<std::string>& ids() const { return ids_; }

private:
    carrier_world& of_;
    std::string last_, last_id_;
    std::set<std::string> ids_;
    base::utc_seconds before_none_{}; ///< until then a policy that asks for TLS may be held
};

class a_year : public testing::Test {
protected:
    carrier_world of;
    witness eye{of};
    void SetUp() override {
        of.world->mx[domain] = {{.host = "mx1.a.example"}};
        of.begin();
    }
    /// From one due moment to the next, with a look of the witness after each.
    void live(seconds how_long) {
        const auto end = of.clock.at + how_long;
        of.settle();
        eye.look();
        while (of.clock.at < end && !HasFailure()) {
            auto next = std::min(end, of.clock.at + hours(6));
            if (const auto work = of.database->work("plan", domain); work && *work)
                next = std::min(next, std::max((*work)->due_at, of.clock.at + 1s));
            of.set_time(next);
            of.settle();
            eye.look();
        }
    }
    void evidence(bool ready) { of.world->evidence = {.ready = ready, .sentence = "as the test says"}; }
    model::looked_after wish(model::aim aim) {
        model::looked_after out{
            .domain = domain, .aim = aim, .dns = model::dns_way::update, .leave = model::leave::all};
        out.marks["report-way"] = {.at = of.clock.at, .by = "anna", .text = "the mailbox is there"};
        return out;
    }
};

TEST_F(a_year, goes_from_nothing_to_enforce_to_removed) {
    PROVES("8461-8.1-c", "8461-8.3-a", "8461-3.1-e", "8461-10.2-a");
    of.add(wish(model::aim::enforce));
    live(days(2));
    ASSERT_THAT(of.body_of(domain), HasSubstr("mode: testing")) << "no evidence yet";
    ASSERT_NE(of.id_of(domain), "");
    live(days(20));
    EXPECT_THAT(of.body_of(domain), HasSubstr("mode: testing"));
    evidence(true);
    live(days(60));
    EXPECT_THAT(of.body_of(domain), HasSubstr("mode: enforce"));
    EXPECT_THAT(of.body_of(domain), HasSubstr("max_age: 1209600")) << "the end of the ladder";
    of.set(domain, [](auto& value) { value.aim = model::aim::off; });
    live(hours(12));
    EXPECT_THAT(of.body_of(domain), HasSubstr("mode: none"));
    EXPECT_NE(of.id_of(domain), "");
    live(days(13));
    EXPECT_THAT(of.body_of(domain), HasSubstr("mode: none")) << "two weeks were promised";
    live(days(5));
    EXPECT_EQ(of.body_of(domain), "");
    EXPECT_EQ(of.id_of(domain), "");
    EXPECT_FALSE(of.world->has_host(domain));
    const auto left = *of.database->certificate("mta-sts." + domain);
    EXPECT_FALSE(left);
    EXPECT_GE(eye.ids().size(), 5u) << "testing, three rungs, none";
    EXPECT_THAT(of.log_of(domain), Contains("removed record"));
}

TEST_F(a_year, moves_to_other_mail_servers) {
    PROVES("8461-8.1-b");
    evidence(true);
    of.add(wish(model::aim::enforce));
    live(days(60));
    ASSERT_THAT(of.body_of(domain), HasSubstr("mode: enforce"));
    of.set(domain, [](auto& value) {
        value.mx_adding = {"mx2.a.example"};
        value.mx_removing = {"mx1.a.example"};
    });
    live(hours(1));
    EXPECT_THAT(of.body_of(domain), HasSubstr("mx: mx1.a.example"));
    EXPECT_THAT(of.body_of(domain), HasSubstr("mx: mx2.a.example")) << "admitted before it is in DNS";
    live(days(1));
    of.world->mx[domain].push_back({.host = "mx2.a.example"}); // the person, as the plan says
    of.wake(domain);
    live(days(16));
    of.world->mx[domain].erase(of.world->mx[domain].begin());
    of.wake(domain);
    live(days(3));
    EXPECT_THAT(of.body_of(domain), testing::Not(HasSubstr("mx1.a.example"))) << "and then it shrinks";
}

TEST_F(a_year, follows_an_mx_record_that_appears) {
    evidence(true);
    of.add(wish(model::aim::enforce));
    live(days(60));
    of.world->mx[domain].push_back({.host = "new.a.example"});
    of.wake(domain); // as watching does
    live(minutes(10));
    EXPECT_THAT(of.body_of(domain), HasSubstr("mx: new.a.example"));
    EXPECT_THAT(of.body_of(domain), HasSubstr("mx: mx1.a.example"));
    EXPECT_EQ(of.id_of(domain), (*of.database->published(domain))->id);
}

TEST_F(a_year, pauses_and_goes_on) {
    evidence(true);
    of.add(wish(model::aim::enforce));
    live(days(60));
    of.set(domain, [](auto& value) { value.paused = true; });
    live(minutes(10));
    EXPECT_THAT(of.body_of(domain), HasSubstr("mode: testing"));
    of.set(domain, [](auto& value) { value.paused = false; });
    live(days(60));
    EXPECT_THAT(of.body_of(domain), HasSubstr("mode: enforce"));
}

} // namespace
} // namespace mailtight::publish
