// SPDX-License-Identifier: Apache-2.0
#include "tally/postfix_log.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace mailtight::tally {
namespace {
using std::chrono::hours;

base::utc_seconds at(std::string_view utc) {
    const auto parsed = base::parse_utc(utc);
    EXPECT_TRUE(parsed) << utc;
    return parsed.value_or(base::utc_seconds{});
}
const base::utc_seconds now = at("2026-11-22T08:00:00Z");

std::optional<log_line> parse(std::string_view line, std::chrono::seconds zone = {}) {
    return parse_log_line(line, now, zone);
}

TEST(log_line, every_envelope_gives_the_same_line) {
    for (const std::string_view line : {
             // a file, by rsyslog's old form and by Postfix's own maillog_file
             "Nov 22 07:00:00 host postfix/smtp[1234]: A1B2C3: to=<x>",
             // a syslog socket: a relay's, and the system's own, where the library names no host
             "<22>Nov 22 07:00:00 host postfix/smtp[1234]: A1B2C3: to=<x>",
             // rsyslog's form since Debian 12, the journal's short-iso
             "2026-11-22T07:00:00.123456+00:00 host postfix/smtp[1234]: A1B2C3: to=<x>",
             "2026-11-22T08:00:00+0100 host postfix/smtp[1234]: A1B2C3: to=<x>",
             "2026-11-22T07:00:00Z host postfix/smtp[1234]: A1B2C3: to=<x>",
             "2026-11-22 07:00:00 host postfix/smtp[1234]: A1B2C3: to=<x>",
             "2026-11-22T02:30:00-04:30 host postfix/smtp[1234]: A1B2C3: to=<x>",
             // RFC 5424
             "<22>1 2026-11-22T07:00:00.123456Z host postfix/smtp 1234 - - A1B2C3: to=<x>",
             "<22>1 2026-11-22T07:00:00Z host postfix/smtp 1234 ID7 [a@1 b=\"]\\\"x\"][c] A1B2C3: to=<x>",
             "<22>1 2026-11-22T07:00:00Z host postfix/smtp 1234 - - \xef\xbb\xbf"
             "A1B2C3: to=<x>",
             // ends of lines
             "Nov 22 07:00:00 host postfix/smtp[1234]: A1B2C3: to=<x>\r\n",
         }) {
        const auto l = parse(line);
        ASSERT_TRUE(l) << line;
        EXPECT_EQ(l->at, at("2026-11-22T07:00:00Z")) << line;
        EXPECT_EQ(l->host, "host") << line;
        EXPECT_EQ(l->program, "postfix/smtp") << line;
        EXPECT_EQ(l->pid, 1234) << line;
        EXPECT_EQ(l->text, "A1B2C3: to=<x>") << line;
    }
}

TEST(log_line, the_systems_own_socket_names_no_host) {
    const auto l = parse("<22>Nov  2 07:00:00 postfix/smtp[1]: text: more");
    ASSERT_TRUE(l);
    EXPECT_EQ(l->host, "");
    EXPECT_EQ(l->program, "postfix/smtp");
    EXPECT_EQ(l->pid, 1);
    EXPECT_EQ(l->text, "text: more");
    EXPECT_EQ(l->at, at("2026-11-02T07:00:00Z"));
}

TEST(log_line, a_program_may_have_no_number) {
    const auto l = parse("Nov 22 07:00:00 host kernel: out of paper");
    ASSERT_TRUE(l);
    EXPECT_EQ(l->program, "kernel");
    EXPECT_EQ(l->pid, 0);
    EXPECT_EQ(l->text, "out of paper");
}

TEST(log_line, a_date_without_a_year_is_of_the_nearest) {
    const auto new_year = at("2027-01-01T00:00:30Z");
    EXPECT_EQ(parse_log_line("Dec 31 23:59:59 h p[1]: x", new_year)->at, at("2026-12-31T23:59:59Z"));
    EXPECT_EQ(parse_log_line("Jan  1 00:00:29 h p[1]: x", new_year)->at, at("2027-01-01T00:00:29Z"));
    const auto old_year = at("2026-12-31T23:59:30Z"); // the clock of who writes is ahead
    EXPECT_EQ(parse_log_line("Jan  1 00:00:29 h p[1]: x", old_year)->at, at("2027-01-01T00:00:29Z"));
    EXPECT_EQ(parse_log_line("Feb 29 12:00:00 h p[1]: x", at("2028-03-01T00:00:00Z"))->at,
              at("2028-02-29T12:00:00Z"));
}

TEST(log_line, a_date_without_a_zone_is_of_the_operators) {
    EXPECT_EQ(parse("Nov 22 09:00:00 h p[1]: x", hours(2))->at, at("2026-11-22T07:00:00Z"));
    EXPECT_EQ(parse("2026-11-22T09:00:00 h p[1]: x", hours(2))->at, at("2026-11-22T07:00:00Z"));
    EXPECT_EQ(parse("2026-11-22T09:00:00Z h p[1]: x", hours(2))->at, at("2026-11-22T09:00:00Z"));
    EXPECT_EQ(parse_log_line("Jan  1 00:30:00 h p[1]: x", at("2026-12-31T23:30:00Z"), hours(1))->at,
              at("2026-12-31T23:30:00Z"));
}

TEST(log_line, rfc5424_may_have_no_date) {
    const auto l = parse("<22>1 - - postfix/smtp - - - x");
    ASSERT_TRUE(l);
    EXPECT_EQ(l->at, std::nullopt);
    EXPECT_EQ(l->host, "-");
    EXPECT_EQ(l->pid, 0);
    EXPECT_EQ(l->text, "x");
}

TEST(log_line, bytes_above_0x7f_are_kept) {
    const auto l = parse("Nov 22 07:00:00 h postfix/smtp[1]: to=<\xc3\xa9\xff@x>");
    ASSERT_TRUE(l);
    EXPECT_EQ(l->text, "to=<\xc3\xa9\xff@x>");
}

TEST(log_line, what_is_no_log_line) {
    for (const std::string_view line : {
             "",
             "\n",
             "<22>",
             "<>Nov 22 07:00:00 h p[1]: x",
             "<22222>Nov 22 07:00:00 h p[1]: x",
             "<2x>Nov 22 07:00:00 h p[1]: x",
             "last message repeated 3 times",
             "Nov 22 07:00:00",
             "Nov 22 07:00:00 h",
             "Nov 22 07:00:00 h x y z",  // no program
             "Nov 22 07:00:00 h [1]: x", // no name
             "Nov 22 07:00:00 h p1]: x",
             "Now 22 07:00:00 h p[1]: x", // no month
             "Nov 31 07:00:00 h p[1]: x", // no day
             "Nov  0 07:00:00 h p[1]: x",
             "Nov 22 24:00:00 h p[1]: x", // no hour
             "Nov 22 07:60:00 h p[1]: x",
             "2026-13-22T07:00:00Z h p[1]: x",
             "2026-02-29T07:00:00Z h p[1]: x",
             "2026-11-22T07:00:00+1 h p[1]: x",
             "2026-11-22T07:00:00+25:00 h p[1]: x",
             "2026-11-22T07:00:00x h p[1]: x",
             "<22>1 2026-11-22T07:00:00Z host",
             "<22>1 2026-11-22T07:00:00Z h p 1 - [open x",
             "<22>1 2026-11-22T07:00:00Z h p 1 - x",
             "<22>1 yesterday h p 1 - - x",
         })
        EXPECT_FALSE(parse(line)) << line;
}

RC_GTEST_PROP(log_line_property, any_bytes_may_come, (const std::string& tail)) {
    for (const auto* front : {"", "<22>", "<22>1 ", "Nov 22 07:00:00 ", "2026-11-22T07:00:00", "<22>1 - "}) {
        const std::string line = front + tail;
        if (const auto l = parse(line))
            RC_ASSERT(l->text.size() <= line.size());
    }
}

} // namespace
} // namespace mailtight::tally
