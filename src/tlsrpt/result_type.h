// SPDX-License-Identifier: Apache-2.0
// The registered result types and policy types of RFC 8460 (§4.3, §4.4, §6.6; registry of 2018-09-28), and
// the numbers by which libtlsrpt names them. Both lists are open to a reader: an unknown word is kept as text
// by its caller.
#pragma once

#include <array>
#include <optional>
#include <string_view>

namespace mailtight::tlsrpt {

enum class result_type {
    starttls_not_supported,
    certificate_host_mismatch,
    certificate_not_trusted,
    certificate_expired,
    validation_failure,
    sts_policy_fetch_error,
    sts_policy_invalid,
    sts_webpki_invalid,
    tlsa_invalid,
    dnssec_invalid,
    dane_required,
};
inline constexpr std::size_t result_type_count = 11;
std::string_view to_string(result_type type);
std::optional<result_type> parse_result_type(std::string_view word);
/// libtlsrpt's code: 201-205, 301-306.
int wire_code(result_type type);
std::optional<result_type> result_type_from_wire(int code);
/// One sentence for a person.
std::string_view explain(result_type type);

enum class policy_type { tlsa, sts, no_policy_found };
std::string_view to_string(policy_type type);
std::optional<policy_type> parse_policy_type(std::string_view word);
int wire_code(policy_type type);
std::optional<policy_type> policy_type_from_wire(int code);

} // namespace mailtight::tlsrpt
