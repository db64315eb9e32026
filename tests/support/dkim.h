// SPDX-License-Identifier: Apache-2.0
// DKIM for tests: fresh keys, answers of a made-up DNS, and signatures with any tags, also those that no
// sound signer writes.
#pragma once

#include "base/crypto/keys.h"
#include "base/encode.h"
#include "mail/dkim.h"
#include "mail/dkim_fields.h"
#include "support/certificates.h"

#include <map>
#include <stdexcept>
#include <string>
#include <string_view>

namespace mailtight::tests {

/// Of four primes, which are found in a twentieth of the time of two.
inline base::openssl::key_ptr new_large_rsa(int bits) {
    const base::openssl::owner<EVP_PKEY_CTX, EVP_PKEY_CTX_free> context(
        EVP_PKEY_CTX_new_from_name(nullptr, "RSA", nullptr));
    EVP_PKEY* key = nullptr;
    if (EVP_PKEY_keygen_init(context.get()) != 1 ||
        EVP_PKEY_CTX_set_rsa_keygen_bits(context.get(), bits) != 1 ||
        EVP_PKEY_CTX_set_rsa_keygen_primes(context.get(), 4) != 1 ||
        EVP_PKEY_generate(context.get(), &key) != 1)
        throw std::runtime_error("RSA: " + base::openssl::last_reason());
    return base::openssl::key_ptr(key);
}
/// PKCS#8 in PEM; `kind` as in certificate_wish.
inline std::string make_key_pem(const std::string& kind, int rsa_bits = 2048) {
    const auto key = kind == "RSA" && rsa_bits >= 4096
                         ? new_large_rsa(rsa_bits)
                         : certificate_parts::new_key({.common_name = "", .key = kind, .rsa_bits = rsa_bits});
    const base::openssl::bio_ptr to(BIO_new(BIO_s_mem()));
    if (PEM_write_bio_PKCS8PrivateKey(to.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) != 1)
        throw std::runtime_error("PEM: " + base::openssl::last_reason());
    char* data = nullptr;
    const long length = BIO_get_mem_data(to.get(), &data);
    return {data, static_cast<std::size_t>(length)};
}
/// Each size made once in a process: RSA keys are slow to make.
inline const std::string& rsa_pem(int bits = 2048) {
    static std::map<int, std::string> pems;
    auto& pem = pems[bits];
    if (pem.empty())
        pem = make_key_pem("RSA", bits);
    return pem;
}
inline const std::string& ed25519_pem() {
    static const std::string pem = make_key_pem("Ed25519");
    return pem;
}
/// What stands in `p=` for a private key.
inline std::string key_base64(const std::string& pem) {
    return base::base64(base::private_key::from_pem(pem).value().public_part());
}

/// Key records by name; what is not there is absent.
class fixed_keys final : public mail::dkim_keys {
public:
    fixed_keys() = default;
    fixed_keys(std::string name, std::string text) { add(std::move(name), std::move(text)); }
    void add(std::string name, std::string text) {
        auto& answer = answers_[std::move(name)];
        answer.what = mail::dkim_key_answer::status::found;
        answer.texts.push_back(std::move(text));
    }
    void set(std::string name, mail::dkim_key_answer::status what) { answers_[std::move(name)].what = what; }
    mail::dkim_key_answer find(std::string_view name) const override {
        const auto found = answers_.find(name);
        if (found == answers_.end())
            return {mail::dkim_key_answer::status::absent, {}, 0};
        return found->second;
    }

private:
    std::map<std::string, mail::dkim_key_answer, std::less<>> answers_;
};

/// A signed message from a template of the whole DKIM-Signature field in which `{bh}` stands for the body's
/// hash and `{b}`, once and at the end, for the signature; `fields` are hashed, each the lowest of its name.
inline std::string sign_by_hand(std::string_view message, std::string field, const std::string& pem,
                                const std::vector<std::string>& fields, mail::dkim_canon header,
                                mail::dkim_canon body) {
    const auto split = mail::split_for_dkim(message);
    if (const auto at = field.find("{bh}"); at != field.npos)
        field.replace(at, 4, base::base64(mail::canonical_body_hash(split.body, body)));
    std::string hashed;
    const mail::dkim_field_index index(split);
    mail::dkim_field_index::selection selection(index);
    for (const auto& name : fields)
        if (const auto* found = selection.next(name))
            mail::append_canonical(hashed, found->raw, header);
    const auto b = field.find("{b}");
    field.resize(b);
    mail::append_canonical(hashed, field, header);
    hashed.resize(hashed.size() - 2);
    field += base::base64(base::private_key::from_pem(pem).value().sign(base::sha256(hashed)));
    return field + "\r\n" + std::string(message);
}

} // namespace mailtight::tests
