// SPDX-License-Identifier: Apache-2.0
#include "app/world.h"

#include "base/text.h"
#include "mail/domain_name.h"

#include <fmt/format.h>

#include <charconv>
#include <stdexcept>

#include <unistd.h>

namespace mailtight::app {

namespace {

std::string own_name() {
    char name[256] = {};
    if (::gethostname(name, sizeof name - 1) != 0)
        return "localhost";
    return mail::canonical_name(name).value_or("localhost");
}

} // namespace

std::expected<io::endpoint, std::string> parse_endpoint(const std::string& text, std::uint16_t default_port) {
    auto wrong = [&] {
        return std::unexpected(fmt::format("'{}' is no address: give ADDRESS, ADDRESS:PORT or [IPV6]:PORT",
                                           base::printable(text)));
    };
    std::string address = text, port;
    if (text.starts_with('[')) {
        const auto close = text.find(']');
        if (close == std::string::npos)
            return wrong();
        address = text.substr(1, close - 1);
        if (close + 1 < text.size()) {
            if (text[close + 1] != ':')
                return wrong();
            port = text.substr(close + 2);
        }
    } else if (const auto colon = text.find(':');
               colon != std::string::npos && text.find(':', colon + 1) == std::string::npos) {
        address = text.substr(0, colon);
        port = text.substr(colon + 1);
    }
    const auto parsed = base::ip_address::parse(address);
    if (!parsed)
        return wrong();
    std::uint16_t number = default_port;
    if (!port.empty() || text.ends_with(':')) {
        auto [stop, error] = std::from_chars(port.data(), port.data() + port.size(), number);
        if (error != std::errc{} || stop != port.data() + port.size() || number == 0)
            return wrong();
    }
    return io::endpoint{*parsed, number};
}

std::expected<io::resolver_options, std::string> resolver_settings(const settings& from) {
    io::resolver_options options;
    using mode = io::resolver_options::mode;
    if (from.dns_mode == "automatic")
        options.how = mode::automatic;
    else if (from.dns_mode == "forwarding")
        options.how = mode::forwarding;
    else if (from.dns_mode == "validating")
        options.how = mode::validating;
    else if (from.dns_mode == "recursive")
        options.how = mode::recursive;
    else
        return std::unexpected(
            fmt::format("dns mode '{}' is unknown: automatic, forwarding, validating or recursive",
                        base::printable(from.dns_mode)));
    for (const auto& text : from.dns_servers) {
        auto server = parse_endpoint(text, 53);
        if (!server)
            return std::unexpected(server.error());
        options.servers.push_back(*server);
    }
    options.trust_anchor_file = from.dns_trust_anchor;
    options.root_hints_file = from.dns_root_hints;
    options.timeout = from.dns_timeout;
    return options;
}

std::expected<std::unique_ptr<world>, std::string>
world::make(const settings& from, observe::observe_options what, std::size_t cache_entries) {
    auto made = std::make_unique<world>();
    std::vector<base::ip_network> allowed;
    for (const auto& text : from.allow_net) {
        auto network = base::ip_network::parse(text);
        if (!network)
            return std::unexpected(
                fmt::format("'{}' is no network: give for example 127.0.0.0/8", base::printable(text)));
        allowed.push_back(*network);
    }
    made->guard = base::address_guard(std::move(allowed));
    auto resolving = resolver_settings(from);
    if (!resolving)
        return std::unexpected(resolving.error());
    resolving->cache_entries = cache_entries;
    resolving->guard = made->guard;
    try {
        made->tls = std::make_unique<io::tls_client>(from.ca_file);
        made->dns = io::make_resolver(made->loop, *resolving);
    } catch (const std::runtime_error& error) {
        return std::unexpected(error.what());
    }
    made->probes.connect_timeout = from.connect_timeout;
    made->probes.fetch_time = from.https_timeout;
    made->probes.smtp_stage_time = from.smtp_timeout;
    made->probes.https_port = from.https_port;
    made->probes.smtp_port = from.smtp_port;
    made->probes.ehlo_name = from.ehlo_name.empty() ? own_name() : from.ehlo_name;
    what.dns_port = from.dns_port;
    what.dns_timeout = from.dns_timeout;
    what.smtp_control = from.smtp_control;
    what.smtp_connections = from.smtp_connections;
    what.connections_per_host = from.connections_per_host;
    made->observing = what;
    made->observer = std::make_unique<observe::observer>(made->loop, *made->dns, made->probe_context(), what);
    return made;
}

} // namespace mailtight::app
