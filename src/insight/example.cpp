// SPDX-License-Identifier: Apache-2.0
// `report read --example`: what a report looks like, and what each of its fields says. The report itself is
// made up by tlsrpt::example_report(); here it is explained.
#include "advise/page.h"
#include "advise/words.h"
#include "base/text.h"
#include "insight/diagnosis_text.h"
#include "insight/render_report.h"

#include <fmt/format.h>

#include <array>

namespace mailtight::insight {

namespace {

using advise::ink;
using advise::page;
using advise::shown;

struct note {
    std::string_view field, words;
};

class annotated {
public:
    explicit annotated(page& to)
        : to_(to) {}
    /// A field with its value, and behind it what it means.
    void field(std::size_t depth, std::string_view name, std::string_view value, std::string_view words) {
        const std::string begin(2 + 2 * depth, ' ');
        to_.wrapped(begin, fmt::format("{}: {}", name, value.empty() ? "(empty)" : shown(value)), ink::bold);
        if (!words.empty())
            to_.wrapped(begin + "    ", words, ink::dim);
    }
    void group(std::size_t depth, std::string_view name, std::string_view words) {
        const std::string begin(2 + 2 * depth, ' ');
        to_.wrapped(begin, name, ink::bold);
        if (!words.empty())
            to_.wrapped(begin + "    ", words, ink::dim);
    }

private:
    page& to_;
};

std::string when(const std::optional<base::utc_seconds>& at) {
    return at ? base::format_utc(*at) : std::string();
}

void head(annotated& to, const tlsrpt::report& report) {
    to.field(0, "organization-name", report.organization_name,
             "Who reports: a sender of mail, mostly a large one.");
    to.group(0, "date-range", "The period, mostly one day from midnight to midnight, UTC.");
    to.field(1, "start-datetime", when(report.start), "");
    to.field(1, "end-datetime", when(report.end), "");
    to.field(0, "contact-info", report.contact_info, "Whom to ask about it.");
    to.field(0, "report-id", report.report_id,
             "The sender's own name for it. The same report may come twice and is counted once.");
}

std::string_view type_words(const tlsrpt::policy_result& policy) {
    using tlsrpt::policy_type;
    if (!policy.known_type())
        return "A word that is not registered: kept as it is.";
    switch (*policy.known_type()) {
    case policy_type::sts:
        return "sts: the sender followed your MTA-STS policy.";
    case policy_type::tlsa:
        return "tlsa: the sender followed the TLSA records of your mail servers (DANE). Where sts and "
               "tlsa stand in one report, they describe the same sessions: they are not added up.";
    case policy_type::no_policy_found:
        return "no-policy-found: the sender found neither MTA-STS nor DANE. No fault by itself: it shows "
               "whether TLS works.";
    }
    return "";
}

void policy_head(annotated& to, const tlsrpt::policy_result& policy, bool first) {
    to.field(1, "policy-type", policy.type, type_words(policy));
    if (!policy.strings.empty())
        to.field(1, "policy-string", advise::list(policy.strings, 12),
                 first ? "The policy as the sender saw it. Compare it with today's: an older one comes "
                         "from the sender's cache."
                       : "");
    to.field(1, "policy-domain", policy.domain,
             first ? "The domain that the policy is for; under DANE it may be the name of the mail server."
                   : "");
    if (!policy.mx_patterns.empty())
        to.field(1, "mx-host", advise::list(policy.mx_patterns, 12),
                 first ? "The names that the policy admits as mail servers." : "");
    to.field(1, "total-successful-session-count", advise::grouped(policy.success),
             first ? "Connections with TLS, as the policy asks. Connections, not messages: one may carry "
                     "several mails, and one mail may take several tries."
                   : "");
    to.field(1, "total-failure-session-count", advise::grouped(policy.failure),
             first ? "Connections that did not come up so. In enforce the sender held the mail back and "
                     "tries again; in testing and without a policy it delivered all the same."
                   : "");
}

constexpr std::array detail_notes{
    note{"sending-mta-ip", "The sender's address: look for it in your log."},
    note{"receiving-mx-hostname", "The mail server that was tried, as the MX record names it."},
    note{"receiving-mx-helo", "What that server calls itself."},
    note{"receiving-ip", "The address that was reached. Where one of several is at fault, this tells which."},
    note{"additional-information", "A link or a text of the sender's. Links are shown and never opened."},
    note{"failure-reason-code", "The sender's own words, mostly of its TLS library: the best clue there is."},
    note{"failed-session-count",
         "How many connections. A connection may stand under several results, so that the sum may differ "
         "from the total."},
};

void detail(page& page_, annotated& to, const tlsrpt::failure_detail& one,
            const advise::failure_context& context, bool first) {
    const auto known = one.known_type();
    page_.line();
    to.field(2, "result-type", one.result_type,
             known ? tlsrpt::explain(*known) : "A word that is not registered: kept as it is.");
    const std::array<std::string, detail_notes.size()> values{
        one.sending_mta_ip,         one.receiving_mx, one.receiving_mx_helo,      one.receiving_ip,
        one.additional_information, one.reason_code,  advise::grouped(one.count),
    };
    for (std::size_t i = 0; i < detail_notes.size(); ++i)
        if (!values[i].empty())
            to.field(3, detail_notes[i].field, values[i], first ? detail_notes[i].words : "");
    page_.wrapped("        -> ", "What mailtight says:", ink::blue);
    const auto said = advise::diagnose(one, context);
    page_.wrapped("           ", said.title);
    page_.wrapped("           ", shown(said.cause));
    for (const auto line : base::split(said.fix, '\n'))
        page_.wrapped("           ", base::printable(line));
}

} // namespace

std::string example_text(const tlsrpt::report& example, const advise::style& how) {
    page page_(how);
    annotated to(page_);
    page_.wrapped(
        "",
        "A made-up report with every kind of failure that RFC 8460 knows. A real one has few of them, "
        "and most have none.",
        ink::dim);
    page_.wrapped("", shown(advise::opening_sentence(example)));
    page_.line();
    head(to, example);
    to.group(0, "policies", "One entry for each policy that the sender followed.");
    bool first_policy = true, first_detail = true;
    model::received_report from;
    from.report.organization_name = example.organization_name;
    for (const auto& policy : example.policies) {
        page_.line();
        policy_head(to, policy, first_policy);
        first_policy = false;
        if (!policy.details.empty())
            to.group(1, "failure-details",
                     first_detail ? "One entry for each kind of failure; none on a good day." : "");
        for (const auto& one : policy.details) {
            detail(page_, to, one, context_of(from, policy, {}), first_detail);
            first_detail = false;
        }
    }
    return page_.take();
}

} // namespace mailtight::insight
