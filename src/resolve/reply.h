// SPDX-License-Identifier: Apache-2.0
// A decision in the words of each mail server. Pure. Nothing of a policy reaches a reply without having been
// judged harmless in that reply's grammar: host names and patterns by the strict grammar of RFC 8461 §3.2,
// policy lines by what Postfix can quote.
#pragma once

#include "resolve/decision.h"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace mailtight::resolve {

/// The longest reply that the clients of the socketmap protocol take.
inline constexpr std::size_t reply_limit = 100'000;

enum class dialect {
    tlspol,         ///< QUERY: as postfix-tlspol answers
    tlspol_tlsrpt,  ///< QUERYwithTLSRPT
    postfix,        ///< 3.4 to 3.9: `servername=hostname`, concrete MX names in `match=`
    postfix_legacy, ///< 2.11 to 3.3: without `servername`, so that no SNI is sent
    postfix_3_10,   ///< with the TLSRPT attributes
    sendmail,       ///< `sts`: servername last, nothing else
};
/// By map name, case-insensitively: `QUERY`, `QUERYwithTLSRPT`, `postfix`, `postfix-legacy`, `postfix-3.10`,
/// `sts`.
std::optional<dialect> dialect_of(std::string_view map_name);
std::string_view to_string(dialect d);

struct reply {
    enum class status { ok, not_found, temp, perm } what = status::not_found;
    std::string text; ///< ok: the policy; temp, perm: the reason
    friend bool operator==(const reply&, const reply&) = default;
};
struct reply_options {
    /// The mail server does validated DANE look-ups of its own (`smtp_dns_support_level = dnssec` and a
    /// validating resolver): `dane` can be said, and is said where our own look-up failed.
    bool mta_has_dane = true;
};
reply render(dialect d, const tls_decision& decision, const reply_options& options);

/// `OK text`, `NOTFOUND `, `TEMP reason`, `PERM reason`, within 100,000 bytes (else TEMP), as one netstring.
std::string to_socketmap(const reply& r);
/// The reason as mail servers may show it: printable ASCII, at most 180 bytes (Postfix shows 200), never
/// empty.
std::string reason_in_words(std::string_view reason, std::string_view otherwise);
/// One line of postfix-tlspol's JSON verb. `seconds`: how long the look-up took.
std::string to_tlspol_json(const tls_decision& decision, base::utc_seconds now, double seconds = 0);
/// `resolve --json`, GET /api/v1/policy/{domain}.
std::string to_json(const tls_decision& decision, const reply_options& options, base::utc_seconds now);
/// For people: every answer, the decision, the replies, the lifetimes; so wide (40 to 200).
std::string explain(const tls_decision& decision, const reply_options& options, base::utc_seconds now,
                    std::size_t columns = 78);

/// The line protocol for Exim's ${readsocket}: `POLICY domain`, `MX domain host`, answered by one line;
/// reply_lines.cpp documents each.
std::string to_exim_policy(const tls_decision& decision, const reply_options& options);
std::string to_exim_mx(const tls_decision& decision, std::string_view mx_host, const reply_options& options);

} // namespace mailtight::resolve
