// SPDX-License-Identifier: Apache-2.0
// The stream under TLS, of either side. OpenSSL sees only two memory buffers; a loop carries bytes between
// them and the plain stream beneath, so TLS runs over any stream. For io/ alone.
#pragma once

#include "io/stream.h"
#include "io/tls_classify.h"

#include <openssl/ssl.h>

#include <optional>

namespace mailtight::io {

struct ssl_free {
    void operator()(SSL* it) const { SSL_free(it); }
};
using ssl_ptr = std::unique_ptr<SSL, ssl_free>;

class tls_stream final : public stream {
public:
    /// `ssl` knows which side it is (SSL_set_connect_state, SSL_set_accept_state).
    tls_stream(std::unique_ptr<stream> plain, ssl_ptr ssl);
    ~tls_stream() override;

    /// Nothing where it completed.
    task<std::optional<handshake_failure>> handshake(loop::time_point deadline);

    task<read_result> read_some(std::size_t limit, loop::time_point deadline) override;
    task<io_status> write_all(std::string bytes, loop::time_point deadline) override;
    void interrupt() override;
    void finish_writing() override;
    void close() override;

    SSL* native() const { return ssl_.get(); }

private:
    std::string pending();
    task<io_status> flush(loop::time_point deadline);
    task<io_status> fill(loop::time_point deadline);
    bool looks_tls() const;
    void say_goodbye();

    std::unique_ptr<stream> plain_;
    ssl_ptr ssl_;
    std::string first_bytes_;
    bool broken_ = false;
};

} // namespace mailtight::io
