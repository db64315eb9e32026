// SPDX-License-Identifier: Apache-2.0
// How a name is shown to be ours to a certificate authority: the kinds of challenge, and what answers each
// (RFC 8555 §8, RFC 8737). Pure.
#pragma once

#include "base/time.h"

#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace mailtight::publish {

enum class challenge_kind { tls_alpn_01, http_01, dns_01 };
std::string_view to_string(challenge_kind k);
std::optional<challenge_kind> parse_challenge_kind(std::string_view word);

/// Where dns-01 looks: "_acme-challenge." before the name (RFC 8555 §8.4).
std::string dns_challenge_name(std::string_view host);
/// What stands there, for this key authorization.
std::string dns_challenge_value(std::string_view key_authorization);

/// The certificate and the key that answer tls-alpn-01 (both PEM), from what the store keeps of it: the key
/// authorization. Every machine makes its own, so that no key has to be shared.
struct alpn_answer {
    std::string chain, key;
};
std::expected<alpn_answer, std::string>
make_alpn_answer(std::string_view host, std::string_view key_authorization, base::utc_seconds now);

/// Under which name the key of a certificate is sealed (base/crypto/sealed.h).
std::string certificate_seal_name(std::string_view host);

} // namespace mailtight::publish
