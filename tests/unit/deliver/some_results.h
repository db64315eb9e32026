// SPDX-License-Identifier: Apache-2.0
// Counted results as tests need them: a plain one to change, and any that a hostile peer can bring about.
#pragma once

#include "deliver/compose.h"

#include <rapidcheck.h>

#include <algorithm>
#include <string>
#include <vector>

namespace mailtight::deliver {

inline const std::chrono::sys_days some_day{std::chrono::year(2026) / 1 / 2};

inline reporter some_reporter() {
    reporter who;
    who.organization = "Example Net";
    who.contact = "tls-reports@example.net";
    return who;
}
inline model::due_report due_for(std::string domain) {
    model::due_report out;
    out.day = some_day;
    out.domain = std::move(domain);
    return out;
}
inline model::session_fault some_fault(tlsrpt::result_type type) {
    model::session_fault out;
    out.type = type;
    out.sending_mta_ip = "192.0.2.1";
    out.receiving_mx = "mx1.example.com";
    out.receiving_mx_helo = "mx1.example.com";
    out.receiving_ip = "198.51.100.1";
    out.reason_code = "tls-handshake-failure";
    return out;
}
inline model::counted_result some_result() {
    model::counted_result out;
    out.day = some_day;
    out.domain = "example.com";
    out.policy.type = tlsrpt::policy_type::sts;
    out.policy.domain = "example.com";
    out.policy.strings = {"version: STSv1", "mode: enforce", "mx: *.example.com", "max_age: 604800"};
    out.policy.mx_patterns = {"*.example.com"};
    out.success = 10;
    return out;
}

// ---- anything at all ----

/// Texts of bytes that readers and mail programs trip over.
inline rc::Gen<std::string> hostile_text() {
    const auto piece = rc::gen::element<std::string>(
        "a", "mx1.example.com", "MX.Example.COM.", " ", "  ", "\t", "\r\n", "\n", "\r", ";", ",", ":",
        "mx: ", "[", "]", "[\"3 1 1 AB\"]", "\"", "\\", "<", ">", "@", "=?utf-8?B?QQ==?=", "\xc3\xa4",
        "\xf0\x9f\x98\x80", "\xef\xbf\xbe", "\xef\xb7\x90", "\xed\xa0\x80", "\xff", "\xc3", "\x01", "\x7f",
        "\xc2\x85", "%00", "250-", "https://", "Subject: x", "--", ".", "\xe2\x80\xae", "-1", "1e999", "null",
        "{", "}", "3 1 1 ab cd", std::string(1, '\0'), std::string(70, 'x'));
    return rc::gen::map(rc::gen::resize(6, rc::gen::container<std::vector<std::string>>(piece)),
                        [](const std::vector<std::string>& pieces) {
                            std::string out;
                            for (const auto& p : pieces)
                                out += p;
                            return out;
                        });
}
inline rc::Gen<std::uint64_t> any_count() {
    return rc::gen::oneOf(
        rc::gen::inRange<std::uint64_t>(0, 5), rc::gen::inRange<std::uint64_t>(0, 100'000),
        rc::gen::element<std::uint64_t>(9'007'199'254'740'991, 18'446'744'073'709'551'615U));
}
inline rc::Gen<std::vector<std::string>> any_lines() {
    return rc::gen::oneOf(rc::gen::just(std::vector<std::string>{"version: STSv1", "mode: testing",
                                                                 "mx: a.example.com", "max_age: 1"}),
                          rc::gen::just(std::vector<std::string>{"3 1 1 0f", "2 0 1 ABCD"}),
                          rc::gen::resize(4, rc::gen::container<std::vector<std::string>>(hostile_text())));
}

inline model::session_fault any_fault() {
    model::session_fault out;
    out.type = static_cast<tlsrpt::result_type>(*rc::gen::inRange(0, int{tlsrpt::result_type_count}));
    const auto address =
        rc::gen::oneOf(rc::gen::element<std::string>("", "192.0.2.1", "2001:db8::1", "2001:DB8:0::1",
                                                     "[192.0.2.1]", "fe80::1%eth0"),
                       hostile_text());
    out.sending_mta_ip = *address;
    out.receiving_ip = *address;
    out.receiving_mx = *rc::gen::oneOf(
        rc::gen::element<std::string>("", "mx1.example.com", "MX2.example.com."), hostile_text());
    out.receiving_mx_helo = *rc::gen::oneOf(
        rc::gen::element<std::string>("", "mx1.example.com", "250-mx1.example.com hello\r\n250 STARTTLS"),
        hostile_text());
    out.additional_information = *rc::gen::oneOf(
        rc::gen::element<std::string>("", "https://example.net/r?a=1#b", "see the log"), hostile_text());
    out.reason_code =
        *rc::gen::oneOf(rc::gen::element<std::string>("", "X509_V_ERR_CERT_HAS_EXPIRED"), hostile_text());
    return out;
}
/// Consistent: no detail has more sessions than there were, since each is counted once in each of its
/// details.
inline model::counted_result any_result() {
    model::counted_result out;
    out.day = some_day;
    out.domain = "example.com";
    out.policy.type = static_cast<tlsrpt::policy_type>(*rc::gen::inRange(0, 3));
    out.policy.domain = *rc::gen::oneOf(
        rc::gen::element<std::string>("example.com", "Example.COM.", ""),
        rc::gen::map(hostile_text(), [](const std::string& text) { return text + "!"; })); // no name
    if (out.policy.type == tlsrpt::policy_type::tlsa) // of its mail server
        out.policy.domain = *rc::gen::oneOf(rc::gen::just<std::string>("mx1.example.net"), hostile_text());
    out.policy.strings = *any_lines();
    out.policy.mx_patterns = *rc::gen::oneOf(
        rc::gen::element(std::vector<std::string>{}, std::vector<std::string>{"*.example.com"}),
        rc::gen::resize(3, rc::gen::container<std::vector<std::string>>(hostile_text())));
    out.success = *any_count();
    out.failure = *any_count();
    const auto sessions =
        out.success + out.failure < out.success ? 18'446'744'073'709'551'615U : out.success + out.failure;
    const int faults = *rc::gen::inRange(0, 5);
    for (int i = 0; i < faults && sessions > 0; ++i)
        out.faults.push_back({any_fault(), std::min(*any_count(), sessions)});
    return out;
}

} // namespace mailtight::deliver
