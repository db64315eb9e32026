// SPDX-License-Identifier: Apache-2.0
// Why a policy was not had, in the words that reports have for it.
#include "resolve/policy_fetch.h"

#include "support/proves.h"

#include <gtest/gtest.h>

namespace mailtight::resolve {
namespace {

using model::connect_outcome;
using model::fetch_fact;
using model::fetch_outcome;
using model::handshake_outcome;
using sts::policy_fault;

fetch_fact fact(fetch_outcome outcome) {
    fetch_fact seen;
    seen.outcome = outcome;
    return seen;
}
fetch_fact not_connected(connect_outcome how) {
    auto seen = fact(fetch_outcome::connect_failed);
    seen.connect = how;
    return seen;
}
fetch_fact status(int number, fetch_outcome outcome = fetch_outcome::http_status) {
    auto seen = fact(outcome);
    seen.status = number;
    return seen;
}
fetch_fact tls(handshake_outcome how, std::string reason, std::vector<model::cert_fault> faults = {}) {
    auto seen = fact(fetch_outcome::tls_failed);
    seen.tls.outcome = how;
    seen.tls.reason = std::move(reason);
    seen.tls.faults = std::move(faults);
    return seen;
}
fetch_fact body(std::string type, std::string text) {
    auto seen = fact(fetch_outcome::fetched);
    seen.content_type = std::move(type);
    seen.body = std::move(text);
    return seen;
}

TEST(policy_words, every_failure_has_its_type_and_a_word) {
    PROVES("A33", "A34", "8460-4.3.2-d", "8460-4.3.2-e", "8460-4.3.2-f");
    struct row {
        fetch_fact seen;
        policy_fault fault;
        std::string_view reason;
    };
    using enum policy_fault;
    const std::vector<row> rows = {
        {fact(fetch_outcome::blocked), fetch_error, "address-not-public"},
        {not_connected(connect_outcome::refused), fetch_error, "tcp-refused"},
        {not_connected(connect_outcome::timeout), fetch_error, "tcp-timeout"},
        {not_connected(connect_outcome::unreachable), fetch_error, "tcp-unreachable"},
        {not_connected(connect_outcome::failed), fetch_error, "tcp-failure"},
        {tls(handshake_outcome::completed, "X509_V_ERR_CERT_HAS_EXPIRED", {model::cert_fault::expired}),
         webpki_invalid, "X509_V_ERR_CERT_HAS_EXPIRED"},
        {tls(handshake_outcome::completed, "", {model::cert_fault::name_mismatch}), webpki_invalid,
         "tls-certificate-name-mismatch"},
        {tls(handshake_outcome::alert, "handshake_failure"), fetch_error, "handshake_failure"},
        {tls(handshake_outcome::closed, ""), fetch_error, "tls-handshake-failure"},
        {fact(fetch_outcome::timeout), fetch_error, "http-timeout"},
        {status(301, fetch_outcome::redirect), fetch_error, "redirect"},
        {status(404), fetch_error, "http-status-404"},
        {fact(fetch_outcome::too_large), fetch_error, "too-large"},
        {fact(fetch_outcome::http_invalid), fetch_error, "http-invalid"},
        {body("text/html", "version: STSv1\n"), invalid, "content-type"},
        {body("text/plain", "version: STSv1\n"), invalid, "policy-syntax"},
    };
    for (const auto& row : rows) {
        const auto judged = judge_fetch(row.seen, "mta-sts.example.com", {});
        EXPECT_FALSE(judged.value) << row.reason;
        EXPECT_EQ(judged.fault, row.fault) << row.reason;
        EXPECT_EQ(judged.reason, row.reason);
        EXPECT_FALSE(judged.detail.empty()) << row.reason;
    }
}

} // namespace
} // namespace mailtight::resolve
