// SPDX-License-Identifier: Apache-2.0
#include "api/report_part.h"

#include "base/text.h"
#include "store/judge.h"

#include <algorithm>

namespace mailtight::api {

std::string_view theirs_of(std::string_view domain, const std::vector<std::string>& theirs) {
    const auto name = base::lower(domain);
    for (std::string_view at = name; !at.empty();) {
        const auto found =
            std::ranges::lower_bound(theirs, at, {}, [](const auto& each) { return std::string_view(each); });
        if (found != theirs.end() && *found == at)
            return *found;
        const auto dot = at.find('.');
        at = dot == at.npos ? std::string_view() : at.substr(dot + 1);
    }
    return {};
}

report_share keep_part(store::stored_report& of, const std::vector<std::string>& theirs,
                       const std::set<std::string>& others) {
    auto& received = of.report;
    auto& report = received.report;
    const auto owned = [&](std::string_view domain) {
        return others.contains(base::lower(domain)) ? std::string_view() : theirs_of(domain, theirs);
    };
    const auto foreign = [&](const auto& policy) { return owned(policy.domain).empty(); };
    const std::string addressed(owned(received.report_domain));
    const auto count = std::ranges::count_if(report.policies, foreign);
    if (!addressed.empty() && count == 0)
        return report_share::whole;
    if (addressed.empty() && count == std::ssize(report.policies))
        return report_share::none;
    std::erase_if(report.policies, foreign);
    of.row.report_domain = received.report_domain =
        addressed.empty() ? std::string(owned(report.policies.front().domain)) : addressed;
    const auto sessions = tlsrpt::headline(report);
    of.row.success = sessions.success;
    of.row.failure = sessions.failure;
    // An id is often made of a domain, a warning quotes, a source is a file's name.
    report.report_id.clear();
    report.warnings.clear();
    of.row.report_id.clear();
    of.row.warnings = 0;
    received.source.clear();
    received.recipient.clear();
    received.trust_reason.clear();
    received.json.clear();
    of.versions.clear();
    return report_share::part;
}

} // namespace mailtight::api
