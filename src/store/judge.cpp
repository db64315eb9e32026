// SPDX-License-Identifier: Apache-2.0
#include "store/judge.h"

#include "base/limits.h"
#include "base/text.h"

#include <algorithm>

namespace mailtight::store {

std::string_view to_string(state s) {
    switch (s) {
    case state::counted:
        return "counted";
    case state::quarantined:
        return "quarantined";
    case state::superseded:
        return "superseded";
    case state::test:
        return "test";
    }
    return "";
}

std::int64_t rules::of(std::string_view domain) const {
    const auto found = own.find(domain);
    if (found != own.end())
        return found->second;
    const auto again = own.find(base::lower(domain));
    return again == own.end() ? 0 : again->second;
}

judgement judge(const model::received_report& report, const rules& by) {
    judgement out;
    out.owners.assign(report.report.policies.size(), 0);
    const auto apart = [&](std::string_view reason) {
        out.why = reason;
        std::ranges::fill(out.owners, 0);
        out.report_owner = 0;
        return out;
    };
    if (!report.test_token.empty()) {
        out.state = state::test;
        return out;
    }
    if (!report.report.start)
        return apart(why::no_date);
    if (report.report.organization_name.empty() && report.submitter.empty())
        return apart(why::no_organisation);
    if (report.report_domain.empty() &&
        std::ranges::all_of(report.report.policies, &std::string::empty, &tlsrpt::policy_result::domain))
        return apart(why::no_domain);

    // 8460-1.1-a. What the mail or the address says comes first: a tlsa result names the MX host, a report to
    // a host names the recipient domains.
    out.report_owner = report.report_domain.empty() ? 0 : by.of(report.report_domain);
    for (std::size_t i = 0; i < out.owners.size(); ++i) {
        const auto& domain = report.report.policies[i].domain;
        out.owners[i] = out.report_owner != 0 ? out.report_owner : domain.empty() ? 0 : by.of(domain);
    }
    if (out.report_owner == 0 && std::ranges::all_of(out.owners, [](auto owner) { return owner == 0; }))
        return apart(why::not_ours); // a report never makes a domain known
    const bool believed = report.trust >= model::trust::authorised ||
                          (by.count_unverified && report.trust == model::trust::unverified);
    if (!believed)
        return apart(why::not_verified);
    out.state = state::counted;
    return out;
}

std::vector<std::string> domains_named(const model::received_report& report) {
    std::vector<std::string> out;
    const auto add = [&](std::string_view domain) {
        if (!domain.empty() && domain.size() <= base::limits::dns_name_text_max)
            out.push_back(base::lower(domain));
    };
    add(report.report_domain);
    for (const auto& p : report.report.policies)
        if (p.domain != report.report_domain)
            add(p.domain);
    std::ranges::sort(out);
    out.erase(std::ranges::unique(out).begin(), out.end());
    return out;
}

} // namespace mailtight::store
