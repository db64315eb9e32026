// SPDX-License-Identifier: Apache-2.0
// Dates in every form seen, and those that are none.
#include "tlsrpt/date_time.h"

#include <gtest/gtest.h>

namespace mailtight::tlsrpt {
namespace {

struct good {
    std::string_view text, utc;
    bool zone = true, odd = false;
};
TEST(report_dates, are_read_in_every_form_seen) {
    for (const auto& [text, utc, zone, odd] : {
             good{"2026-01-02T03:04:05Z", "2026-01-02T03:04:05Z"},
             good{"2026-01-02T03:04:05+02:00", "2026-01-02T01:04:05Z"},
             good{"2026-01-02T03:04:05-00:30", "2026-01-02T03:34:05Z"},
             good{"2026-01-02T23:59:59.999999Z", "2026-01-02T23:59:59Z"},
             good{"2026-01-02T23:59:60Z", "2026-01-02T23:59:59Z"},       // RFC 3339 §5.7
             good{"2026-01-02T03:04:05", "2026-01-02T03:04:05Z", false}, // Microsoft
             good{"2026-01-02t03:04:05z", "2026-01-02T03:04:05Z", true, true},
             good{"2026-01-02 03:04:05Z", "2026-01-02T03:04:05Z", true, true},
             good{"2026-01-02 03:04:05", "2026-01-02T03:04:05Z", false, true},
             good{"2026-01-02 03:04:05 UTC", "2026-01-02T03:04:05Z", true, true},
             good{"2026-01-02T03:04Z", "2026-01-02T03:04:00Z", true, true},
             good{"2026-01-02T03:04:05+0200", "2026-01-02T01:04:05Z", true, true},
             good{"2026-01-02T24:00:00Z", "2026-01-03T00:00:00Z", true, true},
             good{"2026-01-02", "2026-01-02T00:00:00Z", true, true},
             good{"2026/01/02", "2026-01-02T00:00:00Z", true, true},
             good{"20260102", "2026-01-02T00:00:00Z", true, true},
             good{" 2026-01-02T03:04:05Z\r\n", "2026-01-02T03:04:05Z", true, true},
             good{"1767323045", "2026-01-02T03:04:05Z", true, true},
             good{"1767323045000", "2026-01-02T03:04:05Z", true, true},
         }) {
        SCOPED_TRACE(text);
        const auto read = parse_date_time(text);
        ASSERT_TRUE(read);
        EXPECT_EQ(base::format_utc(read->at), utc);
        EXPECT_EQ(read->zone, zone);
        EXPECT_EQ(read->odd, odd);
    }
}

TEST(report_dates, others_are_none) {
    for (const std::string_view text : {
             "",
             "yesterday",
             "2026-13-02T00:00:00Z",      // no month
             "2026-02-30T00:00:00Z",      // no day
             "2026-01-02T25:00:00Z",      // no hour
             "2026-01-02T24:00:01Z",      // beyond midnight
             "2026-01-02T00:60:00Z",      // no minute
             "2026-01-02T00:00:61Z",      // no second
             "2026-01-02T00:00:00+25:00", // no offset
             "2026-01-02T00:00:00X",      // no zone
             "2026-01-02T00:00:00Z.",     // something behind
             "2026-01-02T",
             "2026-1-2T00:00:00Z",
             "1970-01-01T00:00:00Z", // a clock without battery
             "0000-00-00T00:00:00Z",
             "0000000000",
             "9999999999999",
             "2300-01-01T00:00:00Z",
         })
        EXPECT_FALSE(parse_date_time(text)) << text;
}

TEST(report_dates, at_the_beginning_of_an_id) {
    for (const auto& [id, day] : std::initializer_list<std::pair<std::string_view, std::string_view>>{
             {"2026-01-02T00:00:00Z_example.com", "2026-01-02"},
             {"2026.01.02T00.00.00Z+example.com@google.com", "2026-01-02"},
             {"20260102.1.example.com@example.net", "2026-01-02"},
             {"1767312000_17", "2026-01-02"}}) {
        const auto at = parse_date_prefix(id);
        ASSERT_TRUE(at) << id;
        EXPECT_EQ(base::format_date(*at), day);
    }
    for (const std::string_view id :
         {"133526718584528772+example.com", "5065427c-23d3-47ca", "", "2026", "20261302"})
        EXPECT_FALSE(parse_date_prefix(id)) << id;
}

} // namespace
} // namespace mailtight::tlsrpt
