// SPDX-License-Identifier: Apache-2.0
// Which site answers, and which address counts: the parts of the HTTP server that need no socket.
#pragma once

#include "io/http_server.h"

namespace mailtight::io {

/// The site for a host (lower case, without port) and a path; null where none fits.
const http_site* find_site(const std::vector<std::unique_ptr<http_site>>& sites, std::string_view host,
                           std::string_view path);

/// The right-most address that is no trusted proxy's (RFC 7239 §7.4 and the usage of X-Forwarded-For); that
/// of the peer where it is no proxy, or where the field cannot be read. A unix socket is a proxy of ours.
std::string client_address(const peer& from, const wire::http_request& request,
                           const http_server_options& options);
/// The same for the value of X-Forwarded-For.
std::string client_address(const peer& from, std::string_view forwarded_for,
                           const std::vector<base::ip_network>& trusted);

} // namespace mailtight::io
