// SPDX-License-Identifier: Apache-2.0
#include "model/tls_result.h"

#include "support/proves.h"

#include <gtest/gtest.h>

namespace mailtight::model {
namespace {

using enum tlsrpt::result_type;
using faults = std::vector<cert_fault>;

TEST(tls_result, of_a_certificate_is_what_must_be_mended_first) {
    PROVES("8460-4.3.1-b", "8460-4.3.1-c", "8460-4.3.1-d");
    using enum cert_fault;
    const std::pair<faults, std::optional<tlsrpt::result_type>> rows[] = {
        {{}, std::nullopt},
        {{name_mismatch}, certificate_host_mismatch},
        {{name_mismatch, cn_only}, certificate_host_mismatch},
        {{expired}, certificate_expired},
        {{name_mismatch, expired}, certificate_expired},
        {{self_signed}, certificate_not_trusted},
        {{chain_incomplete}, certificate_not_trusted},
        {{untrusted}, certificate_not_trusted},
        {{not_yet_valid}, certificate_not_trusted},
        {{weak}, certificate_not_trusted},
        {{expired, self_signed, name_mismatch}, certificate_not_trusted},
    };
    for (const auto& [seen, expected] : rows) {
        tls_fact tls{.outcome = handshake_outcome::completed, .faults = seen};
        std::string words;
        for (const auto fault : seen)
            words += std::string(to_string(fault)) + " ";
        EXPECT_EQ(failure_of(tls), expected) << words;
        EXPECT_EQ(result_of({.outcome = smtp_outcome::tls, .tls = tls}).failure, expected) << words;
    }
}

TEST(tls_result, of_a_broken_handshake_is_validation_failure) {
    PROVES("8460-4.3.1-e", "8460-4.3.3-a");
    using enum handshake_outcome;
    for (const auto how : {protocol_too_old, alert, no_shared_cipher, closed, timeout, not_tls, failed})
        EXPECT_EQ(failure_of({.outcome = how}), validation_failure) << to_string(how);
    EXPECT_EQ(failure_of({.outcome = not_tried}), std::nullopt);
}

TEST(tls_result, of_a_conversation_that_never_came_to_tls_is_none) {
    PROVES("8460-4.3.1-a", "8460-4.3.4-a");
    using enum smtp_outcome;
    for (const auto how : {not_tried, blocked, connect_failed, banner_timeout, banner_refused, protocol_error,
                           timeout, closed})
        EXPECT_FALSE(result_of({.outcome = how}).counts) << to_string(how);
    for (const auto how : {no_starttls, starttls_refused}) {
        EXPECT_TRUE(result_of({.outcome = how}).counts) << to_string(how);
        EXPECT_EQ(result_of({.outcome = how}).failure, starttls_not_supported) << to_string(how);
    }
    for (const auto how : {injected, handshake_failed})
        EXPECT_EQ(result_of({.outcome = how}).failure, validation_failure) << to_string(how);
}

TEST(fetch_fact, is_plain_text_whatever_the_parameters) {
    PROVES("8461-3.2-c");
    for (const char* good : {"text/plain", "TEXT/PLAIN", "text/plain; charset=utf-8", "text/plain;charset=x",
                             " text/plain ; format=flowed; x=y"})
        EXPECT_TRUE(fetch_fact{.content_type = good}.is_plain_text()) << good;
    for (const char* bad : {"", "text/html", "text/plainer", "text", "application/octet-stream",
                            "text/html; text/plain", ";text/plain"})
        EXPECT_FALSE(fetch_fact{.content_type = bad}.is_plain_text()) << bad;
}

} // namespace
} // namespace mailtight::model
