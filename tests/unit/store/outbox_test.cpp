// SPDX-License-Identifier: Apache-2.0
// The outbox in both engines: reports as filed, what becomes of their deliveries, what the caps ask, what
// goes when it is old.
#include "support/proves.h"
#include "unit/store/result_fixture.h"

#include <gmock/gmock.h>

#include <atomic>
#include <set>
#include <string>

namespace mailtight::store {
namespace {
using model::delivery_state;
using model::outgoing_delivery;
using model::report_audience;
using testing::ElementsAre;
using testing::IsEmpty;
using namespace result_tests;

class outbox : public result_fixture {
protected:
    static constexpr base::utc_seconds now{std::chrono::sys_days(the_day) + std::chrono::hours(48)};

    /// Files a report for that domain; its number.
    static std::int64_t filed(result_store& s, const model::outgoing_report& made,
                              const model::counted_result& of) {
        static std::atomic<std::int64_t> batch{0};
        add(s, {of}, ++batch, "filer");
        for (const auto& due : *s.take_due(now, "m", minute, 100, of.day))
            if (due.domain == of.domain) {
                const auto number = s.file(due, [&](auto, auto) { return std::optional(made); });
                EXPECT_TRUE(number && *number);
                return number && *number ? **number : 0;
            }
        ADD_FAILURE() << of.domain << " is not owed";
        return 0;
    }
    static std::int64_t filed(result_store& s, const model::outgoing_report& made) {
        return filed(s, made, sts_result(made.domain, 1, 0));
    }
    static std::vector<outgoing_delivery> take(result_store& s, base::utc_seconds at_time = now,
                                               std::chrono::seconds how_long = minute) {
        auto got = s.take_deliveries(at_time, "m", how_long, 100);
        EXPECT_TRUE(got) << got.error().message;
        return got ? *got : std::vector<outgoing_delivery>();
    }
    static outgoing_delivery ended(outgoing_delivery d, delivery_state state, const std::string& words = "") {
        d.state = state;
        ++d.tries;
        if (d.first_at == base::utc_seconds{})
            d.first_at = now;
        d.ended_at = now;
        d.words = words;
        return d;
    }
    static void tell(result_store& s, const outgoing_delivery& d, bool skip_others = false) {
        const auto done = s.tried(d, skip_others);
        ASSERT_TRUE(done) << done.error().message;
    }
    static delivery_state state_of(result_store& s, std::int64_t report, std::size_t which = 0) {
        const auto got = s.report(report);
        return (*got)->deliveries.at(which).state;
    }
};
INSTANTIATE_TEST_SUITE_P(engines, outbox, testing::Values(engine::sqlite, engine::postgres),
                         [](const auto& info) {
                             return info.param == engine::sqlite ? "sqlite" : "postgres";
                         });

TEST_P(outbox, every_field_comes_back) {
    const auto s = open();
    auto made = a_report("a.example");
    made.success = 7;
    made.failure = 2;
    made.made_at = now;
    auto& d = made.deliveries.emplace_back(a_delivery("other@b.example"));
    d.uri = "https://c.example/report?x=\xC3\xA4";
    d.address = "";
    d.host = "c.example";
    d.state = delivery_state::suppressed;
    d.tries = 3;
    d.first_at = at(11);
    d.next_at = at(12);
    d.ended_at = at(13);
    d.family = model::address_family::v4;
    d.words = "on the list";
    made.number = filed(*s, made);
    made.day = the_day;
    const auto got = *open()->report(made.number);
    ASSERT_TRUE(got);
    ASSERT_EQ(got->deliveries.size(), 2u);
    std::set<std::string> tags;
    for (std::size_t i = 0; i < 2; ++i) {
        EXPECT_GT(got->deliveries[i].number, 0);
        made.deliveries[i].number = got->deliveries[i].number;
        made.deliveries[i].report = made.number;
        EXPECT_TRUE(tags.insert(got->deliveries[i].tag).second) << "one for each";
        made.deliveries[i].tag = got->deliveries[i].tag;
    }
    EXPECT_EQ(*got, made);
    EXPECT_EQ(*s->find_report(made.report_id), made.number);
    EXPECT_FALSE(*s->find_report("id-of@b.example"));
    EXPECT_FALSE(*s->report(made.number + 1));
    const auto listed = *s->outbox({});
    ASSERT_EQ(listed.size(), 1u);
    made.body.clear();
    EXPECT_EQ(listed[0], made) << "all but the body";
}

TEST_P(outbox, a_success_is_final_whoever_tells_it) {
    const auto s = open(), other = open();
    const auto number = filed(*s, a_report("a.example"));
    const auto mine = take(*s, now, std::chrono::seconds(1)).at(0);
    const auto later = let_leases_end(now);
    const auto theirs = take(*other, later).at(0);
    EXPECT_GT(theirs.fence, mine.fence);
    tell(*s, ended(mine, delivery_state::refused));
    EXPECT_EQ(state_of(*s, number), delivery_state::waiting) << "not from who lost the lease";
    tell(*s, ended(mine, delivery_state::sent, "250 2.0.0 Ok"));
    EXPECT_EQ(state_of(*s, number), delivery_state::sent) << "it was accepted all the same";
    for (const auto never : {delivery_state::refused, delivery_state::waiting, delivery_state::given_up}) {
        tell(*other, ended(theirs, never, "550"));
        EXPECT_EQ(state_of(*s, number), delivery_state::sent);
    }
    EXPECT_EQ((*s->report(number))->deliveries[0].words, "250 2.0.0 Ok");
    EXPECT_THAT(take(*s, later + a_day), IsEmpty()) << "never again";
    // After whatever end, a success that becomes known is a success.
    const auto second = filed(*s, a_report("b.example"));
    const auto d = take(*s).at(0);
    tell(*s, ended(d, delivery_state::given_up));
    tell(*s, ended(d, delivery_state::sent));
    EXPECT_EQ(state_of(*s, second), delivery_state::sent);
    const auto f = *s->figures_of(now);
    EXPECT_EQ(f.sent, 2u);
    EXPECT_EQ(f.given_up, 0u);
    EXPECT_EQ(f.waiting, 0u);
}

TEST_P(outbox, one_holder_at_a_time_and_waiting_until_its_time) {
    const auto one = open(), two = open();
    static_cast<void>(filed(*one, a_report("a.example")));
    auto d = take(*one).at(0);
    EXPECT_THAT(take(*two), IsEmpty());
    d.tries = 1;
    d.first_at = now;
    d.next_at = now + std::chrono::hours(1);
    d.family = model::address_family::v4;
    d.words = "451 later";
    tell(*one, d);
    EXPECT_THAT(take(*two, now + minute), IsEmpty());
    const auto again = take(*two, now + std::chrono::hours(1)).at(0);
    EXPECT_GT(again.fence, d.fence);
    d.fence = again.fence;
    EXPECT_EQ(again, d) << "as it was told";
    EXPECT_EQ(one->figures_of(now)->waiting, 1u);
}

TEST_P(outbox, the_first_that_works_ends_the_others) {
    PROVES("8460-3-y");
    const auto s = open();
    auto made = a_report("a.example");
    made.deliveries = {a_delivery("one@a.example"), a_delivery("two@a.example"),
                       a_delivery("three@a.example")};
    made.deliveries[2].state = delivery_state::suppressed;
    const auto number = filed(*s, made);
    const auto taken = take(*s);
    ASSERT_EQ(taken.size(), 2u);
    tell(*s, ended(taken[1], delivery_state::sent), true);
    EXPECT_EQ(state_of(*s, number, 0), delivery_state::skipped);
    EXPECT_EQ(state_of(*s, number, 1), delivery_state::sent);
    EXPECT_EQ(state_of(*s, number, 2), delivery_state::suppressed);
    tell(*s, ended(taken[0], delivery_state::refused)); // who was on the way with it
    EXPECT_EQ(state_of(*s, number, 0), delivery_state::skipped);
    EXPECT_THAT(take(*s, now + a_day), IsEmpty());
}

TEST_P(outbox, what_began_on_a_day_counts_once_for_the_caps) {
    const auto s = open();
    for (const auto* domain : {"a.example", "b.example", "c.example"}) {
        auto made = a_report(domain);
        made.deliveries = {a_delivery("tls@victim.example")};
        static_cast<void>(filed(*s, made));
    }
    const auto today = std::chrono::floor<std::chrono::days>(now);
    EXPECT_EQ(s->sent_on(today, "tls@victim.example", "victim.example")->in_all, 0u) << "filed is not begun";
    const auto all = take(*s);
    ASSERT_EQ(all.size(), 3u);
    auto first = all[0];
    first.first_at = now;
    first.next_at = now + minute;
    tell(*s, first);
    const auto again = take(*s, now + minute).at(0);
    tell(*s, ended(again, delivery_state::sent)); // the same one
    tell(*s, ended(all[1], delivery_state::refused));
    tell(*s, ended(all[2], delivery_state::suppressed)); // did not go out
    const auto so_far = *s->sent_on(today, "tls@victim.example", "victim.example");
    EXPECT_EQ(so_far.to_address, 2u);
    EXPECT_EQ(so_far.to_host, 2u);
    EXPECT_EQ(so_far.in_all, 2u);
    EXPECT_EQ(s->sent_on(today, "other@victim.example", "victim.example")->to_address, 0u);
    EXPECT_EQ(s->sent_on(today, "", "other.example")->to_host, 0u);
    EXPECT_EQ(s->sent_on(today + std::chrono::days(1), "tls@victim.example", "victim.example")->in_all, 0u);
}

TEST_P(outbox, pages_newest_first_by_state_domain_and_day) {
    const auto s = open();
    std::vector<std::int64_t> numbers;
    for (int i = 0; i < 7; ++i) {
        const auto domain = i % 2 == 0 ? "even.example" : "odd.example";
        auto made = a_report(domain);
        made.report_id += std::to_string(i);
        auto result = sts_result(domain, 1, 0);
        if (i >= 5)
            result.day -= std::chrono::days(1);
        numbers.push_back(filed(*s, made, result));
        if (i == 3)
            tell(*s, ended(take(*s).back(), delivery_state::refused));
    }
    const auto ask = [&](const result_store::outbox_question& q) {
        std::vector<std::ptrdiff_t> out;
        for (const auto& r : *s->outbox(q))
            out.push_back(std::ranges::find(numbers, r.number) - numbers.begin());
        return out;
    };
    EXPECT_THAT(ask({.limit = 3}), ElementsAre(6, 5, 4));
    EXPECT_THAT(ask({.before = numbers[4], .limit = 3}), ElementsAre(3, 2, 1));
    EXPECT_THAT(ask({.domain = "odd.example"}), ElementsAre(5, 3, 1));
    EXPECT_THAT(ask({.day = the_day - std::chrono::days(1)}), ElementsAre(6, 5));
    EXPECT_THAT(ask({.domain = "odd.example", .day = the_day}), ElementsAre(3, 1));
    EXPECT_THAT(ask({.state = delivery_state::refused}), ElementsAre(3));
    EXPECT_THAT(ask({.state = delivery_state::waiting, .before = numbers[4]}), ElementsAre(2, 1, 0));
    EXPECT_THAT(ask({.state = delivery_state::sent}), IsEmpty());
    EXPECT_EQ(s->outbox({.domain = "even.example"})->front().deliveries.size(), 1u);
}

TEST_P(outbox, parts_of_a_report_are_numbered_by_audience_and_day) {
    const auto s = open();
    auto next_day = sts_result("a.example", 1, 0);
    next_day.day += std::chrono::days(1);
    std::vector<std::uint32_t> parts;
    for (const auto& r : {sts_result("a.example", 1, 0), sts_result("a.example", 1, 0), next_day,
                          tlsa_result("b.example", "a.example", 1, 0), sts_result("a.example", 1, 0)}) {
        static_cast<void>(filed(*s, a_report(r.domain), r));
        parts.push_back(s->outbox({.limit = 1})->at(0).part);
    }
    EXPECT_THAT(parts, ElementsAre(0u, 1u, 0u, 0u, 2u));
}

TEST_P(outbox, figures_follow) {
    const auto s = open();
    auto f = *s->figures_of(now);
    EXPECT_EQ(f.due + f.waiting + f.sent + f.unreported_sessions, 0u);
    EXPECT_EQ(f.oldest_due, base::utc_seconds{});
    add(*s, {sts_result("a.example", 5, 2), sts_result("b.example", 1, 0)}, 1, "counts");
    f = *s->figures_of(end_of_day());
    EXPECT_EQ(f.due, 0u) << "the day is just over";
    f = *s->figures_of(now);
    EXPECT_EQ(f.due, 2u);
    EXPECT_EQ(f.unreported_sessions, 8u);
    EXPECT_GT(f.oldest_due, end_of_day());
    EXPECT_LE(f.oldest_due, end_of_day() + four_hours);
    auto made = a_report("a.example");
    made.made_at = now;
    static_cast<void>(filed(*s, made, sts_result("a.example", 1, 0)));
    f = *s->figures_of(now + minute);
    EXPECT_EQ(f.due, 1u);
    EXPECT_EQ(f.waiting, 1u);
    EXPECT_EQ(f.oldest_waiting, now);
    EXPECT_EQ(f.unreported_sessions, 1u);
    tell(*s, ended(take(*s).at(0), delivery_state::refused));
    f = *s->figures_of(now);
    EXPECT_EQ(f.refused, 1u);
    EXPECT_EQ(f.oldest_waiting, base::utc_seconds{});
}

TEST_P(outbox, addresses_that_get_nothing) {
    const auto s = open();
    ASSERT_TRUE(
        s->suppress({.who = "tls@a.example", .why = "bounced\nbadly", .since = at(1), .until = at(2)}));
    ASSERT_TRUE(s->suppress({.who = "@b.example", .why = "asked", .since = at(3)}));
    ASSERT_TRUE(s->suppress({.who = "@b.example", .why = "asked again", .since = at(4)}));
    const auto all = *open()->suppressed();
    ASSERT_EQ(all.size(), 2u);
    EXPECT_EQ(all[0].who, "@b.example");
    EXPECT_EQ(all[0].why, "asked again");
    EXPECT_EQ(all[0].since, at(4));
    EXPECT_FALSE(all[0].until);
    EXPECT_EQ(all[1].until, at(2));
    EXPECT_EQ(all[1].why.find('\n'), std::string::npos);
    EXPECT_TRUE(*s->allow_again("@b.example"));
    EXPECT_FALSE(*s->allow_again("@b.example"));
    EXPECT_EQ(s->suppressed()->size(), 1u);
}

TEST_P(outbox, what_is_old_and_has_ended_goes) {
    const auto s = open();
    const auto number = filed(*s, a_report("a.example"));
    const auto waits = filed(*s, a_report("w.example"));
    outgoing_delivery still;
    for (const auto& d : take(*s))
        if (d.report == number)
            tell(*s, ended(d, delivery_state::sent));
        else
            still = d;
    auto faulty = sts_result("late.example", 0, 1);
    faulty.faults = {{.what = full_fault(), .count = 1}};
    faulty.record_seen = "v=TLSRPTv1; rua=mailto:x@late.example";
    auto young = sts_result("late.example", 4, 0);
    young.day += std::chrono::days(3);
    add(*s, {faulty, young});
    const auto horizon = the_day + std::chrono::days(2);
    ASSERT_TRUE(s->expire(the_day));
    EXPECT_TRUE(*s->report(number)) << "that day is not before itself";
    for (int i = 0; *s->expire(horizon); ++i)
        ASSERT_LT(i, 10);
    EXPECT_FALSE(*s->report(number));
    EXPECT_TRUE(*s->report(waits)) << "somebody is still trying";
    EXPECT_THAT(unreported(*s, "late.example"), IsEmpty());
    const auto kept = *s->results(young.day, "", report_audience::recipient_domain, true);
    ASSERT_EQ(kept.size(), 1u);
    EXPECT_EQ(kept[0].policy, young.policy) << "its policy is still in use";
    auto f = *s->figures_of(now);
    EXPECT_EQ(f.due, 0u) << "too late to be owed";
    EXPECT_EQ(f.unreported_sessions, 4u);
    EXPECT_EQ(f.sent, 0u);
    EXPECT_EQ(f.waiting, 1u);
    EXPECT_EQ(rows_of("sent_fault") + rows_of("sent_faults"), 0);
    // The same policies again, for a day that is gone already and for a new one.
    auto newest = young;
    newest.day += std::chrono::days(1);
    add(*s, {faulty, newest}, 2);
    EXPECT_EQ(s->results(newest.day, "", report_audience::recipient_domain, true)->at(0).policy,
              young.policy);
    EXPECT_EQ(unreported(*s, "late.example").size(), 1u) << "counted all the same, until the next time";
    tell(*s, ended(still, delivery_state::given_up));
    ASSERT_TRUE(s->expire(newest.day + std::chrono::days(1)));
    for (const auto* table : {"sent_policy", "sent_result", "sent_record", "sent_fault", "sent_faults",
                              "report_due", "outbox_report", "outbox_body", "outbox_delivery"})
        EXPECT_EQ(rows_of(table), 0) << table;
    f = *s->figures_of(now);
    EXPECT_EQ(f.unreported_sessions + f.waiting + f.given_up, 0u);
}

TEST_P(outbox, expiry_is_done_in_parts) {
    const auto s = open();
    std::vector<model::counted_result> some;
    for (int i = 0; i < 5'000; ++i)
        some.push_back(sts_result("d" + std::to_string(i) + ".example", 1, 0));
    add(*s, some);
    EXPECT_EQ(rows_of("sent_result"), 5'000);
    int calls = 1;
    while (*s->expire(the_day + std::chrono::days(1)))
        ++calls;
    EXPECT_GT(calls, 2);
    EXPECT_EQ(rows_of("sent_result") + rows_of("sent_policy") + rows_of("report_due"), 0);
    EXPECT_EQ(s->figures_of(now)->unreported_sessions, 0u);
}

TEST_P(outbox, a_later_version_is_refused_and_reading_changes_nothing) {
    EXPECT_FALSE(open_results({.where = db.where(), .read_only = true}));
    const auto s = open();
    add(*s, {sts_result("a.example", 1, 0)});
    const auto reader = open_results({.where = db.where(), .read_only = true});
    ASSERT_TRUE(reader);
    EXPECT_EQ(unreported(**reader, "a.example").size(), 1u);
    EXPECT_FALSE((*reader)->suppress({.who = "a"}));
    const auto on = connect();
    on->begin(sql::access::write);
    on->run("update schema_part set version = 1000 where name = 'results'");
    on->commit();
    for (const bool read_only : {false, true}) {
        const auto opened = open_results({.where = db.where(), .read_only = read_only});
        ASSERT_FALSE(opened);
        EXPECT_EQ(opened.error().what, store_error::kind::newer);
    }
}

} // namespace
} // namespace mailtight::store
