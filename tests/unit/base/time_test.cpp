// SPDX-License-Identifier: Apache-2.0
#include "base/time.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

using namespace mailtight::base;
using namespace std::chrono_literals;
using std::chrono::seconds;
using std::chrono::sys_days;

namespace {

constexpr utc_seconds at = sys_days{2026y / 1 / 2} + 3h + 4min + 5s;

TEST(Time, IsWrittenInThreeForms) {
    EXPECT_EQ(format_utc(at), "2026-01-02T03:04:05Z");
    EXPECT_EQ(format_compact(at), "20260102030405");
    EXPECT_EQ(format_date(at), "2026-01-02");
    EXPECT_EQ(format_utc(utc_seconds{}), "1970-01-01T00:00:00Z");
    EXPECT_EQ(format_utc(utc_seconds{-1s}), "1969-12-31T23:59:59Z");
    EXPECT_EQ(format_utc(sys_days{2024y / 2 / 29}), "2024-02-29T00:00:00Z");
}

TEST(Time, OutsideFourDigitsOfYearTheNearestIsWritten) {
    EXPECT_EQ(format_utc(utc_seconds::max()), "9999-12-31T23:59:59Z");
    EXPECT_EQ(format_utc(utc_seconds::min()), "0000-01-01T00:00:00Z");
}

TEST(Time, ReadsExactlyWhatItWrites) {
    EXPECT_EQ(parse_utc("2026-01-02T03:04:05Z"), at);
    struct row {
        std::string_view text, reason;
    };
    for (const auto& [text, reason] : {
             row{"", "empty"},
             row{"2026-01-02", "a date only"},
             row{"2026-01-02T03:04:05", "no zone"},
             row{"2026-01-02T03:04:05z", "lower case"},
             row{"2026-01-02t03:04:05Z", "lower case"},
             row{"2026-01-02 03:04:05Z", "a space"},
             row{"2026-01-02T03:04:05+00:00", "an offset"},
             row{"2026-01-02T03:04:05.0Z", "a fraction"},
             row{"2026-01-02T03:04:05Z ", "something behind"},
             row{"2026-1-02T03:04:05ZZ", "one digit"},
             row{"-026-01-02T03:04:05Z", "a sign"},
             row{"2026-00-02T03:04:05Z", "month 0"},
             row{"2026-13-02T03:04:05Z", "month 13"},
             row{"2026-02-29T03:04:05Z", "no leap year"},
             row{"2026-04-31T03:04:05Z", "no such day"},
             row{"2026-01-02T24:00:00Z", "hour 24"},
             row{"2026-01-02T03:60:00Z", "minute 60"},
             row{"2026-01-02T03:04:60Z", "a leap second, which Unix time cannot hold"},
         })
        EXPECT_EQ(parse_utc(text), std::nullopt) << text << ": " << reason;
}

RC_GTEST_PROP(Time, ThereAndBack, ()) {
    const auto t = utc_seconds{seconds{*rc::gen::inRange<std::int64_t>(-62'167'219'200, 253'402'300'800)}};
    RC_ASSERT(parse_utc(format_utc(t)) == t);
}

RC_GTEST_PROP(Time, TheCompactFormOrdersAsTimeDoes, ()) {
    const auto a = utc_seconds{seconds{*rc::gen::inRange<std::int64_t>(0, 253'402'300'800)}};
    const auto b = utc_seconds{seconds{*rc::gen::inRange<std::int64_t>(0, 253'402'300'800)}};
    RC_ASSERT((a < b) == (format_compact(a) < format_compact(b)));
}

TEST(Duration, IsSaidInOneOrTwoUnits) {
    struct row {
        seconds length;
        std::string_view said;
    };
    for (const auto& [length, said] : {
             row{0s, "0 s"},
             row{1s, "1 s"},
             row{45s, "45 s"},
             row{60s, "1 min"},
             row{90s, "1 min 30 s"},
             row{12min + 30s, "12 min"},
             row{1h, "1 h"},
             row{1h + 59s, "1 h"}, // the second unit is zero minutes
             row{90min, "1 h 30 min"},
             row{23h + 59min, "23 h"},
             row{24h, "1 day"},
             row{30h, "1 day 6 h"},
             row{48h, "2 days"},
             row{604'800s, "7 days"},
             row{1'209'600s, "14 days"},
             row{86'400s * 364, "364 days"},
             row{86'400s * 365, "1 year"},
             row{31'557'600s, "1 year"}, // the largest max_age, 365.25 days
             row{86'400s * 500, "1 year 135 days"},
             row{86'400s * 365 * 12, "12 years"},
             row{-90s, "-1 min 30 s"},
             row{seconds::min(), "-292471208677 years"},
         })
        EXPECT_EQ(format_duration(length), said) << length.count();
}

TEST(SystemClock, IsOurs) {
    const auto now = system_clock{}.now();
    EXPECT_LE(std::chrono::abs(std::chrono::system_clock::now() - now), 2s);
}

} // namespace
