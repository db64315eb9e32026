// SPDX-License-Identifier: Apache-2.0
#include "publish/policy_site.h"

#include "publish/http_words.h"

namespace mailtight::publish {

namespace {

constexpr std::string_view policy_path = "/.well-known/mta-sts.txt", cache_control = "Cache-Control: ";
constexpr std::string_view challenge_path = "/.well-known/acme-challenge/",
                           plain = "text/plain; charset=utf-8";

wire::http_reply refusal_reply(int status) {
    wire::http_reply reply{
        .status = status, .body = refusal_of(status).body, .media_type = std::string(plain)};
    if (status == 405)
        reply.fields.emplace_back("Allow", "GET, HEAD");
    return reply;
}

/// The value of a field in a head that is ready made; "" where it is not there.
std::string_view value_in(std::string_view head, std::string_view field) {
    const auto at = head.find(field);
    if (at == head.npos)
        return {};
    head.remove_prefix(at + field.size());
    return head.substr(0, head.find('\r'));
}

io::task<wire::http_reply> answer(const policy_host& host, fetch_counter* fetches, const base::clock& clock,
                                  io::http_exchange asked) {
    const auto& request = asked.request;
    const auto path = request.query.empty() && !request.target.contains('?') ? request.path : "";
    const auto found = host.answer(request.method, path, request.host, asked.server_name, true);
    if (!found.given)
        co_return refusal_reply(found.status);
    if (fetches)
        fetches->count(found.given->domain, found.given->id, asked.client, request.field("user-agent"),
                       clock.now());
    wire::http_reply reply{.body = found.given->body, .media_type = std::string(plain)};
    if (const auto value = value_in(found.head, cache_control); !value.empty())
        reply.fields.emplace_back("Cache-Control", value);
    co_return reply;
}

io::task<wire::http_reply> answer_challenge(const policy_host& host, io::http_exchange asked) {
    const std::string_view path = asked.request.path;
    const auto key = path.starts_with(challenge_path) ? host.token(path.substr(challenge_path.size()))
                                                      : std::string_view();
    if (key.empty())
        co_return refusal_reply(404);
    if (asked.request.method != "GET" && asked.request.method != "HEAD")
        co_return refusal_reply(405);
    co_return wire::http_reply{.body = std::string(key), .media_type = std::string(plain)};
}

} // namespace

io::http_site policy_site(const policy_host& host, fetch_counter* fetches, const base::clock& clock) {
    return {.name = "policies",
            .hosts = {}, // as many as there are policies; the host says which
            .prefix = std::string(policy_path),
            .body_bytes = 0,
            .handle = [&host, fetches, &clock](
                          io::http_exchange asked) { return answer(host, fetches, clock, std::move(asked)); },
            .admit = {}};
}

io::http_site challenge_site(const policy_host& host) {
    return {.name = "challenges",
            .hosts = {},
            .prefix = std::string(challenge_path),
            .body_bytes = 0,
            .handle = [&host](io::http_exchange asked) { return answer_challenge(host, std::move(asked)); },
            .admit = {}};
}

} // namespace mailtight::publish
