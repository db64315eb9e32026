// SPDX-License-Identifier: Apache-2.0
// Keys that sign and verify a SHA-256 digest: RSA (PKCS#1 v1.5) and Ed25519 (RFC 8463: pure Ed25519 over the
// digest). Parsing takes any bytes; errors are for a person. One thread at a time for each key.
#pragma once

#include <expected>
#include <memory>
#include <string>
#include <string_view>

namespace mailtight::base {

enum class key_kind { rsa, ed25519 };

class public_key {
public:
    /// DER, either SubjectPublicKeyInfo or the bare RSAPublicKey of PKCS#1: both are met in DKIM records. A
    /// key whose check would cost beyond measure (over 16384 bits, an exponent over 64 bits) is refused.
    static std::expected<public_key, std::string> rsa(std::string_view der);
    /// The 32 bytes of RFC 8032.
    static std::expected<public_key, std::string> ed25519(std::string_view raw);
    public_key(public_key&&) noexcept;
    public_key& operator=(public_key&&) noexcept;
    ~public_key();

    key_kind kind() const;
    /// Of the modulus; 256 for Ed25519.
    unsigned bits() const;
    /// True where the key's owner signed this digest.
    bool verifies(std::string_view sha256_digest, std::string_view signature) const;

private:
    public_key();
    struct state;
    std::unique_ptr<state> state_;
};

class private_key {
public:
    /// One PEM private key, without a password.
    static std::expected<private_key, std::string> from_pem(std::string_view pem);
    /// A new key of this kind, as PEM (PKCS#8, without a password); `rsa_bits` for RSA.
    static std::expected<std::string, std::string> new_pem(key_kind kind, unsigned rsa_bits = 2048);
    private_key(private_key&&) noexcept;
    private_key& operator=(private_key&&) noexcept;
    ~private_key();

    key_kind kind() const;
    unsigned bits() const;
    /// The raw signature; "" where the library cannot sign, which no valid key leads to.
    std::string sign(std::string_view sha256_digest) const;
    /// What public_key's makers read: SubjectPublicKeyInfo in DER, or the 32 bytes of Ed25519.
    std::string public_part() const;

private:
    private_key();
    struct state;
    std::unique_ptr<state> state_;
};

} // namespace mailtight::base
