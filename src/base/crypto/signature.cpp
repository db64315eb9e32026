// SPDX-License-Identifier: Apache-2.0
#include "base/crypto/signature.h"

#include "base/crypto/openssl_ptr.h"

#include <climits>

namespace mailtight::base {
namespace {
using namespace openssl;

const unsigned char* bytes_of(std::string_view text) {
    return reinterpret_cast<const unsigned char*>(text.data());
}
bool is_readable(std::string_view der) {
    return !der.empty() && der.size() <= static_cast<std::size_t>(LONG_MAX);
}

key_ptr read_key(std::string_view der) {
    if (!is_readable(der))
        return nullptr;
    const unsigned char* at = bytes_of(der);
    key_ptr key(d2i_PUBKEY(nullptr, &at, static_cast<long>(der.size())));
    if (key && at != bytes_of(der) + der.size())
        key.reset(); // bytes behind it
    return key;
}
} // namespace

bool is_public_key(std::string_view spki_der) {
    const clean_errors clean;
    return read_key(spki_der) != nullptr;
}

bool signed_by(const certificate& cert, std::string_view issuer_spki_der) {
    const clean_errors clean;
    const key_ptr key = read_key(issuer_spki_der);
    if (!key || !is_readable(cert.der))
        return false;
    const unsigned char* at = bytes_of(cert.der);
    const x509_ptr x509(d2i_X509(nullptr, &at, static_cast<long>(cert.der.size())));
    return x509 && X509_verify(x509.get(), key.get()) == 1;
}

} // namespace mailtight::base
