// SPDX-License-Identifier: Apache-2.0
// A TLS client of OpenSSL's for tests, blocking and bounded in time: any name or none, any protocol, version,
// cipher or session, and it tells all that came of it. Trusts everybody: what is looked at is what the server
// does.
#pragma once

#include "base/crypto/openssl_ptr.h"
#include "support/sockets.h"

#include <openssl/ssl.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <atomic>
#include <csignal>
#include <cstdint>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace mailtight::tests {

struct free_session {
    void operator()(SSL_SESSION* it) const { SSL_SESSION_free(it); }
};
using session_ptr = std::unique_ptr<SSL_SESSION, free_session>;

struct tls_wish {
    std::string server_name;       ///< "" : no SNI
    std::vector<std::string> alpn; ///< none: the extension is not sent
    int lowest = TLS1_VERSION, highest = TLS1_3_VERSION;
    const char* ciphers = nullptr; ///< of TLS 1.2 and below
    SSL_SESSION* resume = nullptr;
    std::string say;                    ///< after the handshake
    std::string until;                  ///< hear until this came, then close; "" : until the server ends
    std::chrono::milliseconds pause{0}; ///< after each byte that is said; 0: all at once
    std::chrono::milliseconds rest{0};  ///< after each kilobyte that is heard
    const std::atomic<bool>* enough = nullptr; ///< once it is set, nothing more is heard
    std::string from;                          ///< local address
};
struct tls_heard {
    bool shaken = false;
    int alert = -1; ///< the server's fatal alert
    bool reused = false;
    bool ordered = false;           ///< the server ended with a close-notify
    std::vector<std::string> names; ///< dNSNames of the leaf
    int chain = 0;                  ///< certificates that were sent
    std::string version, cipher, alpn, said;
    session_ptr session;
};

inline tls_heard speak_tls(std::uint16_t port, const tls_wish& wish) {
    std::signal(SIGPIPE, SIG_IGN); // SSL_write knows no MSG_NOSIGNAL
    tls_heard heard;
    const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context(SSL_CTX_new(TLS_client_method()),
                                                                    SSL_CTX_free);
    SSL_CTX_set_security_level(context.get(), 0);
    SSL_CTX_set_min_proto_version(context.get(), wish.lowest);
    SSL_CTX_set_max_proto_version(context.get(), wish.highest);
    if (wish.ciphers && SSL_CTX_set_cipher_list(context.get(), wish.ciphers) != 1)
        throw std::runtime_error("ciphers");
    SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_set_app_data(context.get(), &heard);
    SSL_CTX_sess_set_new_cb(context.get(), [](SSL* ssl, SSL_SESSION* session) {
        static_cast<tls_heard*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)))->session.reset(session);
        return 1;
    });
    const std::unique_ptr<SSL, decltype(&SSL_free)> ssl(SSL_new(context.get()), SSL_free);
    if (!wish.server_name.empty())
        SSL_set_tlsext_host_name(ssl.get(), wish.server_name.c_str());
    std::string protocols;
    for (const auto& one : wish.alpn)
        protocols += std::string(1, static_cast<char>(one.size())) + one;
    if (!protocols.empty())
        SSL_set_alpn_protos(ssl.get(), reinterpret_cast<const unsigned char*>(protocols.data()),
                            static_cast<unsigned>(protocols.size()));
    if (wish.resume)
        SSL_set_session(ssl.get(), wish.resume);

    const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const struct closer {
        int which;
        ~closer() { ::close(which); }
    } close_it{socket};
    const timeval patience{20, 0};
    ::setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    const int small = 4'096;
    if (wish.rest.count() > 0)
        ::setsockopt(socket, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    if (!wish.from.empty()) {
        ::inet_pton(AF_INET, wish.from.c_str(), &to.sin_addr);
        if (::bind(socket, reinterpret_cast<sockaddr*>(&to), sizeof to) != 0)
            throw std::runtime_error("bind");
    }
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(socket, reinterpret_cast<sockaddr*>(&to), sizeof to) != 0)
        throw std::runtime_error("connect");
    SSL_set_fd(ssl.get(), socket);

    ERR_clear_error();
    const auto note_alert = [&] {
        const int reason = ERR_GET_REASON(ERR_peek_error());
        if (reason >= SSL_AD_REASON_OFFSET)
            heard.alert = reason - SSL_AD_REASON_OFFSET;
        ERR_clear_error();
    };
    if (SSL_connect(ssl.get()) != 1) {
        note_alert();
        return heard;
    }
    heard.shaken = true;
    heard.reused = SSL_session_reused(ssl.get()) == 1;
    heard.version = SSL_get_version(ssl.get());
    heard.cipher = SSL_get_cipher_name(ssl.get());
    const unsigned char* protocol = nullptr;
    unsigned size = 0;
    SSL_get0_alpn_selected(ssl.get(), &protocol, &size);
    heard.alpn.assign(reinterpret_cast<const char*>(protocol), size);
    if (const auto* chain = SSL_get_peer_cert_chain(ssl.get()))
        heard.chain = sk_X509_num(chain);
    if (X509* leaf = SSL_get0_peer_certificate(ssl.get())) {
        const base::openssl::general_names_ptr names(
            static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(leaf, NID_subject_alt_name, nullptr, nullptr)));
        for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i) {
            const auto* text = sk_GENERAL_NAME_value(names.get(), i)->d.dNSName;
            heard.names.emplace_back(reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
                                     static_cast<std::size_t>(ASN1_STRING_length(text)));
        }
    }
    if (!wish.say.empty() && wish.pause.count() == 0)
        SSL_write(ssl.get(), wish.say.data(), static_cast<int>(wish.say.size()));
    for (std::size_t i = 0; wish.pause.count() > 0 && i < wish.say.size(); ++i) {
        pollfd ended{socket, POLLIN, 0};
        if (SSL_write(ssl.get(), wish.say.data() + i, 1) != 1 ||
            ::poll(&ended, 1, static_cast<int>(wish.pause.count())) != 0)
            break; // the server has said something: it waits no longer
    }
    std::string buffer(wish.rest.count() > 0 ? 1'024 : 16'384, '\0');
    while (!(wish.enough && *wish.enough) &&
           (wish.until.empty() || heard.said.find(wish.until) == std::string::npos)) {
        ERR_clear_error();
        const int got = SSL_read(ssl.get(), buffer.data(), static_cast<int>(buffer.size()));
        if (got <= 0) {
            heard.ordered = SSL_get_error(ssl.get(), got) == SSL_ERROR_ZERO_RETURN;
            note_alert();
            break;
        }
        heard.said.append(buffer, 0, static_cast<std::size_t>(got));
        std::this_thread::sleep_for(wish.rest);
    }
    SSL_shutdown(ssl.get());
    ERR_clear_error();
    return heard;
}

/// Runs blocking client code beside the loop.
template<class Work>
auto beside_loop(io::loop& on, Work work) {
    auto result = std::async(std::launch::async, std::move(work));
    if (!eventually(
            on, [&] { return result.wait_for(std::chrono::seconds(0)) == std::future_status::ready; },
            std::chrono::seconds(60)))
        throw std::runtime_error("the client did not come to its end");
    return result.get();
}
inline tls_heard speak_tls(io::loop& on, std::uint16_t port, const tls_wish& wish) {
    return beside_loop(on, [&] { return speak_tls(port, wish); });
}

} // namespace mailtight::tests
