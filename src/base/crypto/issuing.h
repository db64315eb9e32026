// SPDX-License-Identifier: Apache-2.0
// What a client of a certificate authority signs and makes: account and certificate keys, requests, and the
// certificate that answers tls-alpn-01. Errors are for a person. One thread at a time for each key.
#pragma once

#include "base/time.h"

#include <expected>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace mailtight::base {

/// An EC P-256 key.
class ec_key {
public:
    static std::expected<ec_key, std::string> from_pem(std::string_view pem);
    static std::expected<ec_key, std::string> make();
    ec_key(ec_key&&) noexcept;
    ec_key& operator=(ec_key&&) noexcept;
    ~ec_key();
    std::string pem() const; ///< PKCS#8, without a password
    /// x and y, 32 bytes each, leading zeros kept (RFC 7518 §6.2.1.2; erratum 7565 of RFC 8555).
    std::pair<std::string, std::string> point() const;
    /// ES256 as in JWS: r and s, 32 bytes each (RFC 7518 §3.4).
    std::string sign(std::string_view bytes) const;
    struct state;
    const state& native() const { return *state_; }

private:
    ec_key();
    std::unique_ptr<state> state_;
};

std::string hmac_sha256(std::string_view key, std::string_view bytes);
std::string hmac_sha512(std::string_view key, std::string_view bytes);

/// PKCS#10 in DER for one host name (SAN alone, no common name).
std::expected<std::string, std::string> signing_request(const ec_key& key, std::string_view host);
/// The self-signed certificate of RFC 8737 §3, PEM: SAN `host`, critical acmeIdentifier with this digest.
std::expected<std::string, std::string> alpn_certificate(const ec_key& key, std::string_view host,
                                                         std::string_view sha256_of_authorisation,
                                                         utc_seconds now);
/// RFC 9773 §4.1: base64url(AKI) "." base64url(serial) of the first certificate of a chain.
std::expected<std::string, std::string> renewal_id(std::string_view pem_chain);

/// Whether the private key (PEM, of any kind) belongs to the first certificate of the chain.
std::expected<void, std::string> key_fits(std::string_view pem_chain, std::string_view pem_key);
bool is_key_of(std::string_view pem_chain, const ec_key& key);

} // namespace mailtight::base
