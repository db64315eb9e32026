// SPDX-License-Identifier: Apache-2.0
// Reports and the mails that carry them, as reporters send them and as forgers would.
#pragma once

#include "base/compress.h"
#include "base/encode.h"
#include "intake/examine.h"
#include "support/dkim.h"
#include "tlsrpt/write_report.h"

#include <string>
#include <vector>

namespace mailtight::tests {

inline constexpr base::utc_seconds report_day = std::chrono::sys_days{std::chrono::year{2026} / 5 / 3};
inline constexpr base::utc_seconds mail_time = report_day + std::chrono::hours(30);

/// A report of one policy; every test changes what it is about.
inline tlsrpt::report make_report(std::string domain = "example.com",
                                  std::string id = "2026-05-03_example.com",
                                  std::string contact = "tls@reporter.example") {
    tlsrpt::report out;
    out.organization_name = "Reporter Inc.";
    out.contact_info = std::move(contact);
    out.report_id = std::move(id);
    out.start = report_day;
    out.end = report_day + std::chrono::seconds(86'399);
    tlsrpt::policy_result policy;
    policy.type = "sts";
    policy.domain = std::move(domain);
    policy.strings = {"version: STSv1", "mode: testing", "mx: mx.example.com", "max_age: 604800"};
    policy.mx_patterns = {"mx.example.com"};
    policy.success = 10;
    out.policies.push_back(std::move(policy));
    return out;
}
inline std::string json_of(const tlsrpt::report& report) {
    return tlsrpt::write_report(report);
}
inline std::string gzip_of(const tlsrpt::report& report) {
    return base::gzip(json_of(report));
}

inline std::string wrapped_base64(std::string_view bytes) {
    const auto text = base::base64(bytes);
    std::string out;
    for (std::size_t at = 0; at < text.size(); at += 76)
        out += text.substr(at, 76) + "\r\n";
    return out;
}

struct mail_part {
    std::string headers; ///< each line with CRLF
    std::string body;
};
inline mail_part gzip_part(const tlsrpt::report& report,
                           std::string name = "reporter.example!example.com!1777766400!1777852799.json.gz") {
    return {"Content-Type: application/tlsrpt+gzip; name=\"" + name +
                "\"\r\nContent-Transfer-Encoding: base64\r\n"
                "Content-Disposition: attachment; filename=\"" +
                name + "\"\r\n",
            wrapped_base64(gzip_of(report))};
}
inline mail_part text_part(std::string text) {
    return {"Content-Type: text/plain; charset=us-ascii\r\n", std::move(text) + "\r\n"};
}

/// What a test changes of an ordinary report mail.
struct mail_wish {
    std::string from = "tls@reporter.example";
    std::string submitter = "reporter.example"; ///< "" : no field
    std::string domain = "example.com";         ///< "" : no field
    std::string subject = "Report Domain: example.com Submitter: reporter.example Report-ID: "
                          "<2026-05-03_example.com@reporter.example>";
    std::string type = "multipart/report; report-type=tlsrpt; boundary=\"cut\"";
    std::vector<mail_part> parts;
    std::string top; ///< fields in front
};
inline std::string make_mail(const mail_wish& wish) {
    std::string out = wish.top + "From: " + wish.from +
                      "\r\nTo: tls-report@reports.example\r\nSubject: " + wish.subject +
                      "\r\nDate: Mon, 04 May 2026 06:00:00 +0000\r\nMessage-ID: <1@reporter.example>\r\n";
    if (!wish.domain.empty())
        out += "TLS-Report-Domain: " + wish.domain + "\r\n";
    if (!wish.submitter.empty())
        out += "TLS-Report-Submitter: " + wish.submitter + "\r\n";
    out += "MIME-Version: 1.0\r\nContent-Type: " + wish.type + "\r\n\r\n";
    for (const auto& part : wish.parts)
        out += "--cut\r\n" + part.headers + "\r\n" + part.body;
    return out + "--cut--\r\n";
}
inline std::string report_mail(const tlsrpt::report& report, mail_wish wish = {}) {
    wish.parts = {text_part("This is an aggregate TLS report."), gzip_part(report)};
    return make_mail(wish);
}

inline std::string signed_by(const std::string& mail, const std::string& domain,
                             const std::string& selector = "s1") {
    const auto signer = mail::dkim_signer::make(domain, selector, ed25519_pem());
    return signer.value().sign(mail, mail_time) + mail;
}
/// As most senders do: a field more on top leaves the signature whole.
inline std::string loosely_signed_by(const std::string& mail, const std::string& domain) {
    const auto signer = mail::dkim_signer::make(domain, "s1", ed25519_pem());
    return signer.value().sign(mail, mail_time, false) + mail;
}
inline std::string ed25519_record(const std::string& tags = "") {
    return "v=DKIM1; k=ed25519; " + tags + "p=" + key_base64(ed25519_pem());
}
inline std::string key_name(const std::string& domain, const std::string& selector = "s1") {
    return selector + "._domainkey." + domain;
}

} // namespace mailtight::tests
