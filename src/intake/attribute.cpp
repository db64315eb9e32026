// SPDX-License-Identifier: Apache-2.0
#include "intake/attribute.h"

#include "base/text.h"
#include "mail/domain_name.h"
#include "tlsrpt/write_report.h"

#include <fmt/format.h>

#include <algorithm>

namespace mailtight::intake {

namespace {

using tlsrpt::quirk;

constexpr std::size_t text_max = 1'000, policies_looked_at = 1'000;

void warn(tlsrpt::report& report, quirk code, std::string detail) {
    const auto same = [&](const tlsrpt::warning& known) { return known.code == code; };
    if (std::ranges::none_of(report.warnings, same))
        report.warnings.push_back({code, "", detail.substr(0, text_max)});
}

// Whether two names may be of one house; what is not there disagrees with nothing.
bool related(const std::string& a, const std::string& b) {
    return a.empty() || b.empty() || mail::is_within(a, b) || mail::is_within(b, a) ||
           mail::organizational_domain(a) == mail::organizational_domain(b);
}

// A DANE policy is named by the MX host (A22), which a subject need not know; a domain that was inferred came
// from the very texts that are compared.
bool names_the_destination(const tlsrpt::policy_result& policy) {
    return policy.known_type() != tlsrpt::policy_type::tlsa && !policy.domain.empty() &&
           policy.inferred.empty();
}

// Whether the body speaks of this domain, or says nothing to the contrary.
bool body_agrees(const tlsrpt::report& report, const std::string& domain) {
    bool silent = true;
    const auto count = std::min(report.policies.size(), policies_looked_at);
    for (std::size_t i = 0; i < count; ++i) {
        const auto& policy = report.policies[i];
        if (policy.domain == domain)
            return true;
        silent = silent && !names_the_destination(policy);
    }
    return silent || domain.empty();
}

bool is_inferred(const tlsrpt::report& report, std::string_view field) {
    return std::ranges::find(report.inferred, field) != report.inferred.end();
}

// One second's difference is the end written as the next midnight (A27).
bool same_end(base::utc_seconds a, base::utc_seconds b) {
    return a - b <= std::chrono::seconds(1) && b - a <= std::chrono::seconds(1);
}

} // namespace

std::string domain_from(std::string_view text) {
    text = base::trim(text);
    if (text.size() >= 2 && text.starts_with('<') && text.ends_with('>'))
        text = base::trim(text.substr(1, text.size() - 2));
    if (text.size() > text_max)
        return "";
    if (auto name = mail::canonical_name(text))
        return *name;
    if (!base::is_utf8(text))
        return "";
    const auto ascii = mail::to_ascii(text); // 8460-5.1-c, written otherwise
    return ascii ? mail::canonical_name(*ascii).value_or("") : "";
}

std::string domain_of_address(std::string_view address) {
    const auto at = address.rfind('@');
    if (at == address.npos)
        return "";
    address.remove_prefix(at + 1);
    return domain_from(address.substr(0, address.find_first_of("> \t\r\n,;")));
}

std::string attributed_domain(const tlsrpt::report& report, const tlsrpt::report_hints& around) {
    // A22
    if (auto named = domain_from(around.report_domain); !named.empty())
        return named;
    if (!around.address_domain.empty())
        return around.address_domain;
    std::string only;
    for (const auto& policy : report.policies) {
        if (policy.domain.empty() || policy.domain == only)
            continue;
        if (!only.empty())
            return "";
        only = policy.domain;
    }
    return only;
}

void note_disagreements(tlsrpt::report& report, const tlsrpt::report_hints& around) {
    const auto contact = domain_of_address(report.contact_info);
    const auto submitter = domain_from(around.submitter);
    if (!contact.empty() && !submitter.empty() && contact != submitter) // 8460-5.3-f
        warn(report, quirk::submitter_disagrees,
             fmt::format("TLS-Report-Submitter says {}, contact-info {}", submitter, contact));

    // 8460-5.6-a; Google's report-id differs between the two places every day, so it is not compared.
    if (const auto subject = tlsrpt::parse_report_subject(around.subject)) {
        const auto domain = domain_from(subject->domain), sender = domain_from(subject->submitter);
        if (!body_agrees(report, domain) || !related(sender, contact))
            warn(report, quirk::subject_disagrees,
                 fmt::format("the subject says {} by {}", subject->domain, subject->submitter));
    }
    if (const auto name = tlsrpt::parse_report_file_name(around.file_name)) { // 8460-5.1-g
        const auto domain = domain_from(name->domain), sender = domain_from(name->sender);
        const bool start = !report.start || is_inferred(report, "start") || *report.start == name->start;
        const bool end = !report.end || is_inferred(report, "end") || same_end(*report.end, name->end);
        if (!body_agrees(report, domain) || !related(sender, contact) || !start || !end)
            warn(report, quirk::file_name_disagrees, base::printable(around.file_name, text_max / 4));
    }
}

} // namespace mailtight::intake
