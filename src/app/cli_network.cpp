// SPDX-License-Identifier: Apache-2.0
// The options of every command that goes out, and what they change in the settings.
#include "app/cli_tree.h"
#include "base/text.h"

#include <fmt/format.h>

namespace mailtight::app {

std::optional<std::string> network_overrides::apply(settings& to) const {
    if (!resolver.empty())
        to.dns_servers = resolver;
    to.allow_net.insert(to.allow_net.end(), allow_net.begin(), allow_net.end());
    auto text = [](const std::string& from, std::string& into) {
        if (!from.empty())
            into = from;
    };
    text(dns_mode, to.dns_mode);
    text(trust_anchor, to.dns_trust_anchor);
    text(root_hints, to.dns_root_hints);
    text(ca_file, to.ca_file);
    if (smtp_control == "none")
        to.smtp_control.clear();
    else
        text(smtp_control, to.smtp_control);
    if (smtp_port)
        to.smtp_port = smtp_port;
    if (https_port)
        to.https_port = https_port;
    if (dns_port)
        to.dns_port = dns_port;
    struct wait {
        const char* option;
        const std::string& given;
        std::chrono::milliseconds& into;
    };
    for (const wait& each : {wait{"--dns-timeout", dns_timeout, to.dns_timeout},
                             wait{"--connect-timeout", connect_timeout, to.connect_timeout},
                             wait{"--smtp-timeout", smtp_timeout, to.smtp_timeout},
                             wait{"--https-timeout", https_timeout, to.https_timeout}}) {
        if (each.given.empty())
            continue;
        auto length = parse_duration(each.given);
        if (!length || length->count() == 0)
            return fmt::format("{} takes a duration such as 5s or 1500ms, not '{}'", each.option,
                               base::printable(each.given));
        each.into = *length;
    }
    return {};
}

bool network_overrides::any() const {
    if (!resolver.empty() || !allow_net.empty() || smtp_port || https_port || dns_port)
        return true;
    for (const auto* text : {&dns_mode, &trust_anchor, &root_hints, &ca_file, &dns_timeout, &connect_timeout,
                             &smtp_timeout, &https_timeout, &smtp_control})
        if (!text->empty())
            return true;
    return false;
}

void add_network_options(CLI::App* to, network_overrides& into) {
    const char* group = "Network";
    to->add_option("--resolver", into.resolver, "Name server to ask, ADDRESS[:PORT] (default: the system's)")
        ->group(group)
        ->expected(1)
        ->allow_extra_args(false)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
        ->type_name("ADDR[:PORT]");
    to->add_option("--dns-mode", into.dns_mode, "automatic, forwarding, validating or recursive")
        ->group(group)
        ->type_name("MODE");
    to->add_option("--trust-anchor", into.trust_anchor,
                   "DNSSEC trust anchor in place of the system's root key")
        ->group(group)
        ->type_name("FILE");
    to->add_option("--root-hints", into.root_hints, "Root servers for --dns-mode recursive")
        ->group(group)
        ->type_name("FILE");
    to->add_option("--ca-file", into.ca_file, "Trusted roots in place of the system's")
        ->group(group)
        ->type_name("PEM");
    to->add_option("--allow-net", into.allow_net,
                   "Permit connections to this network although it is not globally routable (repeatable)")
        ->group(group)
        ->expected(1)
        ->allow_extra_args(false)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
        ->type_name("CIDR");
    to->add_option("--smtp-port", into.smtp_port, "Port of the MX hosts (default 25)")
        ->group(group)
        ->type_name("N");
    to->add_option("--https-port", into.https_port, "Port of the policy hosts (default 443)")
        ->group(group)
        ->type_name("N");
    to->add_option("--dns-port", into.dns_port, "Port of authoritative servers asked directly (default 53)")
        ->group(group)
        ->type_name("N");
    to->add_option("--dns-timeout", into.dns_timeout, "For one DNS question (default 5s)")
        ->group(group)
        ->type_name("TIME");
    to->add_option("--connect-timeout", into.connect_timeout, "For one TCP connection (default 10s)")
        ->group(group)
        ->type_name("TIME");
    to->add_option("--smtp-timeout", into.smtp_timeout, "For each SMTP reply (default 30s)")
        ->group(group)
        ->type_name("TIME");
    to->add_option("--https-timeout", into.https_timeout, "For a whole policy fetch (default 60s)")
        ->group(group)
        ->type_name("TIME");
    to->add_option("--smtp-control", into.smtp_control,
                   "Host known to accept on port 25, asked only when every MX is silent; none: never")
        ->group(group)
        ->type_name("HOST");
}

} // namespace mailtight::app
