// SPDX-License-Identifier: Apache-2.0
// Small servers for tests on 127.0.0.1, one thread each, blocking and bounded in time: they misbehave exactly
// as the test says. Connections are served one after the other.
#pragma once

#include "support/certificates.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace mailtight::tests {

/// The TLS side of a server: its certificate, the chain it sends, the versions it speaks.
class server_tls {
public:
    explicit server_tls(const identity& leaf, const std::vector<const identity*>& chain = {})
        : context_(SSL_CTX_new(TLS_server_method()), SSL_CTX_free) {
        SSL_CTX_set_security_level(context_.get(), 0);
        if (SSL_CTX_use_certificate(context_.get(), leaf.cert()) != 1 ||
            SSL_CTX_use_PrivateKey(context_.get(), leaf.key()) != 1)
            throw std::runtime_error("server certificate");
        for (const auto* cert : chain)
            SSL_CTX_add1_chain_cert(context_.get(), cert->cert());
        SSL_CTX_set_tlsext_servername_callback(context_.get(), &on_name);
        SSL_CTX_set_tlsext_servername_arg(context_.get(), this);
        SSL_CTX_set_mode(context_.get(), SSL_MODE_AUTO_RETRY);
    }
    server_tls(const server_tls&) = delete;

    server_tls& only(int lowest, int highest) {
        SSL_CTX_set_min_proto_version(context_.get(), lowest);
        SSL_CTX_set_max_proto_version(context_.get(), highest);
        if (highest < TLS1_2_VERSION)
            SSL_CTX_set_cipher_list(context_.get(), "ALL:@SECLEVEL=0");
        return *this;
    }
    server_tls& ciphers(const char* list) {
        SSL_CTX_set_cipher_list(context_.get(), list);
        return *this;
    }
    /// Aborts the handshake with unrecognized_name where no SNI came.
    server_tls& require_name() {
        require_name_ = true;
        return *this;
    }
    SSL_CTX* context() const { return context_.get(); }
    /// The SNI of each handshake so far; "" where none came.
    std::vector<std::string> names_seen() const {
        const std::scoped_lock hold(lock_);
        return names_;
    }

private:
    static int on_name(SSL* ssl, int* alert, void* self_pointer) {
        auto* self = static_cast<server_tls*>(self_pointer);
        const char* name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
        const std::scoped_lock hold(self->lock_);
        self->names_.emplace_back(name ? name : "");
        if (!name && self->require_name_) {
            *alert = SSL_AD_UNRECOGNIZED_NAME;
            return SSL_TLSEXT_ERR_ALERT_FATAL;
        }
        return SSL_TLSEXT_ERR_OK;
    }
    std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context_;
    mutable std::mutex lock_;
    std::vector<std::string> names_;
    bool require_name_ = false;
};

/// The server's end of one connection.
class peer {
public:
    explicit peer(int socket)
        : socket_(socket) {
        const timeval patience{5, 0};
        setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
        const int now = 1; // a reply behind session tickets must not wait 40 ms for their ACK
        setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &now, sizeof now);
    }
    ~peer() { close(); }
    peer(const peer&) = delete;

    bool start_tls(server_tls& with) {
        ssl_.reset(SSL_new(with.context()));
        SSL_set_fd(ssl_.get(), socket_);
        const bool done = SSL_accept(ssl_.get()) == 1;
        ERR_clear_error();
        if (!done)
            ssl_.reset();
        return done;
    }
    bool send(std::string_view bytes) {
        while (!bytes.empty()) {
            const auto put =
                ssl_ ? SSL_write(ssl_.get(), bytes.data(), static_cast<int>(bytes.size()))
                     : static_cast<int>(::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL));
            if (put <= 0)
                return false;
            bytes.remove_prefix(static_cast<std::size_t>(put));
        }
        return true;
    }
    /// Up to the LF, or what came before the end.
    std::string line() {
        std::string text;
        char c = 0;
        while (!text.ends_with('\n') && receive(&c, 1) == 1)
            text += c;
        return text;
    }
    /// Up to the empty line.
    std::string head() {
        std::string text;
        for (auto next = line(); !next.empty(); next = line()) {
            text += next;
            if (next == "\r\n")
                break;
        }
        return text;
    }
    /// So many, or what came before the end.
    std::string bytes(std::size_t count) {
        std::string text;
        char c = 0;
        while (text.size() < count && receive(&c, 1) == 1)
            text += c;
        return text;
    }
    /// Until the client goes away.
    std::string rest() {
        std::string text;
        char c = 0;
        while (receive(&c, 1) == 1)
            text += c;
        return text;
    }
    /// True where the client ended TLS with a close-notify.
    bool told_goodbye() const { return ssl_ && (SSL_get_shutdown(ssl_.get()) & SSL_RECEIVED_SHUTDOWN) != 0; }
    /// In order under TLS.
    void close() {
        if (ssl_)
            SSL_shutdown(ssl_.get());
        cut();
    }
    /// Without a word.
    void cut() {
        if (ssl_)
            SSL_set_quiet_shutdown(ssl_.get(), 1);
        ssl_.reset();
        ERR_clear_error();
        if (socket_ >= 0)
            ::close(socket_);
        socket_ = -1;
    }

private:
    struct free_ssl {
        void operator()(SSL* it) const { SSL_free(it); }
    };
    int receive(char* into, int size) {
        const auto got = ssl_ ? SSL_read(ssl_.get(), into, size)
                              : static_cast<int>(::recv(socket_, into, static_cast<std::size_t>(size), 0));
        ERR_clear_error();
        return got;
    }
    int socket_;
    std::unique_ptr<SSL, free_ssl> ssl_;
};

/// Listens on 127.0.0.1, or another loopback address (of IPv6: ::1), and gives each connection to `serve`,
/// one after the other.
class test_server {
public:
    explicit test_server(std::function<void(peer&)> serve, std::string_view at = "127.0.0.1",
                         std::uint16_t port = 0)
        : serve_(std::move(serve))
        , listener_(::socket(at == "::1" ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        std::signal(SIGPIPE, SIG_IGN); // SSL_write knows no MSG_NOSIGNAL
        sockaddr_in here{};
        here.sin_family = AF_INET;
        here.sin_port = htons(port);
        ::inet_pton(AF_INET, std::string(at).c_str(), &here.sin_addr);
        sockaddr_in6 here_v6{};
        here_v6.sin6_family = AF_INET6;
        here_v6.sin6_port = htons(port);
        here_v6.sin6_addr = in6addr_loopback;
        const int again = 1;
        ::setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &again, sizeof again);
        socklen_t size = at == "::1" ? sizeof here_v6 : sizeof here;
        auto* address =
            at == "::1" ? reinterpret_cast<sockaddr*>(&here_v6) : reinterpret_cast<sockaddr*>(&here);
        if (listener_ < 0 || ::bind(listener_, address, size) != 0 || ::listen(listener_, 64) != 0 ||
            ::getsockname(listener_, address, &size) != 0)
            throw std::runtime_error("test server");
        port_ = ntohs(at == "::1" ? here_v6.sin6_port : here.sin_port);
        thread_ = std::thread([this] { run(); });
    }
    ~test_server() {
        ::shutdown(listener_, SHUT_RDWR);
        thread_.join();
        ::close(listener_);
    }
    test_server(const test_server&) = delete;
    std::uint16_t port() const { return port_; }
    int connections() const { return connections_; }

private:
    void run() {
        for (;;) {
            const int socket = ::accept(listener_, nullptr, nullptr);
            if (socket < 0)
                return;
            ++connections_;
            peer client(socket);
            serve_(client);
        }
    }
    std::function<void(peer&)> serve_;
    int listener_;
    std::uint16_t port_ = 0;
    std::atomic<int> connections_ = 0;
    std::thread thread_;
};

/// A file of trusted roots, gone with the object.
class root_file {
public:
    explicit root_file(const std::vector<const identity*>& roots)
        : path_(std::filesystem::temp_directory_path() / ("mailtight-roots-" + std::to_string(::getpid()) +
                                                          "-" + std::to_string(++count()) + ".pem")) {
        std::ofstream out(path_);
        for (const auto* root : roots)
            out << root->pem();
    }
    ~root_file() {
        std::error_code ignored;
        std::filesystem::remove(path_, ignored);
    }
    root_file(const root_file&) = delete;
    std::string path() const { return path_.string(); }

private:
    static std::atomic<int>& count() {
        static std::atomic<int> made = 0;
        return made;
    }
    std::filesystem::path path_;
};

} // namespace mailtight::tests
