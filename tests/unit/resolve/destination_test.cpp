// SPDX-License-Identifier: Apache-2.0
// A destination as a whole: which hosts it has, what their mixture answers, how long that holds.
#include "base/limits.h"
#include "resolve/decision.h"
#include "support/proves.h"
#include "unit/resolve/dane_world.h"

#include <rapidcheck/gtest.h>

#include <gmock/gmock.h>

using namespace mailtight;
using namespace mailtight::tests;
using namespace std::chrono_literals;
using model::dns_status;
using resolve::dane_answer;
using resolve::destination;
using resolve::host_class;
using testing::ElementsAre;
using testing::HasSubstr;

namespace {

std::vector<std::string> names_of(const destination& where) {
    std::vector<std::string> names;
    for (const auto& host : where.mx)
        names.push_back(host.host);
    return names;
}

TEST(destination, of_a_signed_domain_with_dane) {
    dns_world world;
    with_dane(world);
    const auto where = look(world);
    EXPECT_EQ(where.what, destination::kind::hosts);
    EXPECT_TRUE(where.mx_secure);
    EXPECT_FALSE(where.implicit_mx);
    EXPECT_EQ(judge(where), dane_answer::all);
    EXPECT_TRUE(dane_seen(where));
    EXPECT_EQ(why_unknown(where), "");
    EXPECT_EQ(where.looked_at, look_time);
}

TEST(destination, keeps_the_order_of_preference_whatever_has_dane) {
    PROVES("7672-2.2.1-a");
    dns_world world;
    world.mx(
        "example.com",
        {{30, "late.example.com"}, {10, "b.example.com"}, {10, "a.example.com"}, {20, "Mid.Example.com"}});
    world.addresses("late.example.com", {"192.0.2.1"});
    world.tlsa("_25._tcp.late.example.com", {good_tlsa});
    for (const auto* name : {"a.example.com", "b.example.com", "mid.example.com"})
        world.addresses(name, {"192.0.2.2"});
    const auto where = look(world);
    EXPECT_THAT(names_of(where),
                ElementsAre("a.example.com", "b.example.com", "mid.example.com", "late.example.com"));
    EXPECT_EQ(where.mx.back().preference, 30);
    EXPECT_EQ(where.mx.back().dane, host_class::usable);
    EXPECT_EQ(judge(where), dane_answer::partial);
}

TEST(destination, whose_mx_look_up_fails_is_unknown_and_says_why) {
    PROVES("7672-2.1.2-a", "7672-2.1.1-b");
    const std::pair<const char*, dns_said> rows[] = {
        {"SERVFAIL", fails("SERVFAIL: Signature Expired (extended error 7)")},
        {"silence", fails("no answer in time", dns_status::timeout)},
        {"refused", fails("REFUSED", dns_status::refused)},
        {"garbage", fails("no DNS message", dns_status::malformed)},
        {"bogus", bogus},
        {"CNAMEs in a circle", fails("they come back to themselves", dns_status::cname_loop)},
    };
    for (const auto& [why, how] : rows) {
        dns_world world;
        world.mx("example.com", {}, how);
        const auto where = look(world);
        EXPECT_EQ(where.what, destination::kind::mx_failed) << why;
        EXPECT_EQ(judge(where), dane_answer::unknown) << why;
        EXPECT_EQ(where.mx_bogus, how.status == dns_status::bogus) << why;
        EXPECT_THAT(why_unknown(where), HasSubstr("MX look-up of example.com failed: ")) << why;
        EXPECT_THAT(why_unknown(where), HasSubstr(how.detail)) << why;
        EXPECT_EQ(where.good_until - where.looked_at, 30s) << why;
        EXPECT_THAT(world.asked, ElementsAre("MX example.com")) << why;
    }
}

TEST(destination, that_takes_no_mail_has_no_host) {
    dns_world world;
    world.mx("null.example", {{0, ""}});
    world.mx("twice.example", {{0, ""}, {10, ""}});
    world.mx("nothing.example", {});
    for (const auto* name : {"null.example", "twice.example"})
        EXPECT_EQ(look(world, to_domain(name)).what, destination::kind::null_mx) << name;
    EXPECT_EQ(look(world, to_domain("absent.example")).what, destination::kind::no_host);
    EXPECT_THAT(look(world, to_domain("absent.example")).detail, HasSubstr("does not exist"));
    const auto where = look(world, to_domain("nothing.example"));
    EXPECT_EQ(where.what, destination::kind::no_host);
    EXPECT_THAT(where.mx, testing::IsEmpty());
    for (const auto* name : {"null.example", "absent.example", "nothing.example"})
        EXPECT_EQ(judge(look(world, to_domain(name))), dane_answer::none) << name;
    world.mx("beside.example", {{0, ""}, {10, "mx.beside.example"}});
    EXPECT_THAT(names_of(look(world, to_domain("beside.example"))), ElementsAre("mx.beside.example"));
}

TEST(destination, without_mx_records_is_its_own_host) {
    dns_world world;
    for (const auto& how : {dns_said{}, unsigned_zone}) { // the address decides, not the absence of MX
        world.mx("example.com", {}, how);
        world.addresses("example.com", {"192.0.2.1"});
        world.tlsa("_25._tcp.example.com", {good_tlsa});
        const auto where = look(world);
        EXPECT_TRUE(where.implicit_mx);
        EXPECT_THAT(names_of(where), ElementsAre("example.com"));
        EXPECT_EQ(judge(where), dane_answer::all);
    }
    world.addresses("example.com", {}, fails("SERVFAIL"));
    EXPECT_EQ(judge(look(world)), dane_answer::unknown);
    EXPECT_THAT(why_unknown(look(world)), HasSubstr("SERVFAIL"));
}

TEST(destination, that_the_operator_named_is_looked_at_without_mx) {
    PROVES("7672-2.2.3-a");
    dns_world world;
    world.mx("relay.example", {}, fails("nobody must ask"));
    world.addresses("relay.example", {"192.0.2.1"});
    world.tlsa("_587._tcp.relay.example", {good_tlsa});
    const auto where = look(world, to_smart_host("relay.example", 587));
    EXPECT_EQ(judge(where), dane_answer::all);
    EXPECT_THAT(names_of(where), ElementsAre("relay.example"));
    EXPECT_THAT(world.asked, ElementsAre("A relay.example", "TLSA _587._tcp.relay.example"));
}

TEST(destination, that_is_no_name_is_not_asked_for) {
    PROVES("7672-2.2-e");
    dns_world world;
    using kind = mail::next_hop::kind;
    for (const auto what : {kind::address_literal, kind::empty, kind::parent, kind::local_path,
                            kind::single_label, kind::not_a_name}) {
        const auto where = look(world, {.what = what});
        EXPECT_EQ(judge(where), dane_answer::none);
        EXPECT_EQ(where.what, destination::kind::no_host);
    }
    EXPECT_THAT(world.asked, testing::IsEmpty());
}

TEST(destination, behind_an_insecure_mx_has_no_dane) {
    PROVES("7672-2.2.1-c", "7672-2.1.3-a");
    dns_world world;
    with_dane(world);
    world.mx("example.com", {{10, "mx.example.com"}}, unsigned_zone);
    auto where = look(world);
    EXPECT_FALSE(where.mx_secure);
    EXPECT_EQ(judge(where), dane_answer::none);
    EXPECT_THAT(world.asked, ElementsAre("MX example.com")) << "nothing else can change it";
    EXPECT_THAT(where.mx.at(0).reason, HasSubstr("not signed"));

    // A domain that is not signed is never held up by one host that DNS knows nothing of.
    world.mx("example.com", {{10, "mx.example.com"}, {20, "broken.example.com"}}, unsigned_zone);
    world.addresses("broken.example.com", {}, fails("SERVFAIL"));
    EXPECT_EQ(judge(look(world)), dane_answer::none);
}

TEST(destination, behind_an_insecure_mx_may_use_the_tlsa_of_a_signed_host) {
    PROVES("7672-2.2.1-c", "7672-2.2.1-d");
    dns_world world;
    world.mx("example.com", {{10, "mx.example.com"}}, unsigned_zone);
    world.addresses("mx.example.com", {"192.0.2.1"}, {.chain = {"end.example.net"}});
    world.tlsa("_25._tcp.end.example.net", {good_tlsa});
    const auto where = look(world, to_domain(), {.half_dane = true});
    EXPECT_EQ(where.mx.at(0).dane, host_class::usable);
    EXPECT_EQ(where.mx.at(0).host, "mx.example.com") << "logs name the MX record, not what it expands to";
    EXPECT_FALSE(where.mx_secure);
    EXPECT_EQ(judge(where), dane_answer::partial) << "never mandatory, never told as secure to the domain";
}

TEST(destination, behind_an_insecure_mx_waits_where_the_operator_demands_dane) {
    PROVES("7672-2.2.1-b");
    dns_world world;
    with_dane(world);
    const model::policy_override demand{.domain = "example.com",
                                        .what = model::policy_override::kind::require,
                                        .mx = {},
                                        .why = "a contract",
                                        .by = {},
                                        .until = {}};
    const auto decided = [&](bool half_dane) {
        const auto where = look(world, to_domain(), {.half_dane = half_dane});
        return resolve::decide({.hop = to_domain(), .where = &where, .exception = &demand}, {}, look_time)
            .what;
    };
    EXPECT_EQ(decided(false), resolve::decision::dane) << "signed all the way";
    world.mx("example.com", {{10, "mx.example.com"}}, unsigned_zone);
    EXPECT_EQ(decided(false), resolve::decision::unknown);
    EXPECT_EQ(decided(true), resolve::decision::unknown) << "TLSA behind an insecure MX is not enough";
}

TEST(destination, is_never_secure_where_nobody_validates_on_a_trusted_path) {
    PROVES("7672-2.1.1-a");
    dns_world world;
    with_dane(world);
    const auto where = look(world, to_domain(), {.trusted_validation = false});
    EXPECT_EQ(judge(where), dane_answer::none);
    EXPECT_THAT(where.mx.at(0).reason, HasSubstr("validates"));
    EXPECT_THAT(world.asked, ElementsAre("MX example.com"));
    EXPECT_EQ(judge(look(world, to_smart_host("mx.example.com"), {.trusted_validation = false})),
              dane_answer::none);
}

TEST(destination, names_a_host_once_with_its_best_preference) {
    dns_world world;
    with_dane(world);
    world.mx("example.com", {{30, "mx.example.com"}, {10, "MX.example.com"}, {20, "mx.example.com"}});
    const auto where = look(world);
    ASSERT_EQ(where.mx.size(), 1u);
    EXPECT_EQ(where.mx.at(0).preference, 10);
    EXPECT_EQ(std::ranges::count(world.asked, "A mx.example.com"), 1);
}

TEST(destination, with_more_hosts_than_anybody_needs_is_looked_at_in_part) {
    dns_world world;
    std::vector<model::mx_record> records;
    for (std::uint16_t i = 0; i < base::limits::mx_hosts + 36; ++i) {
        const auto name = "mx" + std::to_string(1'000 + i) + ".example.com";
        records.push_back({i, name});
        world.addresses(name, {"192.0.2.1"});
        world.tlsa("_25._tcp." + name, {good_tlsa});
    }
    world.mx("example.com", records);
    const auto where = look(world);
    EXPECT_EQ(where.mx.size(), base::limits::mx_hosts);
    EXPECT_EQ(where.mx.back().host, "mx1063.example.com") << "the best preferences";
    EXPECT_EQ(where.not_looked_at, 36u);
    EXPECT_EQ(judge(where), dane_answer::partial) << "of the rest nobody knows";
}

TEST(destination, asks_for_all_hosts_at_once) {
    io::loop loop;
    dns_world world(&loop, 20ms);
    std::vector<model::mx_record> records;
    for (std::uint16_t i = 0; i < 8; ++i) {
        records.push_back({i, "mx" + std::to_string(i) + ".example.com"});
        world.addresses(records.back().host, {"192.0.2.1"});
    }
    world.mx("example.com", records);
    const look_clock clock;
    const auto where = loop.block_on(resolve::look_at(loop, world, clock, to_domain(), {}));
    EXPECT_EQ(where.mx.size(), 8u);
    EXPECT_EQ(world.most_open, 8u);
}

TEST(destination, is_not_held_up_by_one_broken_host) {
    PROVES("7672-2.1.2-b", "7672-2.1.2-c");
    dns_world world;
    with_dane(world);
    world.mx("example.com", {{10, "broken.example.com"}, {20, "mx.example.com"}});
    for (const auto& how : {fails("SERVFAIL"), bogus}) {
        world.addresses("broken.example.com", {}, how);
        const auto where = look(world);
        EXPECT_EQ(judge(where), dane_answer::all) << "every host that can be reached has DANE";
        EXPECT_EQ(where.mx.at(0).dane, host_class::error);
        EXPECT_NE(where.mx.at(0).reason, "");
        EXPECT_EQ(why_unknown(where), "");
    }
    world.mx("example.com", {{10, "broken.example.com"}});
    const auto where = look(world);
    EXPECT_EQ(judge(where), dane_answer::unknown);
    EXPECT_THAT(why_unknown(where), testing::StartsWith("broken.example.com: the A look-up of "));
}

TEST(destination, does_not_wait_for_a_silent_host_longer_than_it_may) {
    PROVES("7672-2.1.2-b");
    io::loop loop;
    dns_world world(&loop);
    with_dane(world);
    world.mx("example.com", {{10, "silent.example.com"}, {20, "mx.example.com"}});
    world.addresses("silent.example.com", {"192.0.2.9"});
    world.slow["silent.example.com"] = 400ms;
    const look_clock clock;
    const auto begin = loop.now();
    auto where = loop.block_on(resolve::look_at(loop, world, clock, to_domain(), {.patience = 50ms}));
    EXPECT_LT(loop.now() - begin, 350ms);
    EXPECT_EQ(judge(where), dane_answer::all);
    EXPECT_EQ(where.mx.at(0).dane, host_class::error);
    EXPECT_THAT(where.mx.at(0).reason, HasSubstr("in time"));
    EXPECT_EQ(where.good_until - where.looked_at, 30s);
    loop.run(); // the late answer comes to nobody

    // Where nothing else is known, the silent one is waited for.
    world.addresses("mx.example.com", {}, fails("SERVFAIL"));
    where = loop.block_on(resolve::look_at(loop, world, clock, to_domain(), {.patience = 50ms}));
    EXPECT_EQ(where.mx.at(0).dane, host_class::none);
    EXPECT_EQ(judge(where), dane_answer::partial);
    world.mx("example.com", {{10, "silent.example.com"}});
    where = loop.block_on(resolve::look_at(loop, world, clock, to_domain(), {.patience = 50ms}));
    EXPECT_EQ(where.mx.at(0).dane, host_class::none);
}

TEST(destination, names_every_host_that_makes_it_unknown_up_to_a_few) {
    dns_world world;
    std::vector<model::mx_record> records;
    for (std::uint16_t i = 0; i < 9; ++i) {
        records.push_back({i, "mx" + std::to_string(i) + ".example.com"});
        world.addresses(records.back().host, {}, fails("SERVFAIL"));
    }
    world.mx("example.com", records);
    const auto words = why_unknown(look(world));
    EXPECT_THAT(words, HasSubstr("mx0.example.com: "));
    EXPECT_THAT(words, HasSubstr("mx3.example.com: "));
    EXPECT_THAT(words, testing::Not(HasSubstr("mx4.example.com")));
    EXPECT_THAT(words, testing::EndsWith("; and 5 more"));
}

struct life_row {
    const char* why;
    std::uint32_t mx, address, tlsa;
    std::chrono::seconds life;
};
TEST(destination, holds_for_the_smallest_ttl_of_what_it_rests_on) {
    const life_row rows[] = {
        {"the MX record's", 100, 200, 300, 100s},
        {"the address's", 200, 100, 300, 100s},
        {"the TLSA record's", 300, 200, 100, 100s},
        {"never below half a minute", 300, 200, 0, 30s},
        {"never above an hour", 90'000, 90'000, 90'000, 3600s},
    };
    for (const auto& row : rows) {
        dns_world world;
        world.mx("example.com", {{10, "mx.example.com"}}, {.ttl = row.mx});
        world.addresses("mx.example.com", {"192.0.2.1"}, {.ttl = row.address});
        world.tlsa("_25._tcp.mx.example.com", {good_tlsa}, {.ttl = row.tlsa});
        const auto where = look(world);
        EXPECT_EQ(where.good_until - where.looked_at, row.life) << row.why;
        world.tlsa("_25._tcp.mx.example.com", {}, {.ttl = row.tlsa}); // the negative TTL of the SOA
        EXPECT_EQ(look(world).good_until - look_time, row.life) << "of an absence: " << row.why;
    }
}

TEST(destination, rests_on_a_failure_for_half_a_minute) {
    dns_world world;
    with_dane(world);
    world.mx("example.com", {{10, "broken.example.com"}, {20, "mx.example.com"}});
    world.addresses("broken.example.com", {}, fails("SERVFAIL"));
    EXPECT_EQ(look(world).good_until - look_time, 30s);
    // A family that fails where the other answers decides nothing.
    world.mx("example.com", {{20, "mx.example.com"}});
    world.aaaa("mx.example.com", {}, fails("SERVFAIL"));
    EXPECT_EQ(look(world).good_until - look_time, 3600s);
    // A bogus answer does not choose how long it is believed.
    world.tlsa("_25._tcp.mx.example.com", {}, {.status = dns_status::bogus, .ttl = 3'000});
    EXPECT_EQ(look(world).good_until - look_time, 30s);
    world.mx("absent.example", {}, {.status = dns_status::nx_domain, .ttl = 77});
    EXPECT_EQ(look(world, to_domain("absent.example")).good_until - look_time, 77s);
    world.mx("null.example", {{0, ""}}, {.ttl = 88});
    EXPECT_EQ(look(world, to_domain("null.example")).good_until - look_time, 88s);
}

// Every mixture of hosts against the table of answers, written here once more.
dane_answer by_the_table(const std::vector<host_class>& hosts, bool secure) {
    std::vector<host_class> reachable;
    bool failed = false;
    for (const auto c : hosts) {
        failed = failed || c == host_class::error;
        if (c != host_class::error && c != host_class::no_address)
            reachable.push_back(c);
    }
    if (reachable.empty())
        return failed ? dane_answer::unknown : dane_answer::none;
    const bool only_usable = std::ranges::all_of(reachable, [](auto c) { return c == host_class::usable; });
    const bool only_none = std::ranges::all_of(reachable, [](auto c) { return c == host_class::none; });
    if (only_usable && secure)
        return dane_answer::all;
    return only_none && !failed ? dane_answer::none : dane_answer::partial;
}

RC_GTEST_PROP(destination_property, any_mixture_is_answered_by_the_table, ()) {
    destination where;
    where.what = destination::kind::hosts;
    where.mx_secure = *rc::gen::arbitrary<bool>();
    const auto hosts = *rc::gen::container<std::vector<host_class>>(
        rc::gen::element(host_class::usable, host_class::unusable_only, host_class::none, host_class::error,
                         host_class::no_address));
    for (const auto c : hosts)
        where.mx.push_back({.host = "mx", .dane = c, .reason = "why"});
    const auto answer = judge(where);
    RC_ASSERT(answer == by_the_table(hosts, where.mx_secure));
    RC_ASSERT((answer == dane_answer::unknown) == !why_unknown(where).empty());
    if (std::ranges::find(hosts, host_class::error) != hosts.end())
        RC_ASSERT(answer != dane_answer::none); // an error never hides behind "no DANE"
    if (dane_seen(where))
        RC_ASSERT(answer == dane_answer::all || answer == dane_answer::partial);
}

rc::Gen<dns_said> any_said() {
    return rc::gen::apply(
        [](dns_status status, model::dnssec security, std::uint32_t ttl, bool alias) {
            dns_said how{.status = status, .security = security, .ttl = ttl, .detail = "d"};
            if (alias)
                how.chain = {"end.example.net"};
            return how;
        },
        rc::gen::element(dns_status::ok, dns_status::ok, dns_status::ok, dns_status::no_data,
                         dns_status::nx_domain, dns_status::servfail, dns_status::bogus, dns_status::timeout,
                         dns_status::cname_loop, dns_status::not_asked),
        rc::gen::element(model::dnssec::secure, model::dnssec::secure, model::dnssec::insecure,
                         model::dnssec::unknown, model::dnssec::bogus),
        rc::gen::arbitrary<std::uint32_t>(), rc::gen::arbitrary<bool>());
}

RC_GTEST_PROP(destination_property, any_world_is_looked_at_and_tlsa_asked_only_behind_something_secure, ()) {
    dns_world world;
    std::vector<model::mx_record> records;
    const auto hosts = *rc::gen::inRange<std::uint16_t>(0, 5);
    for (std::uint16_t i = 0; i < hosts; ++i) {
        const auto name = "mx" + std::to_string(i) + ".example.com";
        records.push_back({i, name});
        world.a(name, {"192.0.2.1"}, *any_said());
        world.aaaa(name, {"2001:db8::1"}, *any_said());
        world.cname(name, "end.example.net", *any_said());
        world.tlsa("_25._tcp." + name, {good_tlsa, short_tlsa}, *any_said());
    }
    world.tlsa("_25._tcp.end.example.net", {good_tlsa}, *any_said());
    world.mx("example.com", records, *any_said());
    const auto where = look(world, to_domain(), {.half_dane = *rc::gen::arbitrary<bool>()});
    const auto life = where.good_until - where.looked_at;
    RC_ASSERT(life >= 30s);
    RC_ASSERT(life <= 3600s);
    for (const auto& host : where.mx) {
        RC_ASSERT((host.dane == host_class::usable) == host.reason.empty());
        const bool found = host.dane == host_class::usable || host.dane == host_class::unusable_only;
        RC_ASSERT(found == !host.base.empty());
        RC_ASSERT(found == !host.records.empty());
        if (host.dane == host_class::error)
            RC_ASSERT(life == 30s);
    }
    // Addresses before TLSA, for every host.
    for (const auto& host : where.mx) {
        const auto at = [&](const std::string& question) { return std::ranges::find(world.asked, question); };
        if (const auto tlsa = at("TLSA _25._tcp." + host.host); tlsa != world.asked.end())
            RC_ASSERT(at("A " + host.host) < tlsa);
    }
}

} // namespace
