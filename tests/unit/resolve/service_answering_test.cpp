// SPDX-License-Identifier: Apache-2.0
// Answers: from memory, after looks, at the end of the budget; and how little is asked for them.
#include "service_world.h"
#include "support/proves.h"

namespace mailtight::resolve {
namespace {

using namespace mailtight::tests;
using sts::mode;
using sts::policy_fault;

TEST(service_answers, cold_from_the_network_then_from_memory) {
    PROVES("8461-3.1-a", "8461-5.1-a", "8461-5-a");
    service_world world;
    world.enforcing();
    world.begin();
    EXPECT_EQ(world.known(), nullptr);
    const auto first = world.ask();
    EXPECT_EQ(first->what, decision::enforce);
    EXPECT_EQ(first->source, decision_source::live);
    ASSERT_EQ(first->mx.size(), 1U);
    EXPECT_EQ(first->mx[0].admitted_by, "mx1.example.com");
    EXPECT_EQ(world.records_asked(), 1U);

    const auto so_far = world.dns.all_asked();
    const auto second = world.known();
    ASSERT_NE(second, nullptr);
    EXPECT_EQ(second->what, decision::enforce);
    EXPECT_EQ(second->source, decision_source::cache);
    EXPECT_TRUE(first->superseded);
    EXPECT_EQ(world.known(), second); // not made again
    EXPECT_EQ(world.ask(), second);
    EXPECT_EQ(world.dns.all_asked(), so_far);
    EXPECT_EQ(world.fetches(), 1U);
}

TEST(service_answers, a_hundred_askers_are_one_look) {
    service_world world;
    world.enforcing();
    world.begin();
    std::vector<io::started<shared_decision>> askers;
    for (int i = 0; i < 100; ++i)
        askers.push_back(io::start(world.loop, world.service->decide("example.com")));
    for (auto& each : askers)
        EXPECT_EQ(world.loop.block_on(each.get())->what, decision::enforce);
    EXPECT_EQ(world.records_asked(), 1U);
    EXPECT_EQ(world.fetches(), 1U);
    EXPECT_EQ(world.service->counted().dane_looks, 1U);
    EXPECT_EQ(world.service->counted().coalesced, 2 * 99U);
}

TEST(service_answers, every_way_of_writing_a_domain_is_one_domain) {
    PROVES("8461-3.4-a");
    service_world world;
    world.enforcing();
    world.begin();
    world.ask("example.com");
    world.dns.with_address.insert("example.com");
    for (const char* key :
         {"EXAMPLE.com", "example.com.", "[example.com]", "[example.com]:587", "example.com:587"}) {
        const auto given = world.ask(key);
        EXPECT_EQ(given->what, decision::enforce) << key;
        EXPECT_NE(world.known(key), nullptr) << key;
    }
    EXPECT_EQ(world.records_asked(), 1U);
    EXPECT_EQ(world.fetches(), 1U);
    // Its hosts are others in brackets, and port 587 has TLSA records of its own.
    EXPECT_EQ(world.service->counted().dane_looks, 4U);
}

TEST(service_answers, keys_without_a_policy_look_nothing_up) {
    PROVES("8461-3.4-b", "8461-3.4-c");
    service_world world;
    world.begin();
    for (const char* key :
         {"", ".example.com", "[192.0.2.1]", "192.0.2.1", "localhost", "/run/lmtp", "a b.example"}) {
        const auto given = world.known(key);
        ASSERT_NE(given, nullptr) << key;
        EXPECT_EQ(given->what, decision::no_policy) << key;
        EXPECT_EQ(given->source, decision_source::key) << key;
        EXPECT_EQ(world.ask(key)->source, decision_source::key) << key;
    }
    EXPECT_EQ(world.dns.all_asked(), 0U);
}

TEST(service_answers, no_HTTPS_where_the_TXT_set_is_empty) {
    PROVES("8461-3-a");
    service_world world;
    world.dns.domain("example.com", {"mx1.example.com"});
    world.begin();
    EXPECT_EQ(world.ask()->what, decision::no_policy);
    for (const auto& [why, texts] : std::map<std::string, std::vector<std::string>>{
             {"unrelated.example", {"v=spf1 -all"}},
             {"two.example", {"v=STSv1; id=1;", "v=STSv1; id=2;"}},
             {"broken.example", {"v=STSv1; id=a-b;"}}}) {
        world.dns.domain(why, {"mx." + why});
        world.dns.texts["_mta-sts." + why] = texts;
        EXPECT_EQ(world.ask(why)->what, decision::no_policy) << why;
    }
    EXPECT_TRUE(world.hosts.fetched_from.empty());
}

TEST(service_answers, an_absence_is_remembered) {
    service_world world;
    world.dns.domain("example.com", {"mx1.example.com"});
    world.dns.ttls["TXT _mta-sts.example.com"] = 600;
    world.begin();
    world.ask();
    world.clock.at += 300s;
    EXPECT_EQ(world.ask()->what, decision::no_policy);
    EXPECT_EQ(world.records_asked(), 1U);
    world.clock.at += 301s;
    world.ask();
    EXPECT_EQ(world.records_asked(), 2U);
}

TEST(service_answers, the_budget_bounds_a_TXT_that_hangs) {
    service_world world;
    world.enforcing();
    world.dns.hanging.hang("TXT _mta-sts.example.com");
    world.begin();
    const auto begun = world.loop.now();
    const auto given = world.ask();
    EXPECT_GE(world.loop.now() - begun, 140ms);
    EXPECT_LT(world.loop.now() - begun, 1s);
    EXPECT_EQ(given->what, decision::no_policy);
    EXPECT_LE(given->good_until, noon + 5s);
    EXPECT_EQ(world.service->counted().over_budget, 1U);
    // The work goes on, and what comes of it takes the answer's place at once.
    world.dns.hanging.let_go();
    EXPECT_TRUE(world.settled());
    EXPECT_TRUE(given->superseded);
    ASSERT_NE(world.known(), nullptr);
    EXPECT_EQ(world.known()->what, decision::enforce);
}

TEST(service_answers, the_budget_bounds_a_policy_host_that_hangs) {
    service_world world;
    world.enforcing();
    world.hosts.hanging.hang("example.com");
    world.begin();
    const auto given = world.ask();
    EXPECT_EQ(given->what, decision::no_policy);
    EXPECT_LE(given->good_until, noon + 5s);
    world.hosts.hanging.let_go();
    EXPECT_TRUE(world.settled());
    EXPECT_TRUE(given->superseded);
    EXPECT_EQ(world.known()->what, decision::enforce);
    EXPECT_EQ(world.fetches(), 1U);
}

TEST(service_answers, a_DANE_state_that_is_not_known_in_time_is_never_no_policy) {
    for (const bool with_policy : {false, true}) {
        service_world world;
        world.enforcing();
        world.dns.secure = true;
        if (!with_policy)
            world.dns.texts.clear();
        world.dns.hanging.hang("TLSA _25._tcp.mx1.example.com");
        world.begin();
        const auto given = world.ask();
        EXPECT_EQ(given->what, decision::unknown);
        EXPECT_FALSE(given->reason.empty());
        EXPECT_LE(given->good_until, noon + 5s);
        world.dns.hanging.let_go();
        EXPECT_TRUE(world.settled());
        EXPECT_TRUE(given->superseded);
        EXPECT_EQ(world.known()->what, with_policy ? decision::enforce : decision::no_policy);
    }
}

TEST(service_answers, an_enforced_policy_stands_where_the_MX_cannot_be_looked_up) {
    service_world world;
    world.enforcing();
    world.begin();
    world.ask();
    world.clock.at += 3601s; // what is known of the hosts has run out
    for (const bool hangs : {false, true}) {
        if (hangs) {
            world.clock.at += 61s;
            world.dns.failing.clear();
            world.dns.hanging.hang("MX example.com");
        } else {
            world.dns.failing["MX example.com"] = model::dns_status::servfail;
        }
        const auto given = world.ask();
        EXPECT_EQ(given->what, decision::enforce);
        EXPECT_FALSE(given->mx_known);
        ASSERT_TRUE(given->policy);
        EXPECT_EQ(given->policy->value.mx, std::vector<std::string>{"mx1.example.com"});
    }
}

TEST(service_answers, a_broken_host_does_not_block_the_others) {
    service_world world;
    world.enforcing();
    world.dns.domain("example.com", {"mx1.example.com", "mx2.example.com"}, "1");
    world.dns.failing["A mx2.example.com"] = model::dns_status::servfail;
    world.begin();
    EXPECT_EQ(world.ask()->what, decision::enforce);
}

TEST(service_answers, DANE_comes_first) {
    PROVES("8461-2-a");
    service_world world;
    world.enforcing();
    world.dns.secure = true;
    world.dns.tlsas["_25._tcp.mx1.example.com"] = {{3, 1, 1, std::string(32, 'x')}};
    world.begin();
    const auto given = world.ask();
    EXPECT_EQ(given->what, decision::dane);
    EXPECT_TRUE(given->dane_only);
    ASSERT_TRUE(given->policy);
    EXPECT_EQ(given->policy->value.mode, mode::enforce);
}

TEST(service_answers, an_error_of_DNS_defers_only_where_the_operator_wants_it) { // A14
    for (const bool defer : {false, true}) {
        service_world world;
        world.enforcing();
        world.dns.failing["TXT _mta-sts.example.com"] = model::dns_status::servfail;
        world.options.deciding.defer_on_dns_error = defer;
        world.begin();
        EXPECT_EQ(world.ask()->what, defer ? decision::unknown : decision::no_policy);
        // HTTPS that fails never defers.
        world.dns.domain("other.example", {"mx.other.example"}, "1");
        EXPECT_EQ(world.ask("other.example")->what, decision::no_policy);
    }
}

TEST(service_answers, no_more_wait_than_are_allowed) {
    service_world world;
    world.options.looks = 3;
    world.options.budget = 500ms;
    world.begin();
    std::vector<io::started<shared_decision>> askers;
    for (int i = 0; i < 4; ++i) {
        const auto name = "d" + std::to_string(i) + ".example";
        world.dns.domain(name, {"mx." + name});
        world.dns.hanging.hang("MX " + name);
        askers.push_back(io::start(world.loop, world.service->decide(name)));
    }
    world.pass(50ms);
    EXPECT_FALSE(askers[2].box_->done.is_set());
    ASSERT_TRUE(askers[3].box_->done.is_set());
    EXPECT_EQ(world.loop.block_on(askers[3].get())->what, decision::unknown);
}

TEST(service_answers, few_destinations_are_remembered_where_few_are_allowed) {
    service_world world;
    world.options.destinations = 10;
    world.begin();
    for (int i = 0; i < 50; ++i) {
        const auto name = "d" + std::to_string(i) + ".example";
        world.dns.domain(name, {"mx." + name});
        world.ask(name);
    }
    unsigned remembered = 0;
    for (int i = 0; i < 50; ++i)
        remembered += world.known("d" + std::to_string(i) + ".example") ? 1U : 0U;
    EXPECT_EQ(remembered, 10U);
}

TEST(service_answers, are_counted) {
    service_world world;
    world.enforcing();
    world.begin();
    world.ask();
    const auto given = world.known();
    world.service->count_repeated(*given);
    world.known(".example.com");
    const auto figures = world.service->counted();
    EXPECT_EQ(figures.answers, 4U);
    EXPECT_EQ(figures.misses, 1U);
    EXPECT_EQ(figures.hits, 3U);
    EXPECT_EQ(figures.decisions[static_cast<std::size_t>(decision::enforce)], 3U);
    EXPECT_EQ(figures.decisions[static_cast<std::size_t>(decision::no_policy)], 1U);
    std::uint64_t timed = 0;
    for (const auto each : figures.latency)
        timed += each;
    EXPECT_EQ(timed, 4U);
    EXPECT_GE(figures.latency[0], 3U);
}

TEST(service_answers, live_uses_nothing_that_is_remembered) {
    service_world world;
    world.enforcing();
    world.begin();
    world.ask();
    world.hosts.serve("example.com", mode::testing, {"mx1.example.com"});
    const auto given = world.loop.block_on(world.service->look_live("example.com"));
    EXPECT_EQ(given->what, decision::testing);
    EXPECT_EQ(given->source, decision_source::live);
    EXPECT_EQ(world.fetches(), 2U);
    EXPECT_EQ(world.known()->what, decision::enforce);
    EXPECT_EQ(world.loop.block_on(world.service->look_live("[192.0.2.1]"))->source, decision_source::key);
}

TEST(service_answers, stopping_lets_everybody_go) {
    service_world world;
    world.enforcing();
    world.options.budget = 60s;
    world.dns.hanging.hang("TXT _mta-sts.example.com");
    world.begin();
    auto asker = io::start(world.loop, world.service->decide("example.com"));
    world.pass(20ms);
    world.service->stop();
    EXPECT_TRUE(world.eventually([&] { return asker.box_->done.is_set(); }));
    world.end();
    world.loop.run(); // ends: no task of the service is left
}

} // namespace
} // namespace mailtight::resolve
