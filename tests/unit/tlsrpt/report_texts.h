// SPDX-License-Identifier: Apache-2.0
// A well-formed report, and the means to make it odd in one place.
#pragma once

#include "tlsrpt/read_report.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>

namespace mailtight::tests {

/// Nothing in it earns a warning.
inline const std::string tidy_report = R"({
  "organization-name": "Example Mail",
  "date-range": {"start-datetime": "2026-01-02T00:00:00Z", "end-datetime": "2026-01-02T23:59:59Z"},
  "contact-info": "reports@example.net",
  "report-id": "20260102.1@example.net",
  "policies": [{
    "policy": {
      "policy-type": "sts",
      "policy-string": ["version: STSv1", "mode: testing", "mx: mx1.example.com", "max_age: 86400"],
      "policy-domain": "example.com",
      "mx-host": ["mx1.example.com"]
    },
    "summary": {"total-successful-session-count": 10, "total-failure-session-count": 2},
    "failure-details": [{
      "result-type": "certificate-expired",
      "sending-mta-ip": "192.0.2.1",
      "receiving-mx-hostname": "mx1.example.com",
      "receiving-mx-helo": "mx1.example.com",
      "receiving-ip": "2001:db8::1",
      "failed-session-count": 2,
      "additional-information": "https://reports.example.net/1",
      "failure-reason-code": "X509_V_ERR_CERT_HAS_EXPIRED"
    }]
  }]
})";

/// The tidy report with its only `from` replaced.
inline std::string with(std::string_view from, std::string_view to, std::string text = tidy_report) {
    const auto at = text.find(from);
    if (at == std::string::npos || text.find(from, at + 1) != std::string::npos) {
        ADD_FAILURE() << "not there once: " << from;
        return text;
    }
    return text.replace(at, from.size(), to);
}

inline std::string codes(const tlsrpt::report& of) {
    std::string out;
    for (const auto& w : of.warnings)
        out += std::string(out.empty() ? "" : " ") + std::string(to_string(w.code)) + "@" + w.where;
    return out;
}
inline bool has(const tlsrpt::report& of, tlsrpt::quirk code, std::string_view where) {
    return std::ranges::any_of(of.warnings,
                               [&](const auto& w) { return w.code == code && w.where == where; });
}

} // namespace mailtight::tests
