// SPDX-License-Identifier: Apache-2.0
#include "base/crypto/issuing.h"

#include <openssl/evp.h>

#include <stdexcept>

namespace mailtight::base {
namespace {

std::string hmac(const char* digest, std::size_t size, std::string_view key, std::string_view bytes) {
    std::string out(size, '\0');
    std::size_t written = 0;
    // An empty view may point nowhere, which OpenSSL takes for "no key was given".
    const char* const key_bytes = key.empty() ? "" : key.data();
    if (EVP_Q_mac(nullptr, "HMAC", nullptr, digest, nullptr, key_bytes, key.size(),
                  reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(),
                  reinterpret_cast<unsigned char*>(out.data()), out.size(), &written) == nullptr ||
        written != size)
        throw std::runtime_error(std::string("OpenSSL offers no HMAC with ") + digest);
    return out;
}

} // namespace

std::string hmac_sha256(std::string_view key, std::string_view bytes) {
    return hmac("SHA256", 32, key, bytes);
}

std::string hmac_sha512(std::string_view key, std::string_view bytes) {
    return hmac("SHA512", 64, key, bytes);
}

} // namespace mailtight::base
