// SPDX-License-Identifier: Apache-2.0
// The report sender's part of the database, in both engines: what is counted, owed, filed, delivered,
// dropped.
#include "support/proves.h"
#include "unit/store/result_fixture.h"

#include <gmock/gmock.h>

#include <atomic>
#include <map>

namespace mailtight::store {
namespace {
using model::report_audience;
using testing::ElementsAre;
using testing::IsEmpty;
using namespace result_tests;

INSTANTIATE_TEST_SUITE_P(engines, result_fixture, testing::Values(engine::sqlite, engine::postgres),
                         [](const auto& info) {
                             return info.param == engine::sqlite ? "sqlite" : "postgres";
                         });

TEST_P(result_fixture, every_field_comes_back) {
    const auto s = open();
    auto one = sts_result("a.example", 7, 2);
    one.record_seen = "v=TLSRPTv1; rua=mailto:tls@a.example";
    one.faults = {{.what = full_fault(), .count = 2}};
    const auto other = tlsa_result("a.example", "mx.b.example", 3, 0);
    add(*s, {other, one});
    one.faults[0].what.additional_information = full_fault().additional_information;
    auto expected = other;
    expected.record_seen = one.record_seen; // the domain's, with each of its results
    EXPECT_THAT(unreported(*s, "a.example"), ElementsAre(expected, one)) << "in order of the policy";
    EXPECT_THAT(unreported(*open(), "a.example"), ElementsAre(expected, one));
    EXPECT_THAT(unreported(*s, "b.example"), IsEmpty());
    EXPECT_THAT(unreported(*s, ""), ElementsAre(expected, one));
    EXPECT_THAT(unreported(*s, "mx.b.example", report_audience::tlsa_base), ElementsAre(expected));
}

TEST_P(result_fixture, equal_results_add_up_whoever_counts_them) {
    const auto one = open(), two = open();
    auto r = sts_result("a.example", 1, 1);
    r.faults = {{.what = full_fault(), .count = 1}};
    add(*one, {r, r}, 1, "one");
    add(*two, {r}, 1, "two");
    r.success = r.failure = r.faults[0].count = 3;
    EXPECT_THAT(unreported(*one, "a.example"), ElementsAre(r));
    EXPECT_EQ(one->figures_of(at(0))->unreported_sessions, 6u);
}

TEST_P(result_fixture, a_batch_counts_once_with_its_marks) {
    const auto s = open();
    const auto r = sts_result("a.example", 1, 0);
    EXPECT_EQ(*s->latest_batch("m"), 0);
    EXPECT_TRUE(add(*s, {r}, 5, "m", {{"log", "10"}}));
    EXPECT_FALSE(add(*s, {r}, 5, "m", {{"log", "11"}})) << "repeated";
    EXPECT_FALSE(add(*s, {r}, 4, "m")) << "older";
    EXPECT_EQ(unreported(*s, "a.example").at(0).success, 1u);
    EXPECT_TRUE(add(*s, {}, 6, "m", {{"log", "12"}, {"other", "1"}})) << "marks alone";
    EXPECT_TRUE(add(*s, {r}, 1, "another machine"));
    EXPECT_EQ(*s->latest_batch("m"), 6);
    EXPECT_THAT(*s->marks("m"), ElementsAre(std::pair("log", "12"), std::pair("other", "1")));
    EXPECT_THAT(*s->marks("n"), IsEmpty());
}

TEST_P(result_fixture, faults_are_bounded_and_their_sums_exact) {
    const auto s = open();
    for (int round = 1; round <= 3; ++round) {
        auto r = sts_result("a.example", 0, 40);
        for (int i = 0; i < 20; ++i) {
            auto what = full_fault();
            what.sending_mta_ip = "192.0.2." + std::to_string(round * 7 + i);
            if (i % 2 == 1)
                what.type = tlsrpt::result_type::starttls_not_supported;
            r.faults.push_back({.what = what, .count = 2});
        }
        add(*s, {r}, round, "m", {}, 25);
    }
    const auto got = unreported(*s, "a.example");
    ASSERT_EQ(got.size(), 1u);
    EXPECT_EQ(got[0].faults.size(), 27u) << "25, and one folded entry of each of two types";
    std::map<tlsrpt::result_type, std::uint64_t> sums;
    std::size_t folded = 0;
    for (const auto& f : got[0].faults) {
        sums[f.what.type] += f.count;
        if (f.what == model::session_fault{.type = f.what.type})
            ++folded;
    }
    EXPECT_EQ(folded, 2u);
    EXPECT_EQ(sums[tlsrpt::result_type::certificate_expired], 60u);
    EXPECT_EQ(sums[tlsrpt::result_type::starttls_not_supported], 60u);
}

TEST_P(result_fixture, days_and_the_worst_faults_are_summed_over_all_domains) {
    auto one = sts_result("a.example", 5, 3), other = sts_result("b.example", 7, 9);
    one.faults = {{.what = full_fault(), .count = 3}};
    other.faults = {{.what = full_fault(), .count = 9}};
    auto later = one;
    later.day += std::chrono::days(1);
    const auto s = open();
    add(*s, {one, other, later}, 1, "m");
    const auto days = s->day_sums(the_day, the_day + std::chrono::days(5));
    ASSERT_TRUE(days) << days.error().message;
    ASSERT_EQ(days->size(), 2u);
    EXPECT_EQ(days->at(0).day, the_day);
    EXPECT_EQ(days->at(0).success, 12u);
    EXPECT_EQ(days->at(0).failure, 12u);
    EXPECT_EQ(days->at(1).success, 5u);
    EXPECT_EQ(s->day_sums(the_day, the_day)->size(), 1u);
    const auto worst = s->fault_sums(the_day, 1);
    ASSERT_TRUE(worst) << worst.error().message;
    ASSERT_EQ(worst->size(), 1u);
    EXPECT_EQ(worst->at(0).domain, "b.example");
    EXPECT_EQ(worst->at(0).count, 9u);
    EXPECT_EQ(worst->at(0).type, tlsrpt::result_type::certificate_expired);
    EXPECT_EQ(worst->at(0).mx, "mx.a.example");
    const auto both = s->fault_sums(the_day, 10);
    ASSERT_EQ(both->size(), 2u);
    EXPECT_EQ(both->at(1).count, 6u) << "of two days";
    EXPECT_EQ(both->at(1).day, later.day) << "the newest";
    EXPECT_TRUE(s->fault_sums(the_day + std::chrono::days(2), 10)->empty());
}

TEST_P(result_fixture, remote_bytes_are_no_obstacle) {
    const auto s = open();
    auto r = sts_result("a.example", 0, 1);
    r.policy.strings = {std::string("mx: \0\xff", 6)};
    r.faults = {{.what = {.receiving_mx = std::string("m\0x\xc3(", 5)}, .count = 1}};
    r.record_seen = "v=TLSRPTv1; \xff";
    add(*s, {r});
    const auto got = unreported(*s, "a.example");
    ASSERT_EQ(got.size(), 1u);
    EXPECT_THAT(got[0].policy.strings, ElementsAre("mx: \xEF\xBF\xBD\xEF\xBF\xBD"));
    EXPECT_EQ(got[0].faults.at(0).what.receiving_mx, "m\xEF\xBF\xBDx\xEF\xBF\xBD(");
}

TEST_P(result_fixture, due_within_the_spread_after_the_day_and_the_same_on_every_machine) {
    PROVES("8460-4.1-b");
    const auto s = open();
    std::vector<model::counted_result> some;
    for (int i = 0; i < 300; ++i)
        some.push_back(sts_result("d" + std::to_string(i) + ".example", 1, 0));
    add(*s, some);
    EXPECT_THAT(*s->take_due(end_of_day(), "m", a_day, 1'000), IsEmpty()) << "not at the stroke of midnight";
    const auto first_half = *s->take_due(end_of_day() + std::chrono::hours(2), "m", a_day, 1'000);
    const auto all = *s->take_due(end_of_day() + std::chrono::hours(4), "m", a_day, 1'000);
    EXPECT_GT(first_half.size(), 100u);
    EXPECT_GT(all.size(), 100u);
    EXPECT_EQ(first_half.size() + all.size(), 300u);
    EXPECT_TRUE(std::ranges::is_sorted(all, {}, &model::due_report::due_at));
    const database elsewhere(GetParam());
    const auto other = *open_results({.where = elsewhere.where()});
    add(*other, some);
    const auto theirs = *other->take_due(end_of_day() + std::chrono::hours(2), "m", a_day, 1'000);
    EXPECT_NE(times_of(theirs), times_of(first_half)) << "nobody foresees the times";
    // The second machine: the same pair, the same time.
    const auto again = open();
    ASSERT_TRUE(*file_all(*again, all.front()));
    add(*again, {sts_result(all.front().domain, 1, 0)}, 1, "again");
    const auto taken = *again->take_due(end_of_day() + std::chrono::hours(4), "m", a_day, 1'000);
    ASSERT_EQ(taken.size(), 1u);
    EXPECT_EQ(taken[0].due_at, all.front().due_at);
}

TEST_P(result_fixture, late_sessions_make_a_supplementary_report) {
    const auto s = open();
    add(*s, {sts_result("a.example", 10, 1)});
    const auto day_after = end_of_day() + std::chrono::hours(24);
    auto due = *s->take_due(day_after, "m", minute, 10);
    ASSERT_EQ(due.size(), 1u);
    std::vector<std::uint32_t> parts;
    std::vector<std::uint64_t> sums;
    const auto make = [&](std::span<const model::counted_result> of, std::uint32_t part) {
        parts.push_back(part);
        sums.push_back(of[0].success + of[0].failure);
        return std::optional(a_report("a.example"));
    };
    EXPECT_TRUE(*s->file(due[0], make));
    EXPECT_FALSE(*s->file(due[0], make)) << "once";
    EXPECT_THAT(unreported(*s, "a.example"), IsEmpty());
    EXPECT_THAT(*s->take_due(day_after, "m", minute, 10), IsEmpty());
    add(*s, {sts_result("a.example", 3, 0)}, 2);
    due = *s->take_due(day_after, "m", minute, 10);
    ASSERT_EQ(due.size(), 1u);
    EXPECT_TRUE(*s->file(due[0], make));
    EXPECT_THAT(parts, ElementsAre(0u, 1u));
    EXPECT_THAT(sums, ElementsAre(11u, 3u));
    const auto kept = *s->results(the_day, "a.example", report_audience::recipient_domain, true);
    ASSERT_EQ(kept.size(), 1u);
    EXPECT_EQ(kept[0].success, 13u);
    EXPECT_EQ(s->figures_of(day_after)->unreported_sessions, 0u);
}

TEST_P(result_fixture, a_tlsa_base_hears_of_every_domain_and_nothing_twice) {
    PROVES("8460-1.1-a", "A22");
    const auto s = open();
    add(*s,
        {tlsa_result("a.example", "mx.host.example", 5, 0), tlsa_result("b.example", "mx.host.example", 7, 1),
         tlsa_result("mx.host.example", "mx.host.example", 100, 0), sts_result("a.example", 1, 0)});
    const auto all = *s->take_due(end_of_day() + std::chrono::hours(24), "m", minute, 10);
    std::vector<std::string> names;
    std::map<std::string, std::uint64_t> sums;
    for (const auto& due : all) {
        const auto name = std::string(to_string(due.audience)) + " " + due.domain;
        names.push_back(name);
        EXPECT_TRUE(*s->file(due, [&](std::span<const model::counted_result> of, std::uint32_t part) {
            EXPECT_EQ(part, 0u);
            for (const auto& r : of)
                sums[name] += r.success + r.failure;
            return std::optional(a_report(due.domain));
        }));
    }
    EXPECT_THAT(names, testing::UnorderedElementsAre(
                           "recipient-domain a.example", "recipient-domain b.example",
                           "recipient-domain mx.host.example", "tlsa-base mx.host.example"));
    EXPECT_EQ(sums["recipient-domain a.example"], 6u);
    EXPECT_EQ(sums["recipient-domain b.example"], 8u);
    EXPECT_EQ(sums["recipient-domain mx.host.example"], 100u);
    EXPECT_EQ(sums["tlsa-base mx.host.example"], 13u) << "its own stand in its own report";
    EXPECT_THAT(*s->take_due(end_of_day() + std::chrono::hours(24), "m", minute, 10), IsEmpty());
}

TEST_P(result_fixture, what_nobody_wants_is_no_longer_owed) {
    const auto s = open();
    const auto later = end_of_day() + std::chrono::hours(24);
    add(*s, {sts_result("few.example", 1, 0), sts_result("nobody.example", 2, 0)});
    for (const auto& due : *s->take_due(later, "m", minute, 10))
        if (due.domain == "few.example")
            EXPECT_FALSE(*s->file(due, [](auto, auto) { return std::nullopt; }));
        else
            ASSERT_TRUE(s->drop_due(due));
    EXPECT_THAT(*s->take_due(later, "m", minute, 10), IsEmpty());
    EXPECT_THAT(unreported(*s, ""), IsEmpty());
    EXPECT_EQ(s->figures_of(later)->unreported_sessions, 0u);
    EXPECT_EQ(s->results(the_day, "", report_audience::recipient_domain, true)->size(), 2u)
        << "kept to be seen";
    add(*s, {sts_result("nobody.example", 5, 0)}, 2);
    const auto due = *s->take_due(later, "m", minute, 10);
    ASSERT_EQ(due.size(), 1u);
    EXPECT_TRUE(*s->file(due[0], [](std::span<const model::counted_result> of, std::uint32_t part) {
        EXPECT_EQ(part, 0u) << "no report went before";
        EXPECT_EQ(of[0].success, 5u);
        return std::optional(a_report("nobody.example"));
    }));
}

TEST_P(result_fixture, one_machine_holds_it_until_its_lease_ends) {
    const auto one = open(), two = open();
    const auto later = end_of_day() + std::chrono::hours(24);
    add(*one, {sts_result("a.example", 1, 0)});
    const auto first = *one->take_due(later, "one", std::chrono::seconds(1), 10);
    ASSERT_EQ(first.size(), 1u);
    EXPECT_EQ(first[0].tries, 0u);
    EXPECT_THAT(*two->take_due(later, "two", minute, 10), IsEmpty());
    EXPECT_THAT(*two->take_due(later, "two", minute, 10, the_day), IsEmpty());
    const auto after = let_leases_end(later);
    const auto second = *two->take_due(after, "two", minute, 10);
    ASSERT_EQ(second.size(), 1u);
    EXPECT_GT(second[0].fence, first[0].fence);
    EXPECT_EQ(second[0].first_tried, later);
    EXPECT_FALSE(*file_all(*one, first[0])) << "the older holder is not believed";
    ASSERT_TRUE(one->drop_due(first[0]));
    ASSERT_TRUE(one->postpone(first[0], after + std::chrono::hours(100)));
    EXPECT_EQ(unreported(*one, "a.example").size(), 1u);
    ASSERT_TRUE(two->postpone(second[0], after + minute));
    EXPECT_THAT(*one->take_due(after, "one", minute, 10), IsEmpty());
    const auto third = *one->take_due(after + minute, "one", minute, 10);
    ASSERT_EQ(third.size(), 1u);
    EXPECT_EQ(third[0].tries, 1u);
    EXPECT_TRUE(*file_all(*one, third[0]));
    // Owed anew, with a fence that nobody had before.
    add(*two, {sts_result("a.example", 1, 0)}, 2);
    EXPECT_FALSE(*file_all(*one, third[0]));
    const auto fourth = *two->take_due(after + minute, "two", minute, 10);
    ASSERT_EQ(fourth.size(), 1u);
    EXPECT_GT(fourth[0].fence, third[0].fence);
}

TEST_P(result_fixture, a_machine_takes_back_what_it_had_in_hand_and_nothing_else) {
    const auto s = open();
    const auto later = end_of_day() + std::chrono::hours(24);
    add(*s, {sts_result("a.example", 1, 0)});
    const auto filed = *s->take_due(later, "one", minute, 10);
    ASSERT_EQ(filed.size(), 1u);
    EXPECT_EQ(filed[0].last_part_at, base::utc_seconds{});
    ASSERT_TRUE(*s->file(filed[0], [&](auto, std::uint32_t) {
        auto made = a_report("a.example");
        made.made_at = later;
        return std::optional(made);
    }));
    const auto delivery = *s->take_deliveries(later + a_day, "one", minute, 10);
    ASSERT_FALSE(delivery.empty());
    add(*s, {sts_result("a.example", 1, 0), sts_result("b.example", 1, 0)}, 2);
    const auto owed = *s->take_due(later, "one", minute, 10);
    ASSERT_EQ(owed.size(), 2u);
    for (const auto& each : owed)
        EXPECT_EQ(each.last_part_at, each.domain == "a.example" ? later : base::utc_seconds{});
    ASSERT_TRUE(s->take_back("two"));
    EXPECT_THAT(*s->take_due(later, "two", minute, 10), IsEmpty());
    EXPECT_THAT(*s->take_deliveries(later + a_day, "two", minute, 10), IsEmpty());
    ASSERT_TRUE(s->take_back("one"));
    const auto again = *s->take_due(later, "one", minute, 10);
    ASSERT_EQ(again.size(), 2u);
    EXPECT_FALSE(*file_all(*s, owed[0])) << "the dead one is not believed";
    const auto deliveries = *s->take_deliveries(later + a_day, "one", minute, 10);
    ASSERT_EQ(deliveries.size(), delivery.size());
    EXPECT_GT(deliveries[0].fence, delivery[0].fence);
    // But what it had sent was sent, whoever holds it now.
    auto sent = delivery[0];
    sent.state = model::delivery_state::sent;
    ASSERT_TRUE(s->tried(sent, false));
    ASSERT_TRUE(s->take_back("one"));
    EXPECT_EQ(s->take_deliveries(later + a_day, "one", minute, 10)->size(), delivery.size() - 1);
}

TEST_P(result_fixture, several_are_filed_at_once_and_only_those_that_are_held) {
    const auto s = open();
    const auto later = end_of_day() + std::chrono::hours(24);
    add(*s, {sts_result("a.example", 1, 0), sts_result("b.example", 2, 0), sts_result("c.example", 4, 0),
             tlsa_result("c.example", "base.example", 8, 0)});
    auto all = *s->take_due(later, "m", minute, 10, the_day);
    ASSERT_EQ(all.size(), 4u);
    std::ranges::reverse(all); // in whatever order
    const auto lost = std::ranges::find(all, "b.example", &model::due_report::domain);
    --lost->fence;
    std::map<std::string, std::uint64_t> made;
    const auto numbers =
        *s->file_all(all, [&](const model::due_report& due, std::span<const model::counted_result> of,
                              std::uint32_t part) {
            EXPECT_EQ(part, 0u);
            for (const auto& r : of)
                made[due.domain] += r.success;
            return due.domain == "a.example" ? std::nullopt : std::optional(a_report(due.domain));
        });
    EXPECT_EQ(made, (std::map<std::string, std::uint64_t>{
                        {"a.example", 1}, {"base.example", 8}, {"c.example", 12}}));
    ASSERT_EQ(numbers.size(), 4u);
    for (std::size_t i = 0; i < 4; ++i) {
        const bool filed = all[i].domain == "c.example" || all[i].domain == "base.example";
        ASSERT_EQ(numbers[i].has_value(), filed) << all[i].domain;
        if (filed)
            EXPECT_EQ((*s->report(*numbers[i]))->domain, all[i].domain);
    }
    EXPECT_EQ(s->figures_of(later)->unreported_sessions, 2u);
    ++lost->fence;
    ASSERT_TRUE(s->drop_all(all));
    EXPECT_EQ(s->figures_of(later)->unreported_sessions, 0u);
    EXPECT_EQ(rows_of("report_due"), 0);
}

// What is counted while a report is made waits, begins a fresh row, and is owed anew.
TEST_P(result_fixture, what_comes_in_while_a_report_is_filed_is_in_the_next_one) {
    const auto s = open();
    const auto later = end_of_day() + std::chrono::hours(24);
    add(*s, {sts_result("a.example", 1, 0)});
    const auto due = *s->take_due(later, "m", minute, 10);
    std::atomic<bool> written{false};
    std::thread other;
    ASSERT_TRUE(*s->file(due.at(0), [&](std::span<const model::counted_result> of, std::uint32_t) {
        EXPECT_EQ(of[0].success, 1u);
        other = std::thread([&] {
            add(*open(), {sts_result("a.example", 10, 0), tlsa_result("a.example", "mx.b.example", 5, 0)}, 1,
                "other");
            written = true;
        });
        std::this_thread::sleep_for(std::chrono::milliseconds(150));
        EXPECT_FALSE(written) << "it would be lost here";
        return std::optional(a_report("a.example"));
    }));
    other.join();
    const auto next = *s->take_due(later, "m", minute, 10);
    ASSERT_EQ(next.size(), 2u) << "the domain, and the base";
    std::uint64_t sessions = 0;
    for (const auto& each : next)
        if (each.audience == report_audience::recipient_domain)
            EXPECT_TRUE(*s->file(each, [&](std::span<const model::counted_result> of, std::uint32_t part) {
                EXPECT_EQ(part, 1u);
                for (const auto& r : of)
                    sessions += r.success;
                return std::optional(a_report("a.example"));
            }));
    EXPECT_EQ(sessions, 15u);
}

TEST_P(result_fixture, of_one_day_due_or_not) {
    const auto s = open();
    auto other = sts_result("b.example", 1, 0);
    other.day += std::chrono::days(1);
    add(*s, {sts_result("a.example", 1, 0), other});
    const auto taken = *s->take_due(at(0), "m", minute, 10, the_day);
    ASSERT_EQ(taken.size(), 1u);
    EXPECT_EQ(taken[0].domain, "a.example");
}

} // namespace
} // namespace mailtight::store
