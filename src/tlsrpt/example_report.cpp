// SPDX-License-Identifier: Apache-2.0
// The made-up report: names of RFC 2606, addresses of RFC 5737 and RFC 3849, and every registered kind of
// failure where it can happen.
#include "tlsrpt/write_report.h"

#include "tlsrpt/date_time.h"

#include <array>

namespace mailtight::tlsrpt {
namespace {

struct made_up {
    result_type type;
    std::uint64_t count;
    std::string_view mx, helo, ip, information, reason;
};
constexpr std::string_view sender_v4 = "192.0.2.25", sender_v6 = "2001:db8:5e::25";

// What a sender saw with the MTA-STS policy of example.com.
constexpr std::array sts_failures{
    made_up{result_type::starttls_not_supported, 12, "mx2.example.com", "mx2.example.com", "198.51.100.12",
            "", ""},
    made_up{result_type::certificate_host_mismatch, 7, "mx3.example.com", "mail.example.net", "198.51.100.13",
            "", ""},
    made_up{result_type::certificate_expired, 31, "mx1.example.com", "mx1.example.com", "198.51.100.11",
            "https://reports.example.net/tls/20?kind=certificate-expired", "X509_V_ERR_CERT_HAS_EXPIRED"},
    made_up{result_type::certificate_not_trusted, 4, "mx1.example.com", "mx1.example.com", "2001:db8:1::11",
            "", "X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY"},
    made_up{result_type::validation_failure, 3, "old-mx.example.com", "", "", "", "sts-mx-not-in-policy"},
};
// What it saw when it asked for the policy of example.org: no mail server was reached.
constexpr std::array fetch_failures{
    made_up{result_type::sts_policy_fetch_error, 6, "", "", "", "", "http-status-404"},
    made_up{result_type::sts_policy_invalid, 2, "", "", "", "", "content-type"},
    made_up{result_type::sts_webpki_invalid, 1, "", "", "", "", "X509_V_ERR_HOSTNAME_MISMATCH"},
};
// And with the TLSA records of an MX host.
constexpr std::array dane_failures{
    made_up{result_type::tlsa_invalid, 5, "mx1.dane.example.net", "mx1.dane.example.net", "203.0.113.21", "",
            ""},
    made_up{result_type::dnssec_invalid, 2, "mx2.dane.example.net", "", "", "", "RRSIG expired"},
    made_up{result_type::dane_required, 1, "mx3.dane.example.net", "", "203.0.113.23", "", ""},
};
static_assert(sts_failures.size() + fetch_failures.size() + dane_failures.size() == result_type_count);

template<std::size_t N>
policy_result result_of(policy_type type, std::string_view domain, std::uint64_t success,
                        const std::array<made_up, N>& failures) {
    policy_result p;
    p.type = to_string(type);
    p.domain = domain;
    p.success = success;
    for (const auto& f : failures) {
        failure_detail d;
        d.result_type = to_string(f.type);
        d.count = f.count;
        if (!f.ip.empty())
            d.sending_mta_ip = f.ip.find(':') == std::string_view::npos ? sender_v4 : sender_v6;
        d.receiving_mx = f.mx;
        d.receiving_mx_helo = f.helo;
        d.receiving_ip = f.ip;
        d.additional_information = f.information;
        d.reason_code = f.reason;
        p.failure += f.count;
        p.details.push_back(std::move(d));
    }
    return p;
}

} // namespace

report example_report(base::utc_seconds day) {
    report out;
    out.organization_name = "Example Mail";
    out.contact_info = "tls-reports@example.net";
    out.start = day_begin(day);
    out.end = day_end(day);
    out.report_id = base::format_compact(*out.start).substr(0, 8) + ".1.example.com@example.net"; // A28

    auto sts = result_of(policy_type::sts, "example.com", 1'187, sts_failures);
    sts.mx_patterns = {"mx1.example.com", "mx2.example.com", "mx3.example.com"};
    sts.strings = {"version: STSv1",      "mode: testing",       "mx: mx1.example.com",
                   "mx: mx2.example.com", "mx: mx3.example.com", "max_age: 86400"};
    auto fetch = result_of(policy_type::sts, "example.org", 0, fetch_failures);
    auto dane = result_of(policy_type::tlsa, "dane.example.net", 214, dane_failures);
    dane.strings = {"3 1 1 8A9B2C1D3E4F5061728394A5B6C7D8E9FA0B1C2D3E4F5061728394A5B6C7D8E9",
                    "2 1 1 00112233445566778899AABBCCDDEEFF00112233445566778899AABBCCDDEEFF"};
    auto none = result_of(policy_type::no_policy_found, "sub.example.com", 58, std::array<made_up, 0>{});
    out.policies = {std::move(sts), std::move(fetch), std::move(dane), std::move(none)};
    return out;
}

} // namespace mailtight::tlsrpt
