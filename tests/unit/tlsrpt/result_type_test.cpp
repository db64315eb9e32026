// SPDX-License-Identifier: Apache-2.0
#include "tlsrpt/result_type.h"

#include "support/proves.h"

namespace mailtight::tlsrpt {
namespace {
using enum result_type;

struct row {
    result_type type;
    std::string_view word;
    int code;
};
constexpr row rows[] = {
    {starttls_not_supported, "starttls-not-supported", 201},
    {certificate_host_mismatch, "certificate-host-mismatch", 202},
    {certificate_not_trusted, "certificate-not-trusted", 203},
    {certificate_expired, "certificate-expired", 204},
    {validation_failure, "validation-failure", 205},
    {sts_policy_fetch_error, "sts-policy-fetch-error", 301},
    {sts_policy_invalid, "sts-policy-invalid", 302},
    {sts_webpki_invalid, "sts-webpki-invalid", 303},
    {tlsa_invalid, "tlsa-invalid", 304},
    {dnssec_invalid, "dnssec-invalid", 305},
    {dane_required, "dane-required", 306},
};

TEST(result_type, the_eleven_registered_ones) {
    PROVES("8460-6.6-a");
    ASSERT_EQ(std::size(rows), result_type_count);
    for (const auto& r : rows) {
        EXPECT_EQ(to_string(r.type), r.word);
        EXPECT_EQ(parse_result_type(r.word), r.type);
        EXPECT_EQ(wire_code(r.type), r.code);
        EXPECT_EQ(result_type_from_wire(r.code), r.type);
        EXPECT_TRUE(explain(r.type).ends_with('.'));
    }
}

TEST(result_type, an_unknown_one_is_nothing_and_no_error) {
    for (std::string_view word : {"", "Certificate-Expired", "certificate-revoked", "sts"})
        EXPECT_EQ(parse_result_type(word), std::nullopt) << word;
    for (int code : {0, 1, 200, 206, 300, 307, -1})
        EXPECT_EQ(result_type_from_wire(code), std::nullopt) << code;
}

TEST(policy_type, the_three) {
    struct {
        policy_type type;
        std::string_view word;
        int code;
    } const types[] = {{policy_type::tlsa, "tlsa", 1},
                       {policy_type::sts, "sts", 2},
                       {policy_type::no_policy_found, "no-policy-found", 9}};
    for (const auto& t : types) {
        EXPECT_EQ(to_string(t.type), t.word);
        EXPECT_EQ(parse_policy_type(t.word), t.type);
        EXPECT_EQ(wire_code(t.type), t.code);
        EXPECT_EQ(policy_type_from_wire(t.code), t.type);
    }
    EXPECT_EQ(parse_policy_type("dane"), std::nullopt);
    EXPECT_EQ(policy_type_from_wire(3), std::nullopt);
}

} // namespace
} // namespace mailtight::tlsrpt
