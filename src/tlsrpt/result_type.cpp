// SPDX-License-Identifier: Apache-2.0
// One table for the words, numbers and sentences of each list; every function reads it.
#include "tlsrpt/result_type.h"

#include "tlsrpt/eight_bytes.h"

#include <cstddef>

namespace mailtight::tlsrpt {
namespace {
template<class Type>
struct row {
    Type type;
    std::string_view word;
    int code; // libtlsrpt
    std::string_view sentence;
};

// 8460-6.6-a, in the order of the enum.
constexpr std::array<row<result_type>, result_type_count> result_types{{
    // 8460-4.3.1-a
    {result_type::starttls_not_supported, "starttls-not-supported", 201,
     "The receiving mail server did not offer STARTTLS, or refused it."},
    // 8460-4.3.1-b
    {result_type::certificate_host_mismatch, "certificate-host-mismatch", 202,
     "The certificate of the mail server does not carry the name that the policy demands."},
    // 8460-4.3.1-d
    {result_type::certificate_not_trusted, "certificate-not-trusted", 203,
     "The sender does not trust the certificate: an unknown authority, or a fault in the chain."},
    // 8460-4.3.1-c
    {result_type::certificate_expired, "certificate-expired", 204,
     "The certificate of the mail server has expired."},
    // 8460-4.3.1-e
    {result_type::validation_failure, "validation-failure", 205,
     "TLS or its validation failed for a reason that has no type of its own: see the reason code."},
    // 8460-4.3.2-d
    {result_type::sts_policy_fetch_error, "sts-policy-fetch-error", 301,
     "The sender could not fetch the MTA-STS policy from the policy host."},
    // 8460-4.3.2-e
    {result_type::sts_policy_invalid, "sts-policy-invalid", 302,
     "The sender fetched the MTA-STS policy and found it invalid."},
    // 8460-4.3.2-f
    {result_type::sts_webpki_invalid, "sts-webpki-invalid", 303,
     "The certificate of the policy host could not be validated."},
    // 8460-4.3.2-a
    {result_type::tlsa_invalid, "tlsa-invalid", 304,
     "The mail server has TLSA records, and none of them can be used."},
    // 8460-4.3.2-b
    {result_type::dnssec_invalid, "dnssec-invalid", 305,
     "DNSSEC validation failed, so the sender got no trustworthy answer."},
    // 8460-4.3.2-c
    {result_type::dane_required, "dane-required", 306,
     "The sender demands DANE for this destination, but the mail server has no validated TLSA record."},
}};
constexpr std::array<row<policy_type>, 3> policy_types{{
    {policy_type::tlsa, "tlsa", 1, ""},
    {policy_type::sts, "sts", 2, ""},
    {policy_type::no_policy_found, "no-policy-found", 9, ""},
}};

template<class Rows>
constexpr bool in_order(const Rows& rows) {
    for (std::size_t i = 0; i < rows.size(); ++i)
        if (static_cast<std::size_t>(rows[i].type) != i)
            return false;
    return true;
}
static_assert(in_order(result_types) && in_order(policy_types), "tables are indexed by the enum");

template<class Type, std::size_t N>
std::optional<Type> by_word(const std::array<row<Type>, N>& rows, std::string_view word) {
    for (const auto& r : rows)
        if (same_name(r.word, word))
            return r.type;
    return std::nullopt;
}
template<class Type, std::size_t N>
std::optional<Type> by_code(const std::array<row<Type>, N>& rows, int code) {
    for (const auto& r : rows)
        if (r.code == code)
            return r.type;
    return std::nullopt;
}
template<class Type, std::size_t N>
const row<Type>& of(const std::array<row<Type>, N>& rows, Type type) {
    return rows.at(static_cast<std::size_t>(type));
}
} // namespace

std::string_view to_string(result_type type) {
    return of(result_types, type).word;
}
std::optional<result_type> parse_result_type(std::string_view word) {
    return by_word(result_types, word);
}
int wire_code(result_type type) {
    return of(result_types, type).code;
}
std::optional<result_type> result_type_from_wire(int code) {
    return by_code(result_types, code);
}
std::string_view explain(result_type type) {
    return of(result_types, type).sentence;
}

std::string_view to_string(policy_type type) {
    return of(policy_types, type).word;
}
std::optional<policy_type> parse_policy_type(std::string_view word) {
    return by_word(policy_types, word);
}
int wire_code(policy_type type) {
    return of(policy_types, type).code;
}
std::optional<policy_type> policy_type_from_wire(int code) {
    return by_code(policy_types, code);
}

} // namespace mailtight::tlsrpt
