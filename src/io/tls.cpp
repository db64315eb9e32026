// SPDX-License-Identifier: Apache-2.0
// Entries: tls_client and start_tls. The certificate never ends a handshake: the verification's complaints
// are gathered and given to the classifier.
#include "io/tls_stream.h"

#include "base/crypto/x509_value.h"
#include "base/limits.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>

namespace mailtight::io {

namespace {

constexpr std::size_t verify_errors_max = 64;

struct ctx_free {
    void operator()(SSL_CTX* it) const { SSL_CTX_free(it); }
};
/// Where the complaints of one connection go, found again from inside the verification.
int complaints_slot() {
    static const int slot = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
    return slot;
}

int record_and_go_on(int ok, X509_STORE_CTX* context) noexcept {
    if (ok == 1)
        return 1;
    auto* ssl = static_cast<SSL*>(X509_STORE_CTX_get_ex_data(context, SSL_get_ex_data_X509_STORE_CTX_idx()));
    auto* errors = static_cast<std::vector<verify_error>*>(SSL_get_ex_data(ssl, complaints_slot()));
    if (errors && errors->size() < verify_errors_max) {
        verify_error error{X509_STORE_CTX_get_error(context), X509_STORE_CTX_get_error_depth(context)};
        X509* about = X509_STORE_CTX_get_current_cert(context);
        if (error.depth > 0 && about) {
            if (auto parsed = base::openssl::read_certificate(about))
                error.about = std::move(*parsed);
        }
        errors->push_back(std::move(error));
    }
    return 1;
}

bool system_has_roots() {
    auto from = [](const char* variable, const char* otherwise) {
        const char* set = std::getenv(variable);
        return std::filesystem::path(set ? set : otherwise);
    };
    std::error_code ignored;
    if (std::filesystem::is_regular_file(from(X509_get_default_cert_file_env(), X509_get_default_cert_file()),
                                         ignored))
        return true;
    const auto folder = from(X509_get_default_cert_dir_env(), X509_get_default_cert_dir());
    return std::filesystem::is_directory(folder, ignored) && !std::filesystem::is_empty(folder, ignored);
}

} // namespace

struct tls_client::state {
    std::unique_ptr<SSL_CTX, ctx_free> context{SSL_CTX_new(TLS_client_method())};
};

tls_client::tls_client(const std::string& ca_file)
    : state_(std::make_unique<state>()) {
    SSL_CTX* context = state_->context.get();
    if (!context)
        throw std::runtime_error("cannot make a TLS context");
    if (!ca_file.empty()) {
        if (SSL_CTX_load_verify_file(context, ca_file.c_str()) != 1) {
            ERR_clear_error();
            throw std::runtime_error("cannot read trusted roots from " + ca_file);
        }
    } else {
        // The hashed folder is read as roots are needed; the bundle in one file would cost 20 ms at start.
        if (!system_has_roots() || SSL_CTX_set_default_verify_paths(context) != 1)
            throw std::runtime_error("the system has no trusted roots: install its ca-certificates package, "
                                     "or name a file of roots");
    }
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION); // 8461-7.2-a
    SSL_CTX_set_options(context, SSL_OP_NO_TICKET | SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, record_and_go_on);
}

tls_client::~tls_client() = default;

namespace {

bool prepare(SSL* ssl, const tls_options& options, base::utc_seconds now) {
    if (options.allow_old) {
        SSL_set_security_level(ssl, 0);
        SSL_set_min_proto_version(ssl, TLS1_VERSION);
        SSL_set_cipher_list(ssl, "ALL:@SECLEVEL=0");
        SSL_set_options(ssl, SSL_OP_LEGACY_SERVER_CONNECT);
    }
    // 8461-7.1-a, 8461-7.1-b, 8461-7.1-c
    if (options.send_sni && SSL_set_tlsext_host_name(ssl, options.host.c_str()) != 1)
        return false;
    if (!options.alpn.empty() && options.alpn.size() < 256) {
        std::string wire(1, static_cast<char>(options.alpn.size()));
        wire += options.alpn;
        SSL_set_alpn_protos(ssl, reinterpret_cast<const unsigned char*>(wire.data()),
                            static_cast<unsigned>(wire.size()));
    }
    X509_VERIFY_PARAM_set_time(SSL_get0_param(ssl), now.time_since_epoch().count());
    return true;
}

std::vector<base::certificate> chain_of(SSL* ssl) {
    std::vector<base::certificate> chain;
    const auto* sent = SSL_get_peer_cert_chain(ssl);
    const int count = sent ? sk_X509_num(sent) : 0;
    for (int i = 0; i < count && chain.size() < base::limits::certificates_per_chain; ++i) {
        if (auto parsed = base::openssl::read_certificate(sk_X509_value(sent, i)))
            chain.push_back(std::move(*parsed));
        else if (i == 0)
            return {}; // an intermediate must not pass for the leaf
    }
    return chain;
}

} // namespace

task<tls_result> start_tls(loop&, std::unique_ptr<stream> plain, const tls_client& client,
                           tls_options options, base::utc_seconds now, loop::time_point deadline) {
    tls_result result;
    // A name in DNS form may end with a dot; in SNI (RFC 6066 §3) and in certificates it does not.
    if (options.host.ends_with('.'))
        options.host.pop_back();
    ssl_ptr ssl(SSL_new(client.native().context.get()));
    if (!ssl || !prepare(ssl.get(), options, now)) {
        ERR_clear_error();
        result.fact.outcome = model::handshake_outcome::failed;
        result.fact.detail = "the name cannot be sent in a TLS handshake";
        plain->close();
        co_return result;
    }
    std::vector<verify_error> complaints;
    SSL_set_ex_data(ssl.get(), complaints_slot(), &complaints);
    SSL_set_connect_state(ssl.get());
    auto connection = std::make_unique<tls_stream>(std::move(plain), std::move(ssl));
    const auto failure = co_await connection->handshake(deadline);
    if (failure) {
        classify_failure(result.fact, *failure);
        connection->close();
        co_return result;
    }
    SSL* established = connection->native();
    result.fact.outcome = model::handshake_outcome::completed;
    result.fact.version = SSL_get_version(established);
    result.fact.cipher = SSL_get_cipher_name(established);
    result.fact.chain = chain_of(established);
    classify_certificate(result.fact, complaints, options.host);
    // What is known now is known; nothing is verified later.
    SSL_set_ex_data(established, complaints_slot(), nullptr);
    result.connection = std::move(connection);
    co_return result;
}

} // namespace mailtight::io
