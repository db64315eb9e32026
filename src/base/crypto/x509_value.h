// SPDX-License-Identifier: Apache-2.0
// From OpenSSL's certificate to ours, without encoding and decoding it again: decoding a public key costs a
// quarter of a TLS handshake, and a handshake has done it already. For base/crypto and io/ alone.
#pragma once

#include "base/crypto/certificate.h"

#include <openssl/x509.h>

namespace mailtight::base::openssl {

/// What parse_certificate() says of the same certificate.
std::expected<certificate, std::string> read_certificate(X509* cert);

} // namespace mailtight::base::openssl
