// SPDX-License-Identifier: Apache-2.0
#include "io/host_addresses.h"

#include "base/host_name.h"
#include "base/limits.h"
#include "base/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace mailtight::io {

namespace {

std::vector<base::ip_address> in_order(const std::vector<base::ip_address>& found, families which) {
    std::vector<base::ip_address> v4, v6, result;
    for (const auto& address : found)
        (address.is_v4() ? v4 : v6).push_back(address);
    if (which == families::v4_only)
        v6.clear();
    if (which == families::v6_only)
        v4.clear();
    if (which == families::v4_first)
        result = std::exchange(v4, {});
    for (std::size_t i = 0; i < std::max(v4.size(), v6.size()); ++i) {
        if (i < v6.size())
            result.push_back(v6[i]);
        if (i < v4.size())
            result.push_back(v4[i]);
    }
    if (result.size() > base::limits::addresses_per_host)
        result.resize(base::limits::addresses_per_host);
    return result;
}

/// " over IPv4" where only that was to be tried.
std::string_view limited_to(families which) {
    return which == families::v4_only ? " over IPv4" : which == families::v6_only ? " over IPv6" : "";
}

} // namespace

task<host_addresses> addresses_of(resolver& dns, std::string host, families which) {
    host_addresses result;
    if (const auto literal = base::ip_address::parse(host)) {
        result.addresses = in_order({*literal}, which);
        if (result.addresses.empty())
            result.error = fmt::format("{} cannot be reached{}", host, limited_to(which));
        co_return result;
    }
    if (host.ends_with('.'))
        host.pop_back();
    if (base::iequals(host, "localhost") || base::iends_with(host, ".localhost")) {
        result.addresses =
            in_order({*base::ip_address::parse("::1"), *base::ip_address::parse("127.0.0.1")}, which);
        co_return result;
    }
    if (!base::is_host_name(host)) {
        result.error = fmt::format("\"{}\" is no host name", base::printable(host, 100));
        co_return result;
    }
    const auto found = co_await dns.addresses(host);
    result.addresses = in_order(found.addresses, which);
    if (!result.addresses.empty())
        co_return result;
    // A family that is not asked for has no say in whether the other may be there later.
    result.temporary = which == families::v4_only   ? model::is_dns_error(found.a.status)
                       : which == families::v6_only ? model::is_dns_error(found.aaaa.status)
                                                    : found.any_error();
    const auto& failed = model::is_dns_error(found.a.status) ? found.a : found.aaaa;
    result.error =
        result.temporary
            ? fmt::format("DNS gave no address of {}: {}{}{}", host, model::to_string(failed.status),
                          failed.detail.empty() ? "" : ", ", failed.detail)
            : fmt::format("{} has no address in DNS{}", host,
                          found.addresses.empty() ? "" : fmt::format(" to reach it{}", limited_to(which)));
    co_return result;
}

} // namespace mailtight::io
