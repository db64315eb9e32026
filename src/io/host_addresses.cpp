// SPDX-License-Identifier: Apache-2.0
#include "io/host_addresses.h"

#include "base/host_name.h"
#include "base/limits.h"
#include "base/text.h"

#include <fmt/format.h>

#include <algorithm>

namespace mailtight::io {

task<host_addresses> addresses_of(resolver& dns, std::string host) {
    host_addresses result;
    if (const auto literal = base::ip_address::parse(host)) {
        result.addresses = {*literal};
        co_return result;
    }
    if (host.ends_with('.'))
        host.pop_back();
    if (base::iequals(host, "localhost") || base::iends_with(host, ".localhost")) {
        result.addresses = {*base::ip_address::parse("::1"), *base::ip_address::parse("127.0.0.1")};
        co_return result;
    }
    if (!base::is_host_name(host)) {
        result.error = fmt::format("\"{}\" is no host name", base::printable(host, 100));
        co_return result;
    }
    const auto found = co_await dns.addresses(host);
    std::vector<base::ip_address> v4, v6;
    for (const auto& address : found.addresses)
        (address.is_v4() ? v4 : v6).push_back(address);
    for (std::size_t i = 0; i < std::max(v4.size(), v6.size()); ++i) {
        if (i < v6.size())
            result.addresses.push_back(v6[i]);
        if (i < v4.size())
            result.addresses.push_back(v4[i]);
    }
    if (result.addresses.size() > base::limits::addresses_per_host)
        result.addresses.resize(base::limits::addresses_per_host);
    if (!result.addresses.empty())
        co_return result;
    result.temporary = found.any_error();
    const auto& failed = model::is_dns_error(found.a.status) ? found.a : found.aaaa;
    result.error = result.temporary ? fmt::format("DNS gave no address of {}: {}{}{}", host,
                                                  model::to_string(failed.status),
                                                  failed.detail.empty() ? "" : ", ", failed.detail)
                                    : fmt::format("{} has no address in DNS", host);
    co_return result;
}

} // namespace mailtight::io
