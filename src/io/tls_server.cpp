// SPDX-License-Identifier: Apache-2.0
// Entries: tls_server and accept_tls. One SSL_CTX for all names; the parsed pairs of the client's name are
// set into each connection from the set of that moment, so a reload changes what the next handshake sees and
// nothing else.
#include "io/certified_key_state.h"
#include "io/client_hello.h"
#include "io/server.h"
#include "io/tls_stream.h"
#include "io/tls_tickets.h"

#include "base/crypto/openssl_ptr.h"
#include "base/crypto/x509_value.h"
#include "base/text.h"

#include <fmt/format.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <unordered_map>

namespace mailtight::io {

namespace {

namespace openssl = base::openssl;

struct ctx_free {
    void operator()(SSL_CTX* it) const { SSL_CTX_free(it); }
};
struct stack_free {
    void operator()(STACK_OF(X509) * it) const { sk_X509_pop_free(it, X509_free); }
};

/// A certificate, its chain and its key, parsed.
struct parsed_pair {
    openssl::x509_ptr leaf;
    std::unique_ptr<STACK_OF(X509), stack_free> chain{sk_X509_new_null()};
    openssl::key_ptr key;
};

/// All pairs of one load. A name can have several, of different kinds of key.
struct certificate_set {
    std::vector<parsed_pair> pairs;
    std::unordered_map<std::string, std::vector<std::size_t>> names; ///< lower case, `*.` kept
    std::vector<tls_server::loaded> about;
    bool strict = false;

    /// Those of the very name, else of a wildcard in its first label.
    const std::vector<std::size_t>* find(const std::string& name) const {
        if (const auto exact = names.find(name); exact != names.end())
            return &exact->second;
        const auto dot = name.find('.');
        if (dot == name.npos || dot == 0)
            return nullptr;
        const auto wildcard = names.find("*" + name.substr(dot));
        return wildcard != names.end() ? &wildcard->second : nullptr;
    }
};

/// What one handshake goes by. Lives as long as it.
struct choice {
    std::shared_ptr<const certificate_set> from; ///< stays for this handshake, whatever is loaded meanwhile
    const choose_certificate* more = nullptr;
    client_hello said;
};

choice* choice_of(SSL* ssl) {
    return static_cast<choice*>(SSL_get_app_data(ssl));
}

bool apply(SSL* ssl, const parsed_pair& pair) {
    return SSL_use_cert_and_key(ssl, pair.leaf.get(), pair.key.get(), pair.chain.get(), 1) == 1;
}

/// Puts the certificates of the client's name into the connection. False with the alert that refuses it.
bool choose(SSL* ssl, choice& with, int& alert) {
    with.said = read_client_hello(ssl);
    const auto& from = *with.from;
    const auto* own = with.said.acme ? nullptr : from.find(with.said.server_name);
    alert = SSL_AD_INTERNAL_ERROR;
    if (!bind_sessions(ssl, with.said.server_name))
        return false;
    if (!own && with.more) {
        if (const auto other = (*with.more)(with.said.server_name, with.said.acme))
            return other->native().apply(ssl);
    }
    // A client that speaks acme-tls/1 alone, and a name that is not ours where that is strict.
    if (!own && (with.said.acme || from.pairs.empty() || (from.strict && !with.said.server_name.empty()))) {
        alert = SSL_AD_UNRECOGNIZED_NAME;
        return false;
    }
    if (!own)
        return apply(ssl, from.pairs.front());
    return std::ranges::all_of(*own, [&](auto index) { return apply(ssl, from.pairs[index]); });
}

int on_client_hello(SSL* ssl, int* alert, void*) noexcept {
    auto* const with = choice_of(ssl);
    try {
        if (with && choose(ssl, *with, *alert))
            return SSL_CLIENT_HELLO_SUCCESS;
    } catch (...) {
        *alert = SSL_AD_INTERNAL_ERROR;
    }
    return SSL_CLIENT_HELLO_ERROR;
}

/// HTTP/1.1 is all that is spoken; who offers other protocols only (mail clients offer anything) goes on
/// without one.
int on_alpn(SSL* ssl, const unsigned char** out, unsigned char* out_size, const unsigned char* in,
            unsigned in_size, void*) noexcept {
    const auto* const with = choice_of(ssl);
    const auto* const wanted = with && with->said.acme ? "acme-tls/1" : "http/1.1";
    return select_protocol(wanted, out, out_size, in, in_size) ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_NOACK;
}

/// A key with a passphrase is refused instead of asking a terminal that is not there.
int no_passphrase(char*, int, int, void* asked) {
    *static_cast<bool*>(asked) = true;
    return -1;
}

using failure = std::unexpected<std::string>;

std::expected<openssl::bio_ptr, std::string> open_file(const std::string& path) {
    errno = 0;
    openssl::bio_ptr file(BIO_new_file(path.c_str(), "r"));
    if (!file)
        return failure(fmt::format("{}: {}", path, errno != 0 ? std::strerror(errno) : "cannot be opened"));
    return file;
}

/// Certificate and chain.
std::expected<void, std::string> read_chain(parsed_pair& into, const std::string& path) {
    const auto file = open_file(path);
    if (!file)
        return failure(file.error());
    into.leaf.reset(PEM_read_bio_X509(file->get(), nullptr, nullptr, nullptr));
    if (!into.leaf)
        return failure(fmt::format("{}: no certificate in PEM form is in it", path));
    while (X509* next = PEM_read_bio_X509(file->get(), nullptr, nullptr, nullptr)) {
        if (sk_X509_push(into.chain.get(), next) <= 0)
            X509_free(next);
    }
    // The end of the file is told as a missing start line; anything else is a certificate cut or damaged.
    if (ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE)
        return failure(
            fmt::format("{}: a certificate of the chain cannot be read: {}", path, openssl::last_reason()));
    return {};
}

std::expected<void, std::string> read_key(parsed_pair& into, const std::string& path,
                                          const std::string& certificate) {
    const auto file = open_file(path);
    if (!file)
        return failure(file.error());
    bool asked = false;
    into.key.reset(PEM_read_bio_PrivateKey(file->get(), nullptr, no_passphrase, &asked));
    if (asked)
        return failure(fmt::format("{}: the key has a passphrase, and nobody could type it", path));
    if (!into.key)
        return failure(fmt::format("{}: no private key in PEM form is in it", path));
    if (X509_check_private_key(into.leaf.get(), into.key.get()) != 1)
        return failure(fmt::format("{}: this is not the key of the certificate in {}", path, certificate));
    return {};
}

} // namespace

struct tls_server::state {
    std::unique_ptr<SSL_CTX, ctx_free> context{SSL_CTX_new(TLS_server_method())};
    std::shared_ptr<const certificate_set> current = std::make_shared<certificate_set>();

    /// Tickets of before the change are not taken any more: a key that stays for good would open all of them.
    void new_ticket_keys() const {
        std::array<unsigned char, 80> keys{};
        if (RAND_bytes(keys.data(), static_cast<int>(keys.size())) == 1)
            SSL_CTX_set_tlsext_ticket_keys(context.get(), keys.data(), static_cast<long>(keys.size()));
        OPENSSL_cleanse(keys.data(), keys.size());
    }
};

tls_server::tls_server()
    : state_(std::make_unique<state>()) {
    SSL_CTX* context = state_->context.get();
    if (!context)
        throw std::runtime_error("cannot make a TLS context");
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    // TLS 1.2 with forward secrecy alone, AEAD first (RFC 9325 §4.2); CBC last, for mail servers of systems
    // that have no other suite for an RSA certificate and would fall back to no TLS at all.
    SSL_CTX_set_cipher_list(context, "ECDHE+AESGCM:ECDHE+CHACHA20:ECDHE+AES");
    SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
                                     SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
    // Sessions live in the client's tickets; a server that keeps none holds no memory for those who left.
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_num_tickets(context, 1);
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE);
    SSL_CTX_set_client_hello_cb(context, on_client_hello, nullptr);
    SSL_CTX_set_alpn_select_cb(context, on_alpn, nullptr);
}

tls_server::~tls_server() = default;

std::expected<void, std::string> tls_server::load(const std::vector<pair>& pairs) {
    const openssl::clean_errors guard;
    if (pairs.empty())
        return failure("no certificate is named");
    auto next = std::make_shared<certificate_set>();
    next->strict = strict;
    for (const auto& from : pairs) {
        parsed_pair pair;
        const auto& key_file = from.key_file.empty() ? from.certificate_file : from.key_file;
        if (auto read = read_chain(pair, from.certificate_file); !read)
            return read;
        ERR_clear_error();
        if (auto read = read_key(pair, key_file, from.certificate_file); !read)
            return read;
        auto about = openssl::read_certificate(pair.leaf.get());
        if (!about)
            return failure(fmt::format("{}: {}", from.certificate_file, about.error()));
        ERR_clear_error();
        // What the library would refuse in every handshake (a short key, an old signature) is told now.
        const ssl_ptr trial(SSL_new(state_->context.get()));
        if (!trial || !apply(trial.get(), pair))
            return failure(
                fmt::format("{}: cannot be used: {}", from.certificate_file, openssl::last_reason()));
        for (const auto& name : about->dns_names) {
            auto& of_name = next->names[base::lower(name)];
            const int kind = EVP_PKEY_get_base_id(pair.key.get());
            // Of two pairs with the same name and kind of key the first answers.
            if (std::ranges::none_of(of_name, [&](auto index) {
                    return EVP_PKEY_get_base_id(next->pairs[index].key.get()) == kind;
                }))
                of_name.push_back(next->pairs.size());
        }
        next->about.push_back({about->dns_names, about->not_after, from.certificate_file});
        next->pairs.push_back(std::move(pair));
    }
    state_->current = std::move(next);
    state_->new_ticket_keys();
    return {};
}

void forget_tickets(const tls_server& of) {
    of.native().new_ticket_keys();
}

std::vector<tls_server::loaded> tls_server::certificates() const {
    return state_->current->about;
}

namespace {

std::string explain_failure(const handshake_failure& failed) {
    if (failed.timed_out)
        return "no TLS handshake in time";
    if (!failed.looks_tls)
        return "what the client sent is no TLS";
    if (failed.closed)
        return "the client went away during the TLS handshake";
    const char* reason = failed.error != 0 ? ERR_reason_error_string(failed.error) : nullptr;
    return fmt::format("the TLS handshake failed: {}", reason ? reason : failed.connection);
}

} // namespace

task<tls_accepted> accept_tls(loop&, std::unique_ptr<stream> plain, const tls_server& with,
                              loop::time_point deadline) {
    tls_accepted result;
    choice chosen{with.native().current, with.more ? &with.more : nullptr, {}};
    ssl_ptr ssl(SSL_new(with.native().context.get()));
    if (!ssl) {
        ERR_clear_error();
        plain->close();
        result.error = "no memory for a TLS connection";
        co_return result;
    }
    SSL_set_app_data(ssl.get(), &chosen);
    SSL_set_accept_state(ssl.get());
    auto connection = std::make_unique<tls_stream>(std::move(plain), std::move(ssl));
    const auto failed = co_await connection->handshake(deadline);
    SSL* established = connection->native();
    result.server_name = std::move(chosen.said.server_name);
    if (failed) {
        result.error = explain_failure(*failed);
        connection->close();
        co_return result;
    }
    SSL_set_app_data(established, nullptr);
    result.version = SSL_get_version(established);
    const unsigned char* protocol = nullptr;
    unsigned size = 0;
    SSL_get0_alpn_selected(established, &protocol, &size);
    if (size > 0)
        result.alpn.assign(reinterpret_cast<const char*>(protocol), size);
    result.connection = std::move(connection);
    co_return result;
}

} // namespace mailtight::io
