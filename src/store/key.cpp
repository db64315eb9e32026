// SPDX-License-Identifier: Apache-2.0
#include "store/key.h"

#include "base/text.h"
#include "store/hashed_fields.h"

#include <algorithm>
#include <vector>

namespace mailtight::store {
namespace {

bool storable_as_is(std::string_view text) {
    return text.find('\0') == std::string_view::npos && base::is_utf8(text);
}

// Every text of a report, once: to look at, or to change.
template<class Report, class Visit>
void each_text(Report& of, Visit visit) {
    for (auto* text : {&of.format, &of.source, &of.submitter, &of.report_domain, &of.recipient,
                       &of.dkim.domain, &of.dkim.selector, &of.dkim.reason, &of.trust_reason, &of.test_token,
                       &of.report.organization_name, &of.report.contact_info, &of.report.report_id})
        visit(*text);
    for (auto& word : of.report.inferred)
        visit(word);
    for (auto& w : of.report.warnings) {
        visit(w.where);
        visit(w.detail);
    }
    for (auto& p : of.report.policies) {
        visit(p.type);
        visit(p.domain);
        for (auto* list : {&p.inferred, &p.strings, &p.mx_patterns})
            for (auto& text : *list)
                visit(text);
        for (auto& d : p.details)
            for (auto* text : {&d.result_type, &d.sending_mta_ip, &d.receiving_mx, &d.receiving_mx_helo,
                               &d.receiving_ip, &d.additional_information, &d.reason_code})
                visit(*text);
    }
}

} // namespace

std::string key_of(const model::received_report& report, const std::string& reporter) {
    std::vector<std::string> domains;
    domains.reserve(report.report.policies.size());
    for (const auto& p : report.report.policies)
        domains.push_back(base::lower(p.domain));
    std::ranges::sort(domains);
    domains.erase(std::ranges::unique(domains).begin(), domains.end());
    hashed_fields f;
    f << std::string_view("key 1") << std::string_view(reporter) << std::string_view(report.report.report_id)
      << report.report.start << report.report.end << domains << std::string_view(report.test_token);
    return f.digest();
}

std::string content_of(const tlsrpt::report& report) {
    hashed_fields f;
    f << std::string_view("content 1") << std::string_view(report.organization_name)
      << std::string_view(report.contact_info) << std::string_view(report.report_id) << report.start
      << report.end << std::uint64_t{report.policies.size()};
    for (const auto& p : report.policies) {
        f << std::string_view(p.type) << std::string_view(p.domain) << p.strings << p.mx_patterns << p.success
          << p.failure << std::uint64_t{p.details.size()};
        for (const auto& d : p.details)
            f << std::string_view(d.result_type) << d.count << std::string_view(d.sending_mta_ip)
              << std::string_view(d.receiving_mx) << std::string_view(d.receiving_mx_helo)
              << std::string_view(d.receiving_ip) << std::string_view(d.additional_information)
              << std::string_view(d.reason_code);
    }
    return f.digest();
}

std::string storable(std::string_view text) {
    std::string out;
    while (!text.empty()) {
        const auto good = std::min({base::first_invalid_utf8(text), text.find('\0'), text.size()});
        out += text.substr(0, good);
        if (good == text.size())
            break;
        out += "\xEF\xBF\xBD";
        text.remove_prefix(good + 1);
    }
    return out;
}

std::optional<model::received_report> mended(const model::received_report& report) {
    bool good = true;
    each_text(report, [&](const std::string& text) { good = good && storable_as_is(text); });
    if (good)
        return std::nullopt;
    auto out = report;
    each_text(out, [](std::string& text) {
        if (!storable_as_is(text))
            text = storable(text);
    });
    return out;
}

} // namespace mailtight::store
