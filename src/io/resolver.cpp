// SPDX-License-Identifier: Apache-2.0
// Chooses the way of asking. What the options leave open comes from /etc/resolv.conf (resolv.conf(5): at most
// three servers, loopback where none is named).
#include "io/resolver.h"

#include "base/text.h"
#include "io/dns_automatic.h"
#include "io/dns_forwarder.h"
#include "io/dns_unbound.h"
#include "io/resolver_caching.h"

#include <algorithm>
#include <fstream>
#include <stdexcept>

namespace mailtight::io {

namespace {

using mode = resolver_options::mode;

constexpr std::uint16_t dns_port = 53;
constexpr std::size_t system_servers_max = 3;

std::vector<endpoint> system_servers() {
    std::vector<endpoint> servers;
    std::ifstream file("/etc/resolv.conf");
    for (std::string line; std::getline(file, line) && servers.size() < system_servers_max;) {
        auto text = base::trim(line);
        constexpr std::string_view key = "nameserver";
        if (!text.starts_with(key) || text.size() == key.size() || !base::is_wsp(text[key.size()]))
            continue;
        text = base::trim(text.substr(key.size()));
        if (const auto address = base::ip_address::parse(text))
            servers.push_back({*address, dns_port});
    }
    if (servers.empty())
        servers.push_back({base::ip_address::v4({127, 0, 0, 1}), dns_port});
    return servers;
}

bool all_on_loopback(const std::vector<endpoint>& servers) {
    return std::ranges::all_of(
        servers, [](const endpoint& at) { return base::not_global_because(at.address) == "loopback"; });
}

std::unique_ptr<dns_backend> make_backend(loop& on, const resolver_options& options) {
    auto servers = options.servers;
    if (servers.empty() && options.how != mode::recursive)
        servers = system_servers();
    for (auto& server : servers)
        if (server.port == 0)
            server.port = dns_port;
    const bool forward =
        options.how == mode::forwarding || (options.how == mode::automatic && all_on_loopback(servers));
    if (forward)
        return std::make_unique<dns_forwarder>(on, std::move(servers), options.timeout);
    auto validating = make_unbound_backend(on, options, servers);
    // An operator who names an anchor of his own means to have it used.
    if (options.how != mode::automatic || !options.trust_anchor_file.empty())
        return validating;
    return std::make_unique<dns_automatic>(on, std::move(servers), options.timeout, std::move(validating));
}

} // namespace

std::string endpoint::to_string() const {
    const auto host = address.is_v6() ? '[' + address.to_string() + ']' : address.to_string();
    return host + ':' + std::to_string(port);
}

std::unique_ptr<resolver> make_resolver(loop& on, const resolver_options& options) {
    return std::make_unique<caching_resolver>(on, make_backend(on, options), options.in_flight,
                                              options.cache_entries);
}

} // namespace mailtight::io
