// SPDX-License-Identifier: Apache-2.0
// Makes certificates for tests by OpenSSL's API: roots, intermediates and leaves with the names, dates and
// keys that a test wants, good or bad. Not thread-safe per object; throws where a test asks for the
// impossible.
//
//     const auto root = tests::make_root();
//     const auto middle = tests::make_intermediate(root);
//     const auto leaf = tests::make_leaf(middle, {"mx1.example.com"});
//     const auto odd = tests::issue({.common_name = "x", .dns_names = {}, .not_after = yesterday}, &root);
#pragma once

#include "base/crypto/openssl_ptr.h"
#include "base/ip.h"
#include "base/time.h"

#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <atomic>
#include <chrono>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mailtight::tests {

/// What a certificate shall say. Names are written as given, byte for byte.
struct certificate_wish {
    std::string common_name; ///< "": no CN
    std::string organization;
    std::vector<std::string> dns_names;
    std::vector<std::string> ip_addresses;
    base::utc_seconds not_before = std::chrono::sys_days{std::chrono::year{2020} / 1 / 1};
    base::utc_seconds not_after = std::chrono::sys_days{std::chrono::year{2099} / 1 / 1};
    bool is_ca = false;
    std::string key = "P-256"; ///< "P-256", "P-384", "RSA", "Ed25519"
    int rsa_bits = 2048;
    std::string ca_issuers_url; ///< AIA caIssuers; "": no AIA
};

/// A certificate with its private key.
class identity {
public:
    identity(base::openssl::x509_ptr cert, base::openssl::key_ptr key)
        : cert_(std::move(cert))
        , key_(std::move(key)) {}

    X509* cert() const { return cert_.get(); }
    EVP_PKEY* key() const { return key_.get(); }
    std::string der() const {
        unsigned char* data = nullptr;
        const int length = i2d_X509(cert_.get(), &data);
        if (length <= 0)
            throw std::runtime_error("i2d_X509");
        std::string out(reinterpret_cast<const char*>(data), static_cast<std::size_t>(length));
        OPENSSL_free(data);
        return out;
    }
    std::string pem() const {
        return written([&](BIO* to) { return PEM_write_bio_X509(to, cert_.get()); });
    }
    /// Unencrypted PKCS #8, as servers load it.
    std::string key_pem() const {
        return written([&](BIO* to) {
            return PEM_write_bio_PKCS8PrivateKey(to, key_.get(), nullptr, nullptr, 0, nullptr, nullptr);
        });
    }

private:
    template<typename Write>
    static std::string written(Write write) {
        const base::openssl::bio_ptr to(BIO_new(BIO_s_mem()));
        if (write(to.get()) != 1)
            throw std::runtime_error("PEM: " + base::openssl::last_reason());
        char* data = nullptr;
        const long length = BIO_get_mem_data(to.get(), &data);
        return {data, static_cast<std::size_t>(length)};
    }

    base::openssl::x509_ptr cert_;
    base::openssl::key_ptr key_;
};

namespace certificate_parts {

inline void must(bool done, const char* what) {
    if (!done)
        throw std::runtime_error(std::string(what) + ": " + base::openssl::last_reason());
}

inline base::openssl::key_ptr new_key(const certificate_wish& wish) {
    EVP_PKEY* key = nullptr;
    if (wish.key == "RSA")
        key = EVP_RSA_gen(static_cast<unsigned>(wish.rsa_bits));
    else if (wish.key == "Ed25519")
        key = EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519");
    else
        key = EVP_EC_gen(wish.key.c_str());
    must(key != nullptr, "key");
    return base::openssl::key_ptr(key);
}

inline void set_time(ASN1_TIME* field, base::utc_seconds at) {
    must(ASN1_TIME_adj(field, at.time_since_epoch().count(), 0, 0) != nullptr, "time");
}

inline void add_entry(X509_NAME* name, int nid, std::string_view value) {
    if (!value.empty())
        must(X509_NAME_add_entry_by_NID(name, nid, MBSTRING_UTF8,
                                        reinterpret_cast<const unsigned char*>(value.data()),
                                        static_cast<int>(value.size()), -1, 0) == 1,
             "name entry");
}

inline void add_general_name(GENERAL_NAMES* names, int type, std::string_view bytes) {
    GENERAL_NAME* name = GENERAL_NAME_new();
    ASN1_STRING* value = ASN1_STRING_type_new(type == GEN_DNS ? V_ASN1_IA5STRING : V_ASN1_OCTET_STRING);
    must(ASN1_STRING_set(value, bytes.data(), static_cast<int>(bytes.size())) == 1, "SAN");
    GENERAL_NAME_set0_value(name, type, value);
    must(sk_GENERAL_NAME_push(names, name) > 0, "SAN");
}

inline void add_alternative_names(X509* cert, const certificate_wish& wish) {
    if (wish.dns_names.empty() && wish.ip_addresses.empty())
        return;
    const base::openssl::general_names_ptr names(GENERAL_NAMES_new());
    for (const auto& name : wish.dns_names)
        add_general_name(names.get(), GEN_DNS, name);
    for (const auto& text : wish.ip_addresses) {
        const auto address = base::ip_address::parse(text);
        must(address.has_value(), "ip SAN");
        add_general_name(names.get(), GEN_IPADD, address->bytes());
    }
    must(X509_add1_ext_i2d(cert, NID_subject_alt_name, names.get(), 0, X509V3_ADD_DEFAULT) == 1, "SAN");
}

inline void add_extension(X509* cert, X509* issuer, int nid, const std::string& value) {
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, issuer, cert, nullptr, nullptr, 0);
    const base::openssl::extension_ptr extension(X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str()));
    must(extension != nullptr && X509_add_ext(cert, extension.get(), -1) == 1, "extension");
}

inline long next_serial() {
    static std::atomic<long> serial{0x1000};
    return ++serial;
}

} // namespace certificate_parts

/// A certificate as wished, signed by `issuer`, or by its own key where there is none.
inline identity issue(const certificate_wish& wish, const identity* issuer = nullptr) {
    using namespace certificate_parts;
    auto key = new_key(wish);
    base::openssl::x509_ptr cert(X509_new());
    must(cert != nullptr && X509_set_version(cert.get(), X509_VERSION_3) == 1, "certificate");
    must(ASN1_INTEGER_set(X509_get_serialNumber(cert.get()), next_serial()) == 1, "serial");
    set_time(X509_getm_notBefore(cert.get()), wish.not_before);
    set_time(X509_getm_notAfter(cert.get()), wish.not_after);
    X509_NAME* subject = X509_get_subject_name(cert.get());
    add_entry(subject, NID_organizationName, wish.organization);
    add_entry(subject, NID_commonName, wish.common_name);
    X509* signer = issuer != nullptr ? issuer->cert() : cert.get();
    must(X509_set_issuer_name(cert.get(), X509_get_subject_name(signer)) == 1, "issuer");
    must(X509_set_pubkey(cert.get(), key.get()) == 1, "public key");

    add_extension(cert.get(), signer, NID_basic_constraints, wish.is_ca ? "critical,CA:TRUE" : "CA:FALSE");
    add_extension(cert.get(), signer, NID_key_usage,
                  wish.is_ca ? "critical,keyCertSign,cRLSign" : "critical,digitalSignature");
    if (!wish.is_ca)
        add_extension(cert.get(), signer, NID_ext_key_usage, "serverAuth");
    add_extension(cert.get(), signer, NID_subject_key_identifier, "hash");
    if (issuer != nullptr)
        add_extension(cert.get(), signer, NID_authority_key_identifier, "keyid");
    add_alternative_names(cert.get(), wish);
    if (!wish.ca_issuers_url.empty())
        add_extension(cert.get(), signer, NID_info_access, "caIssuers;URI:" + wish.ca_issuers_url);

    EVP_PKEY* signing_key = issuer != nullptr ? issuer->key() : key.get();
    const EVP_MD* md = EVP_PKEY_get_base_id(signing_key) == EVP_PKEY_ED25519 ? nullptr : EVP_sha256();
    must(X509_sign(cert.get(), signing_key, md) > 0, "signature");
    return {std::move(cert), std::move(key)};
}

inline identity make_root(std::string name = "Test Root", std::string organization = "Test Authority") {
    return issue({.common_name = std::move(name), .organization = std::move(organization), .is_ca = true});
}

inline identity make_intermediate(const identity& root, std::string name = "Test Intermediate",
                                  std::string ca_issuers_url = {}) {
    return issue({.common_name = std::move(name),
                  .organization = "Test Authority",
                  .is_ca = true,
                  .ca_issuers_url = std::move(ca_issuers_url)},
                 &root);
}

/// A server certificate with these dNSNames; the first is its CN too, as certificate authorities do it.
inline identity make_leaf(const identity& issuer, const std::vector<std::string>& dns_names) {
    return issue({.common_name = dns_names.empty() ? "" : dns_names.front(), .dns_names = dns_names},
                 &issuer);
}

} // namespace mailtight::tests
