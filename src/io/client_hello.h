// SPDX-License-Identifier: Apache-2.0
// What a TLS client says first, as far as it chooses what the server is. Only to be asked inside OpenSSL's
// client-hello callback. For io/ alone.
#pragma once

#include <openssl/ssl.h>

#include <string>
#include <string_view>

namespace mailtight::io {

struct client_hello {
    std::string server_name; ///< SNI, lower case, without a final dot; "" : none, or none that is a name
    bool acme = false;       ///< `acme-tls/1` alone is offered (RFC 8737 §3)
};
client_hello read_client_hello(SSL* ssl);

/// Binds sessions to the server name: a ticket that was given for one name opens none of another.
bool bind_sessions(SSL* ssl, std::string_view server_name);

/// The callback of SSL_CTX_set_alpn_select_cb where `wanted` is all that is spoken: chosen where it is
/// offered.
bool select_protocol(std::string_view wanted, const unsigned char** out, unsigned char* out_size,
                     const unsigned char* in, unsigned in_size);

} // namespace mailtight::io
