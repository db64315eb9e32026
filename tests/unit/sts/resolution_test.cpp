// SPDX-License-Identifier: Apache-2.0
// Single steps of a policy's life; its stories are in tests/scenarios/sending.
#include "sending_world.h"

#include "support/proves.h"

#include <gmock/gmock.h>

#include <set>

namespace mailtight::sts::tests {
namespace {

using base::utc_seconds;
using seen_kind = record_sighting::kind;
constexpr utc_seconds now = story_begins;

resolution_state holding(std::string id = "1", std::uint64_t max_age = 604'800, mode m = mode::enforce) {
    resolution_state out;
    record_seen(out, record_with(std::move(id)), occasion::use, now);
    policy_seen(out, served(m, max_age), now, 0);
    return out;
}

TEST(resolution, names_the_faults_as_reports_do) {
    EXPECT_EQ(to_string(policy_fault::fetch_error), "sts-policy-fetch-error");
    EXPECT_EQ(to_string(policy_fault::webpki_invalid), "sts-webpki-invalid");
    EXPECT_EQ(to_string(policy_fault::invalid), "sts-policy-invalid");
}

TEST(resolution, of_a_domain_never_seen_nothing_is_known) {
    const resolution_state fresh;
    EXPECT_EQ(standing_at(fresh, now).what, standing::kind::unknown);
    EXPECT_EQ(on_use(fresh, now).what, ask::record);
    EXPECT_TRUE(on_use(fresh, now).answer_waits);
    EXPECT_EQ(on_schedule(fresh, now).what, ask::nothing);
    EXPECT_EQ(on_failed_delivery(fresh, now).what, ask::record);
    EXPECT_EQ(next_check(fresh), utc_seconds{});
    EXPECT_TRUE(worthless(fresh, now));
    EXPECT_FALSE(deserves_alarm(fresh, now));
}

TEST(resolution, the_life_of_a_policy_ends_with_its_last_second) {
    PROVES("8461-3.2-h", "8461-5.1-a");
    const auto state = holding("1", 86'400);
    EXPECT_EQ(standing_at(state, now + seconds(86'400)).what, standing::kind::policy);
    EXPECT_EQ(standing_at(state, now + seconds(86'401)).what, standing::kind::unknown);
}

TEST(resolution, no_policy_lives_longer_than_a_year) {
    PROVES("A4");
    EXPECT_EQ(holding("1", 9'999'999'999).held->expires_at(), now + seconds(31'557'600));
}

TEST(resolution, looks_again_after_the_ttl_between_one_and_five_minutes) {
    PROVES("8461-5.1-a");
    struct row {
        std::uint32_t ttl;
        int seconds;
    };
    for (const auto& [ttl, pause] : {row{0, 60}, row{59, 60}, row{60, 60}, row{120, 120}, row{300, 300},
                                     row{301, 300}, row{0xffff'ffff, 300}}) {
        auto state = holding();
        record_seen(state, record_with("1", ttl), occasion::use, now);
        EXPECT_EQ(next_check(state), now + seconds(pause)) << ttl;
        EXPECT_EQ(on_use(state, now + seconds(pause - 1)).what, ask::nothing) << ttl;
        EXPECT_EQ(on_use(state, now + seconds(pause)).what, ask::record) << ttl;
        EXPECT_FALSE(on_use(state, now + seconds(pause)).answer_waits) << ttl;
    }
}

TEST(resolution, an_absence_is_remembered_for_a_minute_to_an_hour) {
    PROVES("8461-3.1-o", "8461-3.1-p", "A46");
    for (const auto kind : {seen_kind::none, seen_kind::multiple, seen_kind::invalid})
        for (const auto& [ttl, kept] :
             {std::pair{0u, 60}, {60u, 60}, {900u, 900}, {3600u, 3600}, {0xffff'ffffu, 3600}}) {
            resolution_state state;
            EXPECT_EQ(record_seen(state, no_record(kind, ttl), occasion::use, now), ask::nothing); // no fetch
            EXPECT_EQ(standing_at(state, now + seconds(kept - 1)).what, standing::kind::no_policy) << ttl;
            EXPECT_FALSE(standing_at(state, now).dns_error);
            EXPECT_EQ(on_use(state, now + seconds(kept - 1)).what, ask::nothing) << ttl;
            EXPECT_TRUE(on_use(state, now + seconds(kept)).answer_waits) << ttl;
            EXPECT_FALSE(worthless(state, now + seconds(kept - 1)));
            EXPECT_TRUE(worthless(state, now + seconds(kept)));
        }
}

TEST(resolution, without_a_record_nothing_is_fetched_whatever_the_occasion) {
    PROVES("8461-3.1-o", "8461-3.1-p");
    for (const auto why : {occasion::use, occasion::schedule, occasion::failed_delivery})
        for (const auto kind : {seen_kind::none, seen_kind::multiple, seen_kind::invalid, seen_kind::error}) {
            resolution_state state;
            EXPECT_EQ(record_seen(state, no_record(kind), why, now), ask::nothing);
        }
}

TEST(resolution, an_id_that_is_none_makes_the_record_invalid) {
    PROVES("8461-3.1-p");
    for (const std::string id : {"", "a b", "2026-01-01"}) {
        resolution_state state;
        EXPECT_EQ(record_seen(state, record_with(id), occasion::use, now), ask::nothing) << id;
        EXPECT_EQ(state.record.what, seen_kind::invalid);
    }
}

TEST(resolution, any_other_id_is_a_new_one) {
    PROVES("8461-3.1-f", "G2-28");
    for (const auto& [held, seen] : {std::pair{"1", "2"}, {"2", "1"}, {"a", "A"}, {"1", "01"}, {"1", "1a"}}) {
        auto state = holding(held);
        EXPECT_EQ(record_seen(state, record_with(seen), occasion::use, now + hours(1)), ask::policy) << seen;
    }
    auto same = holding("1");
    EXPECT_EQ(record_seen(same, record_with("1"), occasion::use, now + hours(1)), ask::nothing);
}

TEST(resolution, every_failure_leaves_the_held_policy_as_it_was) {
    PROVES("8461-3.3-p", "8461-3.1-q", "A13");
    for (const auto kind : {seen_kind::none, seen_kind::multiple, seen_kind::invalid, seen_kind::error})
        for (const auto why : {occasion::use, occasion::schedule, occasion::failed_delivery})
            for (const auto fault :
                 {policy_fault::fetch_error, policy_fault::webpki_invalid, policy_fault::invalid}) {
                auto state = holding();
                const auto before = *state.held;
                record_seen(state, no_record(kind), why, now + days(6));
                policy_seen(state, broken(fault), now + days(6), 7);
                record_seen(state, record_with("2"), why, now + days(6) + minutes(6));
                policy_seen(state, broken(fault), now + days(6) + minutes(6), 7);
                const auto stands = standing_at(state, now + days(7));
                ASSERT_EQ(stands.what, standing::kind::policy);
                EXPECT_EQ(stands.held->body, before.body);
                EXPECT_EQ(stands.held->expires_at(), before.expires_at());
                EXPECT_EQ(stands.fault, fault); // 8461-6-b
            }
}

TEST(resolution, the_daily_fetch_happens_whatever_the_record_says) {
    PROVES("8461-3.3-q", "8461-10.2-b", "A12", "G1-34");
    for (const auto kind :
         {seen_kind::none, seen_kind::multiple, seen_kind::invalid, seen_kind::error, seen_kind::valid}) {
        auto state = holding();
        const auto due = state.refresh_at;
        EXPECT_EQ(on_schedule(state, due - seconds(1)).what, ask::nothing);
        EXPECT_EQ(on_schedule(state, due).what, ask::record);
        const auto record = kind == seen_kind::valid ? record_with("1") : no_record(kind);
        EXPECT_EQ(record_seen(state, record, occasion::schedule, due), ask::policy);
        policy_seen(state, served(mode::enforce, 604'800, "new.example"), due, 5);
        EXPECT_EQ(state.held->expires_at(), due + days(7)); // the clock starts again
        EXPECT_EQ(state.held->id, "1");
        EXPECT_EQ(state.held->value.mx, std::vector<std::string>{"new.example"});
        EXPECT_GT(state.refresh_at, due);
    }
}

TEST(resolution, the_daily_fetch_takes_the_id_that_the_record_has_then) {
    auto state = holding();
    const auto due = state.refresh_at;
    record_seen(state, record_with("2"), occasion::schedule, due);
    policy_seen(state, served(mode::enforce), due, 5);
    EXPECT_EQ(state.held->id, "2");
}

TEST(resolution, refreshes_are_spread) {
    PROVES("8461-3.3-q");
    std::set<utc_seconds> times;
    for (std::uint64_t dice = 0; dice < 1000; ++dice) {
        auto state = holding();
        policy_seen(state, served(mode::enforce), now, dice * 0x9e37'79b9'7f4a'7c15);
        times.insert(state.refresh_at);
        EXPECT_GE(state.refresh_at, now + hours(12));
        EXPECT_LE(state.refresh_at, now + hours(24));
    }
    EXPECT_GT(times.size(), 900u);
    EXPECT_LT(*times.begin(), now + hours(13));
    EXPECT_GT(*times.rbegin(), now + hours(23));
}

TEST(resolution, failing_refreshes_are_tried_again_slower_and_slower) {
    PROVES("8461-3.3-l", "8461-3.3-r");
    auto state = holding("1", 31'536'000);
    auto at = state.refresh_at;
    const auto began = at;
    std::vector<seconds> waits;
    for (int i = 0; i < 30; ++i) {
        EXPECT_EQ(record_seen(state, record_with("1"), occasion::schedule, at), ask::policy);
        policy_seen(state, broken(), at, 0x9e37'79b9'7f4a'7c15 * static_cast<std::uint64_t>(i));
        waits.push_back(state.refresh_at - at);
        EXPECT_GE(waits.back(), fetch_pause);
        EXPECT_LE(waits.back(), hours(6));
        EXPECT_EQ(deserves_alarm(state, at), at - began >= days(1));
        at = state.refresh_at;
    }
    EXPECT_LE(waits.front(), minutes(10));
    EXPECT_GE(waits.back(), hours(3));
    EXPECT_EQ(state.failures, 30u);
    EXPECT_EQ(state.failing_since, began);
}

TEST(resolution, an_administrator_hears_before_half_of_the_life_is_gone) {
    PROVES("8461-3.3-r");
    auto state = holding("1", 172'800);
    state.refresh_at = now + hours(23);
    policy_seen(state, broken(), now + hours(23), 0);
    EXPECT_FALSE(deserves_alarm(state, now + hours(30))); // once is nothing yet
    policy_seen(state, broken(), now + hours(23) + minutes(10), 0);
    EXPECT_FALSE(deserves_alarm(state, now + hours(24)));
    EXPECT_TRUE(deserves_alarm(state, now + hours(24) + seconds(1)));
}

TEST(resolution, a_policy_that_comes_when_nobody_needs_it_any_more_is_not_taken) {
    PROVES("8461-3.1-o");
    auto state = holding("1", 60);
    record_seen(state, no_record(), occasion::use, now + hours(1)); // expired: dropped
    policy_seen(state, served(mode::enforce), now + hours(1), 0);
    EXPECT_FALSE(state.held);
    EXPECT_EQ(standing_at(state, now + hours(1)).what, standing::kind::no_policy);
}

TEST(resolution, a_fetch_that_ends_late_belongs_to_the_id_for_which_it_was_begun) {
    PROVES("8461-3.1-f", "8461-3.3-l");
    resolution_state state;
    EXPECT_EQ(record_seen(state, record_with("1"), occasion::use, now), ask::policy);
    EXPECT_EQ(record_seen(state, record_with("2"), occasion::use, now + seconds(60)), ask::policy);
    auto good = state, bad = state;
    policy_seen(good, served(mode::enforce), now + seconds(61), 0);
    EXPECT_EQ(good.held->id, "1");
    EXPECT_EQ(on_use(good, now + seconds(61)).what, ask::record); // id 2 is still to be fetched
    EXPECT_EQ(record_seen(good, record_with("2"), occasion::use, now + seconds(61)), ask::policy);

    policy_seen(bad, broken(), now + seconds(61), 0);
    EXPECT_EQ(bad.failed->id, "1");
    EXPECT_EQ(on_use(bad, now + seconds(61)).what, ask::record); // id 2 has not failed
    EXPECT_TRUE(on_use(bad, now + seconds(61)).answer_waits);
}

TEST(resolution, a_fetch_that_never_ends_is_forgotten) {
    auto state = holding();
    EXPECT_EQ(record_seen(state, record_with("2"), occasion::use, now + hours(1)), ask::policy); // and lost
    EXPECT_EQ(on_use(state, now + hours(1) + seconds(299)).what, ask::nothing);
    EXPECT_EQ(on_use(state, now + hours(1) + seconds(300)).what, ask::record);
    EXPECT_EQ(record_seen(state, record_with("3"), occasion::use, now + hours(1) + seconds(300)),
              ask::policy);
    policy_seen(state, served(mode::enforce), now + hours(1) + seconds(301), 0);
    EXPECT_EQ(state.held->id, "3");
}

TEST(resolution, looks_after_failed_deliveries_are_few) {
    PROVES("8461-5-d", "8461-5.1-c");
    auto state = holding();
    EXPECT_EQ(on_failed_delivery(state, now + seconds(29)).what, ask::nothing);
    EXPECT_EQ(on_failed_delivery(state, now + seconds(30)).what, ask::record);
    EXPECT_FALSE(on_failed_delivery(state, now + seconds(30)).answer_waits);
    // the id is the same: the policy was fetched a moment ago
    EXPECT_EQ(record_seen(state, record_with("1"), occasion::failed_delivery, now + seconds(299)),
              ask::nothing);
    EXPECT_EQ(record_seen(state, record_with("1"), occasion::failed_delivery, now + seconds(300)),
              ask::policy);
}

TEST(resolution, a_person_who_mended_something_does_not_wait) {
    auto state = holding();
    EXPECT_EQ(on_request(state, now + seconds(2)).what, ask::nothing) << "a finger that trembles";
    EXPECT_EQ(on_request(state, now + seconds(3)).what, ask::record);
    // the same id, fetched a moment ago: once more all the same
    EXPECT_EQ(record_seen(state, record_with("1"), occasion::request, now + seconds(3)), ask::policy);
    policy_seen(state, broken(policy_fault::fetch_error), now + seconds(4), 0);
    EXPECT_EQ(record_seen(state, record_with("1"), occasion::use, now + seconds(10)), ask::nothing);
    EXPECT_EQ(record_seen(state, record_with("1"), occasion::request, now + seconds(13)), ask::policy)
        << "the pause is for machines";
    policy_seen(state, served(mode::enforce), now + seconds(14), 0);
    EXPECT_FALSE(state.failed);
    // without a record there is no discovery, whoever asks (8461-3.1-o)
    resolution_state nothing;
    EXPECT_EQ(record_seen(nothing, no_record(seen_kind::none), occasion::request, now), ask::nothing);
}

TEST(resolution, beside_a_held_policy_an_absence_is_looked_at_like_a_record) {
    auto state = holding();
    record_seen(state, no_record(seen_kind::none, 3600), occasion::use, now);
    EXPECT_EQ(on_use(state, now + seconds(299)).what, ask::nothing);
    EXPECT_EQ(on_use(state, now + seconds(300)).what, ask::record);
}

TEST(resolution, a_domain_that_left_is_refreshed_no_more) {
    PROVES("8461-5-c");
    auto state = holding("1", 86'400);
    auto due = state.refresh_at;
    record_seen(state, no_record(), occasion::schedule, due);
    policy_seen(state, served(mode::none, 172'800), due, 1); // mode none was the last thing it published
    EXPECT_EQ(state.refresh_at, due + seconds(172'801));

    auto other = holding("1", 172'800, mode::none);
    due = other.refresh_at;
    EXPECT_EQ(record_seen(other, no_record(), occasion::schedule, due), ask::nothing);
    EXPECT_EQ(other.refresh_at, now + seconds(172'801)); // to be dropped then
    EXPECT_EQ(record_seen(other, no_record(), occasion::schedule, other.refresh_at), ask::nothing);
    EXPECT_FALSE(other.held);
    EXPECT_EQ(other.refresh_at, utc_seconds{});
}

TEST(resolution, a_policy_that_cannot_be_refreshed_is_looked_at_when_it_ends) {
    auto state = holding("1", 86'400);
    const auto late = now + seconds(86'390);
    policy_seen(state, broken(), late, 0);
    EXPECT_EQ(state.refresh_at, now + seconds(86'401));
    EXPECT_EQ(record_seen(state, record_with("1"), occasion::schedule, state.refresh_at),
              ask::nothing); // paused
    EXPECT_FALSE(state.held);
    EXPECT_EQ(state.refresh_at, utc_seconds{});
}

TEST(resolution, a_failed_delivery_just_after_a_pause_looks_at_the_record_again) {
    auto state = holding("1");
    record_seen(state, record_with("2"), occasion::use, now + hours(1));
    policy_seen(state, broken(), now + hours(1), 0);
    const auto seen = now + hours(1) + seconds(290);
    EXPECT_EQ(record_seen(state, record_with("2"), occasion::use, seen), ask::nothing);
    EXPECT_EQ(on_failed_delivery(state, seen + seconds(9)).what, ask::nothing);
    // What is fetched without a look counts as of the id that is held: this one must not.
    EXPECT_EQ(on_failed_delivery(state, seen + seconds(10)).what, ask::record);
}

TEST(resolution, a_pause_is_worth_remembering) {
    resolution_state state;
    record_seen(state, record_with("1", 60), occasion::use, now);
    EXPECT_FALSE(worthless(state, now + seconds(299))); // a fetch is under way
    EXPECT_TRUE(worthless(state, now + seconds(300)));  // and was lost
    policy_seen(state, broken(), now, 0);
    EXPECT_FALSE(worthless(state, now + seconds(299)));
    EXPECT_TRUE(worthless(state, now + seconds(300)));
}

TEST(resolution, numbers_without_measure_do_no_harm) {
    auto state = holding("1", 31'557'600);
    state.failures = 0xffff'ffff;
    state.failing_since = utc_seconds::max();
    state.record_at = utc_seconds::max() - days(400'000);
    EXPECT_EQ(standing_at(state, now).what, standing::kind::policy);
    record_seen(state, record_with("2", 0xffff'ffff), occasion::use, now + hours(1));
    policy_seen(state, broken(), now + hours(1), 0xffff'ffff'ffff'ffff);
    EXPECT_LE(state.refresh_at, now + hours(8));
    EXPECT_EQ(state.failing_since, now + hours(1));
}

} // namespace
} // namespace mailtight::sts::tests
