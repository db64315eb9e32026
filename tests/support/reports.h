// SPDX-License-Identifier: Apache-2.0
// Received reports for tests, made of few words: a Google-like reporter, one day, one sts policy.
#pragma once

#include "model/received.h"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace mailtight::tests {

inline base::utc_seconds at(int year, unsigned month, unsigned day, int hour = 0) {
    return std::chrono::sys_days(std::chrono::year(year) / std::chrono::month(month) /
                                 std::chrono::day(day)) +
           std::chrono::hours(hour);
}
inline base::utc_seconds day_in_may(unsigned day) {
    return at(2026, 5, day);
}

inline tlsrpt::policy_result policy(std::string type, std::string domain, std::uint64_t success,
                                    std::uint64_t failure = 0) {
    tlsrpt::policy_result out{
        .type = std::move(type), .domain = std::move(domain), .success = success, .failure = failure};
    if (out.type == "sts")
        out.strings = {"version: STSv1", "mode: enforce", "mx: mx1.example.com", "max_age: 604800"};
    return out;
}
inline tlsrpt::failure_detail detail(std::string result_type, std::uint64_t count,
                                     std::string mx = "mx1.example.com", std::string reason = "") {
    return {.result_type = std::move(result_type),
            .count = count,
            .sending_mta_ip = "192.0.2.9",
            .receiving_mx = std::move(mx),
            .receiving_mx_helo = "mx1",
            .receiving_ip = "198.51.100.1",
            .reason_code = std::move(reason)};
}

/// A verified report of Google's about one day of May 2026.
inline model::received_report report(std::string id, std::string domain, unsigned day, std::uint64_t success,
                                     std::uint64_t failure = 0, std::string submitter = "google.com") {
    model::received_report out;
    out.report = {.organization_name = submitter == "google.com" ? "Google Inc." : submitter,
                  .contact_info = "smtp-tls-reporting@" + submitter,
                  .report_id = std::move(id),
                  .start = day_in_may(day),
                  .end = day_in_may(day) + std::chrono::seconds(86'399),
                  .policies = {policy("sts", domain, success, failure)}};
    if (failure > 0)
        out.report.policies[0].details.push_back(detail("certificate-expired", failure));
    out.format = "mail";
    out.source = "a mailbox";
    out.way = model::way_in::smtp;
    out.received_at = day_in_may(day + 1) + std::chrono::hours(3);
    out.submitter = std::move(submitter);
    out.report_domain = std::move(domain);
    out.recipient = "tls-report@example.com";
    out.dkim = {.result = mail::dkim_result::pass, .domain = out.submitter, .selector = "s1", .mail = true};
    out.trust = model::trust::verified;
    out.trust_reason = "signed by the reporter";
    out.json = R"({"organization-name":"any"})";
    return out;
}

} // namespace mailtight::tests
