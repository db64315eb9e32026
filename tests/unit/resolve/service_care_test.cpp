// SPDX-License-Identifier: Apache-2.0
// What happens without anybody waiting: the daily fetch, the prefetch list, looks after failures, probes,
// alarms; and the operator's exceptions.
#include "service_world.h"
#include "support/proves.h"

#include <fmt/format.h>

namespace mailtight::resolve {
namespace {

using namespace mailtight::tests;
using sts::mode;
using sts::policy_fault;
using override_kind = model::policy_override::kind;

TEST(service_cares, for_a_daily_fetch_whatever_the_id) {
    PROVES("8461-3.3-q", "8461-10.2-b", "A49");
    service_world world;
    world.enforcing();
    world.begin();
    const auto old = world.ask();
    world.hosts.serve("example.com", mode::enforce, {"mx1.example.com", "mx2.example.com"}); // the same id
    world.clock.at += 24h;
    EXPECT_TRUE(world.eventually([&] { return world.fetches() == 2; }));
    EXPECT_TRUE(world.settled());
    EXPECT_TRUE(old->superseded);
    EXPECT_EQ(world.told(service_event::kind::changed), 1U);
    EXPECT_EQ(world.ask()->policy->value.mx.size(), 2U);
    EXPECT_EQ(world.ask()->policy->fetched_at, world.clock.at); // its life begins anew
    world.pass(50ms);
    EXPECT_EQ(world.fetches(), 2U);
}

TEST(service_cares, that_nothing_outlives_its_ttl_where_the_clock_is_set_back) {
    service_world world;
    world.enforcing();
    world.begin();
    const auto old = world.ask();
    const auto mx_asked = world.asked("MX example.com"), records = world.records_asked();
    world.clock.at -= 5h; // it was wrong since the machine began
    ASSERT_TRUE(world.eventually([&] { return old->superseded; })) << "front and mail server ask again";
    EXPECT_EQ(world.ask()->what, decision::enforce);
    EXPECT_EQ(world.asked("MX example.com"), mx_asked) << "its TTL has not passed";
    EXPECT_TRUE(world.eventually([&] { return world.records_asked() > records; }));
    EXPECT_TRUE(world.settled());
    world.clock.at += 2h; // longer than any TTL of the domain, and before the old clock's time
    world.ask();
    EXPECT_GT(world.asked("MX example.com"), mx_asked);
    EXPECT_EQ(world.ask()->policy->fetched_at, noon - 5h) << "no life from a time that never was";
}

TEST(service_cares, for_many_without_a_flood) {
    PROVES("8461-3.3-k");
    service_world world;
    world.options.fetches = 3;
    world.options.refreshes_a_second = 1'000;
    for (int i = 0; i < 40; ++i) {
        const auto name = "d" + std::to_string(i) + ".example";
        model::kept_policy kept;
        kept.domain = name;
        kept.state = holding(mode::enforce, {"mx." + name}, 3'600s);
        kept.used_at = noon;
        world.rows->write(kept);
        world.dns.domain(name, {"mx." + name}, "1");
        world.hosts.serve(name, mode::enforce, {"mx." + name});
        if (i < 3)
            world.hosts.hanging.hang(name);
    }
    world.begin();
    world.clock.at += 24h;
    // Those that hang hold back none of the others for good.
    world.pass(60ms);
    world.hosts.hanging.let_go();
    EXPECT_TRUE(world.eventually([&] { return world.hosts.fetched_from.size() == 40; }));
    EXPECT_TRUE(world.settled());
    EXPECT_LE(world.hosts.most_at_once, 3U);
}

TEST(service_cares, no_more_for_what_nobody_uses) {
    service_world world;
    world.options.unused_after = 10 * 24h;
    world.enforcing();
    world.begin();
    world.ask();
    world.service->stop();
    world.end();
    world.rows->policies.at("example.com").used_at = noon - 11 * 24h;
    world.begin();
    world.clock.at += 25h;
    world.pass(60ms);
    EXPECT_EQ(world.fetches(), 1U);
    world.clock.at += 7 * 24h;
    EXPECT_TRUE(world.eventually([&] { return !world.rows->holds("example.com"); }));
    EXPECT_EQ(world.service->policies().size(), 0U);
}

TEST(service_cares, for_the_prefetch_list_although_nobody_uses_it) {
    PROVES("8461-10-a");
    service_world world;
    world.enforcing();
    world.dns.domain("other.example", {"mx.other.example"}); // no policy yet
    world.options.prefetch = {"Example.com", "other.example", "[192.0.2.1]"};
    world.options.unused_after = 1h;
    world.begin();
    EXPECT_TRUE(world.eventually([&] { return world.fetches() == 1; }));
    world.clock.at += 24h;
    EXPECT_TRUE(world.eventually([&] { return world.fetches() == 2; }));
    world.clock.at += 24h;
    EXPECT_TRUE(world.eventually([&] { return world.fetches() == 3; }));
    EXPECT_TRUE(world.eventually([&] { return world.records_asked("other.example") >= 2; }));
}

TEST(service_cares, a_failed_delivery_looks_at_once_and_the_next_retry_has_the_new_answer) {
    PROVES("8461-5-d", "8461-5.1-c");
    service_world world;
    world.enforcing();
    world.begin();
    const auto old = world.ask();
    world.clock.at += 60s;
    world.dns.domain("example.com", {"mx2.example.com"}, "2"); // it moved
    world.hosts.serve("example.com", mode::enforce, {"mx2.example.com"});
    EXPECT_EQ(world.ask()->mx[0].host, "mx1.example.com");

    EXPECT_TRUE(world.service->delivery_failed("example.com", "certificate-host-mismatch at mx2"));
    EXPECT_TRUE(world.settled());
    EXPECT_TRUE(old->superseded);
    const auto given = world.ask();
    ASSERT_EQ(given->mx.size(), 1U);
    EXPECT_EQ(given->mx[0].host, "mx2.example.com");
    EXPECT_EQ(given->mx[0].admitted_by, "mx2.example.com");
    EXPECT_TRUE(world.eventually([&] { return world.told(service_event::kind::failed_delivery) == 1; }));
    EXPECT_NE(world.events.back().detail.find("certificate-host-mismatch at mx2"), std::string::npos);
    // Nothing that we remember of DNS stood in the way.
    EXPECT_NE(std::ranges::find(world.dns.forgotten, "_mta-sts.example.com"), world.dns.forgotten.end());
    EXPECT_NE(std::ranges::find(world.dns.forgotten, "example.com"), world.dns.forgotten.end());
}

TEST(service_cares, a_failed_delivery_fetches_although_the_id_is_the_same) {
    service_world world;
    world.enforcing();
    world.begin();
    world.ask();
    world.clock.at += 301s;
    world.hosts.serve("example.com", mode::enforce, {"mx2.example.com"});
    EXPECT_TRUE(world.service->delivery_failed("example.com", ""));
    EXPECT_TRUE(world.settled());
    EXPECT_EQ(world.fetches(), 2U);
}

TEST(service_cares, failures_of_one_domain_look_seldom) {
    service_world world;
    world.enforcing();
    world.begin();
    world.ask();
    world.clock.at += 301s;
    EXPECT_TRUE(world.service->delivery_failed("example.com", ""));
    for (int i = 0; i < 20; ++i)
        EXPECT_FALSE(world.service->delivery_failed("example.com", ""));
    EXPECT_TRUE(world.settled());
    EXPECT_FALSE(world.service->delivery_failed("example.com", ""));
    EXPECT_EQ(world.fetches(), 2U);
    EXPECT_EQ(world.service->counted().failed_deliveries, 22U);
    EXPECT_FALSE(world.service->delivery_failed("[192.0.2.1]", ""));
}

TEST(service_cares, failures_of_many_domains_look_no_faster_than_allowed) {
    service_world world;
    world.options.looks_after_failures = 2;
    world.begin();
    unsigned begun = 0;
    for (int i = 0; i < 200; ++i)
        begun += world.service->delivery_failed("d" + std::to_string(i) + ".example", "") ? 1U : 0U;
    EXPECT_GE(begun, 20U);
    EXPECT_LE(begun, 22U);
}

TEST(service_cares, a_person_can_have_it_looked_at) {
    service_world world;
    world.enforcing();
    world.begin();
    world.ask();
    world.clock.at += 301s;
    world.hosts.serve("example.com", mode::testing, {"mx1.example.com"});
    auto seen = world.loop.block_on(world.service->refresh("example.com"));
    EXPECT_TRUE(seen.looked);
    EXPECT_TRUE(seen.changed);
    EXPECT_FALSE(seen.words.empty());
    EXPECT_EQ(seen.now->what, decision::testing);
    seen = world.loop.block_on(world.service->refresh("example.com"));
    EXPECT_FALSE(seen.looked);
    EXPECT_EQ(seen.now->what, decision::testing);
    EXPECT_FALSE(world.loop.block_on(world.service->refresh("[192.0.2.1]")).looked);
}

TEST(service_cares, a_person_who_comes_while_the_record_is_looked_at_gets_new_hosts_too) {
    service_world world;
    world.enforcing();
    world.begin();
    world.ask();
    world.clock.at += 301s;
    const auto mx_before = world.dns.asked["MX example.com"];
    world.dns.hanging.hang("TXT _mta-sts.example.com");
    world.ask(); // answered from memory; behind it the record is looked at
    auto later = [](service_world& of) -> io::task<> {
        co_await of.loop.sleep_for(20ms);
        of.dns.hanging.let_go();
    };
    world.loop.spawn(later(world));
    const auto seen = world.loop.block_on(world.service->refresh("example.com"));
    EXPECT_TRUE(seen.looked);
    EXPECT_GT(world.dns.asked["MX example.com"], mx_before);
}

TEST(service_cares, an_administrator_hears_once_of_refreshes_that_fail) {
    PROVES("8461-3.3-r", "8461-10.2-c");
    service_world world;
    world.enforcing();
    world.begin();
    world.ask();
    world.hosts.fail("example.com", policy_fault::fetch_error, "connection refused");
    for (int i = 0; i < 60; ++i) {
        world.clock.at += 1h;
        world.pass(12ms);
        EXPECT_TRUE(world.settled());
    }
    EXPECT_EQ(world.told(service_event::kind::alarm), 1U);
    EXPECT_GE(world.told(service_event::kind::fetch_failed), 2U);
    EXPECT_EQ(world.told(service_event::kind::alarm_over), 0U);
    EXPECT_EQ(world.ask()->what, decision::enforce);
    world.enforcing();
    world.clock.at += 24h;
    EXPECT_TRUE(world.eventually([&] { return world.told(service_event::kind::alarm_over) == 1; }));
    EXPECT_EQ(world.service->counted().alarms, 1U);
}

TEST(service_cares, an_absence_that_has_run_out_is_let_go) {
    service_world world;
    world.enforcing();
    world.begin();
    world.ask();
    for (int i = 0; i < 20; ++i) {
        const auto name = fmt::format("d{}.example", i);
        world.dns.domain(name, {"mx1.example.com"});
        EXPECT_EQ(world.ask(name)->what, decision::no_policy);
    }
    world.pass(50ms);
    EXPECT_EQ(world.service->policies().size(), 21U) << "they are good for a while";
    world.clock.at += 2h;
    EXPECT_TRUE(world.eventually([&] { return world.service->policies().size() == 1; }));
    EXPECT_EQ(world.ask("d7.example")->what, decision::no_policy) << "looked at again";
    EXPECT_EQ(world.records_asked("d7.example"), 2U);
    EXPECT_EQ(world.ask()->what, decision::enforce);
}

TEST(service_cares, nobody_hears_of_mode_none) {
    PROVES("8461-10.2-d");
    service_world world;
    world.dns.domain("example.com", {"mx1.example.com"}, "1");
    world.hosts.serve("example.com", mode::none, {});
    world.begin();
    EXPECT_EQ(world.ask()->what, decision::none);
    world.hosts.fail("example.com", policy_fault::fetch_error, "connection refused");
    for (int i = 0; i < 60; ++i) {
        world.clock.at += 1h;
        world.pass(12ms);
        EXPECT_TRUE(world.settled());
    }
    EXPECT_EQ(world.told(service_event::kind::alarm), 0U);
}

TEST(service_cares, policies_in_testing_are_probed_hourly_on_use) {
    PROVES("8461-5-b");
    service_world world;
    unsigned probes = 0;
    world.probe = [&](std::string domain,
                      sts::held_policy policy) -> io::task<std::vector<model::testing_verdict>> {
        ++probes;
        model::testing_verdict found;
        found.domain = domain;
        found.policy_id = policy.id;
        found.mx_host = "mx1.example.com";
        found.result = "certificate-expired";
        co_return std::vector<model::testing_verdict>{found};
    };
    world.dns.domain("example.com", {"mx1.example.com"}, "1");
    world.hosts.serve("example.com", mode::testing, {"mx1.example.com"});
    world.dns.domain("enforcing.example", {"mx.enforcing.example"}, "1");
    world.hosts.serve("enforcing.example", mode::enforce, {"mx.enforcing.example"});
    world.begin();
    EXPECT_EQ(world.ask()->what, decision::testing);
    world.ask("enforcing.example");
    for (int i = 0; i < 11; ++i) {
        world.clock.at += 301s;
        world.known();
        world.known("enforcing.example");
        EXPECT_TRUE(world.settled());
    }
    EXPECT_TRUE(world.eventually([&] { return world.rows->verdicts.size() == 1; }));
    EXPECT_EQ(probes, 1U);
    world.clock.at += 301s;
    world.ask();
    EXPECT_TRUE(world.eventually([&] { return probes == 2; }));
    EXPECT_EQ(world.rows->verdicts.front().result, "certificate-expired");
}

model::policy_override exception(override_kind what) {
    model::policy_override made;
    made.domain = "Example.com";
    made.what = what;
    made.why = "their certificate is broken, ticket 42";
    made.by = "alice";
    made.until = noon + 2h;
    return made;
}

TEST(service_exceptions, hold_at_once_and_end_by_themselves) {
    service_world world;
    world.enforcing();
    world.begin();
    const auto before = world.ask();
    ASSERT_TRUE(world.loop.block_on(world.service->set_override(exception(override_kind::exempt))));
    EXPECT_TRUE(before->superseded);
    const auto given = world.known();
    ASSERT_NE(given, nullptr);
    EXPECT_EQ(given->what, decision::no_policy);
    EXPECT_EQ(given->source, decision_source::override_);
    ASSERT_FALSE(given->notes.empty());
    EXPECT_NE(given->notes.front().find("ticket 42"), std::string::npos);
    EXPECT_LE(given->good_until, noon + 2h);
    EXPECT_EQ(world.service->overrides().size(), 1U);
    EXPECT_EQ(world.service->overrides()[0].since, noon);
    world.clock.at += 2h;
    EXPECT_EQ(world.ask()->what, decision::enforce);
}

TEST(service_exceptions, are_taken_back) {
    service_world world;
    world.enforcing();
    world.begin();
    ASSERT_TRUE(world.loop.block_on(world.service->set_override(exception(override_kind::exempt))));
    const auto given = world.ask(); // nothing had to be looked up
    EXPECT_EQ(given->what, decision::no_policy);
    EXPECT_EQ(world.dns.all_asked(), 0U);
    const auto removed = world.loop.block_on(world.service->remove_override("example.com"));
    ASSERT_TRUE(removed);
    EXPECT_TRUE(*removed);
    EXPECT_TRUE(given->superseded);
    EXPECT_EQ(world.ask()->what, decision::enforce);
}

TEST(service_exceptions, pin_test_and_require) {
    service_world world;
    world.enforcing();
    world.dns.domain("plain.example", {"mx.plain.example"});
    world.begin();
    auto pin = exception(override_kind::pin);
    pin.domain = "plain.example";
    pin.mx = {"*.plain.example"};
    ASSERT_TRUE(world.loop.block_on(world.service->set_override(pin)));
    const auto pinned = world.ask("plain.example");
    EXPECT_EQ(pinned->what, decision::enforce);
    EXPECT_EQ(pinned->mx[0].admitted_by, "*.plain.example");
    pin.what = override_kind::require;
    ASSERT_TRUE(world.loop.block_on(world.service->set_override(pin)));
    EXPECT_TRUE(pinned->superseded);
    EXPECT_EQ(world.ask("plain.example")->what, decision::unknown);
    ASSERT_TRUE(world.loop.block_on(world.service->set_override(exception(override_kind::testing))));
    EXPECT_EQ(world.ask()->what, decision::testing);
}

TEST(service_exceptions, do_not_keep_the_policy_from_being_followed) {
    service_world world;
    world.enforcing();
    world.begin();
    ASSERT_TRUE(world.loop.block_on(world.service->set_override(exception(override_kind::testing))));
    EXPECT_EQ(world.ask()->what, decision::testing);
    world.clock.at += 301s;
    world.dns.domain("example.com", {"mx1.example.com"}, "2");
    world.hosts.serve("example.com", mode::none, {});
    world.ask();
    EXPECT_TRUE(world.settled());
    EXPECT_EQ(world.ask()->what, decision::none);
}

TEST(service_exceptions, that_make_no_sense_are_refused) {
    service_world world;
    world.begin();
    auto bad = exception(override_kind::pin);
    EXPECT_FALSE(world.loop.block_on(world.service->set_override(bad))); // no MX
    bad.mx = {"mx1.example.com match=evil"};
    EXPECT_FALSE(world.loop.block_on(world.service->set_override(bad)));
    bad = exception(override_kind::exempt);
    bad.domain = "[192.0.2.1]";
    EXPECT_FALSE(world.loop.block_on(world.service->set_override(bad)));
    EXPECT_TRUE(world.service->overrides().empty());
}

TEST(service_exceptions, come_with_the_database_and_follow_it) {
    service_world world;
    world.enforcing();
    auto exempt = exception(override_kind::exempt);
    exempt.domain = "example.com";
    world.rows->exceptions["example.com"] = exempt;
    world.begin();
    EXPECT_EQ(world.ask()->what, decision::no_policy);
    world.rows->exceptions.clear(); // another machine, or a command
    world.clock.at += 60s;
    EXPECT_TRUE(world.eventually([&] { return world.service->overrides().empty(); }));
    EXPECT_EQ(world.ask()->what, decision::enforce);
}

} // namespace
} // namespace mailtight::resolve
