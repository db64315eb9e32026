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
        {"sessions", "none", [](auto& f) { f.sessions = 0; }, false, "no sessions"},
        {"no-failures", "one that is open",
         [](auto& f) {
             f.failed = 3;
             f.failures = group_failures(
                 std::vector{failure("google.com", "certificate-expired", "mx1.example.com", 3)}, {}, {});
         },
         false, "The certificate has expired (mx1.example.com, 3 sessions)"},
        {"no-failures", "some that nobody describes", [](auto& f) { f.failed = 3; }, false,
         "3 sessions that no reporter describes"},
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

} // namespace
} // namespace mailtight::insight
