// SPDX-License-Identifier: Apache-2.0
// What the reports of a domain tell, beside what a look at it shows. It never changes the verdict, which is
// on what is published; it can speak against enforce.
#include "advise/diagnose.h"
#include "advise/rules.h"
#include "advise/words.h"

#include <fmt/format.h>

namespace mailtight::advise {
namespace {

using namespace std::chrono;
constexpr auto silent = days(7);
constexpr std::size_t kinds_named = 3;

void failures(const reading& r, const model::report_evidence& of, collector& out) {
    if (of.failed == 0)
        return;
    std::vector<std::string> kinds;
    for (const auto& one : of.failures)
        kinds.push_back(fmt::format("{}{} ({}, by {})", one.result_type,
                                    one.mx.empty() ? "" : " at " + one.mx, grouped(one.count),
                                    list(one.reporters, 3)));
    out.emit("reports.failures",
             {.subject = r.seen.domain,
              .message = fmt::format("{} of {} reported sessions failed in the last 14 days",
                                     grouped(of.failed), grouped(of.sessions)),
              .evidence = kinds.empty() ? "the reports do not say why" : list(kinds, kinds_named),
              .fix = fmt::format("mailtight report failures --domain {} --days 14 explains each kind. Fix "
                                 "the cause, and stay in or go back to testing until they end.",
                                 r.seen.domain)});
}

/// Reports came and stopped, or never came although the record is known for long enough.
void silence(const reading& r, const model::report_evidence& of, collector& out) {
    if (r.tlsrpt != record_state::valid)
        return; // a cause of its own
    std::string evidence;
    if (of.last_report && floor<days>(r.seen.checked_at) - *of.last_report > silent)
        evidence = fmt::format("the newest counted report is of {}", day_words(*of.last_report));
    else if (!of.last_report && of.record_since && r.seen.checked_at - *of.record_since > silent)
        evidence = fmt::format("the record is there since {} at the latest, and no report was counted",
                               day_words(*of.record_since));
    else
        return;
    out.emit("reports.none-arriving",
             {.subject = r.seen.domain,
              .evidence = std::move(evidence),
              .fix = fmt::format("mailtight report silence {} tries each cause in turn.", r.seen.domain)});
}

} // namespace

void reports_rules(const reading& r, collector& out) {
    if (!r.seen.reports)
        return;
    failures(r, *r.seen.reports, out);
    silence(r, *r.seen.reports, out);
}

} // namespace mailtight::advise
