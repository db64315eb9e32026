// SPDX-License-Identifier: Apache-2.0
// Who signed a certificate. Pure; takes any bytes, and a key that cannot be read signs nothing.
#pragma once

#include "base/crypto/certificate.h"

#include <string_view>

namespace mailtight::base {

/// True where the bytes are one SubjectPublicKeyInfo in DER, and nothing else, of a kind that can be used.
bool is_public_key(std::string_view spki_der);

/// True where the key behind `issuer_spki_der` made the signature of the certificate. Names, dates and
/// constraints are not looked at.
bool signed_by(const certificate& cert, std::string_view issuer_spki_der);

} // namespace mailtight::base
