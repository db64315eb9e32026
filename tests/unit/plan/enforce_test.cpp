// SPDX-License-Identifier: Apache-2.0
// From testing to enforce and up the ladder; back only when a person says so.
#include "domains.h"

#include "support/proves.h"

namespace mailtight::plan::tests {
namespace {

constexpr std::uint64_t day = 86'400, week = 604'800;

domain testing() {
    domain d;
    d.wish.aim = model::aim::enforce;
    d.publish(sts::mode::testing, week, start - days(40));
    return d;
}
domain enforcing(std::uint64_t max_age, days ago) {
    domain d;
    d.wish.aim = model::aim::enforce;
    d.publish(sts::mode::enforce, max_age, start - ago);
    return d;
}
std::optional<sts::policy> next_policy(const domain& d) {
    const auto p = d.make();
    if (!p.next() || p.next()->kind != step_kind::serve_policy || p.next()->state != step_state::now)
        return std::nullopt;
    return sts::parse_policy(p.next()->policy).value();
}

TEST(enforce, only_on_evidence) {
    PROVES("G3-12");
    auto d = testing();
    for (const auto ready : {std::optional<bool>{}, std::optional(false)}) {
        d.evidence.ready = ready;
        d.evidence.reasons = {
            {.met = false, .known = true, .code = "x", .text = "One reporter is not enough."}};
        const auto p = d.make();
        ASSERT_EQ(next_kind(p), "evidence");
        EXPECT_EQ(p.next()->state, step_state::waiting);
        EXPECT_EQ(p.next()->blocked, "One reporter is not enough.");
        EXPECT_TRUE(p.come_back);
    }
    d.evidence.ready = true;
    ASSERT_TRUE(next_policy(d));
    EXPECT_EQ(next_policy(d)->mode, sts::mode::enforce);
    EXPECT_EQ(next_policy(d)->max_age, day);
    d.seen.mx[0].passes = false;
    EXPECT_EQ(next_kind(d.make()), "check-mx") << "the check has its word too";
    d.seen.mx[0].passes.reset();
    EXPECT_EQ(next_kind(d.make()), "check-mx");
    d.seen.mx[0].passes = true;
    d.seen.sts.on_all_servers = false;
    EXPECT_EQ(next_kind(d.make()), "verify-record");
}

TEST(enforce, by_force_with_a_reason_that_is_kept) {
    auto d = testing();
    d.evidence.ready = false;
    d.wish.marks["forced"] = {start, "an operator", "reports go elsewhere"};
    EXPECT_EQ(next_policy(d)->mode, sts::mode::enforce);
    EXPECT_TRUE(warns(d.make(),
                      "forced by an operator on Mon 4 May 2026 without the evidence of reports: reports "
                      "go elsewhere"));
    d.set_mx({"mx1.example.com", "mx2.example.com"});
    auto two = testing();
    two.wish.marks = d.wish.marks;
    two.seen.mx[0].passes = false;
    EXPECT_FALSE(next_policy(two)) << "where no MX host passes, all mail would be refused";
}

struct rung_row {
    std::uint64_t now;
    std::optional<std::uint64_t> wished;
    days ago;
    std::uint64_t next; ///< 0: not yet
    const char* reason;
};
TEST(ladder, step_by_step) {
    PROVES("8461-10.2-a");
    const rung_row rows[] = {
        {day, {}, days(6), 0, "a week on each rung"},
        {day, {}, days(8), week, "a day, then a week"},
        {week, {}, days(8), 2 * week, "then two"},
        {2 * week, {}, days(99), 0, "the last"},
        {2 * week, 31'557'600, days(8), 31'557'600, "a wish is the last rung"},
        {day, 31'557'600, days(8), week, "and does not skip any"},
        {day, 300'000, days(8), 300'000, "nor go beyond the wish"},
        {2 * week, week, days(1), week, "down at once"},
        {31'557'600, {}, days(1), 0, "longer than the ladder stays: longer is better"},
        {300'000, {}, days(8), week, "a value between two rungs"},
    };
    for (const auto& row : rows) {
        auto d = enforcing(row.now, row.ago);
        d.wish.max_age = row.wished;
        const auto next = next_policy(d);
        EXPECT_EQ(next ? next->max_age : 0, row.next) << row.reason;
        if (next) {
            EXPECT_EQ(next->mode, sts::mode::enforce) << row.reason;
        }
    }
    auto d = enforcing(day, days(3));
    EXPECT_EQ(d.make().come_back, start + days(4));
    d.now += days(4);
    ASSERT_TRUE(next_policy(d));
    EXPECT_EQ(d.make().next()->id, "20260508100000") << "each rung has an id of its own";
    d.seen.mx[0].passes = false;
    EXPECT_FALSE(next_policy(d)) << "no longer promises while an MX host fails";
}

TEST(ladder, a_change_of_mx_hosts_is_no_new_beginning) {
    auto d = enforcing(day, days(9));
    d.set_mx({"mx1.example.com", "mx2.example.com"});
    const auto body = body_of(sts::mode::enforce, day, {"mx1.example.com", "mx2.example.com"});
    d.serve(body, "2", start - days(2));
    d.announce("2", start - days(2));
    EXPECT_EQ(next_policy(d)->max_age, week);
}

struct age_row {
    std::optional<std::uint64_t> wished;
    std::uint64_t is;
};
TEST(testing_mode, is_remembered_one_to_two_weeks) {
    PROVES("8461-10.2-a", "G1-36", "G3-28");
    for (const auto& [wished, is] : {age_row{{}, week}, age_row{day, week}, age_row{10 * day, 10 * day},
                                     age_row{31'557'600, 2 * week}}) {
        domain d;
        d.set_up();
        d.wish.max_age = wished;
        EXPECT_EQ(next_policy(d)->max_age, is);
    }
}

TEST(demotion, few_reports_are_no_reason_for_it) {
    auto d = enforcing(2 * week, days(40));
    d.evidence.ready = false;
    d.evidence.reasons = {
        {.met = false, .known = true, .code = "two-reporters", .text = "No verified reports."},
        {.met = false, .known = true, .code = "sessions", .text = "Reports tell of no sessions."},
        {.met = false, .known = false, .code = "check-green", .text = "Nothing was checked lately."}};
    EXPECT_FALSE(warns(d.make(), "holds mail back")) << "a small domain, to which hardly anybody writes";
    d.evidence.reasons.push_back(
        {.met = false, .known = true, .code = "mx-hosts", .text = "Reports name mx1 among the failures."});
    EXPECT_TRUE(warns(d.make(), "--pause. Reports name mx1 among the failures."));
}

TEST(demotion, never_by_itself) {
    auto d = enforcing(2 * week, days(40));
    d.evidence.ready = false;
    d.evidence.reasons = {
        {.met = false, .known = true, .code = "no-failures", .text = "40 sessions failed."}};
    d.seen.mx[0].passes = false;
    d.seen.mx[0].why = "certificate expired";
    const auto p = d.make();
    EXPECT_EQ(find(p, step_kind::serve_policy)->state, step_state::done);
    EXPECT_TRUE(
        warns(p, "stays in enforce until you step back to testing: mailtight domain set example.com --pause. "
                 "40 sessions failed."));
    ASSERT_EQ(next_kind(p), "mend");
    EXPECT_NE(p.next()->how.find("mailtight domain set example.com --pause"), std::string::npos)
        << "offered first, and not mode none";
    EXPECT_EQ(p.next()->how.find("none"), std::string::npos);
    // The policy host is away: what is published anew is what stood there.
    auto away = enforcing(2 * week, days(40));
    away.wish.host = model::hosting::elsewhere;
    away.past.publication.reset();
    away.past.served[0].last_served = start - hours(1);
    away.seen.policy.reset();
    ASSERT_TRUE(next_policy(away));
    EXPECT_EQ(next_policy(away)->mode, sts::mode::enforce);
    EXPECT_EQ(next_policy(away)->max_age, 2 * week);
    // Nor does DNS that gives no answer, or a record that somebody deleted.
    away.past.served[0].last_served.reset();
    away.seen.policy = away.past.served[0].body;
    for (const auto state : {record_seen::what::unknown, record_seen::what::absent}) {
        away.seen.sts = {.state = state, .text = {}, .id = {}, .rua = {}, .chain = {}};
        EXPECT_EQ(find(away.make(), step_kind::serve_policy)->state, step_state::done);
    }
}

TEST(pause, goes_back_to_testing_and_says_how_long_enforce_binds) {
    PROVES("G3-49");
    auto d = enforcing(2 * week, days(40));
    d.wish.paused = true;
    d.seen.mx[0].passes = false; // that is why
    auto p = d.make();
    EXPECT_EQ(p.to, "testing (paused)");
    EXPECT_EQ(next_policy(d)->mode, sts::mode::testing);
    EXPECT_TRUE(warns(p, "Mon 18 May 2026, 10:00 UTC at the latest"));
    d.serve(p.next()->policy, p.next()->id, d.now);
    EXPECT_EQ(next_kind(d.make()), "publish-record") << "a failing MX host must not hold up the pause";
    d.announce(d.past.publication->id, d.now);
    d.now += days(2);
    EXPECT_TRUE(d.make().finished);
    EXPECT_TRUE(warns(d.make(), "Mon 18 May 2026")) << "the date stands while the pause goes on";
    d.wish.paused = false;
    EXPECT_EQ(next_kind(d.make()), "evidence");
    d.seen.mx[0].passes = true;
    d.evidence.ready = true;
    EXPECT_EQ(next_policy(d)->mode, sts::mode::enforce);
    EXPECT_EQ(next_policy(d)->max_age, day) << "up the ladder again";
}

TEST(aim_testing, a_person_takes_enforce_back) {
    auto d = enforcing(week, days(40));
    d.wish.aim = model::aim::testing;
    EXPECT_EQ(next_policy(d)->mode, sts::mode::testing);
    EXPECT_TRUE(warns(d.make(), "go on refusing until they see the new id"));
    constexpr auto way_to_stay = "If enforce is to stay: mailtight domain set example.com --mode enforce";
    EXPECT_TRUE(warns(d.make(), way_to_stay)) << "nobody may have named a mode";
    d.wish.paused = true;
    EXPECT_FALSE(warns(d.make(), way_to_stay)) << "somebody said so";
}

} // namespace
} // namespace mailtight::plan::tests
