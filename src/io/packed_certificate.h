// SPDX-License-Identifier: Apache-2.0
// A certificate with its key in few bytes, for tables of very many: the leaf and the key as DER, the issuers'
// certificates shared by all leaves that have the same. Opening one costs a tenth of reading PEM. Values; one
// thread at a time.
#pragma once

#include "io/certified_key.h"

#include <cstddef>
#include <expected>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

namespace mailtight::io {

/// The certificates between a leaf and its root, parsed.
struct issuer_chain;

/// Keeps each chain of issuers once, as long as a leaf needs it.
class issuer_pool {
public:
    /// PEM without the leaf; null where there is none. The error is for a person.
    std::expected<std::shared_ptr<const issuer_chain>, std::string> get(std::string_view pem);

private:
    std::unordered_map<std::string, std::weak_ptr<const issuer_chain>> known_; ///< by digest
};

class packed_certificate {
public:
    /// As certified_key::read(). A key that does not belong to the certificate is refused here, and so is a
    /// certificate that does not name `host` (RFC 9525; lower case, no final dot; "" : any name will do).
    static std::expected<packed_certificate, std::string> read(std::string_view chain, std::string_view key,
                                                               std::string_view host, issuer_pool& shared);
    packed_certificate(packed_certificate&& other) noexcept = default;
    packed_certificate& operator=(packed_certificate&& other) noexcept;
    ~packed_certificate(); ///< overwrites the key

    /// Null only where memory has run out.
    std::shared_ptr<const certified_key> open() const;

private:
    packed_certificate() = default;
    std::string leaf_, key_; ///< DER
    std::shared_ptr<const issuer_chain> issuers_;
    int kind_ = 0; ///< of the key, as OpenSSL numbers them
};

} // namespace mailtight::io
