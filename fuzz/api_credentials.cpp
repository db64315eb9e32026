// SPDX-License-Identifier: Apache-2.0
// The bytes of a request through the reader, and what its fields say of who asks: a token or a cookie's
// secret that is found has its form and stands in the request; a name that is ours is one of ours however it
// is written; nothing that another site can make a browser send counts as a page of ours.
#include "api/credentials.h"
#include "base/ip.h"
#include "base/text.h"
#include "store/access.h"
#include "wire/http_request.h"

#include <cstdint>
#include <cstdlib>

using namespace mailtight;

namespace {

void require(bool holds) {
    if (!holds)
        std::abort();
}

bool is_known_host(std::string host) {
    while (host.ends_with('.'))
        host.pop_back();
    auto literal = host;
    if (literal.starts_with('[') && literal.ends_with(']'))
        literal = literal.substr(1, literal.size() - 2);
    return host == "localhost" || host == "panel.example" || base::ip_address::parse(literal) ||
           (base::iends_with(host, ".pages.example") &&
            host.find('.') == host.size() - std::string_view(".pages.example").size());
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    wire::http_request_reader reader;
    reader.feed(bytes);
    if (!reader.head_complete())
        return 0;
    const auto& request = reader.request();

    if (const auto token = api::bearer_of(request); token && !token->empty()) {
        require(api::is_token(*token));
        require(bytes.find(*token) != bytes.npos);
    }
    for (const bool secure : {false, true}) {
        const auto name = api::session_cookie_name(secure);
        if (const auto cookie = api::cookie_of(request, name)) {
            require(bytes.find(*cookie) != bytes.npos);
            require(cookie->find(';') == cookie->npos);
        }
        const auto from = api::origin_of(request, secure);
        const auto site = request.field("sec-fetch-site");
        if (from == api::origin::ours)
            require(site == "same-origin" || (site.empty() && !request.field("origin").empty()));
        if (from == api::origin::unsaid)
            require(site.empty() && request.field("origin").empty());
    }
    const std::vector<std::string> ours = {"panel.example", "*.pages.example"};
    require(!api::is_our_host(request.host, ours) || is_known_host(base::lower(request.host)));
    if (const auto name = api::proxied_name(request, "x-remote-user"))
        require(name->empty() || store::is_access_name(*name));
    require(api::counted_client(bytes.substr(0, 100)).size() <= 64);
    return 0;
}
