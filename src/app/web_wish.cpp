// SPDX-License-Identifier: Apache-2.0
#include "app/web_wish.h"

#include "api/credentials.h"
#include "app/daemon_core.h"
#include "app/pages_certificates.h"
#include "base/host_name.h"
#include "base/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

namespace mailtight::app {

namespace {

constexpr std::uint16_t http_port = 80;
constexpr std::uint64_t hours_most = 24 * 366, days_most = 36'500;

bool is_loopback(const base::ip_address& address) {
    static const std::array here = {*base::ip_network::parse("127.0.0.0/8"), *base::ip_network::parse("::1")};
    return std::ranges::any_of(here, [&](const auto& each) { return each.contains(address); });
}

bool is_loopback(const io::listen_address& at) {
    return !at.tcp || is_loopback(at.tcp->address);
}

/// Fields that browsers and proxies fill themselves: whoever they name, it is nobody.
bool names_nobody(std::string_view field) {
    constexpr auto taken = std::to_array<std::string_view>(
        {"accept", "accept-encoding", "accept-language", "authorization", "connection", "content-length",
         "content-type", "cookie", "host", "origin", "referer", "transfer-encoding", "user-agent", "via",
         "x-csrf-token", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto"});
    return std::ranges::find(taken, base::lower(field)) != taken.end();
}

/// A setting that would quietly do nothing, or let nobody in.
std::optional<std::string> fault_in(const settings& set) {
    for (const auto& host : set.web_hosts) {
        const auto name = std::string_view(host).substr(host.starts_with("*.") ? 2 : 0);
        if (!base::is_host_name(name) && !base::ip_address::parse(name))
            return fmt::format(
                "web.hosts: \"{}\" is no name of a host, such as mailtight.example.com, without "
                "scheme and port",
                base::printable(host, 300));
    }
    const std::string_view field = set.web_proxy_field;
    const bool word =
        std::ranges::all_of(field, [](char c) { return base::is_alnum(c) || c == '-' || c == '_'; });
    if (!field.empty() && (!word || names_nobody(field)))
        return fmt::format(
            "web.proxy-user-field: \"{}\" cannot be the field in which a proxy names somebody; "
            "take one of its own, such as X-Remote-User",
            base::printable(field, 100));
    if (!field.empty() && set.web_proxies.empty())
        return "web.proxy-user-field: nobody is believed without web.trusted-proxies, the proxies that fill "
               "it";
    if (set.web_session_hours < 1 || set.web_session_hours > hours_most)
        return fmt::format("web.session-hours: 1 to {}", hours_most);
    if (set.web_audit_days < 1 || set.web_audit_days > days_most)
        return fmt::format("web.audit-days: 1 to {}", days_most);
    return {};
}

/// The refusal of a request that was not meant for us, before anything of it is looked at.
std::optional<wire::http_reply> refusal_of(const web_wish& is, const io::http_exchange& asked) {
    // Without TLS only the proxy in front may connect, and this machine.
    const bool proxies_alone = !is.tls && !is.proxies.empty();
    if (proxies_alone && asked.peer.address && !is_loopback(asked.peer.address->address) &&
        std::ranges::none_of(is.proxies,
                             [&](const auto& each) { return each.contains(asked.peer.address->address); }))
        return wire::problem(403, "", "only the proxies of web.trusted-proxies may connect here");
    // A page elsewhere may give its own name our address (DNS rebinding); it comes with that name.
    const bool any_name = is.hosts.empty() && (is.tls || !is.proxies.empty());
    if (!any_name && !asked.request.host.empty() && !api::is_our_host(asked.request.host, is.hosts))
        return wire::problem(421, "",
                             is.hosts.empty() ? "this address is for this machine: http://127.0.0.1 or "
                                                "http://localhost; for another name set web.hosts"
                                              : "this name is not ours: web.hosts names those that are");
    return {};
}

} // namespace

std::expected<web_wish, std::string> web_wish_of(const settings& set) {
    web_wish all;
    auto proxies = networks("web.trusted-proxies", set.web_proxies);
    if (!proxies)
        return std::unexpected(proxies.error());
    all.proxies = std::move(*proxies);
    if (auto wrong = fault_in(set))
        return std::unexpected(std::move(*wrong));
    if (set.web_acme) {
        auto names = names_for_acme(set);
        if (!names)
            return std::unexpected(names.error());
        all.acme = std::move(*names);
    }
    all.tls = set.web_acme || !set.web_certificates.empty();
    all.by_default = set.web_listen == settings().web_listen;
    for (const auto& host : set.web_hosts)
        all.hosts.push_back(base::lower(host));
    if (!set.web_http_listen.empty() && !all.tls)
        return std::unexpected("web.http-listen leads to https, which is not spoken here: set web.acme or "
                               "web.tls-certificates");
    for (const auto& text : set.web_http_listen) {
        auto at = listen_at("web.http-listen", text, http_port);
        if (!at)
            return std::unexpected(at.error());
        all.plain_at.push_back(std::move(*at));
    }
    for (const auto& text : set.web_listen) {
        auto at = listen_at("web.listen", text, web_port);
        if (!at)
            return std::unexpected(at.error());
        if (!is_loopback(*at) && !all.tls && all.proxies.empty())
            return std::unexpected(fmt::format(
                "web.listen: {} can be reached from other machines, and passwords would cross the network in "
                "the clear. Set web.acme or web.tls-certificates; or web.trusted-proxies, where a proxy in "
                "front speaks TLS; or stay with 127.0.0.1:8460 and come by `ssh -L 8460:127.0.0.1:8460`",
                base::printable(text)));
        all.at.push_back(std::move(*at));
    }
    return all;
}

io::http_site under(const web_wish& is, io::http_site site) {
    site.admit = [&is, inner = std::move(site.admit)](const io::http_exchange& asked) {
        auto refused = refusal_of(is, asked);
        return refused || !inner ? std::move(refused) : inner(asked);
    };
    return site;
}

} // namespace mailtight::app
