// SPDX-License-Identifier: Apache-2.0
#include "farm/tls.h"

#include <openssl/err.h>

namespace mailtight::farm {

namespace {
constexpr std::size_t leaves_kept = 20'000;
}

authority::authority()
    : root_(tests::make_root("Farm Root", "Mailtight Bench"))
    , context_(SSL_CTX_new(TLS_server_method()), SSL_CTX_free) {
    SSL_CTX_set_min_proto_version(context_.get(), TLS1_2_VERSION);
    // As a scan never resumes a session, tickets would only cost time here.
    SSL_CTX_set_num_tickets(context_.get(), 0);
    SSL_CTX_set_session_cache_mode(context_.get(), SSL_SESS_CACHE_OFF);
}

bool authority::use(SSL* session, const std::string& name) {
    auto found = leaves_.find(name);
    if (found == leaves_.end()) {
        if (leaves_.size() >= leaves_kept)
            leaves_.clear();
        found = leaves_.emplace(name, tests::make_leaf(root_, {name})).first;
    }
    return SSL_use_certificate(session, found->second.cert()) == 1 &&
           SSL_use_PrivateKey(session, found->second.key()) == 1;
}

tls_session::tls_session(authority& by, std::string fallback)
    : authority_(by)
    , fallback_(std::move(fallback))
    , ssl_(SSL_new(by.context()), SSL_free)
    , in_(BIO_new(BIO_s_mem()))
    , out_(BIO_new(BIO_s_mem())) {
    SSL_set_bio(ssl_.get(), in_, out_);
    SSL_set_accept_state(ssl_.get());
    SSL_set_cert_cb(ssl_.get(), &choose, this);
}

int tls_session::choose(SSL* session, void* given) {
    auto& self = *static_cast<tls_session*>(given);
    if (const char* name = SSL_get_servername(session, TLSEXT_NAMETYPE_host_name))
        self.sni_ = name;
    return self.authority_.use(session, self.sni_.empty() ? self.fallback_ : self.sni_) ? 1 : 0;
}

void tls_session::drain(std::string& to_send) {
    char buffer[16384];
    int size;
    while ((size = BIO_read(out_, buffer, sizeof buffer)) > 0)
        to_send.append(buffer, static_cast<std::size_t>(size));
}

bool tls_session::feed(std::string_view bytes, std::string& clear, std::string& to_send) {
    BIO_write(in_, bytes.data(), static_cast<int>(bytes.size()));
    char buffer[16384];
    int size;
    ERR_clear_error();
    while ((size = SSL_read(ssl_.get(), buffer, sizeof buffer)) > 0)
        clear.append(buffer, static_cast<std::size_t>(size));
    const int error = SSL_get_error(ssl_.get(), size);
    established_ = SSL_is_init_finished(ssl_.get()) == 1;
    drain(to_send);
    return error == SSL_ERROR_WANT_READ;
}

void tls_session::say(std::string_view clear, std::string& to_send) {
    SSL_write(ssl_.get(), clear.data(), static_cast<int>(clear.size()));
    drain(to_send);
}

void tls_session::end(std::string& to_send) {
    SSL_shutdown(ssl_.get());
    drain(to_send);
}

} // namespace mailtight::farm
