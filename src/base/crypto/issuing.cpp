// SPDX-License-Identifier: Apache-2.0
// Entries: ec_key. Certificates and requests are made in issuing_certificate.cpp, HMACs in hmac.cpp.
#include "base/crypto/issuing.h"

#include "base/crypto/ec_key_state.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/pem.h>

#include <array>
#include <climits>

namespace mailtight::base {
namespace {
using namespace openssl;
using digest_context_ptr = owner<EVP_MD_CTX, EVP_MD_CTX_free>;
using ecdsa_ptr = owner<ECDSA_SIG, ECDSA_SIG_free>;

constexpr int coordinate_bytes = 32;

const unsigned char* bytes_of(std::string_view text) {
    return reinterpret_cast<const unsigned char*>(text.data());
}

bool is_p256(const EVP_PKEY* key) {
    std::array<char, 64> group{};
    std::size_t length = 0;
    return EVP_PKEY_get_base_id(key) == EVP_PKEY_EC &&
           EVP_PKEY_get_group_name(key, group.data(), group.size(), &length) == 1 &&
           std::string_view(group.data(), length) == SN_X9_62_prime256v1;
}

/// Big-endian and of the full length: leading zeros belong to it.
std::string padded(const BIGNUM* number) {
    std::string out(coordinate_bytes, '\0');
    if (number == nullptr || BN_bn2binpad(number, reinterpret_cast<unsigned char*>(out.data()),
                                          coordinate_bytes) != coordinate_bytes)
        out.clear();
    return out;
}

std::string coordinate(const EVP_PKEY* key, const char* which) {
    BIGNUM* number = nullptr;
    if (EVP_PKEY_get_bn_param(key, which, &number) != 1)
        return {};
    const bignum_ptr guard(number);
    return padded(number);
}
} // namespace

ec_key::ec_key()
    : state_(std::make_unique<state>()) {}
ec_key::ec_key(ec_key&&) noexcept = default;
ec_key& ec_key::operator=(ec_key&&) noexcept = default;
ec_key::~ec_key() = default;

std::expected<ec_key, std::string> ec_key::from_pem(std::string_view pem) {
    const clean_errors clean;
    if (pem.empty() || pem.size() > static_cast<std::size_t>(INT_MAX))
        return std::unexpected("there is no key");
    const bio_ptr bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
    // A key with a password is refused; the library would ask at the terminal.
    const auto no_password = [](char*, int, int, void*) { return -1; };
    ec_key out;
    if (bio)
        out.state_->key.reset(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_password, nullptr));
    if (!out.state_->key)
        return std::unexpected("it is no PEM private key without password: " + last_reason());
    if (!is_p256(out.state_->key.get()))
        return std::unexpected("it is no EC key on the curve P-256");
    return out;
}

std::expected<ec_key, std::string> ec_key::make() {
    const clean_errors clean;
    ec_key out;
    out.state_->key.reset(EVP_EC_gen(SN_X9_62_prime256v1));
    if (!out.state_->key)
        return std::unexpected("no key can be made: " + last_reason());
    return out;
}

std::string ec_key::pem() const {
    const clean_errors clean;
    const bio_ptr to(BIO_new(BIO_s_mem()));
    if (!to || PEM_write_bio_PKCS8PrivateKey(to.get(), state_->key.get(), nullptr, nullptr, 0, nullptr,
                                             nullptr) != 1)
        return {};
    char* data = nullptr;
    const long length = BIO_get_mem_data(to.get(), &data);
    std::string out(data, static_cast<std::size_t>(length));
    OPENSSL_cleanse(data, static_cast<std::size_t>(length));
    return out;
}

std::pair<std::string, std::string> ec_key::point() const {
    const clean_errors clean;
    return {coordinate(state_->key.get(), OSSL_PKEY_PARAM_EC_PUB_X),
            coordinate(state_->key.get(), OSSL_PKEY_PARAM_EC_PUB_Y)};
}

std::string ec_key::sign(std::string_view bytes) const {
    const clean_errors clean;
    const digest_context_ptr context(EVP_MD_CTX_new());
    std::array<unsigned char, 80> der{}; // two numbers of at most 33 bytes, with their heads
    std::size_t length = der.size();
    if (!context ||
        EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, state_->key.get()) != 1 ||
        EVP_DigestSign(context.get(), der.data(), &length, bytes_of(bytes), bytes.size()) != 1)
        return {};
    const unsigned char* at = der.data();
    const ecdsa_ptr pair(d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(length)));
    if (!pair)
        return {};
    return padded(ECDSA_SIG_get0_r(pair.get())) + padded(ECDSA_SIG_get0_s(pair.get()));
}

} // namespace mailtight::base
