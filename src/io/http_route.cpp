// SPDX-License-Identifier: Apache-2.0
#include "io/http_route.h"

#include "base/text.h"

#include <algorithm>
#include <tuple>

namespace mailtight::io {

namespace {

/// 3: the very host, 2: by a wildcard of one label, 1: every host, 0: not this site.
int host_fit(const http_site& site, std::string_view host) {
    if (site.hosts.empty())
        return 1;
    if (std::ranges::find(site.hosts, host) != site.hosts.end())
        return 3;
    const auto dot = host.find('.');
    if (dot == host.npos || dot == 0)
        return 0;
    const auto parent = host.substr(dot);
    const bool covered = std::ranges::any_of(site.hosts, [&](std::string_view name) {
        return name.starts_with("*.") && name.substr(1) == parent;
    });
    return covered ? 2 : 0;
}

/// "/tlsrpt/" holds "/tlsrpt/x"; "/tlsrpt" holds itself and "/tlsrpt/x", not "/tlsrptx".
bool below(std::string_view path, std::string_view prefix) {
    if (!path.starts_with(prefix))
        return false;
    return prefix.ends_with('/') || path.size() == prefix.size() || path[prefix.size()] == '/';
}

/// An address as proxies write it: bare, with a port, in brackets, in quotes.
std::optional<base::ip_address> written_address(std::string_view text) {
    text = base::trim(text);
    if (text.size() >= 2 && text.starts_with('"') && text.ends_with('"'))
        text = text.substr(1, text.size() - 2);
    if (text.starts_with('['))
        text = text.substr(1, text.find(']') == text.npos ? text.npos : text.find(']') - 1);
    else if (std::ranges::count(text, ':') == 1)
        text = text.substr(0, text.find(':'));
    return base::ip_address::parse(text);
}

/// The value of `for` in one element of Forwarded (RFC 7239 §4).
std::string_view for_parameter(std::string_view element) {
    for (const auto part : base::split(element, ';')) {
        const auto trimmed = base::trim(part);
        if (trimmed.size() > 4 && base::iequals(trimmed.substr(0, 4), "for="))
            return trimmed.substr(4);
    }
    return {};
}

} // namespace

const http_site* find_site(const std::vector<std::unique_ptr<http_site>>& sites, std::string_view host,
                           std::string_view path) {
    const http_site* best = nullptr;
    auto rank = std::tuple<std::size_t, int>{0, 0};
    for (const auto& site : sites) {
        const int fit = host_fit(*site, host);
        if (fit == 0 || !below(path, site->prefix))
            continue;
        if (const auto mine = std::tuple{site->prefix.size(), fit}; mine > rank) {
            best = site.get();
            rank = mine;
        }
    }
    return best;
}

namespace {

std::string client_address(const peer& from, std::string_view field, bool forwarded,
                           const std::vector<base::ip_network>& proxies) {
    auto trusted = [&](const base::ip_address& address) {
        return std::ranges::any_of(proxies, [&](const auto& network) { return network.contains(address); });
    };
    if (from.address && !trusted(from.address->address))
        return from.address->address.to_string();
    auto known = from.address ? from.address->address.to_string() : from.to_string();
    const auto elements = base::split(field, ',');
    for (auto element = elements.rbegin(); element != elements.rend(); ++element) {
        const auto address = written_address(forwarded ? for_parameter(*element) : *element);
        if (!address) // what stands left of it was written by somebody we cannot name
            break;
        known = address->to_string();
        if (!trusted(*address))
            break;
    }
    return known;
}

} // namespace

std::string client_address(const peer& from, const wire::http_request& request,
                           const http_server_options& options) {
    const bool forwarded = options.proxies_write == http_server_options::proxy_field::forwarded;
    return client_address(from, request.field(forwarded ? "forwarded" : "x-forwarded-for"), forwarded,
                          options.trusted_proxies);
}

std::string client_address(const peer& from, std::string_view forwarded_for,
                           const std::vector<base::ip_network>& trusted) {
    return client_address(from, forwarded_for, false, trusted);
}

} // namespace mailtight::io
