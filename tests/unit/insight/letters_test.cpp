// SPDX-License-Identifier: Apache-2.0
// Mails that people get: the result in the subject, nothing that is not needed, nothing hostile in a header.
#include "base/text.h"
#include "insight/letters.h"
#include "rows.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace mailtight::insight {
namespace {

using tests::ago;
using tests::every_day;
using tests::failure;
using tests::operator+;
using tests::reporter;
using tests::today;

digest_domain fine(std::string name) {
    digest_domain made;
    made.domain = std::move(name);
    made.days = every_day(14, 1, 100, 0);
    made.reporters = {reporter("google.com"), reporter("microsoft.com")};
    return made;
}
digest_domain failing(std::string name) {
    digest_domain made = fine(std::move(name));
    made.days = every_day(14, 8, 100, 0) + every_day(7, 1, 90, 10);
    auto row = failure("google.com", "certificate-expired", "mx1.example.com", 70);
    row.first = ago(7);
    made.failures = group_failures(std::vector{row}, made.reporters, {});
    return made;
}

TEST(Digest, of_a_good_week_is_one_line_a_domain) {
    const auto made = write_digest(std::vector{fine("example.com"), fine("example.net")}, ago(7), ago(1));
    EXPECT_EQ(made.subject, "TLS reports 10 to 16 May 2026: nothing to do");
    EXPECT_EQ(made.text, "1,400 sessions for 2 domains, 10 to 16 May 2026, none failed.\n"
                         "\n"
                         "All domains:\n"
                         "  example.com: 700 sessions from 2 reporters, none failed.\n"
                         "  example.net: 700 sessions from 2 reporters, none failed.\n");
}

TEST(Digest, tells_first_what_is_to_be_done) {
    const auto made = write_digest(std::vector{fine("example.net"), failing("example.com")}, ago(7), ago(1));
    EXPECT_EQ(made.subject, "TLS reports 10 to 16 May 2026: example.com needs a look");
    std::size_t at = 0;
    for (const auto* words :
         {"70 failed (5.0 %)", "connections, not messages",
          "example.com: 70 of 700 sessions failed (10.0 %). The week before, none of\n700 failed.",
          "70 held back", "1. The certificate has expired: mx1.example.com",
          "70 sessions, 10 to 16 May 2026, reported by google.com.", "To do: Renew it",
          "Nothing to do:", "example.net: 700 sessions from 2 reporters, none failed."}) {
        const auto next = made.text.find(words, at);
        ASSERT_NE(next, std::string::npos) << words << " is missing or too early in\n" << made.text;
        at = next;
    }
    EXPECT_EQ(write_digest(std::vector{failing("a.example"), failing("b.example")}, ago(7), ago(1)).subject,
              "TLS reports 10 to 16 May 2026: 2 of 2 domains need a look");
}

TEST(Digest, failures_that_are_not_ours_need_no_look) {
    auto domain = fine("example.com");
    domain.days = every_day(7, 1, 100, 1);
    domain.failures =
        group_failures(std::vector{failure("google.com", "dane-required", "mx1.example.com", 7)}, {}, {});
    const auto made = write_digest(std::vector{domain}, ago(7), ago(1));
    EXPECT_EQ(made.subject, "TLS reports 10 to 16 May 2026: nothing to do");
    EXPECT_NE(made.text.find("7 failed; nothing to do here."), std::string::npos) << made.text;
}

TEST(Digest, failures_that_nobody_describes_need_a_look) {
    auto domain = fine("example.com");
    domain.days = every_day(7, 1, 100, 1);
    const auto made = write_digest(std::vector{domain}, ago(7), ago(1));
    EXPECT_EQ(made.subject, "TLS reports 10 to 16 May 2026: example.com needs a look");
    EXPECT_NE(made.text.find("No reporter says why."), std::string::npos) << made.text;
}

TEST(Digest, silence_and_readiness_are_told) {
    digest_domain never;
    never.domain = "new.example";
    auto stopped = fine("old.example");
    stopped.days.clear();
    auto ready = fine("example.com");
    ready.readiness.ready = true;
    ready.readiness.sentence = "Ready for enforce: yes.";
    auto made = write_digest(std::vector{never, stopped, ready}, ago(7), ago(1));
    for (const auto* words : {"new.example: no reports. To try it: mailtight report test new.example",
                              "old.example: no reports this week, though there were some before.",
                              "example.com: Ready for enforce: yes. Set mode: enforce"})
        EXPECT_NE(made.text.find(words), std::string::npos) << words << "\n" << made.text;
    made = write_digest(std::vector{never}, ago(7), ago(1));
    EXPECT_EQ(made.subject, "TLS reports 10 to 16 May 2026: none came");
    EXPECT_EQ(write_digest({}, ago(7), ago(1)).subject, "TLS reports 10 to 16 May 2026: none came");
}

TEST(Digest, stays_short_where_much_fails) {
    auto domain = failing("example.com");
    std::vector<store::failure_row> rows;
    for (int i = 0; i < 500; ++i)
        rows.push_back(
            failure("google.com", "certificate-expired", "mx" + std::to_string(i) + ".example.com"));
    domain.failures = group_failures(rows, domain.reporters, {});
    const auto made = write_digest(std::vector{domain}, ago(7), ago(1));
    EXPECT_LT(std::ranges::count(made.text, '\n'), 60);
    EXPECT_NE(made.text.find("And 495 more"), std::string::npos);
}

std::vector<notice> notices() {
    alarm raised{"new-failure/example.com/x/mx1",
                 "new-failure",
                 "example.com",
                 weight::error,
                 "It broke",
                 "Why it broke.",
                 "Mend it.\nPostfix: here."};
    alarm over = raised;
    over.title = "It was broken";
    return {{notice::kind::resolved, over, ago(3)}, {notice::kind::raised, raised, today}};
}

TEST(Notices, of_one_alarm_name_it_in_the_subject) {
    const auto all = notices();
    const auto made = write_notices(std::span(all).last(1));
    EXPECT_EQ(made.subject, "example.com: It broke");
    EXPECT_EQ(made.text, "example.com: It broke\n"
                         "  Why it broke.\n"
                         "  To do: Mend it.\n"
                         "         Postfix: here.\n");
    EXPECT_EQ(write_notices(std::span(all).first(1)).subject, "example.com: over: It was broken");
}

TEST(Notices, of_several_count_them_and_tell_the_new_ones_first) {
    const auto made = write_notices(notices());
    EXPECT_EQ(made.subject, "TLS reports: 1 new alarm and 1 over");
    EXPECT_LT(made.text.find("It broke"), made.text.find("It was broken"));
    EXPECT_NE(made.text.find("It began on 14 May 2026."), std::string::npos);
}

TEST(Letters, hostile_names_end_no_header_and_no_terminal) {
    auto all = notices();
    const std::string hostile = "x\r\nBcc: everybody@example.org\r\n\r\n\x1b[2J" + std::string(5000, 'y');
    for (auto& one : all)
        one.alarm.title = one.alarm.text = one.alarm.domain = hostile;
    auto domain = failing("example.com");
    auto row = failure(hostile, hostile, hostile);
    row.reason_code = hostile;
    domain.failures = group_failures(std::vector{row}, {}, {});
    domain.failures[0].diagnosis.ours = true;
    for (const auto& made : {write_notices(std::span(all).first(1)), write_notices(all),
                             write_digest(std::vector{domain}, ago(7), ago(1))}) {
        EXPECT_EQ(made.subject.find_first_of("\r\n\x1b"), std::string::npos);
        EXPECT_LT(made.subject.size(), 400U);
        EXPECT_EQ(made.text.find_first_of("\r\x1b"), std::string::npos);
        EXPECT_TRUE(base::is_utf8(made.text));
    }
}

} // namespace
} // namespace mailtight::insight
