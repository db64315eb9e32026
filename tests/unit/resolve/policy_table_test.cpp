// SPDX-License-Identifier: Apache-2.0
// The packed table against a twin that is a std::map, and its promises one by one.
#include "resolve/policy_table.h"

#include "resolve/policy_row.h"
#include "support/policies.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <rapidcheck/gtest.h>

#include <malloc.h>

#include <chrono>
#include <limits>
#include <map>
#include <set>

namespace mailtight::resolve {
namespace {

using base::utc_seconds;
using model::kept_policy;
using std::chrono::hours;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::size_t no_limit = std::numeric_limits<std::size_t>::max();
constexpr utc_seconds start{seconds(1'800'000'000)};

std::string body_of(sts::mode mode, std::uint64_t max_age = 604'800) {
    return fmt::format("version: STSv1\r\nmode: {}\r\nmx: mx.example.com\r\nmax_age: {}\r\n",
                       sts::to_string(mode), max_age);
}
sts::held_policy held(sts::mode mode, utc_seconds fetched_at = start, std::uint64_t max_age = 604'800) {
    const auto body = body_of(mode, max_age);
    return {sts::parse_policy(body).value(), "20260101", body, fetched_at};
}
kept_policy with_policy(std::string domain, sts::mode mode, utc_seconds used_at = start) {
    kept_policy out{.domain = std::move(domain), .state = {}, .used_at = used_at};
    out.state.held = held(mode);
    out.state.record = {sts::record_sighting::kind::valid, "20260101", 300, ""};
    out.state.record_at = start;
    out.state.refresh_at = start + hours(20);
    return out;
}
kept_policy absence(std::string domain, utc_seconds used_at = start) {
    kept_policy out{.domain = std::move(domain), .state = {}, .used_at = used_at};
    out.state.record = {sts::record_sighting::kind::none, "", 900, ""};
    out.state.record_at = start;
    return out;
}

/// Everything, what no database keeps included.
void expect_same(const kept_policy& a, const kept_policy& b) {
    SCOPED_TRACE(a.domain);
    tests::expect_same(a, b);
    if (a.state.failed && b.state.failed)
        EXPECT_EQ(std::tie(a.state.failed->every_id, a.state.failed->reason),
                  std::tie(b.state.failed->every_id, b.state.failed->reason));
    EXPECT_EQ(a.state.fetching, b.state.fetching);
}

// --- what comes out is what went in

TEST(policy_row, keeps_everything_that_is_remembered) {
    kept_policy all = with_policy("example.com", sts::mode::testing);
    all.state.record = {sts::record_sighting::kind::invalid, "", 4'000'000'000, "no id"};
    all.state.failed = {
        "7",  start + seconds(5),           sts::policy_fault::webpki_invalid, "expired in 2020",
        true, "X509_V_ERR_CERT_HAS_EXPIRED"};
    all.state.failing_since = start + seconds(3);
    all.state.failures = 4'000'000'000;
    all.state.fetching = "";
    expect_same(policy_row(all).unpack(), all);
    all.state.fetching = "9";
    all.used_at = utc_seconds(seconds((std::int64_t{1} << 40) - 1)); // five bytes of seconds
    expect_same(policy_row(all).unpack(), all);
    expect_same(policy_row(kept_policy{.domain = "", .state = {}, .used_at = {}}).unpack(), kept_policy{});
}

TEST(policy_row, keeps_a_policy_that_its_body_does_not_give_again) {
    kept_policy made = with_policy("example.com", sts::mode::enforce);
    made.state.held->body = "";
    expect_same(policy_row(made).unpack(), made);
    made.state.held->body = body_of(sts::mode::none);
    expect_same(policy_row(made).unpack(), made);
}

TEST(policy_row, a_policy_that_can_be_written_in_no_way_is_not_kept) {
    kept_policy broken = with_policy("example.com", sts::mode::enforce);
    broken.state.held->value.mx = {"not a name"};
    broken.state.held->body = "mode: nonsense";
    EXPECT_FALSE(policy_row(broken).unpack().state.held);
}

TEST(policy_row, cuts_what_is_too_long_and_times_that_are_none) {
    kept_policy odd = absence("example.com", utc_seconds(seconds(-5)));
    odd.state.record.detail = std::string(100'000, 'x');
    odd.state.record.id = std::string(70'000, 'i');
    const auto back = policy_row(odd).unpack();
    EXPECT_EQ(back.state.record.detail, std::string(policy_row::detail_max, 'x'));
    EXPECT_EQ(back.state.record.id, std::string(255, 'i'));
    EXPECT_EQ(back.used_at, utc_seconds{});
    EXPECT_EQ(back.domain, "example.com");
}

TEST(policy_table, gives_back_what_was_put_last) {
    policy_table table(100, no_limit);
    EXPECT_FALSE(table.get("example.com"));
    table.put(absence("example.com"));
    expect_same(*table.get("example.com"), absence("example.com"));
    table.put(with_policy("example.com", sts::mode::enforce));
    expect_same(*table.get("example.com"), with_policy("example.com", sts::mode::enforce));
    EXPECT_EQ(table.size(), 1u);
    EXPECT_FALSE(table.get("Example.com")) << "callers give the canonical form";
    EXPECT_TRUE(table.erase("example.com"));
    EXPECT_FALSE(table.erase("example.com"));
    EXPECT_FALSE(table.get("example.com"));
    EXPECT_EQ(table.size(), 0u);
}

TEST(policy_table, takes_no_domain_that_is_none) {
    policy_table table(100, no_limit);
    table.put(absence(std::string(254, 'a')));
    EXPECT_EQ(table.size(), 0u);
}

// --- refreshes

TEST(policy_table, names_what_is_due_the_longest_due_first) {
    policy_table table(100, no_limit);
    for (const int hour : {5, 1, 9, 3, 7}) {
        auto one = with_policy(fmt::format("d{}.example", hour), sts::mode::enforce);
        one.state.refresh_at = start + hours(hour);
        table.put(one);
    }
    table.put(absence("nothing.example")); // never due
    EXPECT_THAT(table.due(start, 9), IsEmpty());
    EXPECT_THAT(table.due(start + hours(1), 9), ElementsAre("d1.example"));
    EXPECT_THAT(table.due(start + hours(8), 9),
                ElementsAre("d1.example", "d3.example", "d5.example", "d7.example"));
    EXPECT_THAT(table.due(start + hours(8), 2), ElementsAre("d1.example", "d3.example"));
    auto moved = with_policy("d1.example", sts::mode::enforce);
    moved.state.refresh_at = start + hours(6);
    table.put(moved);
    table.erase("d3.example");
    EXPECT_THAT(table.due(start + hours(8), 9), ElementsAre("d5.example", "d1.example", "d7.example"));
}

// --- figures

TEST(policy_table, counts_by_mode_and_knows_the_oldest_fetch) {
    policy_table table(100, no_limit);
    EXPECT_EQ(table.counted().oldest_fetch, utc_seconds{});
    table.put(with_policy("a.example", sts::mode::enforce));
    table.put(with_policy("b.example", sts::mode::testing));
    table.put(with_policy("c.example", sts::mode::none));
    table.put(absence("d.example"));
    auto failing = with_policy("e.example", sts::mode::enforce);
    failing.state.held->fetched_at = start - hours(30);
    failing.state.failing_since = start - hours(3);
    failing.state.failures = 4;
    table.put(failing);
    auto counted = table.counted();
    EXPECT_EQ(counted.enforce, 2u);
    EXPECT_EQ(counted.testing, 1u);
    EXPECT_EQ(counted.none, 1u);
    EXPECT_EQ(counted.without, 1u);
    EXPECT_EQ(counted.failing, 1u);
    EXPECT_EQ(counted.oldest_fetch, start - hours(30));
    table.put(absence("e.example"));
    counted = table.counted();
    EXPECT_EQ(counted.enforce, 1u);
    EXPECT_EQ(counted.without, 2u);
    EXPECT_EQ(counted.failing, 0u);
    EXPECT_EQ(counted.oldest_fetch, start);
    table.clear();
    EXPECT_EQ(table.counted().enforce + table.counted().without + table.size(), 0u);
}

// --- what goes where something must go

std::vector<std::string> put_and_hear(policy_table& table, const kept_policy& value) {
    std::vector<std::string> out;
    table.put(value, [&](std::string_view domain) { out.emplace_back(domain); });
    return out;
}

TEST(policy_table, the_longest_unused_goes_first) {
    policy_table table(3, no_limit);
    table.put(absence("a.example", start + hours(2)));
    table.put(absence("b.example", start + hours(1)));
    table.put(with_policy("c.example", sts::mode::testing, start + hours(3)));
    EXPECT_THAT(put_and_hear(table, absence("d.example", start + hours(9))), ElementsAre("b.example"));
    table.used("a.example", start + hours(9));
    EXPECT_THAT(put_and_hear(table, absence("e.example", start + hours(9))), ElementsAre("c.example"));
    table.used("a.example", start); // a use in the past is none
    EXPECT_EQ(table.get("a.example")->used_at, start + hours(9));
}

TEST(policy_table, an_enforce_policy_in_force_goes_last) {
    policy_table table(2, no_limit);
    table.put(with_policy("old.example", sts::mode::enforce, start));
    table.put(absence("new.example", start + hours(40)));
    EXPECT_THAT(put_and_hear(table, absence("newer.example", start + hours(41))), ElementsAre("new.example"));
    EXPECT_THAT(put_and_hear(table, with_policy("b.example", sts::mode::enforce, start + hours(42))),
                ElementsAre("newer.example"));
    // A flood of strangers costs one policy at most: the next stranger replaces the one before.
    EXPECT_THAT(put_and_hear(table, absence("x.example", start + hours(43))), ElementsAre("old.example"));
    EXPECT_THAT(put_and_hear(table, absence("y.example", start + hours(43))), ElementsAre("x.example"));
    EXPECT_TRUE(table.get("b.example"));
}

TEST(policy_table, an_enforce_policy_that_has_expired_is_like_any_other) {
    policy_table table(2, no_limit);
    table.put(with_policy("expired.example", sts::mode::enforce, start));
    table.put(absence("other.example", start + hours(24 * 8))); // max_age is a week
    EXPECT_THAT(put_and_hear(table, absence("new.example", start + hours(24 * 8))),
                ElementsAre("expired.example"));
}

TEST(policy_table, a_clock_that_ran_ahead_and_was_put_right_is_believed_again) {
    policy_table table(2, no_limit);
    table.put(with_policy("held.example", sts::mode::enforce, start));
    table.put(absence("other.example", start));
    table.used("other.example", start + hours(24 * 365));
    table.used("held.example", start + hours(1)); // right again
    EXPECT_THAT(put_and_hear(table, absence("new.example", start + hours(2))), ElementsAre("other.example"))
        << "the policy is in force still";
    EXPECT_TRUE(table.get("held.example"));
}

TEST(policy_table, memory_is_bounded_too) {
    policy_table table(no_limit, 200'000);
    std::size_t dropped = 0;
    for (int i = 0; i < 5'000; ++i) {
        auto one = with_policy(fmt::format("d{}.example", i), sts::mode::testing, start + hours(i));
        table.put(one, [&](std::string_view) { ++dropped; });
        ASSERT_LE(table.bytes(), 200'000u);
    }
    EXPECT_GT(table.size(), 300u);
    EXPECT_EQ(table.size() + dropped, 5'000u);
    EXPECT_TRUE(table.get("d4999.example"));
    EXPECT_FALSE(table.get("d0.example"));
}

TEST(policy_table, what_is_put_stays_even_where_nothing_else_fits) {
    policy_table table(no_limit, 10);
    table.put(absence("a.example"));
    EXPECT_THAT(put_and_hear(table, absence("b.example")), ElementsAre("a.example"));
    EXPECT_TRUE(table.get("b.example"));
}

// --- cost

TEST(policy_table, a_sweep_sees_every_domain_without_a_policy) {
    policy_table table(1'000, 1u << 20);
    const auto which = policy_table::which::without_policy;
    EXPECT_EQ(table.some(0, 10, [](const auto&) { FAIL() << "an empty table"; }, which), std::nullopt);
    for (int i = 0; i < 25; ++i) {
        table.put(tests::no_policy(fmt::format("without{}.example", i), 1));
        table.put(tests::held_policy(fmt::format("held{}.example", i), 1));
    }
    table.erase("without3.example");
    std::set<std::string> seen;
    const auto note = [&](const kept_policy& each) {
        EXPECT_FALSE(each.state.held);
        EXPECT_TRUE(seen.insert(each.domain).second) << each.domain;
    };
    std::optional<std::size_t> from = 0;
    for (int turn = 0; turn < 5; ++turn) { // 50 places by ten
        ASSERT_TRUE(from) << turn;
        from = table.some(*from, 10, note, which);
    }
    EXPECT_FALSE(from);
    EXPECT_EQ(seen.size(), 24U);
    EXPECT_EQ(table.some(5'000, 10, note, which), std::nullopt) << "the table may have shrunk";
}

TEST(policy_table, costs_less_than_four_hundred_bytes_beyond_the_bodies) {
    const auto used = [] { return ::mallinfo2().uordblks + ::mallinfo2().hblkhd; };
    if (auto probe = std::make_unique<char[]>(1); used() == 0)
        GTEST_SKIP() << "the allocator keeps no figures (a sanitizer's)";
    constexpr std::size_t domains = 70'000; // just beyond a doubling of every array: the worst case
    const std::size_t body = body_of(sts::mode::enforce).size();
    const std::size_t before = used();
    policy_table table(domains, no_limit);
    for (std::size_t i = 0; i < domains; ++i) {
        auto one = with_policy(fmt::format("some-mail-domain-{}.example", i), sts::mode::enforce);
        one.state.refresh_at += seconds(i);
        table.put(one);
    }
    const std::size_t each = (used() - before) / domains;
    RecordProperty("bytes", static_cast<int>(each - body));
    EXPECT_LT(each - body, 400u);
    // Its own account of it is right within a tenth: it is what the bound is measured by.
    EXPECT_NEAR(static_cast<double>(table.bytes()) / domains, static_cast<double>(each),
                0.1 * static_cast<double>(each));
}

// --- the twin

struct twin {
    std::map<std::string, kept_policy> all;

    void check(const policy_table& table, utc_seconds now) const {
        RC_ASSERT(table.size() == all.size());
        std::map<std::string, kept_policy> seen;
        table.each([&](const kept_policy& one) {
            seen[one.domain] = one;
            return true;
        });
        RC_ASSERT(seen.size() == all.size());
        policy_table::counts counted;
        std::multimap<utc_seconds, std::string> due;
        for (const auto& [domain, value] : all) {
            expect_same(seen[domain], value);
            expect_same(table.get(domain).value(), value);
            if (const auto& held = value.state.held) {
                ++(held->value.mode == sts::mode::enforce   ? counted.enforce
                   : held->value.mode == sts::mode::testing ? counted.testing
                                                            : counted.none);
                if (counted.oldest_fetch == utc_seconds{} || held->fetched_at < counted.oldest_fetch)
                    counted.oldest_fetch = held->fetched_at;
                counted.failing += value.state.failing_since != utc_seconds{} ? 1u : 0u;
            } else {
                ++counted.without;
            }
            if (value.state.refresh_at != utc_seconds{} && value.state.refresh_at <= now)
                due.emplace(value.state.refresh_at, domain);
        }
        const auto said = table.counted();
        RC_ASSERT(said.enforce == counted.enforce);
        RC_ASSERT(said.testing == counted.testing);
        RC_ASSERT(said.none == counted.none);
        RC_ASSERT(said.without == counted.without);
        RC_ASSERT(said.failing == counted.failing);
        RC_ASSERT(said.oldest_fetch == counted.oldest_fetch);
        const auto said_due = table.due(now, no_limit);
        RC_ASSERT(said_due.size() == due.size());
        auto want = due.begin();
        for (const auto& domain : said_due) // equal times in any order
            RC_ASSERT(all.at(domain).state.refresh_at == (want++)->first);
        RC_ASSERT(table.due(now, 3).size() == std::min<std::size_t>(3, due.size()));
    }
};

kept_policy any_policy() {
    const int which = *rc::gen::inRange(0, 40);
    const auto domain = fmt::format("d{}.example", which);
    const auto at = [] { return start + hours(*rc::gen::inRange(-30, 30)); };
    if (*rc::gen::arbitrary<bool>())
        return absence(domain, at());
    auto out = with_policy(domain, static_cast<sts::mode>(*rc::gen::inRange(0, 3)), at());
    out.state.held->fetched_at = at();
    out.state.refresh_at = *rc::gen::arbitrary<bool>() ? at() : utc_seconds{};
    out.state.failing_since = *rc::gen::arbitrary<bool>() ? at() : utc_seconds{};
    if (*rc::gen::arbitrary<bool>())
        out.state.failed = sts::failed_fetch{"1", at(), sts::policy_fault::invalid,
                                             *rc::gen::container<std::string>(rc::gen::inRange(' ', '~'))};
    return out;
}

RC_GTEST_PROP(policy_table_property, does_what_a_map_does, ()) {
    policy_table table(no_limit, no_limit);
    twin want;
    const int steps = *rc::gen::inRange(0, 120);
    for (int i = 0; i < steps; ++i) {
        const auto domain = fmt::format("d{}.example", *rc::gen::inRange(0, 40));
        const auto found = want.all.find(domain);
        switch (*rc::gen::inRange(0, 6)) {
        case 0: {
            RC_ASSERT(table.erase(domain) == (found != want.all.end()));
            want.all.erase(domain);
            break;
        }
        case 1: {
            const auto at = start + hours(*rc::gen::inRange(-30, 60));
            table.used(domain, at);
            if (found != want.all.end())
                found->second.used_at = std::max(found->second.used_at, at);
            break;
        }
        default: {
            const auto value = any_policy();
            table.put(value);
            want.all[value.domain] = value;
        }
        }
    }
    want.check(table, start + hours(*rc::gen::inRange(-40, 40)));
}

RC_GTEST_PROP(policy_table_property, what_goes_is_what_was_unused_longest, ()) {
    const std::size_t room = static_cast<std::size_t>(*rc::gen::inRange(1, 12));
    policy_table table(room, no_limit);
    twin want;
    utc_seconds latest{};
    const int steps = *rc::gen::inRange(0, 120);
    for (int i = 0; i < steps; ++i) {
        const auto value = any_policy();
        want.all[value.domain] = value;
        latest = std::max(latest, value.used_at);
        std::vector<std::string> gone;
        table.put(value, [&](std::string_view domain) { gone.emplace_back(domain); });
        RC_ASSERT(gone.size() == (want.all.size() > room ? 1u : 0u));
        if (gone.empty())
            continue;
        RC_ASSERT(gone[0] != value.domain);
        const auto enforced = [&](const kept_policy& one) {
            return one.state.held && one.state.held->value.mode == sts::mode::enforce &&
                   one.state.held->expires_at() >= latest;
        };
        const auto hour = [](const kept_policy& one) { return one.used_at.time_since_epoch() / hours(1); };
        const auto& went = want.all.at(gone[0]);
        for (const auto& [domain, other] : want.all) {
            if (domain == value.domain || domain == gone[0])
                continue;
            RC_ASSERT(!enforced(went) || enforced(other));
            const bool both = enforced(went) == enforced(other);
            RC_ASSERT(!both || hour(went) <= hour(other));
        }
        want.all.erase(gone[0]);
    }
    want.check(table, start);
}

} // namespace
} // namespace mailtight::resolve
