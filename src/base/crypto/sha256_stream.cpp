// SPDX-License-Identifier: Apache-2.0
#include "base/crypto/sha256_stream.h"

#include "base/crypto/openssl_ptr.h"

#include <stdexcept>

namespace mailtight::base {
namespace {
void must(int result) {
    if (result != 1)
        throw std::runtime_error("OpenSSL offers no SHA256"); // an installation without it
}
// Fetched once: the look-up costs more than hashing a short message.
const EVP_MD* sha256_method() {
    static EVP_MD* const method = EVP_MD_fetch(nullptr, "SHA256", nullptr);
    must(method != nullptr);
    return method;
}
} // namespace

struct sha256_stream::state {
    openssl::owner<EVP_MD_CTX, EVP_MD_CTX_free> context{EVP_MD_CTX_new()};
};

sha256_stream::sha256_stream()
    : state_(std::make_unique<state>()) {
    must(state_->context != nullptr);
    must(EVP_DigestInit_ex2(state_->context.get(), sha256_method(), nullptr));
}
sha256_stream::sha256_stream(sha256_stream&&) noexcept = default;
sha256_stream& sha256_stream::operator=(sha256_stream&&) noexcept = default;
sha256_stream::~sha256_stream() = default;

void sha256_stream::update(std::string_view bytes) {
    must(EVP_DigestUpdate(state_->context.get(), bytes.data(), bytes.size()));
}

std::string sha256_stream::finish() {
    std::string out(32, '\0');
    unsigned length = 0;
    must(EVP_DigestFinal_ex(state_->context.get(), reinterpret_cast<unsigned char*>(out.data()), &length));
    must(EVP_DigestInit_ex2(state_->context.get(), sha256_method(), nullptr));
    return out;
}

} // namespace mailtight::base
