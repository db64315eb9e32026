// SPDX-License-Identifier: Apache-2.0
// The head of a request where it lies, for servers of small things that answer from memory: views, no
// allocation. As strict as wire/http_request.h (RFC 9112), and without bodies: a request that brings one is
// told apart, so that its connection can be closed behind the answer. Pure.
#pragma once

#include <cstddef>
#include <string_view>

namespace mailtight::wire {

struct http_head_limits {
    std::size_t head_bytes = 8 * 1024;
    std::size_t target_bytes = 2 * 1024;
    std::size_t fields = 64;
};

struct http_head {
    std::size_t size = 0; ///< with the empty line, and those before the request line; 0: not all is there yet
    int refused = 0;      ///< 0, or the status that ends the connection: 400, 414, 431, 505
    std::string_view method, target;
    std::string_view host;      ///< as written, with its port; of the target where that is absolute
    std::string_view path;      ///< the target without scheme and authority
    std::string_view agent;     ///< User-Agent
    std::string_view forwarded; ///< the last X-Forwarded-For
    bool has_host = false;
    bool http10 = false;
    bool close = false; ///< the client wants no other request answered: HTTP/1.0, `Connection: close`
    bool body = false;  ///< something follows that is no request
};
http_head read_http_head(std::string_view bytes, const http_head_limits& limits = {});

/// A host in lower case without port and final dot, written into `room`; "" where it is no host name. A name
/// has at most 253 characters (RFC 1035 §2.3.4).
std::string_view host_name_of(std::string_view host, char (&room)[256]);

} // namespace mailtight::wire
