// SPDX-License-Identifier: Apache-2.0
// Entries: what is made with a key (a request, the certificate that answers tls-alpn-01), and what is read of
// a chain that was issued.
#include "base/base64url.h"
#include "base/crypto/ec_key_state.h"
#include "base/crypto/issuing.h"
#include "base/host_name.h"
#include "base/limits.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>

#include <array>
#include <climits>

namespace mailtight::base {
namespace {
using namespace openssl;
using request_ptr = owner<X509_REQ, X509_REQ_free>;
using extensions_ptr = owner<STACK_OF(X509_EXTENSION), [](STACK_OF(X509_EXTENSION) * all) {
    sk_X509_EXTENSION_pop_free(all, X509_EXTENSION_free);
}>;
using object_ptr = owner<ASN1_OBJECT, ASN1_OBJECT_free>;
using octets_ptr = owner<ASN1_OCTET_STRING, ASN1_OCTET_STRING_free>;
using failure = std::unexpected<std::string>;

constexpr std::size_t digest_bytes = 32;
constexpr std::size_t pem_bytes_max = limits::certificates_per_chain * limits::certificate_bytes;
constexpr const char* acme_identifier = "1.3.6.1.5.5.7.1.31"; // RFC 8737 §3

general_names_ptr names_of(std::string_view host) {
    general_names_ptr names(GENERAL_NAMES_new());
    GENERAL_NAME* name = GENERAL_NAME_new();
    ASN1_STRING* value = ASN1_STRING_type_new(V_ASN1_IA5STRING);
    if (names && name != nullptr && value != nullptr &&
        ASN1_STRING_set(value, host.data(), static_cast<int>(host.size())) == 1) {
        GENERAL_NAME_set0_value(name, GEN_DNS, value);
        if (sk_GENERAL_NAME_push(names.get(), name) > 0)
            return names;
    } else {
        ASN1_STRING_free(value);
    }
    GENERAL_NAME_free(name);
    return nullptr;
}

template<class T, auto Encode>
std::string der_of(T* object) {
    unsigned char* data = nullptr;
    const int length = Encode(object, &data);
    std::string out;
    if (length > 0)
        out.assign(reinterpret_cast<const char*>(data), static_cast<std::size_t>(length));
    OPENSSL_free(data);
    return out;
}

/// The digest as an OCTET STRING inside the extension's own.
extension_ptr identifier_extension(std::string_view digest) {
    const object_ptr id(OBJ_txt2obj(acme_identifier, 1));
    const octets_ptr inner(ASN1_OCTET_STRING_new()), outer(ASN1_OCTET_STRING_new());
    const auto* bytes = reinterpret_cast<const unsigned char*>(digest.data());
    if (!id || !inner || !outer ||
        ASN1_OCTET_STRING_set(inner.get(), bytes, static_cast<int>(digest.size())) != 1)
        return nullptr;
    const auto der = der_of<ASN1_OCTET_STRING, i2d_ASN1_OCTET_STRING>(inner.get());
    if (der.empty() || ASN1_OCTET_STRING_set(outer.get(), reinterpret_cast<const unsigned char*>(der.data()),
                                             static_cast<int>(der.size())) != 1)
        return nullptr;
    return extension_ptr(X509_EXTENSION_create_by_OBJ(nullptr, id.get(), 1, outer.get()));
}

/// What a chain begins with.
std::expected<x509_ptr, std::string> first_of(std::string_view pem_chain) {
    if (pem_chain.empty() || pem_chain.size() > pem_bytes_max)
        return failure("there is no certificate, or far too much of it");
    const bio_ptr bio(BIO_new_mem_buf(pem_chain.data(), static_cast<int>(pem_chain.size())));
    x509_ptr first(bio ? PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr) : nullptr);
    if (!first)
        return failure("no certificate in PEM form: " + last_reason());
    return first;
}

std::string_view view(const ASN1_STRING* text) {
    return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
            static_cast<std::size_t>(ASN1_STRING_length(text))};
}
} // namespace

std::expected<std::string, std::string> signing_request(const ec_key& key, std::string_view host) {
    const clean_errors clean;
    if (!is_host_name(host))
        return failure("a certificate can only be asked for a host name");
    const request_ptr request(X509_REQ_new());
    const auto names = names_of(host);
    STACK_OF(X509_EXTENSION)* list = nullptr;
    if (!request || !names ||
        X509V3_add1_i2d(&list, NID_subject_alt_name, names.get(), 0, X509V3_ADD_DEFAULT) != 1)
        return failure("the request cannot be made: " + last_reason());
    const extensions_ptr extensions(list);
    EVP_PKEY* own = key.native().key.get();
    if (X509_REQ_set_version(request.get(), X509_REQ_VERSION_1) != 1 ||
        X509_REQ_add_extensions(request.get(), extensions.get()) != 1 ||
        X509_REQ_set_pubkey(request.get(), own) != 1 || X509_REQ_sign(request.get(), own, EVP_sha256()) <= 0)
        return failure("the request cannot be made: " + last_reason());
    return der_of<X509_REQ, i2d_X509_REQ>(request.get());
}

std::expected<std::string, std::string> alpn_certificate(const ec_key& key, std::string_view host,
                                                         std::string_view sha256_of_authorisation,
                                                         utc_seconds now) {
    const clean_errors clean;
    if (!is_host_name(host) || sha256_of_authorisation.size() != digest_bytes)
        return failure("the answer to tls-alpn-01 needs a host name and a SHA-256 digest");
    const x509_ptr cert(X509_new());
    const auto names = names_of(host);
    const auto identifier = identifier_extension(sha256_of_authorisation);
    std::array<unsigned char, 16> serial{};
    const bignum_ptr number(RAND_bytes(serial.data(), serial.size()) == 1
                                ? BN_bin2bn(serial.data(), serial.size(), nullptr)
                                : nullptr);
    EVP_PKEY* own = key.native().key.get();
    constexpr long hour = 3'600, week = 7 * 86'400; // the authority's clock may differ from ours
    const auto at = now.time_since_epoch().count();
    if (!cert || !names || !identifier || !number || X509_set_version(cert.get(), X509_VERSION_3) != 1 ||
        BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(cert.get())) == nullptr ||
        ASN1_TIME_adj(X509_getm_notBefore(cert.get()), at, 0, -hour) == nullptr ||
        ASN1_TIME_adj(X509_getm_notAfter(cert.get()), at, 0, week) == nullptr ||
        X509_set_pubkey(cert.get(), own) != 1 ||
        X509_add1_ext_i2d(cert.get(), NID_subject_alt_name, names.get(), 0, X509V3_ADD_DEFAULT) != 1 ||
        X509_add_ext(cert.get(), identifier.get(), -1) != 1 || X509_sign(cert.get(), own, EVP_sha256()) <= 0)
        return failure("the answer to tls-alpn-01 cannot be made: " + last_reason());
    const bio_ptr to(BIO_new(BIO_s_mem()));
    if (!to || PEM_write_bio_X509(to.get(), cert.get()) != 1)
        return failure("the answer to tls-alpn-01 cannot be written: " + last_reason());
    char* data = nullptr;
    const long length = BIO_get_mem_data(to.get(), &data);
    return std::string(data, static_cast<std::size_t>(length));
}

std::expected<std::string, std::string> renewal_id(std::string_view pem_chain) {
    const clean_errors clean;
    const auto cert = first_of(pem_chain);
    if (!cert)
        return failure(cert.error());
    const ASN1_OCTET_STRING* authority = X509_get0_authority_key_id(cert->get());
    if (authority == nullptr || ASN1_STRING_length(authority) == 0)
        return failure("the certificate does not say which key signed it (no authority key identifier)");
    // The content of the DER INTEGER: a leading zero that keeps it positive stays.
    const auto serial = der_of<const ASN1_INTEGER, i2d_ASN1_INTEGER>(X509_get0_serialNumber(cert->get()));
    constexpr std::size_t head = 2; // tag, and a length in one byte
    if (serial.size() <= head || serial.size() - head > 127)
        return failure("the certificate has no serial number of a usual length");
    return base64url(view(authority)) + "." + base64url(std::string_view(serial).substr(head));
}

std::expected<void, std::string> key_fits(std::string_view pem_chain, std::string_view pem_key) {
    const clean_errors clean;
    const auto cert = first_of(pem_chain);
    if (!cert)
        return failure(cert.error());
    if (pem_key.empty() || pem_key.size() > pem_bytes_max)
        return failure("there is no private key");
    const bio_ptr bio(BIO_new_mem_buf(pem_key.data(), static_cast<int>(pem_key.size())));
    const auto no_password = [](char*, int, int, void*) { return -1; };
    const key_ptr key(bio ? PEM_read_bio_PrivateKey(bio.get(), nullptr, no_password, nullptr) : nullptr);
    if (!key)
        return failure("no private key without password in PEM form: " + last_reason());
    if (X509_check_private_key(cert->get(), key.get()) != 1)
        return failure("the private key is not the one of the certificate");
    return {};
}

bool is_key_of(std::string_view pem_chain, const ec_key& key) {
    const clean_errors clean;
    const auto cert = first_of(pem_chain);
    return cert && X509_check_private_key(cert->get(), key.native().key.get()) == 1;
}

} // namespace mailtight::base
