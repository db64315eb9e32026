// SPDX-License-Identifier: Apache-2.0
// What kept reports add to a look: findings that leave the verdict alone, and a word against enforce.
#include "unit/advise/codes.h"

namespace mailtight::tests {
namespace {

using namespace std::chrono;
using model::observation;
using model::report_evidence;

auto reports(std::function<void(report_evidence&)> change = {}) {
    return [change](observation& o) {
        report_evidence made;
        made.sessions = 1204;
        made.last_report = floor<days>(o.checked_at) - days(1);
        made.record_since = o.checked_at - days(100);
        if (change)
            change(made);
        o.reports = made;
    };
}
void failing(report_evidence& of) {
    of.failed = 28;
    of.failures = {{"certificate-expired", "mx1.example.com", 28, {"Google Inc."}, true}};
}

TEST(reports_rules, tell_what_reports_show) {
    const auto newest = [](int days_ago) {
        return [days_ago](observation& o) {
            reports()(o);
            o.reports->last_report = floor<days>(o.checked_at) - days(days_ago);
        };
    };
    const auto never = [](int record_days) {
        return [record_days](observation& o) {
            reports()(o);
            o.reports->last_report.reset();
            o.reports->record_since = o.checked_at - days(record_days);
        };
    };
    expect_exactly({
        {"no store knows the domain", {}, [](observation&) {}, "protected"},
        {"all is well", {}, reports(), "protected"},
        {"failures", {"reports.failures"}, reports(failing), "protected"},
        {"a quiet week", {}, newest(7), "protected"},
        {"nothing for longer", {"reports.none-arriving"}, newest(8), "protected"},
        {"never, and the record is young", {}, never(7), "protected"},
        {"never", {"reports.none-arriving"}, never(8), "protected"},
        {"never, and since when the record is there is not known",
         {},
         [](observation& o) { o.reports = report_evidence(); },
         "protected"},
        {"without a record nothing is to arrive",
         {"tlsrpt.absent"},
         [&](observation& o) {
             newest(30)(o);
             o.tlsrpt_txt = txt("_smtp._tls.example.com", {});
             o.rua.clear();
         },
         "protected"},
    });
}

TEST(reports_rules, say_who_and_what_and_where_to_look) {
    observation seen = healthy();
    reports(failing)(seen);
    const auto judged = advise::judge(seen);
    const auto* found = find(judged, "reports.failures");
    ASSERT_TRUE(found);
    EXPECT_EQ(found->message, "28 of 1,204 reported sessions failed in the last 14 days");
    EXPECT_EQ(found->evidence, "certificate-expired at mx1.example.com (28, by Google Inc.)");
    EXPECT_TRUE(found->fix.starts_with("mailtight report failures --domain example.com --days 14 "));
}

TEST(reports_rules, speak_against_enforce_or_change_nothing) {
    observation seen = healthy();
    ASSERT_EQ(advise::judge(seen).ready_to_enforce, true);
    reports()(seen);
    EXPECT_EQ(advise::judge(seen).ready_to_enforce, true);
    reports(failing)(seen);
    EXPECT_EQ(advise::judge(seen).ready_to_enforce, false);
    seen.reports->failures.front().against_enforce = false;
    EXPECT_EQ(advise::judge(seen).ready_to_enforce, true) << "mended since";
}

} // namespace
} // namespace mailtight::tests
