// SPDX-License-Identifier: Apache-2.0
#include "intake/attribute.h"

#include "base/text.h"
#include "mail/domain_name.h"

#include <algorithm>

namespace mailtight::intake {

namespace {

constexpr std::size_t text_max = 1'000;

// A DANE policy is named by the MX host (A22), and an inferred domain is no statement of the body.
bool names_another(const tlsrpt::policy_result& policy, const std::string& domain) {
    return policy.known_type() != tlsrpt::policy_type::tlsa && policy.inferred.empty() &&
           !policy.domain.empty() && policy.domain != domain;
}

// Whether the body speaks of this domain, or says nothing to the contrary.
bool body_allows(const tlsrpt::report& report, const std::string& domain) {
    const bool named =
        std::ranges::find(report.policies, domain, &tlsrpt::policy_result::domain) != report.policies.end();
    return named || std::ranges::none_of(report.policies,
                                         [&](const auto& policy) { return names_another(policy, domain); });
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

std::string attributed_domain(const tlsrpt::report& report, const tlsrpt::report_hints& around,
                              header_signed header) {
    // A22
    if (auto named = domain_from(around.report_domain);
        !named.empty() && (header == header_signed::yes || body_allows(report, named)))
        return named;
    if (!around.address_domain.empty() && body_allows(report, around.address_domain))
        return around.address_domain;
    std::string only;
    for (const auto& policy : report.policies) {
        if (policy.domain.empty() || policy.domain == only)
            continue;
        if (!only.empty())
            return "";
        only = policy.domain;
    }
    return domain_from(only); // the body may hold anything
}

} // namespace mailtight::intake
