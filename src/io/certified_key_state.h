// SPDX-License-Identifier: Apache-2.0
// OpenSSL's side of a certified_key. For io/ alone.
#pragma once

#include "base/crypto/openssl_ptr.h"
#include "io/certified_key.h"

#include <openssl/ssl.h>

namespace mailtight::io {

struct x509_stack_free {
    void operator()(STACK_OF(X509) * it) const { sk_X509_pop_free(it, X509_free); }
};

struct issuer_chain {
    std::unique_ptr<STACK_OF(X509), x509_stack_free> certificates{sk_X509_new_null()};
};

struct certified_key::state {
    base::openssl::x509_ptr leaf;
    base::openssl::key_ptr key;
    std::shared_ptr<const issuer_chain> issuers; ///< may be null
    std::vector<std::string> names;
    base::utc_seconds not_before{}, not_after{};

    /// Puts all three into a connection; false where the library refuses them. What it complained about on
    /// the way must not look like a failure of the handshake around it.
    bool apply(SSL* to) const {
        ERR_set_mark();
        const bool taken = SSL_use_cert_and_key(to, leaf.get(), key.get(),
                                                issuers ? issuers->certificates.get() : nullptr, 1) == 1;
        ERR_pop_to_mark();
        return taken;
    }
};

} // namespace mailtight::io
