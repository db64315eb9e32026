// SPDX-License-Identifier: Apache-2.0
#include "app/plain_sites.h"

#include "api/credentials.h"
#include "base/ip.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace mailtight::app {

namespace {

constexpr std::string_view challenge_path = "/.well-known/acme-challenge/";
constexpr std::uint16_t https_port = 443;

bool only_reads(std::string_view method) {
    return method == "GET" || method == "HEAD";
}

io::task<wire::http_reply> answer_challenge(std::function<std::string_view(std::string_view)> answer,
                                            io::http_exchange asked) {
    const std::string_view path = asked.request.path;
    const auto key =
        path.starts_with(challenge_path) ? answer(path.substr(challenge_path.size())) : std::string_view();
    if (key.empty())
        co_return wire::problem(404, "Not Found", "no challenge of this name");
    if (!only_reads(asked.request.method))
        co_return wire::problem(405, "Method Not Allowed", "GET");
    co_return wire::http_reply{.body = std::string(key), .media_type = "text/plain; charset=utf-8"};
}

/// The name under which a browser finds us over TLS: the one that it asked for, or the first of ours where it
/// asked for an address.
std::string_view name_for(std::string_view asked, const std::vector<std::string>& hosts) {
    const auto literal = asked.starts_with('[') ? asked.substr(1, asked.size() - 2) : asked;
    const bool named = asked != "localhost" && !base::ip_address::parse(literal);
    const auto first = std::ranges::find_if(hosts, [](const auto& each) { return !each.starts_with("*."); });
    return named || first == hosts.end() ? asked : std::string_view(*first);
}

io::task<wire::http_reply> lead(std::vector<std::string> hosts, std::uint16_t port, io::http_exchange asked) {
    const auto& request = asked.request;
    if (request.host.empty() || !api::is_our_host(request.host, hosts))
        co_return wire::problem(421, "", "this name is not ours: web.hosts names those that are");
    if (!only_reads(request.method))
        co_return wire::problem(403, "Forbidden", "over https alone");
    wire::http_reply reply;
    reply.status = 301;
    reply.media_type = "text/plain; charset=utf-8";
    const auto name = name_for(request.host, hosts);
    // Of the target the path alone where it is one: never an address of the client's choice.
    const std::string_view target = request.target.starts_with('/') ? request.target : std::string_view("/");
    reply.fields.emplace_back("Location", port == https_port
                                              ? fmt::format("https://{}{}", name, target)
                                              : fmt::format("https://{}:{}{}", name, port, target));
    reply.body = "over https\n";
    co_return reply;
}

} // namespace

io::http_site challenge_answers(std::function<std::string_view(std::string_view token)> answer) {
    io::http_site site;
    site.name = "challenges";
    site.prefix = std::string(challenge_path);
    site.body_bytes = 0;
    site.handle = [answer = std::move(answer)](io::http_exchange asked) {
        return answer_challenge(answer, std::move(asked));
    };
    return site;
}

io::http_site way_to_https(std::function<const std::vector<std::string>&()> hosts, std::uint16_t port) {
    io::http_site site;
    site.name = "to-https";
    site.body_bytes = 0;
    site.handle = [hosts = std::move(hosts), port](io::http_exchange asked) {
        return lead(hosts(), port, std::move(asked));
    };
    return site;
}

} // namespace mailtight::app
