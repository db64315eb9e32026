// SPDX-License-Identifier: Apache-2.0
// What a certificate says, as a value without any library type. Parsing takes any bytes and never throws on
// them.
#pragma once

#include "base/time.h"

#include <expected>
#include <string>
#include <string_view>
#include <vector>

namespace mailtight::base {

struct certificate {
    std::vector<std::string>
        dns_names; ///< dNSName SANs, as written (RFC 9525 DNS-ID); a name holding NUL is escaped
    std::vector<std::string>
        ip_addresses;                ///< iPAddress SANs as text: worth showing, never a host's name here
    std::string common_name;         ///< the subject's last CN, or ""
    std::string subject;             ///< one line, RFC 2253 order
    std::string issuer;              ///< one line
    std::string issuer_organization; ///< the issuer's O, or its CN
    std::string serial;              ///< lower-case hex
    utc_seconds not_before{};
    utc_seconds not_after{};
    bool is_ca = false;
    bool self_issued = false;   ///< subject equals issuer
    std::string key;            ///< "RSA 2048", "EC P-256", "Ed25519"
    std::string ca_issuers_url; ///< AIA caIssuers, or ""
    std::string spki_der;       ///< SubjectPublicKeyInfo (TLSA selector 1)
    std::string der;            ///< the whole certificate (TLSA selector 0)
};

/// Reads one DER certificate, all bytes of it; the error says what is wrong with it. Text in the result comes
/// from a remote side: show it through base::printable().
std::expected<certificate, std::string> parse_certificate(std::string_view der);
/// Reads every CERTIFICATE block of a PEM text, in order; other blocks (keys) and text between are passed
/// over. A text without any is an error.
std::expected<std::vector<certificate>, std::string> parse_pem_chain(std::string_view pem);

/// RFC 9525 (and RFC 8461 §3.3, §4.2): does a dNSName SAN name this host? ASCII case-insensitive; `*` only as
/// the whole left-most label, for exactly one label. `host` has no trailing dot. The common name plays no
/// part.
bool names_host(const certificate& cert, std::string_view host);
/// One presented identifier against one host, the same rule.
bool dns_name_matches(std::string_view presented, std::string_view host);

} // namespace mailtight::base
