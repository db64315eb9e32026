// SPDX-License-Identifier: Apache-2.0
// Requests to the authority (RFC 8555 §6): the directory, nonces, and what is signed.
#include "publish/issuer_state.h"

#include "base/text.h"

#include <fmt/format.h>

#include <algorithm>

namespace mailtight::publish {

namespace {

using namespace std::chrono_literals;

constexpr auto directory_life = 1h;
constexpr auto request_time = 30s;
constexpr std::size_t nonces_kept = 64;
constexpr std::size_t nonce_bytes = 512;
constexpr std::size_t reply_bytes = 131'072;
// An authority that refuses three nonces of ten refuses twenty in a row once in 30,000 million requests.
constexpr unsigned nonce_tries = 20;

std::string field(const io::http_answer& answer, std::string_view name) {
    const auto at = std::ranges::find(answer.fields, name, &std::pair<std::string, std::string>::first);
    return at == answer.fields.end() ? std::string() : at->second;
}

/// RFC 8555 §6.5.1: base64url alone.
bool is_nonce(std::string_view text) {
    return !text.empty() && text.size() <= nonce_bytes &&
           std::ranges::all_of(text, [](char c) { return base::is_alnum(c) || c == '-' || c == '_'; });
}

std::string take_nonce(const io::http_answer& answer) {
    auto nonce = field(answer, "replay-nonce");
    return is_nonce(nonce) ? nonce : std::string();
}

/// The URL of a Link field with rel="next" (RFC 8288 §3); "" where there is none.
std::string next_page(const io::http_answer& answer) {
    for (const auto& [name, value] : answer.fields) {
        if (name != "link")
            continue;
        for (const auto one : base::split(value, ',')) {
            const auto from = one.find('<'), to = one.find('>');
            const auto rest = to == one.npos ? std::string_view() : one.substr(to);
            if (from < to && (rest.find("rel=\"next\"") != rest.npos || rest.find("rel=next") != rest.npos))
                return std::string(one.substr(from + 1, to - from - 1));
        }
    }
    return {};
}

bool same_origin(std::string_view one, std::string_view other) {
    const auto a = io::parse_url(one), b = io::parse_url(other);
    return a && b && a->tls == b->tls && a->port == b->port && a->host == b->host;
}

} // namespace

/// The operator named the directory, and with it where it stands. Any other place is one that the authority
/// names: asked by https alone, and behind the guard.
io::http_call issuer::state::call_to(std::string url) const {
    io::http_call call;
    call.exempt = options.exempt && same_origin(url, options.directory);
    call.url = std::move(url);
    call.time = request_time;
    call.reply_bytes = reply_bytes;
    return call;
}

io::task<io::http_answer> issuer::state::get(std::string url) {
    auto call = call_to(std::move(url));
    call.method = "GET";
    co_return co_await session.ask(std::move(call), true);
}

io::task<std::expected<void, std::string>> issuer::state::learn_directory() {
    const auto permit = co_await directory_gate.acquire();
    if (directory_at && loop.now() - *directory_at < directory_life)
        co_return std::expected<void, std::string>{};
    const auto answer = co_await get(options.directory);
    if (answer.status != 200)
        co_return std::unexpected(
            fmt::format("the authority's directory {} gave {}", base::printable(options.directory, 200),
                        answer.status == 0 ? answer.error : fmt::format("HTTP status {}", answer.status)));
    auto read = wire::read_acme_directory(answer.body);
    if (!read)
        co_return std::unexpected(
            fmt::format("{}: {}", base::printable(options.directory, 200), read.error()));
    directory = std::move(*read);
    directory_at = loop.now();
    co_return std::expected<void, std::string>{};
}

io::task<std::expected<std::string, std::string>> issuer::state::nonce() {
    if (!nonces.empty()) {
        auto newest = std::move(nonces.back());
        nonces.pop_back();
        co_return newest;
    }
    const auto answer = co_await get(directory.new_nonce);
    auto fresh = take_nonce(answer);
    if (fresh.empty())
        co_return std::unexpected(
            answer.status == 0 ? answer.error
                               : fmt::format("the authority gave no nonce (HTTP status {})", answer.status));
    co_return fresh;
}

io::task<order_reply> issuer::state::post(account_ptr as, const base::ec_key* key, std::string url,
                                          std::string payload, bool once) {
    order_reply reply;
    std::string fresh; // of the last reply, where that refused the one before
    for (unsigned tries = 0; tries < nonce_tries; ++tries) {
        if (fresh.empty()) {
            auto got = co_await nonce();
            if (!got) {
                reply.error = got.error();
                co_return reply;
            }
            fresh = std::move(*got);
        }
        auto call = call_to(url);
        call.fields = {{"Content-Type", "application/jose+json"}};
        call.body = wire::acme_request(as ? as->key : *key, as ? as->url : "", fresh, url, payload);
        const auto answer = co_await session.ask(std::move(call), !once);
        reply = {.status = answer.status,
                 .error = answer.error,
                 .location = field(answer, "location"),
                 .retry_after = field(answer, "retry-after"),
                 .body = answer.body,
                 .next = next_page(answer)};
        fresh = take_nonce(answer);
        const bool refused =
            reply.status == 400 && wire::read_acme_problem(reply.status, reply.body).type == "badNonce";
        if (!refused) {
            if (!fresh.empty() && nonces.size() < nonces_kept)
                nonces.push_back(std::move(fresh));
            co_return reply;
        }
        ++count.bad_nonces;
    }
    co_return reply;
}

} // namespace mailtight::publish
