// SPDX-License-Identifier: Apache-2.0
// When a domain is looked at, and what is told of what was seen: histories as small tables, each row a look.
#include "publish/watch.h"

#include "publish/sub_domains.h"
#include "support/proves.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace mailtight::publish {
namespace {

using namespace std::chrono_literals;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const base::utc_seconds start = std::chrono::sys_days{std::chrono::year{2026} / 3 / 1};
const std::string domain = "a.example";

std::string policy(std::string_view mode, const std::string& mx = "mx.a.example") {
    return fmt::format("version: STSv1\r\nmode: {}\r\nmx: {}\r\nmax_age: 86400\r\n", mode, mx);
}

/// A look some hours after the start; all else as at a domain that is well.
struct row {
    double hour = 0;
    std::string id = "1", body = policy("enforce");
    std::vector<std::string> mx = {"mx.a.example"};
    std::vector<std::string> findings = {};
    std::string verdict = "protected";
    bool full = false;
};

base::utc_seconds at(double hour) {
    return start + std::chrono::seconds(static_cast<std::int64_t>(hour * 3'600));
}

model::watched_state state_of(const row& of) {
    return {.domain = domain,
            .first = at(of.hour),
            .last = at(of.hour),
            .verdict = of.full ? of.verdict : "",
            .record_id = of.id,
            .policy_sha256 = of.body.empty() ? "" : fmt::format("{:x}", std::hash<std::string>()(of.body)),
            .policy = of.body,
            .mx = of.mx,
            .findings = of.findings,
            .full = of.full};
}

/// As the store keeps them: looks without differences are one state.
watch_memory memory_of(const std::vector<row>& rows) {
    watch_memory out{.domain = domain};
    std::map<bool, std::size_t> newest;
    for (const auto& each : rows) {
        auto fresh = state_of(each);
        if (const auto found = newest.find(each.full); found != newest.end()) {
            auto& before = out.states[found->second];
            auto same = fresh;
            same.first = before.first;
            same.last = before.last;
            if (same == before) {
                before.last = fresh.last;
                continue;
            }
        }
        newest[each.full] = out.states.size();
        out.states.push_back(std::move(fresh));
    }
    std::ranges::reverse(out.states);
    return out;
}

std::vector<std::string> kinds(const std::vector<watch_alarm>& alarms) {
    std::vector<std::string> out;
    for (const auto& each : alarms)
        out.emplace_back(to_string(each.what));
    return out;
}

std::vector<std::string> told(const std::vector<row>& rows) {
    return kinds(alarms_of(memory_of(rows), at(rows.back().hour)));
}

TEST(an_alarm, is_not_raised_by_a_domain_that_is_well) {
    EXPECT_THAT(told({{.hour = 0}, {.hour = 1}, {.hour = 24, .full = true}, {.hour = 25}}), IsEmpty());
    EXPECT_THAT(alarms_of({.domain = domain}, start), IsEmpty());
}

TEST(an_alarm, is_raised_at_once_by_an_mx_host_without_policy) {
    const auto rows = std::vector<row>{{.hour = 0}, {.hour = 1, .mx = {"mx.a.example", "new.a.example"}}};
    const auto all = alarms_of(memory_of(rows), at(1));
    ASSERT_EQ(all.size(), 1u);
    EXPECT_EQ(all[0].key, "watch/a.example/mx-without-policy/new.a.example");
    EXPECT_TRUE(all[0].error);
    EXPECT_THAT(all[0].text, HasSubstr("new.a.example is an MX host"));
    EXPECT_THAT(all[0].fix, HasSubstr("mailtight plan a.example --add-mx"));
    EXPECT_THAT(told({{.hour = 0}, {.hour = 1, .mx = {"new.a.example"}}, {.hour = 2}}), IsEmpty()) << "over";
    const auto tested = std::vector<row>{{.body = policy("testing"), .mx = {"new.a.example"}}};
    EXPECT_FALSE(alarms_of(memory_of(tested), start).at(0).error) << "senders deliver";
    EXPECT_THAT(told({{.body = "version: STSv1\r\nmode: none\r\nmax_age: 86400\r\n"}}), IsEmpty());
}

TEST(an_alarm, is_raised_by_a_policy_that_changed_without_its_id) {
    PROVES("8461-3.1-e", "A49");
    const auto other = policy("testing");
    EXPECT_THAT(told({{.hour = 0}, {.hour = 1, .body = other}}), IsEmpty()) << "a person may be at it";
    EXPECT_THAT(told({{.hour = 0}, {.hour = 1, .body = other}, {.hour = 2, .body = other}}),
                ElementsAre("policy-without-id"));
    EXPECT_THAT(told({{.hour = 0}, {.hour = 1, .body = other}, {.hour = 300, .body = other}}),
                ElementsAre("policy-without-id"))
        << "as long as it is so";
    EXPECT_THAT(told({{.hour = 0}, {.hour = 1, .body = other}, {.hour = 2, .id = "2", .body = other}}),
                testing::Not(Contains("policy-without-id")));
}

/// Our own new body is ahead of its id until the record is written.
TEST(an_alarm, is_not_raised_by_our_own_change_under_way) {
    const auto other = policy("testing");
    auto memory = memory_of({{.hour = 0}, {.hour = 1, .body = other}, {.hour = 2, .body = other}});
    memory.publication = {.domain = domain, .body = other, .id = "2", .since = at(0.9)};
    memory.hosted_here = true;
    EXPECT_THAT(alarms_of(memory, at(2)), IsEmpty());
    memory.publication->since = at(-30);
    EXPECT_THAT(kinds(alarms_of(memory, at(2))), ElementsAre("policy-without-id")) << "it took too long";
}

TEST(an_alarm, tells_of_an_id_that_changed_alone_for_a_day) {
    EXPECT_THAT(told({{.hour = 0}, {.hour = 1, .id = "2"}}), ElementsAre("id-without-policy"));
    EXPECT_THAT(told({{.hour = 0}, {.hour = 1, .id = "2"}, {.hour = 30, .id = "2"}}), IsEmpty());
    auto memory = memory_of({{.hour = 0}, {.hour = 1, .id = "2"}});
    memory.publication = {.domain = domain, .body = policy("enforce"), .id = "2", .since = at(0.9)};
    EXPECT_THAT(alarms_of(memory, at(1)), IsEmpty()) << "it was us";
}

TEST(an_alarm, is_raised_by_a_policy_that_we_did_not_publish) {
    PROVES("8461-10.3-a");
    auto memory = memory_of({{.hour = 0}, {.hour = 1, .id = "9", .body = policy("enforce", "evil.example")}});
    memory.hosted_here = true;
    memory.publication = {.domain = domain, .body = policy("enforce"), .id = "1", .since = at(-100)};
    EXPECT_THAT(kinds(alarms_of(memory, at(1))), Contains("foreign-policy"));
    // What we served until a moment ago is no stranger's.
    memory.served = {{.domain = domain,
                      .body = policy("enforce", "evil.example"),
                      .first_served = at(-200),
                      .last_served = at(0.99)}};
    EXPECT_THAT(kinds(alarms_of(memory, at(1))), testing::Not(Contains("foreign-policy")));
    memory.served[0].last_served = at(0.5);
    EXPECT_THAT(kinds(alarms_of(memory, at(1))), Contains("foreign-policy"));
}

TEST(an_alarm, forgives_the_line_ends_of_a_persons_own_server_alone) {
    std::string bare = policy("enforce");
    std::erase(bare, '\r');
    auto memory = memory_of({{.hour = 0, .body = bare}, {.hour = 1, .body = bare}});
    memory.publication = {.domain = domain, .body = policy("enforce"), .id = "1", .since = at(-100)};
    EXPECT_THAT(alarms_of(memory, at(1)), IsEmpty());
    memory.hosted_here = true;
    EXPECT_THAT(kinds(alarms_of(memory, at(1))), ElementsAre("foreign-policy"));
}

TEST(an_alarm, is_raised_by_what_has_gone_when_the_next_look_sees_it_too) {
    EXPECT_THAT(told({{.hour = 0}, {.hour = 1, .body = ""}}), IsEmpty()) << "once may be our own network";
    EXPECT_THAT(told({{.hour = 0}, {.hour = 1, .body = ""}, {.hour = 2, .body = ""}}),
                ElementsAre("policy-gone"));
    EXPECT_THAT(told({{.hour = 0}, {.hour = 1, .id = ""}, {.hour = 2, .id = ""}}),
                ElementsAre("record-gone"));
    EXPECT_THAT(told({{.hour = 0, .id = "", .body = ""}, {.hour = 2, .id = "", .body = ""}}), IsEmpty())
        << "it never was there";
    const std::string none = "version: STSv1\r\nmode: none\r\nmax_age: 86400\r\n";
    EXPECT_THAT(told({{.hour = 0, .body = none}, {.hour = 30, .body = ""}, {.hour = 31, .body = ""}}),
                testing::Not(Contains("policy-gone")))
        << "left as one should";
    auto leaving =
        memory_of({{.hour = 0}, {.hour = 1, .id = "", .body = ""}, {.hour = 2, .id = "", .body = ""}});
    leaving.leaving = true;
    EXPECT_THAT(alarms_of(leaving, at(2)), IsEmpty());
}

TEST(an_alarm, says_what_check_finds_new) {
    const std::vector<std::string> old = {"mx.cert-expired mx.a.example"};
    EXPECT_THAT(told({{.findings = old, .full = true}}), IsEmpty()) << "nothing is new at the first look";
    EXPECT_THAT(told({{.full = true}, {.hour = 24, .findings = old, .full = true}}),
                ElementsAre("new-finding"));
    EXPECT_THAT(told({{.full = true}, {.hour = 24, .findings = old, .full = true}, {.hour = 25}}),
                ElementsAre("new-finding"))
        << "a cheap look does not see it go";
    EXPECT_THAT(
        told({{.full = true}, {.hour = 24, .findings = old, .full = true}, {.hour = 48, .full = true}}),
        IsEmpty());
    auto memory = memory_of({{.full = true}, {.hour = 24, .findings = old, .full = true}});
    memory.serious = [](std::string_view code) { return code != "mx.cert-expired"; };
    EXPECT_THAT(alarms_of(memory, at(24)), IsEmpty());
}

struct said {
    const char* finding;
    const char* kind;
};
TEST(an_alarm, has_a_kind_of_its_own_for_some_findings) {
    for (const auto& each : {said{"policy-host.cert-expires-soon mta-sts.a.example", "certificate-expiring"},
                             said{"policy-host.addresses-disagree mta-sts.a.example", "addresses-disagree"},
                             said{"sts-record.servers-disagree a.example", "servers-disagree"},
                             said{"subdomain.unprotected sub.a.example", "sub-domain-unprotected"}})
        EXPECT_THAT(told({{.findings = {each.finding}, .full = true}}), ElementsAre(each.kind))
            << each.finding;
    auto memory = memory_of({{.full = true}});
    memory.certificate_not_loaded = memory.hosted_here = true;
    EXPECT_THAT(kinds(alarms_of(memory, start)), ElementsAre("certificate-not-loaded"));
}

TEST(an_alarm, tells_of_a_verdict_that_got_worse_unless_we_wanted_it) {
    const auto rows = std::vector<row>{{.full = true}, {.hour = 24, .verdict = "testing", .full = true}};
    EXPECT_THAT(told(rows), ElementsAre("verdict-worse"));
    auto memory = memory_of(rows);
    memory.publication = {.domain = domain, .body = policy("testing"), .id = "1", .since = at(23)};
    EXPECT_THAT(kinds(alarms_of(memory, at(24))), testing::Not(Contains("verdict-worse"))) << "paused";
    EXPECT_THAT(told({{.full = true}, {.hour = 24, .verdict = "unreachable", .full = true}}), IsEmpty())
        << "that is our network";
    EXPECT_THAT(told({{.full = true},
                      {.hour = 24, .verdict = "broken", .full = true},
                      {.hour = 48, .verdict = "protected", .full = true}}),
                IsEmpty());
}

/// A record that is there at one look and not at the next: told once, kept while it goes on, over when it was
/// steady for a day.
TEST(an_alarm, is_damped_where_a_fault_comes_and_goes) {
    std::vector<row> rows = {{.hour = 0}};
    for (int hour = 1; hour <= 6; ++hour)
        rows.push_back({.hour = static_cast<double>(hour), .id = hour % 2 ? "" : "1"});
    const auto all = alarms_of(memory_of(rows), at(6));
    ASSERT_EQ(kinds(all), std::vector<std::string>{"record-gone"}) << "it is there just now";
    EXPECT_THAT(all[0].text, HasSubstr("comes and goes: 6 changes"));
    rows.push_back({.hour = 7});
    rows.push_back({.hour = 20});
    EXPECT_THAT(told(rows), ElementsAre("record-gone")) << "not steady for long enough";
    rows.push_back({.hour = 31});
    EXPECT_THAT(told(rows), IsEmpty());
    auto memory = memory_of(rows);
    EXPECT_GT(unsettled_until(memory), at(30));
    EXPECT_LE(unsettled_until(memory), at(32));
}

TEST(the_next_look, is_spread_evenly_and_the_same_everywhere) {
    constexpr int domains = 24'000;
    std::vector<int> hours(24);
    for (int i = 0; i < domains; ++i) {
        const auto next = next_look(fmt::format("domain{}.example", i), start, 24h);
        EXPECT_EQ(next, next_look(fmt::format("domain{}.example", i), start + 1h, 24h) -
                            (next < start + 13h ? 24h : 0h));
        ++hours[static_cast<std::size_t>((next - start) / 1h) % 24];
    }
    for (const auto each : hours)
        EXPECT_NEAR(each, domains / 24, 130);
}

RC_GTEST_PROP(a_next_look, is_neither_too_soon_nor_too_late, ()) {
    const auto name = *rc::gen::nonEmpty(rc::gen::string<std::string>());
    const auto now = start + std::chrono::seconds(*rc::gen::inRange(0, 10'000'000));
    const auto every = std::chrono::seconds(*rc::gen::inRange(1, 200'000));
    const auto next = next_look(name, now, every);
    RC_ASSERT(next > now);
    RC_ASSERT(next - now >= every / 2);
    RC_ASSERT(next - now <= every + (every + 1s) / 2);
    // Looked at in its own time, it keeps it.
    RC_ASSERT(next_look(name, next, every) == next + every);
}

struct merged {
    const char* why;
    std::vector<std::string> names, good;
};
TEST(names_below, are_host_names_that_may_take_mail) {
    for (const auto& each : {
             merged{"below it", {"b.a.example", "c.b.a.example"}, {"b.a.example", "c.b.a.example"}},
             merged{"once, in lower case, without a dot", {"B.A.example.", "b.a.example"}, {"b.a.example"}},
             merged{"not itself, nor its neighbours", {"a.example", "xa.example", "b.example"}, {}},
             merged{"not the machinery",
                    {"_dmarc.a.example", "mta-sts.a.example", "x._tls.a.example", "mta-sts.b.a.example"},
                    {}},
             merged{"no names at all", {"", ".", "*.a.example", "b..a.example", "b c.a.example"}, {}},
         })
        EXPECT_EQ(sub_domains("A.example", each.names), each.good) << each.why;
    std::vector<std::string> many;
    for (int i = 0; i < 1'000; ++i)
        many.push_back(fmt::format("n{}.a.example", i));
    EXPECT_EQ(sub_domains("a.example", many, 50).size(), 50u);
}

} // namespace
} // namespace mailtight::publish
