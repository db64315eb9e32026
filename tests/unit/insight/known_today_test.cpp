// SPDX-License-Identifier: Apache-2.0
// A failure of a report, joined with a look at the domain: what may be said of today, and what may not.
#include "insight/known_today.h"

#include <gtest/gtest.h>

#include <functional>

namespace mailtight::insight {
namespace {

const base::utc_seconds noon =
    std::chrono::sys_days(std::chrono::year(2026) / 5 / 17) + std::chrono::hours(12);

known_today sound() {
    known_today today;
    today.looked_at = noon;
    today.mx = today.mx_sound = today.mx_in_policy = today.mx_dane_sound = {"mx1.example.com"};
    today.policy_sound = true;
    return today;
}

TEST(StillSo, only_what_was_looked_at_is_said) {
    const auto with = [](const std::function<void(known_today&)>& change) {
        auto today = sound();
        change(today);
        return today;
    };
    struct {
        const char* code;
        const char* mx;
        known_today today;
        std::optional<bool> expected;
        const char* why;
    } const table[] = {
        {"mx.cert-expired", "mx1.example.com", sound(), false, "the host is sound"},
        {"mx.cert-expired", "MX1.example.com", sound(), false, "names have no case"},
        {"mx.cert-expired", "mx1.example.com", known_today(), {}, "nobody looked"},
        {"mx.cert-expired", "old.example.com", sound(), {}, "no MX host of today"},
        {"mx.cert-expired", "", sound(), {}, "the report names no host"},
        {"", "mx1.example.com", sound(), {}, "nothing that a look could show"},
        {"mx.requires-sni", "mx1.example.com", sound(), {}, "the criteria do not show it"},
        {"mx.not-in-policy", "mx1.example.com", sound(), false, "the policy names it"},
        {"dane.mismatch", "mx1.example.com", sound(), false, "DANE matches"},
        {"policy-host.cert-expired", "", sound(), false, "the policy came over a good connection"},
        {"policy.changed-without-id", "", sound(), {}, "one look cannot show it"},
        {"mx.cert-expired", "mx1.example.com",
         with([](known_today& t) { t.findings = {{"mx.cert-expired", "mx1.example.com"}}; }), true, "found"},
        {"mx.cert-expired", "mx1.example.com", with([](known_today& t) {
             t.findings = {{"mx.cert-expired", "mx2.example.com"}};
             t.mx.push_back("mx2.example.com");
         }),
         false, "found at another host"},
        {"mx.cert-untrusted",
         "mx1.example.com",
         with([](known_today& t) {
             t.findings = {{"mx.cert-self-signed", "mx1.example.com"}};
             t.mx_sound.clear();
         }),
         {},
         "something else is wrong there, which may be the same"},
        {"policy-host.cert-expired", "",
         with([](known_today& t) { t.findings = {{"policy-host.cert-expired", "mta-sts.example.com"}}; }),
         true, "found at the policy host"},
        {"policy-host.unreachable",
         "",
         with([](known_today& t) { t.policy_sound = false; }),
         {},
         "the policy is not sound in another way"},
    };
    for (const auto& one : table) {
        advise::diagnosis said;
        said.finding = one.code;
        EXPECT_EQ(still_so(said, one.mx, one.today), one.expected) << one.code << ": " << one.why;
    }
}

TEST(DiagnoseToday, tells_the_time_of_the_look) {
    tlsrpt::failure_detail failure;
    failure.result_type = "certificate-expired";
    failure.receiving_mx = "mx1.example.com";
    failure.count = 1;
    const auto gone = diagnose_today(failure, {}, sound());
    EXPECT_EQ(gone.finding, "mx.cert-expired");
    EXPECT_EQ(gone.still_so, false);
    EXPECT_TRUE(gone.now.starts_with("Not seen any more (looked at 12:00 UTC)")) << gone.now;
    auto today = sound();
    today.findings = {{"mx.cert-expired", "mx1.example.com"}};
    EXPECT_EQ(diagnose_today(failure, {}, today).now, "Still so now (looked at 12:00 UTC).");
    EXPECT_EQ(diagnose_today(failure, {}, {}).now, "");
}

} // namespace
} // namespace mailtight::insight
