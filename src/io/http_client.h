// SPDX-License-Identifier: Apache-2.0
// One HTTPS (or, for what the operator names, HTTP) request: POST of reports and webhooks, token requests.
// Own TCP and TLS with the guard asked for every address; no redirect is followed; IPv6 and IPv4 tried in
// turn.
#pragma once

#include "io/families.h"
#include "io/resolver.h"
#include "io/stream.h"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mailtight::io {

struct http_call {
    std::string method = "POST";
    std::string url;
    std::vector<std::pair<std::string, std::string>> fields;
    std::string body;
    bool exempt = false;             ///< the operator named it: the guard is not asked, http is allowed
    bool ignore_certificate = false; ///< second try of a report (8460-3-e)
    families over = families::any;
    std::size_t reply_bytes = 65'536;
    std::chrono::milliseconds time{60'000};
};
struct http_answer {
    int status = 0;                                          ///< 0: no answer
    std::vector<std::pair<std::string, std::string>> fields; ///< names lower case
    std::string body;
    std::string error;              ///< in words, where status is 0
    bool certificate_fault = false; ///< the certificate was the reason, or was ignored
    std::string address;            ///< that answered
    bool over_v6 = false;           ///< it is one of IPv6
    bool blocked = false;           ///< nobody was asked: the guard refused every address
};
struct url_parts {
    bool tls = true;
    std::string host, target;
    std::uint16_t port = 443;
};
std::optional<url_parts> parse_url(std::string_view url);
task<http_answer> http_request(loop& on, resolver& dns, const tls_client& tls,
                               const base::address_guard& guard, const base::clock& clock, http_call call);

} // namespace mailtight::io
