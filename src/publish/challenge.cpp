// SPDX-License-Identifier: Apache-2.0
#include "publish/challenge.h"

#include "base/base64url.h"
#include "base/crypto/issuing.h"
#include "base/encode.h"

#include <fmt/format.h>

namespace mailtight::publish {

std::string dns_challenge_name(std::string_view host) {
    return fmt::format("_acme-challenge.{}", host);
}

std::string dns_challenge_value(std::string_view key_authorization) {
    return base::base64url(base::sha256(key_authorization));
}

std::expected<alpn_answer, std::string>
make_alpn_answer(std::string_view host, std::string_view key_authorization, base::utc_seconds now) {
    const auto key = base::ec_key::make();
    if (!key)
        return std::unexpected(key.error());
    auto chain = base::alpn_certificate(*key, host, base::sha256(key_authorization), now);
    if (!chain)
        return std::unexpected(chain.error());
    return alpn_answer{std::move(*chain), key->pem()};
}

std::string certificate_seal_name(std::string_view host) {
    return fmt::format("certificate/{}", host);
}

} // namespace mailtight::publish
