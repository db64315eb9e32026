// SPDX-License-Identifier: Apache-2.0
// Counting: by day, domain, policy and fault; nothing lost, nothing twice, whatever is folded.
#include "tally/counter.h"

#include "support/proves.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <array>
#include <map>
#include <tuple>

namespace mailtight::tally {
namespace {

using namespace std::chrono_literals;
using model::counted_result;
using model::delivery_result;
using model::policy_outcome;
using model::session_fault;
using tlsrpt::policy_type;
using tlsrpt::result_type;

base::utc_seconds at(const char* text) {
    return base::parse_utc(text).value();
}
session_fault fault(result_type type, std::string ip = "192.0.2.1") {
    session_fault out;
    out.type = type;
    out.receiving_ip = std::move(ip);
    return out;
}
delivery_result result(std::string domain, bool failed = false, std::vector<session_fault> faults = {},
                       policy_type type = policy_type::sts) {
    delivery_result out;
    out.domain = domain;
    policy_outcome outcome;
    outcome.policy = {.type = type,
                      .domain = std::move(domain),
                      .strings = {"version: STSv1"},
                      .mx_patterns = {"*.example"}};
    outcome.failed = failed;
    outcome.faults = std::move(faults);
    out.outcomes = {outcome};
    return out;
}

TEST(counter, a_day_is_a_utc_day) {
    PROVES("8460-4.1-a");
    counter counting;
    const auto one = result("example.com");
    counting.add(one, at("2026-01-02T00:00:00Z"));
    counting.add(one, at("2026-01-02T23:59:59Z"));
    counting.add(one, at("2026-01-03T00:00:00Z"));
    counting.add(one, at("2026-01-01T23:59:59Z")); // the clock was set back over midnight
    counting.add(one, at("2026-01-03T00:00:01Z")); // and forth
    const auto taken = counting.take();
    ASSERT_EQ(taken.size(), 3U);
    const std::array<std::pair<const char*, std::uint64_t>, 3> days{
        {{"2026-01-01", 1}, {"2026-01-02", 2}, {"2026-01-03", 2}}};
    for (std::size_t i = 0; i < days.size(); ++i) {
        EXPECT_EQ(base::format_date(taken[i].day), days[i].first);
        EXPECT_EQ(taken[i].success, days[i].second);
    }
}

TEST(counter, equal_faults_add_up_and_others_stand_beside_them) {
    PROVES("8460-4.2-a", "8460-4.2-b", "8460-4-d", "8460-4-g", "A40");
    counter counting;
    const auto noon = at("2026-01-02T12:00:00Z");
    const auto expired = fault(result_type::certificate_expired),
               refused = fault(result_type::starttls_not_supported);
    counting.add(result("example.com"), noon, 40);
    counting.add(result("example.com", true, {expired}), noon, 2);
    counting.add(result("example.com", true, {expired, refused}), noon);
    counting.add(result("example.com", true, {expired, expired}), noon); // a session counts once
    counting.add(result("example.com", false, {refused}), noon, 3);      // told, and nothing failed
    EXPECT_EQ(counting.sessions(), 47U);
    const auto taken = counting.take();
    ASSERT_EQ(taken.size(), 1U);
    EXPECT_EQ(taken[0].success, 43U);
    EXPECT_EQ(taken[0].failure, 4U);
    ASSERT_EQ(taken[0].faults.size(), 2U);
    EXPECT_EQ(taken[0].faults[0], (model::counted_fault{refused, 4}));
    EXPECT_EQ(taken[0].faults[1], (model::counted_fault{expired, 4}));
    EXPECT_TRUE(counting.empty());
    EXPECT_EQ(counting.sessions(), 0U);
}

TEST(counter, every_part_of_a_policy_tells_it_from_others) {
    PROVES("8460-4-e");
    counter counting;
    const auto noon = at("2026-01-02T12:00:00Z");
    auto base = result("example.com");
    std::vector<delivery_result> all(5, base);
    all[1].outcomes[0].policy.type = policy_type::tlsa;
    all[2].outcomes[0].policy.domain = "example.net";
    all[3].outcomes[0].policy.strings = {"version: STSv1", ""};
    all[4].outcomes[0].policy.mx_patterns = {"*.exampl", "e"};
    for (const auto& each : all) {
        counting.add(each, noon);
        counting.add(each, noon);
    }
    auto two = result("two.example");
    two.outcomes.push_back(two.outcomes[0]);
    two.outcomes[1].policy.type = policy_type::tlsa;
    counting.add(two, noon);
    const auto taken = counting.take();
    EXPECT_EQ(taken.size(), 7U);
    EXPECT_EQ(std::ranges::count(taken, 2U, &counted_result::success), 5);
}

TEST(counter, the_latest_record_seen_is_kept) {
    counter counting;
    const auto noon = at("2026-01-02T12:00:00Z");
    auto told = result("example.com");
    told.record_seen = "first";
    counting.add(told, noon);
    auto earlier = counting.take();
    told.record_seen = "second";
    counting.add(told, noon);
    told.record_seen = "";
    counting.add(told, noon);
    counting.put_back(std::move(earlier));
    EXPECT_EQ(counting.take().at(0).record_seen, "second");
}

TEST(counter, too_many_different_faults_are_folded_by_type) {
    PROVES("A40");
    counter counting({.bytes = 64u << 20, .faults_per_policy = 10});
    const auto noon = at("2026-01-02T12:00:00Z");
    for (int i = 0; i < 100; ++i)
        counting.add(result("example.com", true,
                            {fault(i % 2 == 0 ? result_type::certificate_expired : result_type::dane_required,
                                   "192.0.2." + std::to_string(i))}),
                     noon, 2);
    EXPECT_EQ(counting.folded(), 180U);
    // One session with two that are folded into one entry counts in it once.
    counting.add(result("example.com", true,
                        {fault(result_type::tlsa_invalid, "a"), fault(result_type::tlsa_invalid, "b")}),
                 noon);
    const auto taken = counting.take();
    ASSERT_EQ(taken.at(0).faults.size(), 13U);
    EXPECT_EQ(taken[0].failure, 201U);
    std::map<result_type, std::uint64_t> folds;
    for (const auto& each : taken[0].faults)
        if (each.what.receiving_ip.empty())
            folds[each.what.type] = each.count;
    EXPECT_EQ(folds[result_type::certificate_expired], 90U);
    EXPECT_EQ(folds[result_type::dane_required], 90U);
    EXPECT_EQ(folds[result_type::tlsa_invalid], 1U);
}

TEST(counter, memory_is_bounded_whatever_comes) {
    PROVES("A40");
    counter counting({.bytes = 1u << 20, .faults_per_policy = 1'000});
    const auto noon = at("2026-01-02T12:00:00Z");
    std::uint64_t added = 0;
    bool was_full = false;
    for (int i = 0; i < 20'000; ++i) {
        auto one =
            result("d" + std::to_string(i) + ".example", true,
                   {fault(result_type::certificate_expired, std::string(200, 'x') + std::to_string(i))});
        one.outcomes[0].policy.strings.assign(20, std::string(50, 'p'));
        counting.add(one, noon);
        ++added;
        was_full = was_full || counting.full();
    }
    EXPECT_TRUE(was_full);
    EXPECT_GT(counting.lost(), 0U);
    EXPECT_GT(counting.folded(), 0U);
    EXPECT_EQ(counting.sessions() + counting.lost(), added);
    const auto known = counting.sessions();
    auto first = result("d0.example", true, {fault(result_type::certificate_expired)});
    first.outcomes[0].policy.strings.assign(20, std::string(50, 'p'));
    counting.add(first, noon);
    EXPECT_EQ(counting.sessions(), known + 1) << "what is known is never lost";
    const auto taken = counting.take();
    EXPECT_LT(taken.size(), 10'000U);
    std::uint64_t sum = 0;
    for (const auto& each : taken)
        sum += each.failure;
    EXPECT_EQ(sum, known + 1);
    counting.add(result("new.example"), noon);
    EXPECT_FALSE(counting.full()) << "there is room again";
}

// ---- anything, in any order ----

struct event {
    delivery_result what;
    base::utc_seconds at;
    std::uint64_t times = 1;
};

std::vector<event> any_events() {
    std::vector<event> out(*rc::gen::inRange<std::size_t>(0, 60));
    for (auto& each : out) {
        // A session has each type of fault at most once here, so that folding keeps every sum.
        std::vector<session_fault> faults;
        for (std::size_t type = 0; type < tlsrpt::result_type_count; ++type)
            if (*rc::gen::inRange(0, 8) == 0)
                faults.push_back(
                    fault(static_cast<result_type>(type),
                          *rc::gen::element<std::string>("", "192.0.2.1", "192.0.2.2", "192.0.2.3")));
        each.what = result(*rc::gen::element<std::string>("a.example", "b.example", "c.example"),
                           *rc::gen::arbitrary<bool>(), std::move(faults),
                           *rc::gen::element(policy_type::sts, policy_type::tlsa));
        each.what.outcomes[0].policy.strings = {*rc::gen::element<std::string>("x", "y")};
        // The clock jumps to and fro over midnight.
        each.at = at("2026-01-02T00:00:00Z") + std::chrono::seconds(*rc::gen::inRange(-3, 3));
        each.times = *rc::gen::inRange<std::uint64_t>(1, 1'000);
    }
    return out;
}

/// (day, domain) to success, failure; and by result type.
struct sums {
    std::map<std::tuple<std::chrono::sys_days, std::string>, std::pair<std::uint64_t, std::uint64_t>>
        sessions;
    std::map<std::tuple<std::chrono::sys_days, std::string, result_type>, std::uint64_t> faults;
    friend bool operator==(const sums&, const sums&) = default;
};
sums sums_of(const std::vector<event>& events) {
    sums out;
    for (const auto& each : events) {
        const auto day = std::chrono::floor<std::chrono::days>(each.at);
        const auto& outcome = each.what.outcomes[0];
        auto& [success, failure] = out.sessions[{day, each.what.domain}];
        (outcome.failed ? failure : success) += each.times;
        for (const auto& one : outcome.faults)
            out.faults[{day, each.what.domain, one.type}] += each.times;
    }
    return out;
}
sums sums_of(const std::vector<counted_result>& results) {
    sums out;
    for (const auto& each : results) {
        auto& [success, failure] = out.sessions[{each.day, each.domain}];
        success += each.success;
        failure += each.failure;
        for (const auto& one : each.faults)
            out.faults[{each.day, each.domain, one.what.type}] += one.count;
    }
    return out;
}

std::uint64_t sessions_of(const sums& all) {
    std::uint64_t out = 0;
    for (const auto& [which, counts] : all.sessions)
        out += counts.first + counts.second;
    return out;
}

RC_GTEST_PROP(counter_property, what_goes_in_comes_out_whatever_is_folded, ()) {
    const auto events = any_events();
    counter counting({.bytes = *rc::gen::element<std::size_t>(4'000, 20'000, 64u << 20),
                      .faults_per_policy = *rc::gen::element<std::size_t>(0, 1, 3, 1'000)});
    for (const auto& each : events) {
        counting.add(each.what, each.at, each.times);
        if (*rc::gen::inRange(0, 4) == 0)
            counting.put_back(counting.take());
    }
    const auto lost = counting.lost();
    const auto in = sums_of(events), out = sums_of(counting.take());
    RC_CLASSIFY(lost > 0);
    RC_CLASSIFY(counting.folded() > 0);
    RC_ASSERT(sessions_of(out) + lost == sessions_of(in));
    if (lost == 0)
        RC_ASSERT(out == in);
    RC_ASSERT(counting.empty());
}

RC_GTEST_PROP(counter_property, the_order_does_not_matter, ()) {
    auto events = any_events();
    const auto counted = [&] {
        counter counting;
        for (const auto& each : events)
            counting.add(each.what, each.at, each.times);
        return counting.take();
    };
    const auto first = counted();
    RC_ASSERT(
        std::ranges::is_sorted(first, {}, [](const auto& r) { return std::tie(r.day, r.domain, r.policy); }));
    std::ranges::reverse(events);
    RC_ASSERT(counted() == first);
    const auto turned = *rc::gen::inRange<std::size_t>(0, events.size() + 1);
    std::ranges::rotate(events, events.begin() + static_cast<std::ptrdiff_t>(turned));
    RC_ASSERT(counted() == first);
}

RC_GTEST_PROP(counter_property, many_counters_are_one, ()) {
    const auto events = any_events();
    counter whole, parts;
    for (const auto& each : events) {
        whole.add(each.what, each.at, each.times);
        counter one;
        one.add(each.what, each.at, each.times);
        parts.put_back(one.take());
    }
    RC_ASSERT(whole.sessions() == parts.sessions());
    RC_ASSERT(whole.take() == parts.take());
}

} // namespace
} // namespace mailtight::tally
