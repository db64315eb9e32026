// SPDX-License-Identifier: Apache-2.0
#include "base/crypto/keys.h"

#include "base/crypto/openssl_ptr.h"

#include <openssl/core_names.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <climits>
#include <optional>

namespace mailtight::base {
namespace {
using namespace openssl;
using context_ptr = owner<EVP_PKEY_CTX, EVP_PKEY_CTX_free>;
using digest_context_ptr = owner<EVP_MD_CTX, EVP_MD_CTX_free>;

constexpr std::size_t der_bytes_max = 8 * 1024;
constexpr int rsa_bits_max = 16'384;
constexpr int rsa_exponent_bits_max = 64;
constexpr std::size_t ed25519_bytes = 32;

const unsigned char* bytes_of(std::string_view text) {
    return reinterpret_cast<const unsigned char*>(text.data());
}
unsigned char* bytes_of(std::string& text) {
    return reinterpret_cast<unsigned char*>(text.data());
}

std::optional<key_kind> kind_of(const EVP_PKEY* key) {
    switch (EVP_PKEY_get_base_id(key)) {
    case EVP_PKEY_RSA:
        return key_kind::rsa;
    case EVP_PKEY_ED25519:
        return key_kind::ed25519;
    default:
        return std::nullopt;
    }
}
unsigned bits_of(const EVP_PKEY* key) {
    return kind_of(key) == key_kind::ed25519 ? 256U : static_cast<unsigned>(EVP_PKEY_get_bits(key));
}

key_ptr read_rsa(std::string_view der) {
    const unsigned char* at = bytes_of(der);
    key_ptr key(d2i_PUBKEY(nullptr, &at, static_cast<long>(der.size())));
    if (!key) {
        at = bytes_of(der);
        key.reset(d2i_PublicKey(EVP_PKEY_RSA, nullptr, &at, static_cast<long>(der.size())));
    }
    if (key && at != bytes_of(der) + der.size())
        key.reset(); // bytes behind it
    return key;
}

// Verifying costs one exponentiation: a long exponent, which no real key has, makes it a thousand times
// dearer.
bool is_cheap_rsa(const EVP_PKEY* key) {
    BIGNUM* exponent = nullptr;
    if (EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &exponent) != 1)
        return false;
    const bignum_ptr guard(exponent);
    return BN_num_bits(exponent) <= rsa_exponent_bits_max && EVP_PKEY_get_bits(key) <= rsa_bits_max;
}

context_ptr prepare_rsa(EVP_PKEY* key, int (*init)(EVP_PKEY_CTX*)) {
    context_ptr context(EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr));
    if (!context || init(context.get()) != 1 ||
        EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_PADDING) != 1 ||
        EVP_PKEY_CTX_set_signature_md(context.get(), EVP_sha256()) != 1)
        context.reset();
    return context;
}
} // namespace

struct public_key::state {
    key_ptr key;
    context_ptr rsa; ///< ready to verify: making it costs a tenth of a verification
};

public_key::public_key()
    : state_(std::make_unique<state>()) {}
public_key::public_key(public_key&&) noexcept = default;
public_key& public_key::operator=(public_key&&) noexcept = default;
public_key::~public_key() = default;

std::expected<public_key, std::string> public_key::rsa(std::string_view der) {
    const clean_errors clean;
    if (der.empty() || der.size() > der_bytes_max)
        return std::unexpected("it is empty or too long for an RSA key");
    public_key out;
    out.state_->key = read_rsa(der);
    if (!out.state_->key || kind_of(out.state_->key.get()) != key_kind::rsa)
        return std::unexpected("its bytes are no RSA public key");
    if (!is_cheap_rsa(out.state_->key.get()))
        return std::unexpected("its exponent or modulus is beyond what is used anywhere");
    out.state_->rsa = prepare_rsa(out.state_->key.get(), EVP_PKEY_verify_init);
    if (!out.state_->rsa)
        return std::unexpected("the RSA key cannot be used: " + last_reason());
    return out;
}

std::expected<public_key, std::string> public_key::ed25519(std::string_view raw) {
    const clean_errors clean;
    if (raw.size() != ed25519_bytes)
        return std::unexpected("an Ed25519 key has 32 bytes, this one " + std::to_string(raw.size()));
    public_key out;
    out.state_->key.reset(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, bytes_of(raw), raw.size()));
    if (!out.state_->key)
        return std::unexpected("the Ed25519 key cannot be used: " + last_reason());
    return out;
}

key_kind public_key::kind() const {
    return state_->rsa ? key_kind::rsa : key_kind::ed25519;
}
unsigned public_key::bits() const {
    return bits_of(state_->key.get());
}

bool public_key::verifies(std::string_view sha256_digest, std::string_view signature) const {
    const clean_errors clean;
    if (state_->rsa)
        return EVP_PKEY_verify(state_->rsa.get(), bytes_of(signature), signature.size(),
                               bytes_of(sha256_digest), sha256_digest.size()) == 1;
    const digest_context_ptr context(EVP_MD_CTX_new());
    return context &&
           EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, state_->key.get()) == 1 &&
           EVP_DigestVerify(context.get(), bytes_of(signature), signature.size(), bytes_of(sha256_digest),
                            sha256_digest.size()) == 1;
}

struct private_key::state {
    key_ptr key;
    context_ptr rsa;         ///< ready to sign, made with the first signature
    digest_context_ptr pure; ///< of Ed25519
};

private_key::private_key()
    : state_(std::make_unique<state>()) {}
private_key::private_key(private_key&&) noexcept = default;
private_key& private_key::operator=(private_key&&) noexcept = default;
private_key::~private_key() = default;

std::expected<private_key, std::string> private_key::from_pem(std::string_view pem) {
    const clean_errors clean;
    if (pem.empty() || pem.size() > static_cast<std::size_t>(INT_MAX))
        return std::unexpected("there is no key");
    const bio_ptr bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
    // A key with a password is refused; the library would ask at the terminal.
    const auto no_password = [](char*, int, int, void*) { return -1; };
    private_key out;
    if (bio)
        out.state_->key.reset(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_password, nullptr));
    if (!out.state_->key)
        return std::unexpected("it is no PEM private key without password: " + last_reason());
    if (!kind_of(out.state_->key.get()))
        return std::unexpected("it is neither an RSA nor an Ed25519 key");
    return out;
}

std::expected<std::string, std::string> private_key::new_pem(key_kind kind, unsigned rsa_bits) {
    const clean_errors clean;
    const context_ptr context(
        EVP_PKEY_CTX_new_from_name(nullptr, kind == key_kind::rsa ? "RSA" : "ED25519", nullptr));
    EVP_PKEY* made = nullptr;
    if (!context || EVP_PKEY_keygen_init(context.get()) != 1 ||
        (kind == key_kind::rsa &&
         EVP_PKEY_CTX_set_rsa_keygen_bits(context.get(), static_cast<int>(rsa_bits)) != 1) ||
        EVP_PKEY_generate(context.get(), &made) != 1)
        return std::unexpected("no key can be made: " + last_reason());
    const key_ptr key(made);
    const bio_ptr to(BIO_new(BIO_s_mem()));
    if (!to || PEM_write_bio_PKCS8PrivateKey(to.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) != 1)
        return std::unexpected("the key cannot be written: " + last_reason());
    char* data = nullptr;
    const long length = BIO_get_mem_data(to.get(), &data);
    std::string out(data, static_cast<std::size_t>(length));
    OPENSSL_cleanse(data, static_cast<std::size_t>(length));
    return out;
}

key_kind private_key::kind() const {
    return kind_of(state_->key.get()).value_or(key_kind::rsa);
}
unsigned private_key::bits() const {
    return bits_of(state_->key.get());
}

std::string private_key::sign(std::string_view sha256_digest) const {
    const clean_errors clean;
    auto& own = *state_;
    std::string out(static_cast<std::size_t>(EVP_PKEY_get_size(own.key.get())), '\0');
    std::size_t length = out.size();
    bool done = false;
    if (kind() == key_kind::rsa) {
        if (!own.rsa)
            own.rsa = prepare_rsa(own.key.get(), EVP_PKEY_sign_init);
        done = own.rsa && EVP_PKEY_sign(own.rsa.get(), bytes_of(out), &length, bytes_of(sha256_digest),
                                        sha256_digest.size()) == 1;
    } else {
        if (!own.pure)
            own.pure.reset(EVP_MD_CTX_new());
        done = own.pure &&
               EVP_DigestSignInit(own.pure.get(), nullptr, nullptr, nullptr, own.key.get()) == 1 &&
               EVP_DigestSign(own.pure.get(), bytes_of(out), &length, bytes_of(sha256_digest),
                              sha256_digest.size()) == 1;
    }
    out.resize(done ? length : 0);
    return out;
}

std::string private_key::public_part() const {
    const clean_errors clean;
    if (kind() == key_kind::ed25519) {
        std::string out(ed25519_bytes, '\0');
        std::size_t length = out.size();
        if (EVP_PKEY_get_raw_public_key(state_->key.get(), bytes_of(out), &length) != 1)
            length = 0;
        out.resize(length);
        return out;
    }
    unsigned char* der = nullptr;
    const int length = i2d_PUBKEY(state_->key.get(), &der);
    std::string out;
    if (length > 0)
        out.assign(reinterpret_cast<const char*>(der), static_cast<std::size_t>(length));
    OPENSSL_free(der);
    return out;
}

} // namespace mailtight::base
