// SPDX-License-Identifier: Apache-2.0
// What is kept: a policy survives every failure, is checked behind the backs of those who ask, follows the
// domain's changes, and outlives the process.
#include "service_world.h"
#include "support/proves.h"

namespace mailtight::resolve {
namespace {

using namespace mailtight::tests;
using model::dns_status;
using sts::mode;
using sts::policy_fault;

TEST(service_memory, a_policy_survives_every_failure) {
    PROVES("8461-3.3-p", "8461-3.1-q");
    struct failure {
        const char* what;
        std::function<void(service_world&)> happens;
    };
    const failure failures[] = {
        {"NXDOMAIN", [](auto& world) { world.dns.texts.clear(); }},
        {"SERVFAIL",
         [](auto& world) { world.dns.failing["TXT _mta-sts.example.com"] = dns_status::servfail; }},
        {"bogus", [](auto& world) { world.dns.failing["TXT _mta-sts.example.com"] = dns_status::bogus; }},
        {"a loop of aliases",
         [](auto& world) { world.dns.failing["TXT _mta-sts.example.com"] = dns_status::cname_loop; }},
        {"two records",
         [](auto& world) { world.dns.texts["_mta-sts.example.com"] = {"v=STSv1; id=1;", "v=STSv1; id=2;"}; }},
        {"a broken record",
         [](auto& world) { world.dns.texts["_mta-sts.example.com"] = {"v=STSv1; id=-;"}; }},
        {"500 for the new id",
         [](auto& world) {
             world.dns.texts["_mta-sts.example.com"] = {"v=STSv1; id=2;"};
             world.hosts.fail("example.com", policy_fault::fetch_error, "HTTP status 500");
         }},
        {"a bad certificate for the new id",
         [](auto& world) {
             world.dns.texts["_mta-sts.example.com"] = {"v=STSv1; id=2;"};
             world.hosts.fail("example.com", policy_fault::webpki_invalid, "certificate has expired");
         }},
        {"an invalid body for the new id",
         [](auto& world) {
             world.dns.texts["_mta-sts.example.com"] = {"v=STSv1; id=2;"};
             world.hosts.fail("example.com", policy_fault::invalid, "no mode");
         }},
    };
    for (const auto& [what, happens] : failures) {
        SCOPED_TRACE(what);
        service_world world;
        world.enforcing();
        world.begin();
        world.ask();
        happens(world);
        for (int i = 0; i < 12; ++i) { // an hour of use
            world.clock.at += 301s;
            const auto given = world.ask();
            EXPECT_EQ(given->what, decision::enforce);
            EXPECT_TRUE(world.settled());
        }
        EXPECT_GT(world.records_asked(), 10U);
        const auto given = world.ask();
        EXPECT_EQ(given->what, decision::enforce);
        EXPECT_TRUE(given->fault.has_value()); // and it is told
    }
}

TEST(service_memory, no_answer_waits_for_a_check) {
    PROVES("8461-5.1-a");
    service_world world;
    world.enforcing();
    world.begin();
    world.ask();
    world.clock.at += 301s;
    world.dns.hanging.hang("TXT _mta-sts.example.com");
    for (int i = 0; i < 10; ++i) {
        ASSERT_NE(world.known(), nullptr);
        EXPECT_EQ(world.known()->what, decision::enforce);
    }
    world.pass(10ms);
    EXPECT_EQ(world.records_asked(), 2U); // one, however often it was used
    world.clock.at += 2s;
    ASSERT_NE(world.known(), nullptr);
    EXPECT_EQ(world.records_asked(), 2U);
}

TEST(service_memory, the_record_is_checked_at_most_every_five_minutes) {
    PROVES("8461-3-b");
    service_world world;
    world.enforcing();
    world.dns.ttls["TXT _mta-sts.example.com"] = 86'400;
    world.begin();
    world.ask();
    for (int i = 0; i < 10; ++i) {
        world.clock.at += 29s;
        world.ask();
        EXPECT_TRUE(world.settled());
    }
    EXPECT_EQ(world.records_asked(), 1U);
    world.clock.at += 15s;
    world.ask();
    EXPECT_TRUE(world.settled());
    EXPECT_EQ(world.records_asked(), 2U);
    EXPECT_EQ(world.fetches(), 1U); // the same id: no HTTPS
}

TEST(service_memory, another_id_is_one_fetch_and_a_new_answer) {
    PROVES("8461-3-b", "8461-3.1-f");
    service_world world;
    world.enforcing("2");
    world.begin();
    const auto old = world.ask();
    world.dns.domain("example.com", {"mx1.example.com"}, "1"); // ids have no order
    world.hosts.serve("example.com", mode::testing, {"mx1.example.com"});
    world.clock.at += 301s;
    EXPECT_EQ(world.ask()->what, decision::enforce); // not delayed
    EXPECT_TRUE(world.settled());
    EXPECT_TRUE(old->superseded);
    EXPECT_EQ(world.fetches(), 2U);
    ASSERT_NE(world.known(), nullptr);
    EXPECT_EQ(world.known()->what, decision::testing);
    ASSERT_EQ(world.told(service_event::kind::changed), 1U);
    EXPECT_EQ(world.events.back().detail, "id 2 is now 1; mode enforce is now testing");
    for (int i = 0; i < 5; ++i) {
        world.clock.at += 301s;
        world.ask();
        EXPECT_TRUE(world.settled());
    }
    EXPECT_EQ(world.fetches(), 2U);
}

TEST(service_memory, after_a_failed_fetch_five_minutes_pass) {
    PROVES("8461-3.3-l", "8461-3.3-o");
    service_world world;
    world.dns.domain("example.com", {"mx1.example.com"}, "1");
    world.dns.ttls["TXT _mta-sts.example.com"] = 60;
    world.hosts.fail("example.com", policy_fault::fetch_error, "HTTP status 404");
    world.begin();
    const auto given = world.ask();
    EXPECT_EQ(given->what, decision::no_policy);
    EXPECT_EQ(given->fault, policy_fault::fetch_error);
    for (int i = 0; i < 4; ++i) {
        world.clock.at += 61s;
        EXPECT_EQ(world.ask()->what, decision::no_policy);
        EXPECT_TRUE(world.settled());
    }
    EXPECT_EQ(world.fetches(), 1U);
    world.hosts.serve("example.com", mode::enforce, {"mx1.example.com"});
    world.clock.at += 61s;
    world.ask();
    EXPECT_TRUE(world.settled());
    EXPECT_EQ(world.fetches(), 2U);
    EXPECT_EQ(world.ask()->what, decision::enforce);
    EXPECT_EQ(world.service->counted().fetch_failures[0], 1U);
}

TEST(service_memory, a_new_id_need_not_wait) {
    PROVES("8461-3.3-l");
    service_world world;
    world.dns.domain("example.com", {"mx1.example.com"}, "1");
    world.dns.ttls["TXT _mta-sts.example.com"] = 60;
    world.begin();
    world.ask();
    world.enforcing("2");
    world.clock.at += 61s;
    EXPECT_EQ(world.ask()->what, decision::enforce);
    EXPECT_EQ(world.fetches(), 2U);
}

TEST(service_memory, a_policy_ends_with_its_max_age) {
    PROVES("8461-3.2-h");
    service_world world;
    world.dns.domain("example.com", {"mx1.example.com"}, "1");
    world.hosts.serve("example.com", mode::enforce, {"mx1.example.com"}, 500);
    world.begin();
    world.ask();
    world.dns.texts.clear();
    world.hosts.answers.clear();
    world.clock.at += 500s;
    EXPECT_EQ(world.ask()->what, decision::enforce);
    EXPECT_TRUE(world.settled());
    world.clock.at += 1s;
    EXPECT_EQ(world.ask()->what, decision::no_policy);
}

TEST(service_memory, what_is_known_of_the_hosts_is_renewed_before_it_ends) {
    service_world world;
    world.enforcing();
    world.dns.ttls["MX example.com"] = 1'000;
    world.begin();
    world.ask();
    world.clock.at += 700s;
    world.ask();
    EXPECT_TRUE(world.settled());
    EXPECT_EQ(world.service->counted().dane_looks, 1U);
    world.clock.at += 150s; // its last fifth
    world.dns.domain("example.com", {"mx2.example.com"}, "1");
    EXPECT_NE(world.known(), nullptr);
    EXPECT_TRUE(world.settled());
    EXPECT_EQ(world.service->counted().dane_looks, 2U);
    world.clock.at += 200s; // the first would be over
    ASSERT_NE(world.known(), nullptr);
    ASSERT_EQ(world.known()->mx.size(), 1U);
    EXPECT_EQ(world.known()->mx[0].host, "mx2.example.com");
}

TEST(service_memory, a_renewal_that_fails_takes_nothing_away) {
    service_world world;
    world.enforcing();
    world.dns.ttls["MX example.com"] = 1'000;
    world.begin();
    world.ask();
    world.clock.at += 850s;
    world.dns.failing["MX example.com"] = dns_status::servfail;
    world.ask();
    EXPECT_TRUE(world.settled());
    ASSERT_NE(world.known(), nullptr);
    EXPECT_TRUE(world.known()->mx_known);
}

TEST(service_memory, a_policy_that_was_answered_is_in_the_database) {
    service_world world;
    world.enforcing();
    world.begin();
    bool kept_first = false;
    world.loop.block_on([](service_world& of, bool& kept) -> io::task<> {
        co_await of.service->decide("example.com");
        kept = of.rows->holds("example.com"); // before anything else happens
    }(world, kept_first));
    EXPECT_TRUE(kept_first);
}

TEST(service_memory, a_restart_answers_from_the_database) {
    service_world world;
    world.enforcing();
    world.begin();
    world.ask();
    world.end();
    world.hosts.answers.clear();
    world.dns.texts.clear();
    world.clock.at += 10s;
    world.begin();
    const auto given = world.ask();
    EXPECT_EQ(given->what, decision::enforce);
    EXPECT_EQ(world.fetches(), 1U);
    EXPECT_EQ(world.records_asked(), 1U);
}

TEST(service_memory, a_database_that_is_away_stops_no_answer) {
    service_world world;
    world.enforcing();
    world.begin();
    world.rows->away = true;
    EXPECT_EQ(world.ask()->what, decision::enforce);
    ASSERT_NE(world.known(), nullptr);
    world.rows->away = false;
}

TEST(service_memory, a_slow_database_costs_no_policy) {
    service_world world;
    world.enforcing();
    world.begin();
    world.rows->slow = 400ms;
    const auto begun = world.loop.now();
    EXPECT_EQ(world.ask()->what, decision::enforce);
    EXPECT_LT(world.loop.now() - begun, 390ms);
    world.rows->slow = 0ms;
    EXPECT_TRUE(world.eventually([&] { return world.rows->holds("example.com"); }));
}

TEST(service_memory, what_another_machine_fetched_takes_the_place_of_ours) {
    service_world world;
    world.enforcing();
    world.begin();
    const auto ours = world.ask();
    world.clock.at += 10s;
    model::kept_policy theirs;
    theirs.domain = "example.com";
    theirs.state = holding(mode::testing, {"mx1.example.com"}, -5s);
    world.rows->write(theirs);
    EXPECT_TRUE(world.eventually([&] { return ours->superseded; }));
    EXPECT_EQ(world.ask()->what, decision::testing);
    theirs.state = holding(mode::none, {}, 3'600s); // what is older changes nothing
    world.rows->write(theirs);
    world.pass(60ms);
    EXPECT_EQ(world.ask()->what, decision::testing);
    EXPECT_EQ(world.fetches(), 1U);
}

TEST(service_memory, starts_without_its_database_and_takes_over_what_it_holds_later) {
    service_world world;
    world.enforcing();
    model::kept_policy kept;
    kept.domain = "kept.example";
    kept.state = holding(mode::enforce, {"mx.kept.example"});
    kept.used_at = noon;
    world.rows->write(kept);
    world.rows->away = true;
    world.begin(false);
    EXPECT_EQ(world.ask()->what, decision::enforce);
    world.rows->away = false;
    EXPECT_TRUE(world.eventually([&] { return world.service->policies().get("kept.example").has_value(); }));
}

TEST(service_memory, purging_forgets_and_the_next_use_looks_again) {
    service_world world;
    world.enforcing();
    world.begin();
    const auto given = world.ask();
    world.hosts.serve("example.com", mode::none, {});
    EXPECT_EQ(world.loop.block_on(world.service->purge("Example.COM")), 1U);
    EXPECT_TRUE(given->superseded);
    EXPECT_EQ(world.known(), nullptr);
    EXPECT_EQ(world.ask()->what, decision::none);
    EXPECT_EQ(world.loop.block_on(world.service->purge("")), 1U);
    EXPECT_EQ(world.service->policies().size(), 0U);
    EXPECT_TRUE(world.eventually([&] { return !world.rows->holds("example.com"); }));
    EXPECT_EQ(world.loop.block_on(world.service->purge("nobody.example")), 0U);
}

TEST(service_memory, adopts_what_it_does_not_know_better) {
    service_world world;
    world.enforcing();
    world.dns.domain("new.example", {"mx.new.example"}, "7");
    world.dns.domain("old.example", {"mx.old.example"});
    world.begin();
    world.ask();
    auto imported = [](std::string domain, std::chrono::seconds ago) {
        model::kept_policy kept;
        kept.domain = std::move(domain);
        kept.state = holding(mode::enforce, {"*.example"}, ago);
        return kept;
    };
    const auto taken = world.loop.block_on(world.service->adopt(
        {imported("NEW.example", 60s), imported("example.com", 3'600s), imported("old.example", 700'000s),
         imported("[192.0.2.1]", 60s), imported("future.example", -600s)}));
    EXPECT_EQ(taken, 1U);
    EXPECT_TRUE(world.rows->holds("new.example"));
    const auto given = world.ask("new.example");
    EXPECT_EQ(given->what, decision::enforce);
    EXPECT_EQ(world.fetches("new.example"), 0U);
    EXPECT_EQ(world.ask()->policy->value.mx, std::vector<std::string>{"mx1.example.com"});
}

} // namespace
} // namespace mailtight::resolve
