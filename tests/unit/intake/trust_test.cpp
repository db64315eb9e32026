// SPDX-License-Identifier: Apache-2.0
#include "intake/examine.h"
#include "support/proves.h"

#include <gmock/gmock.h>

namespace mailtight::intake {
namespace {

using enum mail::dkim_result;
using model::trust;
using model::way_in;
using testing::HasSubstr;

model::dkim_outcome of_mail(mail::dkim_result result, std::string reason = "") {
    return {.result = result,
            .domain = "reporter.example",
            .selector = "s1",
            .reason = std::move(reason),
            .mail = true};
}

struct mail_row {
    mail::dkim_result result;
    signature_standing standing;
    trust expected;
    std::string because; ///< part of the reason
};
TEST(trust, of_a_mail_is_what_its_signature_says) {
    PROVES("8460-3-k", "8460-3-l", "A37", "6376-3.6.1-t");
    const signature_standing aligned{.aligned = true};
    const signature_standing foreign{};
    const signature_standing from_only{.aligned = true, .by_from_only = true};
    const signature_standing gone{.aligned = true, .key_missing = true};
    const signature_standing partial{.aligned = true, .uses_length = true};
    const signature_standing vouched{.aligned = true, .vouched_by = "mx.example.com"};
    const signature_standing vouched_partial{
        .aligned = true, .uses_length = true, .vouched_by = "mx.example.com"};
    const signature_standing vouched_foreign{.aligned = false, .vouched_by = "mx.example.com"};
    const signature_standing foreign_gone{.aligned = false, .key_missing = true};
    const mail_row rows[] = {
        {pass, aligned, trust::verified, "verified"},
        {pass, from_only, trust::verified, "From address alone"},
        {pass, foreign, trust::rejected, "not the reporter's domain"},
        {pass, partial, trust::rejected, "l="},
        {none, {}, trust::rejected, "no DKIM signature"},
        {fail, aligned, trust::rejected, "wrong"},
        {fail, foreign, trust::rejected, "not the reporter's domain"},
        {neutral, aligned, trust::rejected, "counts as none"},
        {neutral, partial, trust::rejected, "l="},
        {temperror, aligned, trust::unverified, "could not be had"},
        {temperror, foreign, trust::rejected, "not the reporter's domain"}, // no key would ever make it right
        {temperror, from_only, trust::unverified, "could not be had"},
        {permerror, gone, trust::unverified, "not in the DNS"},
        {permerror, foreign_gone, trust::rejected, "not the reporter's domain"},
        {permerror, aligned, trust::rejected, "cannot be used"},
        {expired, aligned, trust::unverified, "expiry"},
        {expired, foreign, trust::rejected, "not the reporter's domain"},
        // one's own mail server saw it pass while it still could
        {expired, vouched, trust::verified, "mx.example.com verified"},
        {temperror, vouched, trust::verified, "mx.example.com verified"},
        {fail, vouched, trust::verified, "changed on its way"},
        {fail, vouched_partial, trust::rejected, "l="},
        {expired, vouched_foreign, trust::rejected, "not the reporter's domain"},
        {neutral, vouched, trust::rejected, "counts as none"},
        {none, {}, trust::rejected, "no DKIM signature"},
    };
    for (const auto& row : rows) {
        for (const auto way : {way_in::smtp, way_in::lmtp, way_in::imap, way_in::file}) {
            // who brings a mail changes nothing: forged ones lie in mailboxes too
            for (const bool administrator : {false, true}) {
                circumstances how;
                how.way = way;
                how.by_administrator = administrator;
                const auto verdict = judge_trust(how, of_mail(row.result, "why"), row.standing);
                EXPECT_EQ(verdict.trust, row.expected) << verdict.reason;
                EXPECT_THAT(verdict.reason, HasSubstr(row.because));
            }
        }
    }
}

TEST(trust, of_what_is_no_mail_is_what_the_way_says) {
    PROVES("A39");
    const auto judged = [](way_in way, std::string token_of, bool administrator) {
        circumstances how;
        how.way = way;
        how.domain_of_token = std::move(token_of);
        how.by_administrator = administrator;
        return judge_trust(how, {}, {}).trust;
    };
    EXPECT_EQ(judged(way_in::https, "example.com", false), trust::authorised);
    EXPECT_EQ(judged(way_in::https, "", false), trust::unverified);
    EXPECT_EQ(judged(way_in::file, "", true), trust::authorised);
    EXPECT_EQ(judged(way_in::file, "", false), trust::unverified);
}

TEST(trust, reasons_show_no_control_characters) {
    auto dkim = of_mail(fail, "a\x1b[31m\r\nb");
    dkim.domain = "evil\x1b]0;x.example";
    const auto reason = judge_trust({}, dkim, {.aligned = true}).reason;
    EXPECT_EQ(reason.find('\x1b'), reason.npos);
    EXPECT_EQ(reason.find('\n'), reason.npos);
}

TEST(test_reports, are_known_by_their_id) {
    EXPECT_EQ(test_token_of(test_report_id("abcdefgh12345678", "reports.example")), "abcdefgh12345678");
    EXPECT_EQ(test_token_of("<" + test_report_id("abcdefgh12345678", "reports.example") + ">"),
              "abcdefgh12345678");
    for (const char* other : {"", "2026-05-03_example.com", "mailtight-test-", "mailtight-test-short@x",
                              "mailtight-test-abc def12345@x", "xmailtight-test-abcdefgh12345678@x"})
        EXPECT_EQ(test_token_of(other), "") << other;
    EXPECT_EQ(test_token_of("mailtight-test-" + std::string(65, 'a') + "@x"), "");
}

} // namespace
} // namespace mailtight::intake
