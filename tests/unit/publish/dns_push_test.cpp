// SPDX-License-Identifier: Apache-2.0
// Pushes to a server that answers as a test says, since real ones do not lie: every code, a yes that is none,
// replies that belong to something else, and servers that are not what was named. What real ones do is in
// tests/nameservers.
#include "publish/dns_push.h"
#include "support/fixed_resolver.h"
#include "unit/io/fake_dns.h"
#include "wire/dns_raw.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

namespace mailtight::publish {
namespace {

using namespace std::chrono_literals;
using fate = pushed::fate;
using testing::AllOf;
using testing::HasSubstr;
using tests::answer_bytes;
using tests::fake_dns;

constexpr const char* sts = "_mta-sts.example.com";
constexpr const char* id1 = "v=STSv1; id=1;";

struct zone_of_example final : tests::fixed_resolver {
    io::task<model::dns_fact> soa(std::string) override {
        model::dns_fact fact;
        fact.status = model::dns_status::ok;
        fact.name = "example.com";
        co_return fact;
    }
    io::task<model::ns_fact> ns(std::string) override {
        model::ns_fact fact;
        fact.status = model::dns_status::ok;
        fact.hosts = {"ns1.example.com"};
        co_return fact;
    }
};

/// A primary that keeps one text, and does with updates as it is told.
struct liar {
    unsigned update_flags = 0xa800; ///< of the reply: response, opcode 5, the code
    bool does_it = true, authoritative = true, knows_zone = true, mends_id = true;
    unsigned query_code = 0;
    std::string text;
    unsigned updates = 0;
    bool slow = false; ///< says yes, and does it a moment later
    unsigned asked_since = 0;

    std::vector<std::string> answer(const fake_dns::question& asked) {
        constexpr unsigned opcode_update = 5;
        if (asked.message.opcode == opcode_update) {
            ++updates;
            if (does_it)
                text = id1;
            answer_bytes reply(asked.bytes, update_flags);
            if (!mends_id)
                reply.set16(0, 0x1111);
            return {reply};
        }
        if (slow && updates > 0 && ++asked_since > 6)
            text = id1;
        const auto& question = *asked.message.question;
        answer_bytes reply(asked.bytes, (authoritative ? 0x8400U : 0x8000U) | query_code);
        if (query_code != 0)
            return {reply};
        if (question.type == wire::dns_type::txt && !text.empty())
            return {reply.answer(question.name, 16, answer_bytes::text(text))};
        if (!knows_zone)
            return {reply};
        if (question.name == "example.com" && question.type == wire::dns_type::soa)
            return {reply.answer("example.com", 6, answer_bytes::soa_data(60))};
        return {reply.soa("example.com", 60)};
    }
};

pushed push_to(liar& with, std::vector<plan::record_change> changes = {{sts, "TXT", {id1}, {}, 300}},
               std::string zone = {}) {
    fake_dns server([&with](const fake_dns::question& asked) { return with.answer(asked); });
    io::loop loop;
    zone_of_example dns;
    dns.hosts["ns1.example.com"] = {server.at().address};
    const base::address_guard guard{{base::ip_network::parse("127.0.0.0/8").value()}};
    const base::system_clock clock;
    dns_pusher pusher(loop, dns, guard, clock, server.at().port, 2s, 300ms);
    update_server to;
    to.name = "primary";
    to.address = server.at();
    to.zone = std::move(zone);
    return loop.block_on(pusher.push(to, std::move(changes)));
}

TEST(DnsPush, AServerThatCloses) {
    liar honest; // after each message, so every one needs a new connection
    const auto done = push_to(honest);
    EXPECT_EQ(done.what, fate::done) << done.words;
    EXPECT_EQ(honest.updates, 1U);
    EXPECT_EQ(push_to(honest).what, fate::already);
    EXPECT_EQ(honest.updates, 1U);
}

TEST(DnsPush, EveryCodeIsToldWithWhatToDo) {
    struct row {
        unsigned code;
        fate what;
        const char *name, *words;
    };
    const row rows[] = {
        {1, fate::refused, "FORMERR", "RFC 2136"},    {2, fate::failed, "SERVFAIL", "log"},
        {3, fate::stopped, "NXDOMAIN", "look again"}, {4, fate::refused, "NOTIMP", "hook"},
        {5, fate::refused, "REFUSED", "allow"},       {6, fate::stopped, "YXDOMAIN", "look again"},
        {7, fate::stopped, "YXRRSET", "look again"},  {8, fate::stopped, "NXRRSET", "look again"},
        {9, fate::refused, "NOTAUTH", "zone"},        {10, fate::refused, "NOTZONE", "outside"}};
    for (const auto& row : rows) {
        liar says;
        says.does_it = false;
        says.update_flags |= row.code;
        const auto told = push_to(says);
        EXPECT_EQ(told.what, row.what) << row.name;
        EXPECT_THAT(told.words, AllOf(HasSubstr(row.name), HasSubstr(row.words)));
        EXPECT_EQ(says.updates, 1U) << "no code is answered by trying again: " << row.name;
    }
}

// Erratum 4469 of RFC 2136.
TEST(DnsPush, AYesThatChangedNothingIsFoundOut) {
    liar says;
    says.does_it = false;
    const auto told = push_to(says);
    EXPECT_EQ(told.what, fate::refused);
    EXPECT_THAT(told.words, HasSubstr("says yes, and yet"));
}

TEST(DnsPush, AServerMayNeedAMoment) {
    liar says;
    says.does_it = false;
    says.slow = true;
    EXPECT_EQ(push_to(says).what, fate::done);
    EXPECT_EQ(says.updates, 1U);
}

// Another machine may have done the same a moment before.
TEST(DnsPush, WhatIsThereAfterARefusalCounts) {
    liar says;
    says.update_flags |= 7; // YXRRSET
    EXPECT_EQ(push_to(says).what, fate::done);
}

TEST(DnsPush, AReplyToSomethingElseIsNone) {
    liar says;
    says.mends_id = false;
    EXPECT_EQ(push_to(says).what, fate::done) << "it was looked at instead";
    liar neither;
    neither.mends_id = false;
    neither.does_it = false;
    const auto told = push_to(neither);
    EXPECT_EQ(told.what, fate::failed);
    EXPECT_THAT(told.words, HasSubstr("another message"));
    EXPECT_EQ(neither.updates, 2U);
    liar query_reply; // an answer with the opcode of a query
    query_reply.does_it = false;
    query_reply.update_flags = 0x8400;
    EXPECT_EQ(push_to(query_reply).what, fate::failed);
}

TEST(DnsPush, AServerThatIsNotThePrimary) {
    liar cache;
    cache.authoritative = false;
    EXPECT_EQ(push_to(cache).what, fate::refused);
    const auto named = push_to(cache, {{sts, "TXT", {id1}, {}, 300}}, "example.com");
    EXPECT_EQ(named.what, fate::refused);
    EXPECT_THAT(named.words, HasSubstr("authority"));
    liar other;
    other.knows_zone = false;
    EXPECT_THAT(push_to(other).words, HasSubstr("holds no zone"));
    liar closed;
    closed.query_code = 5;
    EXPECT_THAT(push_to(closed).words, HasSubstr("REFUSED"));
    EXPECT_EQ(cache.updates + other.updates + closed.updates, 0U);
}

/// A zone that names a thousand servers below somebody else's domain.
struct zone_of_a_thousand final : tests::fixed_resolver {
    std::size_t looked_up = 0;
    io::task<model::dns_fact> soa(std::string) override {
        model::dns_fact fact;
        fact.status = model::dns_status::ok;
        fact.name = "example.com";
        co_return fact;
    }
    io::task<model::ns_fact> ns(std::string) override {
        model::ns_fact fact;
        fact.status = model::dns_status::ok;
        for (int i = 0; i < 1'000; ++i)
            fact.hosts.push_back("ns" + std::to_string(i) + ".victim.example");
        co_return fact;
    }
    io::task<model::address_fact> addresses(std::string name) override {
        ++looked_up;
        return tests::fixed_resolver::addresses(std::move(name));
    }
};

TEST(DnsPush, AZoneOfAThousandServersIsNoAmplifier) {
    io::loop loop;
    zone_of_a_thousand dns;
    const base::address_guard guard;
    const base::system_clock clock;
    dns_pusher pusher(loop, dns, guard, clock, 53, 100ms, 100ms);
    const auto told = loop.block_on(pusher.verify({{sts, "TXT", {id1}, {}, 300}}));
    EXPECT_EQ(told.what, fate::failed);
    EXPECT_LE(dns.looked_up, 16U);
}

TEST(DnsPush, WhatCannotBeMeantIsNotSent) {
    liar says;
    EXPECT_EQ(push_to(says, {{"a..b", "TXT", {"x"}, {}, 300}}).what, fate::stopped);
    EXPECT_EQ(push_to(says, {{sts, "NS", {"x"}, {}, 300}}).what, fate::stopped);
    EXPECT_EQ(push_to(says, {{sts, "A", {"x"}, {}, 300}}).what, fate::stopped);
    EXPECT_EQ(says.updates, 0U);
}

} // namespace
} // namespace mailtight::publish
