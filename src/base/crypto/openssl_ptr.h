// SPDX-License-Identifier: Apache-2.0
// Owners for OpenSSL's objects. For base/crypto, io and tests only: no other room names that library.
#pragma once

#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <memory>
#include <string>

namespace mailtight::base::openssl {

template<auto Free>
struct deleter {
    template<typename T>
    void operator()(T* object) const {
        Free(object);
    }
};
template<typename T, auto Free>
using owner = std::unique_ptr<T, deleter<Free>>;

using x509_ptr = owner<X509, X509_free>;
using name_ptr = owner<X509_NAME, X509_NAME_free>;
using extension_ptr = owner<X509_EXTENSION, X509_EXTENSION_free>;
using key_ptr = owner<EVP_PKEY, EVP_PKEY_free>;
using general_names_ptr = owner<GENERAL_NAMES, GENERAL_NAMES_free>;
using info_access_ptr = owner<AUTHORITY_INFO_ACCESS, AUTHORITY_INFO_ACCESS_free>;
using bio_ptr = owner<BIO, BIO_free_all>;
using bignum_ptr = owner<BIGNUM, BN_free>;

/// Leaves the thread's error queue as empty as it was meant to be: bad input of one certificate must not turn
/// up as the cause of another's failure.
struct clean_errors {
    clean_errors() { ERR_clear_error(); }
    ~clean_errors() { ERR_clear_error(); }
    clean_errors(const clean_errors&) = delete;
    clean_errors& operator=(const clean_errors&) = delete;
};

/// What OpenSSL last complained about, or "unknown reason".
inline std::string last_reason() {
    const char* reason = ERR_reason_error_string(ERR_peek_last_error());
    return reason != nullptr ? reason : "unknown reason";
}

} // namespace mailtight::base::openssl
