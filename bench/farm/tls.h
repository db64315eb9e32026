// SPDX-License-Identifier: Apache-2.0
// The farm's TLS: a root made at start, and a leaf made for each name when it is first asked for. A session
// lives between two memory buffers, so that its bytes can be delayed like all others. One thread.
#pragma once

#include "support/certificates.h"

#include <openssl/ssl.h>

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

namespace mailtight::farm {

class authority {
public:
    authority();
    std::string root_pem() const { return root_.pem(); }
    SSL_CTX* context() { return context_.get(); }
    /// Puts the leaf of this name into the session.
    bool use(SSL* session, const std::string& name);

private:
    tests::identity root_;
    std::unordered_map<std::string, tests::identity> leaves_;
    std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context_;
};

/// The server's side of one connection. `fallback` names the host for who sends no SNI.
class tls_session {
public:
    tls_session(authority& by, std::string fallback);
    tls_session(const tls_session&) = delete;
    tls_session& operator=(const tls_session&) = delete;
    /// Takes what came; appends what was said in the clear and what is to be sent. False: broken.
    bool feed(std::string_view bytes, std::string& clear, std::string& to_send);
    void say(std::string_view clear, std::string& to_send);
    /// Says goodbye.
    void end(std::string& to_send);
    const std::string& sni() const { return sni_; }
    bool established() const { return established_; }

private:
    static int choose(SSL* session, void* self);
    void drain(std::string& to_send);
    authority& authority_;
    std::string fallback_, sni_;
    std::unique_ptr<SSL, decltype(&SSL_free)> ssl_;
    BIO* in_;
    BIO* out_;
    bool established_ = false;
};

} // namespace mailtight::farm
