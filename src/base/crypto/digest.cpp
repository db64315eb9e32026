// SPDX-License-Identifier: Apache-2.0
#include "base/encode.h"

#include <openssl/evp.h>

#include <stdexcept>

namespace mailtight::base {
namespace {

std::string digest(const char* name, std::size_t size, std::string_view bytes) {
    std::string out(size, '\0');
    std::size_t written = 0;
    if (EVP_Q_digest(nullptr, name, nullptr, bytes.data(), bytes.size(),
                     reinterpret_cast<unsigned char*>(out.data()), &written) != 1 ||
        written != size)
        throw std::runtime_error(std::string("OpenSSL offers no ") + name); // an installation without it
    return out;
}

} // namespace

std::string sha256(std::string_view bytes) {
    return digest("SHA256", 32, bytes);
}

std::string sha512(std::string_view bytes) {
    return digest("SHA512", 64, bytes);
}

} // namespace mailtight::base
