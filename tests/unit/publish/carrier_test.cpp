// SPDX-License-Identifier: Apache-2.0
// Who carries plans out: in which order, what is left to a person, what happens when a hand fails, and what
// the log of changes says.
#include "carrier_world.h"
#include "little_plan.h"
#include "publish/carrier_memo.h"
#include "support/proves.h"

namespace mailtight::publish {
namespace {

using namespace tests;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

const std::string domain = "a.example";

model::looked_after wanted(model::leave leave = model::leave::records) {
    return {.domain = domain, .dns = model::dns_way::update, .leave = leave};
}

class a_carrier : public testing::Test {
protected:
    carrier_world of;
    void SetUp() override {
        of.think = little_plan;
        of.world->mx[domain] = {{.host = "mx.a.example"}};
    }
    std::optional<store::due_work> work() { return *of.database->work("plan", domain); }
};

TEST_F(a_carrier, publishes_in_order_and_writes_it_down) {
    PROVES("8461-8.1-c");
    of.begin();
    of.add(wanted());
    of.settle();
    EXPECT_THAT(of.world->effects, ElementsAre("write _smtp._tls.a.example", "write mta-sts.a.example",
                                               "certificate a.example", "write _mta-sts.a.example"));
    EXPECT_EQ(of.id_of(domain), (*of.database->published(domain))->id);
    EXPECT_THAT(of.log_of(domain), ElementsAre("added", "published TLSRPT record", "pointed policy host",
                                               "got certificate", "served policy", "published record"));
    EXPECT_EQ(of.carrier->counted().failures, 0u);
    EXPECT_EQ(of.carrier->counted().steps, 5u);
    EXPECT_EQ(work()->tries, 0u);
    EXPECT_GT(work()->due_at, of.clock.at + std::chrono::days(1)) << "at rest";
}

TEST_F(a_carrier, announces_no_policy_that_does_not_come_back_byte_for_byte) {
    PROVES("8461-8.1-c");
    of.world->served_else[domain] = "version: STSv1\nmode: none\nmax_age: 86400\n";
    of.begin();
    of.add(wanted());
    of.settle();
    EXPECT_EQ(of.id_of(domain), "");
    EXPECT_THAT(work()->last_error, HasSubstr("gives something else"));
    of.world->served_else.clear();
    of.pass(30s);
    EXPECT_NE(of.id_of(domain), "");
}

/// The planner saw the body a moment ago; the carrier asks again before it announces it.
TEST_F(a_carrier, fetches_once_more_before_it_announces) {
    PROVES("8461-8.1-c");
    bool seen_before = false;
    of.think = [&](const auto& wish, const plan::situation& seen, const auto&... rest) {
        auto out = little_plan(wish, seen, rest...);
        if (out.next() && out.next()->kind == plan::step_kind::publish_record) {
            seen_before = seen.policy.has_value();
            of.world->host_down.insert(domain);
        }
        return out;
    };
    of.begin();
    of.add(wanted());
    of.settle();
    EXPECT_TRUE(seen_before);
    EXPECT_EQ(of.id_of(domain), "");
    EXPECT_THAT(work()->last_error, HasSubstr("cannot be fetched"));
}

TEST_F(a_carrier, announces_nothing_while_a_mail_server_is_known_to_fail) {
    of.world->mx[domain] = {{.host = "mx.a.example", .passes = false, .why = "no STARTTLS"}};
    of.begin();
    of.add(wanted());
    of.settle();
    EXPECT_EQ(of.id_of(domain), "");
    EXPECT_EQ(work()->last_error, "mx.a.example does not pass: no STARTTLS");
}

struct right {
    const char* name;
    model::leave leave;
    model::aim aim;
    std::vector<std::string> effects; ///< beyond those of a published domain in testing
    std::string mode;                 ///< served in the end
};
void PrintTo(const right& of, std::ostream* to) {
    *to << of.name;
}
class what_is_left : public testing::TestWithParam<right> {};

TEST_P(what_is_left, is_all_that_is_done_unasked) {
    carrier_world of;
    of.think = little_plan;
    of.world->mx[domain] = {{.host = "mx.a.example"}};
    of.begin();
    of.add(wanted());
    of.settle();
    of.world->effects.clear();
    of.set(domain, [](auto& wish) {
        wish.leave = GetParam().leave;
        wish.aim = GetParam().aim;
    });
    of.settle();
    EXPECT_EQ(of.world->effects, GetParam().effects);
    EXPECT_THAT(of.body_of(domain), HasSubstr(GetParam().mode));
    const bool asked = memo::parse((*of.database->work("plan", domain))->state).asks.has_value();
    EXPECT_EQ(asked, GetParam().effects.empty() && GetParam().aim != model::aim::testing);
}

INSTANTIATE_TEST_SUITE_P(
    carrier, what_is_left,
    testing::Values(
        right{"nothing_to_do", model::leave::nothing, model::aim::testing, {}, "mode: testing"},
        right{"nothing_left", model::leave::nothing, model::aim::enforce, {}, "mode: testing"},
        right{"records_do_not_enforce", model::leave::records, model::aim::enforce, {}, "mode: testing"},
        right{"records_do_not_remove", model::leave::records, model::aim::off, {}, "mode: testing"},
        right{"all_enforces",
              model::leave::all,
              model::aim::enforce,
              {"write _mta-sts.a.example"},
              "mode: enforce"},
        right{"all_removes",
              model::leave::all,
              model::aim::off,
              {"remove _mta-sts.a.example", "remove mta-sts.a.example"},
              ""}),
    [](const auto& of) { return std::string(of.param.name); });

TEST_F(a_carrier, goes_back_to_testing_when_a_person_wants_it) {
    of.begin();
    auto wish = wanted(model::leave::all);
    wish.aim = model::aim::enforce;
    of.add(wish);
    of.settle();
    ASSERT_THAT(of.body_of(domain), HasSubstr("enforce"));
    of.set(domain, [](auto& value) {
        value.leave = model::leave::records;
        value.aim = model::aim::testing;
    });
    of.settle();
    EXPECT_THAT(of.body_of(domain), HasSubstr("testing"));
}

TEST_F(a_carrier, does_one_step_for_a_person_who_says_so) {
    of.begin();
    of.add(wanted());
    of.settle();
    of.set(domain, [](auto& wish) { wish.aim = model::aim::enforce; });
    of.settle();
    ASSERT_THAT(of.body_of(domain), HasSubstr("testing"));
    const auto did = of.loop.block_on(of.carrier->go(domain, true, "anna"));
    EXPECT_THAT(did.did, HasSubstr("serves the policy"));
    EXPECT_EQ(did.failed, "");
    EXPECT_THAT(of.body_of(domain), HasSubstr("enforce"));
    const auto log = *of.database->changes(domain, 0, 1);
    EXPECT_EQ(log.at(0).who, "anna");
    of.settle();
    EXPECT_EQ(of.id_of(domain), (*of.database->published(domain))->id) << "what follows is left to serve";
}

/// The real planner says whose each step is: with the word of a person it is ours, whatever is left to serve.
TEST_F(a_carrier, does_what_a_person_says_whatever_is_left_to_serve) {
    for (const auto& [leave, beat] : std::vector<std::pair<model::leave, std::chrono::seconds>>{
             {model::leave::records, 1h},
             {model::leave::nothing, 1h}, // nothing is done unasked here
             {model::leave::records, 0s}, // what is asked for crosses what is taken up
             {model::leave::nothing, 0s}}) {
        carrier_world here;
        here.options.beat = beat;
        here.world->mx[domain] = {{.host = "mx.a.example"}};
        here.begin();
        here.loop.block_on(here.loop.sleep_for(50ms));
        auto wish = wanted(leave);
        wish.marks["report-way"] = {.at = here.clock.at, .by = "anna", .text = "there"};
        here.add(wish);
        const auto said_until = [&](std::string_view mode) {
            for (int i = 0; i < 12 && here.body_of(domain).find(mode) == std::string::npos; ++i)
                EXPECT_EQ(here.loop.block_on(here.carrier->go(domain, true, "anna")).failed, "");
            return here.body_of(domain);
        };
        EXPECT_THAT(said_until("testing"), HasSubstr("testing"));
        here.set(domain, [](auto& value) { value.aim = model::aim::off; });
        EXPECT_THAT(said_until("none"), HasSubstr("mode: none"));
    }
}

/// A domain that is added goes to testing where nobody named a mode: that is nobody's word for taking back
/// what senders enforce today.
TEST_F(a_carrier, takes_no_domain_that_enforces_back_to_testing_for_having_been_given_it) {
    for (const auto leave : {model::leave::records, model::leave::all}) {
        carrier_world here;
        here.world->mx[domain] = {{.host = "mx.a.example"}};
        here.world->zone[{"mta-sts." + domain, "A"}] = {{"192.0.2.9"}};
        here.world->zone[{"_mta-sts." + domain, "TXT"}] = {{"v=STSv1; id=old"}};
        here.world->served_else[domain] =
            "version: STSv1\r\nmode: enforce\r\nmx: mx.a.example\r\nmax_age: 604800\r\n";
        here.begin();
        auto wish = wanted(leave);
        wish.marks["report-way"] = {.at = here.clock.at, .by = "anna", .text = "there"};
        here.add(wish);
        const auto untouched = [&] {
            const auto ours = *here.database->published(domain);
            return (!ours || ours->body.find("testing") == std::string::npos) && here.id_of(domain) == "old";
        };
        here.settle();
        EXPECT_TRUE(untouched()) << model::to_string(leave);
        here.world->served_else.clear(); // its owner lets the name lead here
        here.pass(1h);
        here.pass(24h);
        EXPECT_TRUE(untouched()) << model::to_string(leave);
        const auto asks = memo::parse((*here.database->work("plan", domain))->state).asks;
        ASSERT_TRUE(asks);
        EXPECT_EQ(asks->kind, "serve-policy");
        EXPECT_THAT(asks->text, HasSubstr("nobody has said that it is to end"));

        for (int i = 0; i < 4; ++i) // a person's word is enough
            EXPECT_EQ(here.loop.block_on(here.carrier->go(domain, true, "anna")).failed, "");
        EXPECT_THAT(here.body_of(domain), HasSubstr("testing"));
    }
}

TEST_F(a_carrier, only_looks_when_it_is_asked_only_to_look) {
    of.begin();
    ASSERT_EQ(of.database->save(wanted(), "operator", "", of.clock.at), store::domain_store::saved::yes);
    const auto seen = of.loop.block_on(of.carrier->go(domain, false));
    EXPECT_EQ(seen.plan.next()->kind, plan::step_kind::publish_tlsrpt);
    EXPECT_THAT(of.world->effects, IsEmpty());
    EXPECT_TRUE(of.database->history(domain, 10)->empty());
    EXPECT_EQ(of.loop.block_on(of.carrier->go("other.example", false)).failed,
              "other.example is not looked after");
}

/// A person writes the records: each question is kept with the time it was first asked, and asked ever more
/// seldom.
TEST_F(a_carrier, asks_a_person_for_what_is_a_person_s) {
    of.begin();
    auto wish = wanted();
    wish.dns = model::dns_way::by_hand;
    of.add(wish);
    of.settle();
    EXPECT_THAT(of.world->effects, IsEmpty());
    const auto first = memo::parse(work()->state).asks;
    ASSERT_TRUE(first);
    EXPECT_EQ(first->kind, "publish-tlsrpt");
    EXPECT_EQ(work()->due_at - of.clock.at, 10min);
    for (int i = 0; i < 40; ++i)
        of.pass(work()->due_at - of.clock.at);
    EXPECT_EQ(memo::parse(work()->state).asks, first);
    EXPECT_EQ(work()->due_at - of.clock.at, 24h);
    of.world->zone[{"_smtp._tls." + domain, "TXT"}] = {{"v=TLSRPTv1; rua=mailto:tls@reports.example"}};
    of.pass(24h);
    EXPECT_EQ(memo::parse(work()->state).asks->kind, "point-host");
}

TEST_F(a_carrier, backs_off_when_a_hand_fails_and_goes_on_when_it_works) {
    of.world->refuses_record = [](const auto&) { return "REFUSED"; };
    of.begin();
    of.add(wanted());
    of.settle();
    std::vector<std::chrono::seconds> pauses;
    for (int i = 0; i < 12; ++i) {
        pauses.push_back(work()->due_at - of.clock.at);
        EXPECT_EQ(work()->last_error, "REFUSED");
        of.pass(pauses.back());
    }
    EXPECT_EQ(pauses.front(), 30s);
    EXPECT_EQ(pauses.back(), 6h);
    EXPECT_TRUE(std::ranges::is_sorted(pauses));
    of.world->refuses_record = [](const auto&) { return ""; };
    of.pass(6h);
    EXPECT_NE(of.id_of(domain), "");
    EXPECT_EQ(work()->tries, 0u);
}

TEST_F(a_carrier, waits_as_long_as_the_authority_says) {
    of.world->refuses_certificate = [](const auto&) { return "rate limited"; };
    of.begin();
    of.add(wanted());
    of.settle();
    const auto past = *recall(*of.database, **of.database->find(domain));
    EXPECT_EQ(past.last_try, (plan::failed_try{"certificate", of.clock.at, "rate limited"}))
        << "the plan says why";
    EXPECT_EQ(work()->last_error, "rate limited");
    EXPECT_EQ(work()->due_at - of.clock.at, 90s);
}

TEST_F(a_carrier, leaves_a_certificate_alone_that_is_being_ordered) {
    const auto other = of.database->take_lease("certificate/" + domain, "another", 1h);
    ASSERT_TRUE(other && *other);
    of.begin();
    of.add(wanted());
    of.settle();
    EXPECT_THAT(work()->last_error, HasSubstr("is being ordered already"));
    EXPECT_THAT(of.world->effects, Not(Contains("certificate " + domain)));
}

/// What was written and does not show is not written again and again.
TEST_F(a_carrier, writes_once_what_takes_time_to_show) {
    of.begin();
    of.think = [&](const auto& wish, const plan::situation& seen, const auto& past, const auto& evidence,
                   auto now, const auto& options) {
        auto patched = seen;
        patched.tlsrpt = {.state = plan::record_seen::what::absent}; // a cached answer
        return little_plan(wish, patched, past, evidence, now, options);
    };
    of.end();
    of.begin();
    of.add(wanted());
    of.settle();
    EXPECT_THAT(of.world->effects, ElementsAre("write _smtp._tls.a.example"));
    EXPECT_THAT(work()->last_error, HasSubstr("not seen yet"));
    EXPECT_EQ(work()->due_at - of.clock.at, 30s);
}

/// The policy host takes a change up a moment after it was written: a look in between asks nobody, and is
/// soon repeated.
TEST_F(a_carrier, looks_again_soon_where_its_own_policy_does_not_show_yet) {
    of.think = {}; // the real planner
    of.begin();
    of.during_look = [&](const auto&) {
        if (!of.body_of(domain).empty())
            of.world->host_down.insert(domain);
    };
    of.add(wanted());
    ASSERT_TRUE(
        of.database->set_mark(domain, "report-way", {.at = of.clock.at, .by = "anna", .text = "it exists"}));
    of.settle();
    const auto served = *of.database->published(domain);
    ASSERT_TRUE(served && !served->body.empty());
    EXPECT_EQ(of.id_of(domain), "") << "nothing is announced that cannot be fetched";
    EXPECT_THAT(work()->last_error, HasSubstr("not yet: Fetch it back"));
    EXPECT_EQ(work()->due_at - of.clock.at, 30s);
    of.during_look = [](const auto&) {};
    of.world->host_down.clear();
    of.pass(30s);
    EXPECT_NE(of.id_of(domain), "");
}

TEST_F(a_carrier, forgets_a_domain_that_is_no_longer_looked_after) {
    of.begin();
    of.add(wanted());
    of.settle();
    ASSERT_EQ(of.database->remove(domain, "anna", "", of.clock.at), store::domain_store::saved::yes);
    of.wake(domain);
    of.settle();
    EXPECT_FALSE(work());
    EXPECT_NE(of.body_of(domain), "") << "what senders rely on stays";
}

TEST_F(a_carrier, keeps_many_in_hand_but_no_more_than_it_may) {
    of.options.at_once = 4;
    of.begin();
    std::size_t now = 0, most = 0;
    of.during_look = [&](const auto&) {
        most = std::max(most, ++now);
        --now;
    };
    for (int i = 0; i < 20; ++i) {
        auto wish = wanted();
        wish.domain = "d" + std::to_string(i) + ".example";
        of.world->mx[wish.domain] = {{.host = "mx." + wish.domain}};
        of.add(wish);
    }
    of.settle();
    for (int i = 0; i < 20; ++i)
        EXPECT_NE(of.id_of("d" + std::to_string(i) + ".example"), "");
}

/// A thousand first looks wait: what a person asks for goes before them, and so does what comes back from a
/// wait; the others are not left behind for it.
TEST_F(a_carrier, puts_a_person_s_wish_and_what_is_under_way_before_first_looks) {
    of.options.at_once = 1;
    std::vector<std::string> order;
    of.during_look = [&](const model::looked_after& wish) {
        if (order.empty() || order.back() != wish.domain)
            order.push_back(wish.domain);
    };
    for (int i = 10; i < 30; ++i) {
        auto wish = wanted();
        wish.domain = "d" + std::to_string(i) + ".example";
        of.add(wish);
    }
    of.set_time(of.clock.at + 60s);
    ASSERT_TRUE(of.database->plan_work("plan", "d25.example", store::person_asks));
    of.add(wanted()); // due a minute after the others
    of.begin();
    of.settle();
    ASSERT_GE(order.size(), 21u);
    EXPECT_EQ(order[0], "d25.example");
    EXPECT_EQ(order[1], domain);
    EXPECT_EQ(order[2], "d10.example");
}

TEST_F(a_carrier, waits_for_a_domain_that_is_in_hand_and_says_when_it_waited_in_vain) {
    of.options.patience = 50ms;
    of.begin();
    ASSERT_EQ(of.database->save(wanted(), "operator", "", of.clock.at), store::domain_store::saved::yes);
    const auto other = of.database->take_lease("plan/" + domain, "other", 300s);
    ASSERT_TRUE(other && *other);
    const auto vain = of.loop.block_on(of.carrier->go(domain, true));
    EXPECT_TRUE(vain.busy);
    EXPECT_THAT(vain.failed, HasSubstr("is being worked on"));
    EXPECT_THAT(of.world->effects, IsEmpty());
    ASSERT_TRUE(of.database->release_lease(**other));
    const auto done = of.loop.block_on(of.carrier->go(domain, true));
    EXPECT_FALSE(done.busy);
    EXPECT_THAT(of.world->effects, Contains("write _smtp._tls.a.example"));
}

TEST_F(a_carrier, goes_on_when_the_database_was_away) {
    of.begin();
    auto& fake = dynamic_cast<domain_store_fake&>(*of.database);
    of.add(wanted());
    fake.away = true;
    of.loop.block_on(of.loop.sleep_for(20ms));
    fake.away = false;
    of.settle();
    of.pass(of.options.lease);
    EXPECT_NE(of.id_of(domain), "");
}

} // namespace
} // namespace mailtight::publish
