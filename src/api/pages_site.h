// SPDX-License-Identifier: Apache-2.0
// The pages as a site of an HTTP server: the files of the build, and index.html for every path that is a page
// of the application. Nothing of them is secret; what they show comes from the API, which asks who it is.
#pragma once

#include "api/pages.h"
#include "io/http_server.h"

#include <span>
#include <string>
#include <utility>
#include <vector>

namespace mailtight::api {

/// The fields of every answer on the listener of the pages, the API's too: what a browser must not do with
/// them (Content Security Policy, Fetch, HTML §7.1.3).
std::vector<std::pair<std::string, std::string>> protecting_fields();
/// Over TLS also that it is to stay so (RFC 6797).
std::vector<std::pair<std::string, std::string>> protecting_tls_fields();

/// `files` outlive the site, and are in order of their paths. Empty `hosts`: every host.
io::http_site make_pages_site(std::span<const page_file> files, std::vector<std::string> hosts);

} // namespace mailtight::api
