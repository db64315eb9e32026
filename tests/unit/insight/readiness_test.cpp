// SPDX-License-Identifier: Apache-2.0
#include "insight/readiness.h"
#include "rows.h"

#include <gtest/gtest.h>

#include <functional>

namespace mailtight::insight {
namespace {

using tests::ago;
using tests::failure;
using tests::reporter;
using tests::today;

readiness_facts good() {
    readiness_facts made;
    made.testing_since = ago(20);
    made.reporters = {reporter("google.com"), reporter("microsoft.com")};
    made.sessions = 1204;
    made.seen = {
        .sessions = 1204, .undescribed = 0, .reporters = {"google.com", "microsoft.com"}, .again_since = {}};
    made.mx_today = {"mx1.example.com", "mx2.example.com"};
    made.check_green = true;
    return made;
}

const readiness::reason& reason_of(const readiness& of, std::string_view code) {
    static const readiness::reason none{false, "no such reason", "", false};
    for (const auto& one : of.reasons)
        if (one.code == code)
            return one;
    return none;
}

TEST(ReadyToEnforce, where_every_reason_is_met) {
    const auto made = ready_to_enforce(good(), today);
    EXPECT_EQ(made.ready, true);
    EXPECT_EQ(made.reasons.size(), 6U);
    for (const auto& one : made.reasons)
        EXPECT_TRUE(one.met && one.known) << one.code << ": " << one.text;
    EXPECT_TRUE(made.sentence.starts_with("Ready for enforce: ")) << made.sentence;
}

TEST(ReadyToEnforce, each_reason_can_stand_in_the_way) {
    struct {
        std::string code, why;
        std::function<void(readiness_facts&)> change;
        std::optional<bool> ready;
        std::string says;
    } const table[] = {
        {"days-in-testing", "13 days", [](auto& f) { f.testing_since = ago(13); }, false,
         "13 of 14 days. Look again on 18 May 2026."},
        {"days-in-testing", "since when?", [](auto& f) { f.testing_since.reset(); }, {}, "not known"},
        {"two-reporters", "one alone", [](auto& f) { f.reporters.pop_back(); }, false, "Only google.com"},
        {"two-reporters", "the second is not verified",
         [](auto& f) { f.reporters[1] = reporter("microsoft.com", false); }, false,
         "microsoft.com: reports came, none of them verified"},
        {"two-reporters", "the second saw no session", [](auto& f) { f.reporters[1].success = 0; }, false,
         "Only google.com"},
        {"two-reporters", "the same reporter twice", [](auto& f) { f.reporters[1] = f.reporters[0]; }, false,
         "Only google.com"},
        {"two-reporters", "none at all", [](auto& f) { f.reporters.clear(); }, false, "No verified reports"},
        {"two-reporters", "the second saw no policy", [](auto& f) { f.seen.reporters.pop_back(); }, false,
         "microsoft.com: reports came, of no session under the MTA-STS policy."},
        {"sessions", "none", [](auto& f) { f.sessions = 0; }, false, "no sessions"},
        {"sessions", "none that was under the policy", [](auto& f) { f.seen.sessions = 0; }, false,
         "Reports tell of 1,204 sessions in the last 14 days, of none under the MTA-STS policy"},
        {"no-failures", "one that is open",
         [](auto& f) {
             f.failed = 3;
             f.failures = group_failures(
                 std::vector{failure("google.com", "certificate-expired", "mx1.example.com", 3)}, {}, {});
         },
         false, "The certificate has expired (mx1.example.com, 3 sessions)"},
        {"no-failures", "some that nobody describes", [](auto& f) { f.failed = 3; }, false,
         "3 sessions that no reporter describes"},
        {"no-failures", "some that their own reporter does not describe",
         [](auto& f) {
             f.failed = 3;
             f.seen.undescribed = 2;
             f.failures = group_failures( // another one describes more than it has
                 std::vector{failure("google.com", "dane-required", "mx1.example.com", 1'000)}, {}, {});
         },
         false, "2 sessions that no reporter describes"},
        {"mx-hosts", "one is named", [](auto& f) { f.mx_seen_failing = {"MX2.example.com"}; }, false,
         "mx2.example.com"},
        {"mx-hosts", "not known", [](auto& f) { f.mx_today.clear(); }, {}, "not known"},
        {"check-green", "red", [](auto& f) { f.check_green = false; }, false, "found faults"},
        {"check-green", "not run", [](auto& f) { f.check_green.reset(); }, {}, "not checked"},
    };
    for (const auto& one : table) {
        SCOPED_TRACE(one.code + ": " + one.why);
        auto facts = good();
        one.change(facts);
        const auto made = ready_to_enforce(facts, today);
        EXPECT_EQ(made.ready, one.ready);
        const auto& reason = reason_of(made, one.code);
        EXPECT_FALSE(reason.met);
        EXPECT_EQ(reason.known, one.ready.has_value());
        EXPECT_NE(reason.text.find(one.says), std::string::npos) << reason.text;
        for (const auto& other : made.reasons)
            EXPECT_EQ(other.met, other.code != one.code) << other.code;
        EXPECT_TRUE(made.sentence.starts_with(one.ready ? "Not yet ready" : "Whether it is ready"))
            << made.sentence;
    }
}

TEST(ReadyToEnforce, failures_that_are_explained_do_not_count) {
    auto facts = good();
    facts.failed = 2;
    facts.failures =
        group_failures(std::vector{failure("google.com", "dane-required", "mx1.example.com", 2)}, {}, {});
    facts.mx_seen_failing = {"mx1.example.com"};
    EXPECT_EQ(ready_to_enforce(facts, today).ready, true);
    EXPECT_EQ(reason_of(ready_to_enforce(facts, today), "no-failures").text,
              "2 failed sessions, all of them explained and past.");
}

TEST(ReadyToEnforce, what_is_missing_outweighs_what_is_unknown) {
    auto facts = good();
    facts.check_green.reset();
    facts.reporters.clear();
    facts.sessions = 0;
    const auto made = ready_to_enforce(facts, today);
    EXPECT_EQ(made.ready, false);
    EXPECT_TRUE(made.sentence.ends_with(" And 1 more.")) << made.sentence;
}

TEST(ReadyToEnforce, a_clock_that_went_back_is_no_reason_to_count_below_zero) {
    auto facts = good();
    facts.testing_since = ago(-3);
    EXPECT_NE(reason_of(ready_to_enforce(facts, today), "days-in-testing").text.find(": 0 of 14 days."),
              std::string::npos);
}

// ---- what of the reports is evidence ----

store::reporter_day_row day_of(std::string reporter, int days_ago, std::uint64_t sts_success,
                               std::uint64_t sts_failure = 0, std::uint64_t none_success = 0) {
    store::reporter_day_row made;
    made.reporter = std::move(reporter);
    made.day = ago(days_ago);
    made.sts_success = sts_success;
    made.sts_failure = sts_failure;
    made.none_success = none_success;
    return made;
}

TEST(UnderPolicy, only_sessions_of_who_applied_it_count) {
    const std::vector days{day_of("dane.example", 3, 0), day_of("google.com", 20, 5),
                           day_of("google.com", 3, 7, 1), day_of("postfix.example", 3, 0, 0, 900)};
    const auto seen = under_policy_of(
        days, std::vector{failure("google.com", "certificate-expired", "mx1.example.com", 1)}, ago(14));
    EXPECT_EQ(seen.sessions, 8U) << "what is older than two weeks is not recent";
    EXPECT_EQ(seen.undescribed, 0U);
    EXPECT_EQ(seen.reporters, (std::vector<std::string>{"google.com"}));
    EXPECT_FALSE(seen.again_since);
}

TEST(UnderPolicy, nobody_describes_the_failures_of_another) {
    const std::vector days{day_of("google.com", 3, 10, 5), day_of("evil.example", 3, 1, 0)};
    auto dane = failure("google.com", "dane-required", "mx1.example.com", 5);
    dane.policy_type = "tlsa";
    const std::vector failures{failure("evil.example", "dane-required", "mx1.example.com", 1'000),
                               failure("google.com", "dane-required", "mx1.example.com", 2), dane};
    EXPECT_EQ(under_policy_of(days, failures, ago(14)).undescribed, 3U);
}

TEST(UnderPolicy, a_policy_that_was_away_begins_anew) {
    using rows = std::vector<store::reporter_day_row>;
    const auto since = [](const rows& days) { return under_policy_of(days, {}, ago(14)).again_since; };
    const rows google{day_of("google.com", 25, 5), day_of("google.com", 20, 0, 0, 5),
                      day_of("google.com", 9, 5), day_of("google.com", 2, 5)};
    EXPECT_EQ(since(google), ago(9));
    auto both = google;
    both.insert(both.end(), {day_of("mail.ru", 20, 0, 0, 5), day_of("mail.ru", 12, 1)});
    EXPECT_EQ(since(both), ago(12)) << "the first that saw it again";
    EXPECT_EQ(since({day_of("google.com", 20, 5, 0, 3), day_of("google.com", 2, 5)}), std::nullopt)
        << "some of its servers did not see it, which is no break";
    EXPECT_EQ(since({day_of("google.com", 20, 5), day_of("google.com", 2, 0, 0, 5)}), std::nullopt)
        << "nobody sees it now";
    auto steady = google;
    steady.insert(steady.end(), {day_of("mail.ru", 22, 1), day_of("mail.ru", 2, 1)});
    EXPECT_EQ(since(steady), std::nullopt) << "one saw it all the time";
}

} // namespace
} // namespace mailtight::insight
