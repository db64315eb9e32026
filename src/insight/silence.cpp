// SPDX-License-Identifier: Apache-2.0
// In the order to try: what an owner can mend first, what lies with the senders last. A cause that was tested
// and is not so is left out; one that was not tested stays, as possible.
#include "insight/silence.h"

#include "advise/diagnose.h"

#include <fmt/format.h>

#include <chrono>

namespace mailtight::insight {

namespace {

using namespace std::chrono;
constexpr auto young = hours(72); // senders write in the night after, and some a day later
constexpr std::uint64_t little_traffic = 50;

} // namespace

std::vector<silence_cause> why_silent(const silence_facts& facts, base::utc_seconds now) {
    std::vector<silence_cause> causes;
    const auto add = [&](std::string_view code, std::string text, std::string fix, bool certain) {
        causes.push_back({std::string(code), std::move(text), std::move(fix), certain});
    };
    if (facts.record_present == false) {
        add("record-absent", "There is no TLSRPT record, so nobody knows where to send reports.",
            "Publish the TXT record at _smtp._tls, as 'mailtight dns DOMAIN' prints it.", true);
        return causes; // nothing below it can be so
    }
    if (!facts.record_present)
        add("record-absent", "Whether the TLSRPT record is published was not looked at.",
            "Run 'mailtight check DOMAIN': without the record nobody reports.", false);
    if (facts.record_since && now - *facts.record_since < young && now >= *facts.record_since)
        add("record-young",
            fmt::format(
                "The TLSRPT record is there since {}. The first reports come one to three days later.",
                advise::day_words(*facts.record_since)),
            "Wait three days.", true);
    if (facts.rua_deliverable == false)
        add("rua-undeliverable", "The report address does not take mail or requests.",
            "Fix the address in rua: 'mailtight check DOMAIN' says what is wrong with it.", true);
    else if (!facts.rua_deliverable)
        add("rua-undeliverable", "Whether the report address takes mail was not tried.",
            "Run 'mailtight report test DOMAIN': it sends one report and follows it.", false);
    if (facts.test_arrived == false)
        add("mailbox-rejects", "The last test report was sent and did not arrive here.",
            "Look in the mailbox's spam folder and at its rules: it must take mail from outside, with "
            "attachments of type application/tlsrpt+gzip. Use an address for reports alone.",
            true);
    else if (!facts.test_arrived && facts.rua_deliverable != false)
        add("mailbox-rejects", "Whether a report reaches the store was not tried.",
            "Run 'mailtight report test DOMAIN': it says where a report is lost.", false);
    if (facts.ipv6_only_fault == true)
        add("ipv6-only",
            "The report address works over IPv4 and not over IPv6; senders with IPv6 give up or wait.",
            "Fix the IPv6 address of the server that takes reports, or remove its AAAA record.", true);
    if (facts.quarantined > 0)
        add("not-counted",
            fmt::format(
                "{} {} here and counted for nothing: not verified, or about a domain that is not listed.",
                advise::grouped(facts.quarantined), facts.quarantined == 1 ? "report lies" : "reports lie"),
            "See them by 'mailtight report list --quarantined', and add the domain to reports.domains where "
            "it "
            "is yours.",
            true);
    if (facts.last_report && facts.last_30_days_sessions < little_traffic)
        add("little-traffic",
            fmt::format(
                "Reports tell of {} sessions in 30 days, and senders write only about days with mail.",
                facts.last_30_days_sessions == 0 ? std::string("no")
                                                 : advise::grouped(facts.last_30_days_sessions)),
            "Nothing to do. For a trial, write a mail to the domain from Gmail or Outlook and wait two days.",
            false);
    else if (!facts.last_report)
        add("little-traffic", "Senders write only about days with mail; a quiet domain hears little.",
            "Nothing to do. For a trial, write a mail to the domain from Gmail or Outlook and wait two days.",
            false);
    add("senders-do-not-report",
        "Many senders write no reports at all. Google and Microsoft do; most small servers do not.",
        "Nothing to do.", false);
    return causes;
}

} // namespace mailtight::insight
