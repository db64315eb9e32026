// SPDX-License-Identifier: Apache-2.0
// Entry: secure_server. One SSL_CTX without a certificate; each connection gets that of its server name in
// the client-hello callback, before anything else is decided.
#include "io/client_hello.h"
#include "io/secure_connection.h"

#include <fmt/format.h>

#include <openssl/rand.h>

#include <algorithm>
#include <stdexcept>

namespace mailtight::io {

namespace {

using namespace std::chrono_literals;

constexpr auto ticket_keys_life = 6h;

int on_client_hello(SSL* ssl, int* alert, void*) noexcept {
    auto* const client = static_cast<secure_connection*>(SSL_get_app_data(ssl));
    try {
        if (client && client->choose(ssl, *alert))
            return SSL_CLIENT_HELLO_SUCCESS;
    } catch (...) {
        *alert = SSL_AD_INTERNAL_ERROR;
    }
    return SSL_CLIENT_HELLO_ERROR;
}

/// A client that offers protocols and not ours is refused (RFC 7301 §3.2): whatever it would say next is no
/// request that could be answered.
int on_alpn(SSL* ssl, const unsigned char** out, unsigned char* out_size, const unsigned char* in,
            unsigned in_size, void*) noexcept {
    const auto* const client = static_cast<secure_connection*>(SSL_get_app_data(ssl));
    const auto* const wanted = client && client->acme() ? "acme-tls/1" : "http/1.1";
    return select_protocol(wanted, out, out_size, in, in_size) ? SSL_TLSEXT_ERR_OK
                                                               : SSL_TLSEXT_ERR_ALERT_FATAL;
}

} // namespace

secure_server::state::state(loop& on, secure_server_options wanted, choose_certificate choose,
                            make_secure_session session)
    : connection_books(on, wanted.listening)
    , options(std::move(wanted))
    , choose(std::move(choose))
    , session(std::move(session))
    , context(SSL_CTX_new(TLS_server_method()))
    , input(std::max<std::size_t>(options.request_bytes, 1)) {
    if (!context)
        throw std::runtime_error("cannot make a TLS context");
    auto* const with = context.get();
    // RFC 9325 §3.1.1, §4.1, §4.2: TLS 1.2 and 1.3, forward secrecy and AEAD alone.
    SSL_CTX_set_min_proto_version(with, TLS1_2_VERSION); // 8461-7.2-b
    SSL_CTX_set_cipher_list(with, "ECDHE+AESGCM:ECDHE+CHACHA20");
    SSL_CTX_set1_groups_list(with, "X25519:P-256:P-384");
    SSL_CTX_set_security_level(with, 2);
    SSL_CTX_set_options(with, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
                                  SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
    SSL_CTX_set_session_cache_mode(with, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_num_tickets(with, options.session_tickets ? 1 : 0);
    if (!options.session_tickets)
        SSL_CTX_set_options(with, SSL_OP_NO_TICKET);
    SSL_CTX_set_mode(with, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_client_hello_cb(with, on_client_hello, nullptr);
    SSL_CTX_set_alpn_select_cb(with, on_alpn, nullptr);
    renew_ticket_keys();
}

/// A key that stays for good would open every session that was ever resumed with it.
void secure_server::state::renew_ticket_keys() {
    std::array<unsigned char, 80> keys{};
    if (RAND_bytes(keys.data(), static_cast<int>(keys.size())) == 1)
        SSL_CTX_set_tlsext_ticket_keys(context.get(), keys.data(), static_cast<long>(keys.size()));
    OPENSSL_cleanse(keys.data(), keys.size());
    ticket_keys_from_ = on.now();
}

void secure_server::state::welcome(descriptor socket, const peer& who, acceptor::place place) {
    if (on.now() - ticket_keys_from_ >= ticket_keys_life)
        renew_ticket_keys();
    auto made = std::make_shared<secure_connection>(*this, std::move(socket), std::move(place), who);
    if (!made->start())
        return;
    enter(std::move(made));
    want_sweep();
}

std::chrono::milliseconds secure_server::state::sweep_after() const {
    const auto shortest = std::min(options.handshake_time, options.idle_time);
    return std::clamp<std::chrono::milliseconds>(shortest / 4, 5ms, 1s);
}

void secure_server::state::sweep(secure_connection& one, loop::time_point now) {
    const bool crowded = all.size() > options.listening.connections / 4 * 3;
    one.sweep(now, crowded);
}

secure_server::secure_server(loop& on, secure_server_options options, choose_certificate choose,
                             make_secure_session session)
    : state_(std::make_shared<state>(on, std::move(options), std::move(choose), std::move(session))) {
    state_->know(state_);
}

secure_server::~secure_server() {
    state_->close_all();
}

std::expected<void, std::string> secure_server::listen(const listen_address& at) {
    return state_->listen(at);
}

std::string secure_server::address() const {
    return state_->addresses();
}

void secure_server::stop() {
    state_->stop();
}

std::size_t secure_server::open_connections() const {
    return state_->all.size();
}

std::uint64_t secure_server::refused() const {
    return state_->refused();
}

secure_server::counters secure_server::counted() const {
    return state_->counted;
}

} // namespace mailtight::io
